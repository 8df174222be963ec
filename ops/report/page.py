"""The trust report as one page: no request leaves it, it reads and prints without its script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from urllib.parse import quote, urlencode

from ops.report.proofs import STATUSES, Claim, Evidence, Proofs, Resource
from ops.report.reachability import Matrix
from ops.report.wording import FRAMEWORKS as PUBLISHED
from ops.report.wording import KIND, STATUS, plural, source_line
from proofs.register.claims import FRAMEWORKS

LARGEST_BYTES = 1_900_000
"""A page that can still be mailed."""

_SIGNS = "".join(f'.{status} {{ --sign: "{meaning.sign}"; }}\n' for status, meaning in STATUS.items())
_STYLE = _SIGNS + Path(__file__).with_name("page.css").read_text(encoding="utf-8")
_SCRIPT = Path(__file__).with_name("page.js").read_text(encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A drawing that the page carries inside itself."""

    title: str
    caption: str
    svg: str


def page(
    proofs: Proofs,
    *,
    pictures: Sequence[Picture] = (),
    networks: Sequence[Matrix] = (),
    at: datetime | None = None,
) -> str:
    """The whole page; where it would be too large to mail, each evidence shows fewer of its resources and says so."""
    text = ""
    for shown in (200, 60, 25, 10, 4, 0):
        text = _document(proofs, pictures, networks, at, shown)
        if len(text.encode()) <= LARGEST_BYTES:
            break
    return text


def _document(
    proofs: Proofs, pictures: Sequence[Picture], networks: Sequence[Matrix], at: datetime | None, shown: int
) -> str:
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(_STYLE)}'; script-src '{_digest(_SCRIPT)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    counts = proofs.by_status()
    size = f"{plural(proofs.stacks, 'stack')}, {plural(proofs.resources, 'resource')}"
    date = f" · as of {_date(at)}" if at else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>Trust report: {escape(proofs.deployment)}</title>
<style>{_STYLE}</style>
</head>
<body>
<a class="skip" href="#promises">Skip to the promises</a>
<header><div class="frame">
<div class="title"><h1>Trust report</h1>
<p>Deployment {escape(proofs.deployment)} · {size}{date}</p></div>
<button type="button" id="theme" class="theme" hidden>Dark theme</button>
</div></header>
<div class="frame body">
{_contents(proofs, pictures, networks)}
<main>
{_summary(proofs, counts)}
{_pictures(pictures)}
{_reachability(networks)}
<section id="promises" aria-labelledby="promises-title">
<h2 id="promises-title">Promises</h2>
{_find(proofs, counts)}
<p id="nothing" hidden>No promise fits. Press “Show all” or search for fewer words.</p>
{"".join(_source(proofs, source, shown) for source in proofs.sources)}
</section>
{_attest(proofs)}
{_controls(proofs)}
{_waivers(proofs)}
</main>
</div>
<footer><div class="frame">
<p>Written from the proofs of assembly <code>{escape(proofs.assembly)}</code>, SHA-256 <code>{proofs.digest}</code>.
It says what the templates would make true once they are deployed; it does not look into an account.</p>
</div></footer>
<script>{_SCRIPT}</script>
</body>
</html>
"""


# ------------------------------------------------------------------------------------------------------------- sections


def _contents(proofs: Proofs, pictures: Sequence[Picture], networks: Sequence[Matrix]) -> str:
    def entry(target: str, words: str, count: int | None = None) -> str:
        number = "" if count is None else f'<span class="number">{count}</span>'
        return f'<a href="#{target}"><span>{escape(words)}</span>{number}</a>'

    sources = "".join(
        f"<li>{entry(f'source-{source}', source.capitalize(), len(_of(proofs, source=source)))}</li>"
        for source in proofs.sources
    )
    attest = len(_of(proofs, status="ATTEST"))
    return f"""<nav aria-label="Contents"><ul>
<li>{entry("summary", "Summary")}</li>
{f"<li>{entry('pictures', 'Pictures')}</li>" if pictures else ""}
{f"<li>{entry('reachability', 'Reachability')}</li>" if networks else ""}
<li>{entry("promises", "Promises", len(proofs.claims))}<ul>{sources}</ul></li>
<li>{entry("attest", "Left to attest", attest)}</li>
<li>{entry("controls", "Controls")}</li>
<li>{entry("waivers", "Waivers", len(proofs.waivers))}</li>
</ul></nav>"""


def _summary(proofs: Proofs, counts: Mapping[str, int]) -> str:
    provable = len(proofs.claims) - counts["ATTEST"]
    lead = (
        f"{plural(len(proofs.claims), 'promise')} from {plural(len(proofs.sources), 'source document')}. "
        f"Of the {provable} that a deployment can keep, {counts['HOLDS']} {_verb(counts['HOLDS'])} shown to hold, "
        f"{counts['PARTIAL']} {_verb(counts['PARTIAL'])} shown in part and {counts['BROKEN']} {_verb(counts['BROKEN'])} broken; "
        f"{counts['ATTEST']} more {_verb(counts['ATTEST'])} for people to attest."
    )
    tiles = "".join(
        f'<li><a class="tile {status}" href="#promises" data-only="status={status}"><b>{counts[status]}</b>'
        f'<span class="sign">{STATUS[status].label}</span><small>{STATUS[status].sentence}</small></a></li>'
        for status in STATUSES
    )
    by_source = _matrix(
        "By source document",
        "source",
        [
            (source, source.capitalize(), f'<br><span class="quiet">{escape(source_line(source))}</span>')
            for source in proofs.sources
        ],
        proofs,
    )
    by_topic = _matrix("By topic", "topic", [(topic, topic.capitalize(), "") for topic in proofs.topics], proofs)
    return f"""<section id="summary" aria-labelledby="summary-title">
<h2 id="summary-title">Summary</h2>
<p>{lead}</p>
<ul class="tiles">{tiles}</ul>
{_share(counts)}
{by_source}
<details class="fold"><summary>By topic</summary>{by_topic}</details>
</section>"""


def _share(counts: Mapping[str, int]) -> str:
    total, start, parts = sum(counts.values()), 0.0, []
    for status in STATUSES:
        width = 1000 * counts[status] / total
        if width:
            parts.append(f'<rect class="{status}" x="{start:.2f}" width="{width:.2f}" height="10"></rect>')
        start += width
    words = ", ".join(f"{counts[status]} {STATUS[status].label.lower()}" for status in STATUSES)
    return (
        f'<svg class="share" role="img" aria-label="Shares: {words}" viewBox="0 0 1000 10" '
        f'preserveAspectRatio="none">{"".join(parts)}</svg>'
    )


def _matrix(title: str, key: str, rows: Sequence[tuple[str, str, str]], proofs: Proofs) -> str:
    head = "".join(
        f'<th scope="col" class="number">{STATUS[status].label.replace("Yours to attest", "To attest")}</th>'
        for status in STATUSES
    )

    def cell(value: str, name: str, status: str) -> str:
        count = len(_of(proofs, **{key: value, "status": status}))
        if not count:
            return '<td class="number quiet">0</td>'
        only = escape(urlencode({key: value, "status": status}))
        words = f"{STATUS[status].label.lower()}, {name}"
        return (
            f'<td class="number"><a href="#promises" data-only="{only}">{count}<span class="said"> {escape(words)}</span>'
            "</a></td>"
        )

    body = "".join(
        f'<tr><th scope="row"><a href="#promises" data-only="{escape(urlencode({key: value}))}">{escape(name)}</a>{note}</th>'
        f"{''.join(cell(value, name, status) for status in STATUSES)}</tr>"
        for value, name, note in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table: {title.lower()}"><table><caption>{title}</caption>'
        f'<thead><tr><th scope="col">{key.capitalize()}</th>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _pictures(pictures: Sequence[Picture]) -> str:
    if not pictures:
        return ""
    figures = "".join(
        f'<figure><div class="paper" tabindex="0" role="region" aria-label="{escape(picture.title)}">'
        f'<img src="data:image/svg+xml,{quote(picture.svg, safe=_PLAIN)}"{_size(picture.svg)} '
        f'alt="{escape(picture.title)}: {escape(picture.caption)}"></div>'
        f"<figcaption><strong>{escape(picture.title)}.</strong> {escape(picture.caption)}</figcaption></figure>"
        for picture in pictures
    )
    return f"""<section id="pictures" aria-labelledby="pictures-title">
<h2 id="pictures-title">Pictures</h2>
{figures}
</section>"""


def _reachability(networks: Sequence[Matrix]) -> str:
    if not networks:
        return ""
    return f"""<section id="reachability" aria-labelledby="reachability-title">
<h2 id="reachability-title">Reachability</h2>
<p>Who can open a connection to whom, and on which ports, after routes, security groups and network ACLs. An empty cell means
that no connection can be opened. TCP where nothing else is said. What is reached exactly as the internet is has no column of its
own.</p>
{"".join(map(_matrix_of, networks))}
</section>"""


def _matrix_of(network: Matrix) -> str:
    head = "".join(f'<th scope="col">{_breakable(column)}</th>' for column in network.columns)
    rows = "".join(
        f'<tr><th scope="row">{_breakable(row)}</th>'
        + "".join(
            f'<td class="open">{escape(ports)}</td>' if (ports := network.cells.get((row, column))) else "<td></td>"
            for column in network.columns
        )
        + "</tr>"
        for row in network.rows
    )
    doubt = '<p class="quiet">? hangs on something that the templates do not tell.</p>' if network.doubtful else ""
    name = escape(network.network)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Reachability in {name}"><table class="matrix">'
        f'<caption>{name}</caption><thead><tr><th scope="col">From (down) to (across)</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{doubt}"
    )


def _breakable(path: str) -> str:
    return escape(path).replace("/", "/<wbr>")


_PLAIN = " !$()*+,-./:;=?@[]^_`{|}~'"
"""Characters that a data URL within a quoted attribute may carry unescaped."""


def _size(svg: str) -> str:
    """Room kept for the picture before it is decoded."""
    box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', svg)
    return f' width="{float(box[1]):.0f}" height="{float(box[2]):.0f}"' if box else ""


def _find(proofs: Proofs, counts: Mapping[str, int]) -> str:
    def options(values: Sequence[str]) -> str:
        return "".join(f'<option value="{escape(value)}">{escape(value.capitalize())}</option>' for value in values)

    boxes = "".join(
        f'<label class="pick {status}"><input type="checkbox" name="status" value="{status}">'
        f'<span class="sign">{STATUS[status].label} ({counts[status]})</span></label>'
        for status in STATUSES
    )
    return f"""<form id="find" class="find" role="search" aria-label="Find promises" hidden>
<div><label for="search">Search <kbd>/</kbd></label>
<input type="search" id="search" name="search" autocomplete="off" spellcheck="false" aria-keyshortcuts="/"
 placeholder="encryption, paragon-03, AWS::KMS::Key"></div>
<div><label for="source">Source document</label>
<select id="source" name="source"><option value="">All sources</option>{options(proofs.sources)}</select></div>
<div><label for="topic">Topic</label>
<select id="topic" name="topic"><option value="">All topics</option>{options(proofs.topics)}</select></div>
<fieldset class="wide"><legend>Status</legend>{boxes}</fieldset>
<div class="wide"><output id="count" for="search source topic" aria-live="polite"></output>
<button type="button" id="open" aria-pressed="false">Open all evidence</button><button type="reset">Show all</button></div>
</form>"""


def _source(proofs: Proofs, source: str, shown: int) -> str:
    claims = _of(proofs, source=source)
    topics = "".join(
        f'<section class="topic" aria-labelledby="source-{escape(source)}-title {_token(source, topic)}">'
        f'<h4 id="{_token(source, topic)}">{escape(topic)}</h4>'
        f"{''.join(_article(claim, shown) for claim in claims if claim.topic == topic)}</section>"
        for topic in dict.fromkeys(claim.topic for claim in claims)
    )
    return f"""<section class="source" id="source-{escape(source)}" aria-labelledby="source-{escape(source)}-title">
<h3 id="source-{escape(source)}-title">{escape(source.capitalize())}</h3>
<p>{escape(source_line(source))}. {plural(len(claims), "promise")}.</p>
{topics}
</section>"""


def _article(claim: Claim, shown: int) -> str:
    return f"""<article class="claim {claim.status}" id="{escape(claim.id)}" aria-labelledby="{escape(claim.id)}-title"
 data-status="{claim.status}" data-source="{escape(claim.source)}" data-topic="{escape(claim.topic)}">
<div class="head"><span class="badge sign">{STATUS[claim.status].label}</span>
<a href="#{escape(claim.id)}" aria-label="Link to {escape(claim.id)}">{escape(claim.id)}</a>
<span class="kind" title="{KIND[claim.kind]}">{claim.kind.capitalize()}</span></div>
<h5 id="{escape(claim.id)}-title">{escape(claim.claim)}</h5>
{"".join(_details(claim, shown))}</article>
"""


def _details(claim: Claim, shown: int) -> Iterator[str]:
    if claim.counter_examples:
        items = "".join(
            f"<li>{escape(example.text)}{_where(example.stack, example.path, example.resource)}</li>"
            for example in claim.counter_examples
        )
        yield f'<div class="note"><h6>Counter-example</h6><ul>{items}</ul></div>'
    if claim.missing:
        items = "".join(f"<li>{escape(text)}</li>" for text in claim.missing)
        yield f'<div class="note"><h6>{_missing_title(claim)}</h6><ul>{items}</ul></div>'
    if claim.kept_by:
        yield f'<p class="kept">{escape(claim.kept_by)}</p>'
    if claim.evidence:
        items = "".join(_evidence(evidence, shown) for evidence in claim.evidence)
        yield f"<h6>Evidence</h6><ul>{items}</ul>"
    if claim.mappings:
        items = "".join(
            f"<div><dt>{framework}</dt><dd>{escape(', '.join(controls))}</dd></div>"
            for framework, controls in claim.mappings.items()
        )
        yield f'<h6>Controls</h6><dl class="controls">{items}</dl>'


def _missing_title(claim: Claim) -> str:
    return "To attest" if claim.status == "ATTEST" else "Still missing"


def _evidence(evidence: Evidence, shown: int) -> str:
    assumed = "".join(f'<p class="quiet">Assumes: {escape(text)}</p>' for text in evidence.assumptions)
    if not evidence.resources:
        return f"<li>{escape(evidence.text)}{assumed}</li>"
    rows = "".join(map(_resource, evidence.resources[:shown]))
    more = len(evidence.resources) - shown
    rest = f'<li class="type">and {more:,} more, listed in trust-report.json</li>' if more > 0 else ""
    return (
        f"<li>{escape(evidence.text)}{assumed}<details><summary>{plural(len(evidence.resources), 'resource')}</summary>"
        f'<ul class="behind">{rows}{rest}</ul></details></li>'
    )


def _resource(resource: Resource) -> str:
    kind = f' <span class="type">{escape(resource.type)}</span>' if resource.type else ""
    fact = f": {escape(resource.fact)}" if resource.fact else ""
    return f"<li><code>{escape(resource.name)}</code>{kind}{fact}</li>"


def _where(stack: str, path: str, resource: str) -> str:
    place = path or "/".join(filter(None, (stack, resource)))
    return f"<br><code>{escape(place)}</code>" if place else ""


def _attest(proofs: Proofs) -> str:
    claims = _of(proofs, status="ATTEST")
    items = "".join(
        f'<li><a href="#{escape(claim.id)}">{escape(claim.id)}</a> {escape(claim.claim)}</li>' for claim in claims
    )
    body = f'<ul class="columns">{items}</ul>' if claims else "<p>Nothing.</p>"
    return f"""<section id="attest" aria-labelledby="attest-title">
<h2 id="attest-title">Left to attest</h2>
<p>No template can keep these. The person who answers for them signs for them, by name and date, outside this report.</p>
{body}
</section>"""


def _controls(proofs: Proofs) -> str:
    tables = []
    for framework in FRAMEWORKS:
        by_control: dict[str, list[Claim]] = {}
        for claim in proofs.claims:
            for control in claim.mappings.get(framework, ()):
                by_control.setdefault(control, []).append(claim)
        if not by_control:
            continue
        rows = "".join(
            f'<tr><th scope="row">{escape(control)}</th><td><ul class="signs">'
            + "".join(
                f'<li><a class="sign {claim.status}" href="#{escape(claim.id)}">{escape(claim.id)}'
                f'<span class="said">, {STATUS[claim.status].label}</span></a></li>'
                for claim in by_control[control]
            )
            + "</ul></td></tr>"
            for control in sorted(by_control, key=natural)
        )
        title = PUBLISHED[framework].title
        tables.append(
            f'<details class="fold"><summary>{title}: {plural(len(by_control), "control")}</summary>'
            f'<table><caption class="said">{title}</caption><thead><tr><th scope="col">Control</th>'
            f'<th scope="col">Promises</th></tr></thead><tbody>{rows}</tbody></table></details>'
        )
    return f"""<section id="controls" aria-labelledby="controls-title">
<h2 id="controls-title">Controls</h2>
<p>Which promises speak to which control. A promise supports a control; it seldom satisfies one by itself.</p>
{"".join(tables) or "<p>No promise is mapped to a control.</p>"}
</section>"""


def _waivers(proofs: Proofs) -> str:
    if not proofs.waivers:
        body = "<p>None. Every control is on everywhere.</p>"
    else:
        columns = list(dict.fromkeys(key for waiver in proofs.waivers for key in waiver))
        head = "".join(f'<th scope="col">{escape(key.replace("_", " ").capitalize())}</th>' for key in columns)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(waiver.get(key, ''))}</td>" for key in columns) + "</tr>"
            for waiver in proofs.waivers
        )
        body = (
            '<div class="scroll" tabindex="0" role="region" aria-label="Table of waivers"><table>'
            f"<caption>Each has an owner and an end.</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        )
    return f"""<section id="waivers" aria-labelledby="waivers-title">
<h2 id="waivers-title">Waivers</h2>
{body}
</section>"""


# -------------------------------------------------------------------------------------------------------------- helpers


def natural(control: str) -> list[tuple[int, str]]:
    """A sort key that puts ``A.8.2`` before ``A.8.10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", control)]


def _of(proofs: Proofs, **wanted: str) -> list[Claim]:
    return [claim for claim in proofs.claims if all(getattr(claim, key) == value for key, value in wanted.items())]


def _verb(count: int) -> str:
    return "is" if count == 1 else "are"


def _date(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def _token(*words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", "-".join(("topic", *words)).lower())


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
