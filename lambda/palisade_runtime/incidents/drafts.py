"""Texts to begin with, filled in from the records: the post-mortem, and the letters to customers and to the regulator.

What a person has to write stands in angle brackets; a post-mortem that still holds any, or lacks a section, is refused.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from palisade_runtime.incidents.clocks import notify_by, postmortem_by
from palisade_runtime.incidents.history import History
from palisade_runtime.incidents.on_call import Rotation
from palisade_runtime.incidents.priorities import Priority

SECTIONS = ("Summary", "Impact", "Timeline", "Causes", "What went well, what did not", "Actions")
SHORT_SECTIONS = ("Summary", "Causes", "Actions")
LONGEST = 60_000
_ACTION = re.compile(r"^\s*[-*] \[[ xX]\] +(.+)$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"<[^<>\n]{3,200}>")


def sections(history: History) -> Sequence[str]:
    """What the post-mortem of ``history`` must have: P3 is told shortly."""
    return SHORT_SECTIONS if history.priority is Priority.P3 else SECTIONS


def postmortem(history: History, rotation: Rotation) -> str:
    """The post-mortem to begin with, in Markdown."""
    finding, by = history.opened["finding"], postmortem_by(history, rotation)
    bodies = {
        "Summary": f"<What happened, in three sentences.> It was found as: {finding['title']}",
        "Impact": f"<Who could not do what, for how long.> Affected: {history.affected}.",
        "Timeline": "\n".join(f"- {_at(at)}: {what}" for at, what in timeline(history)),
        "Causes": "<Why it could happen, and why it was not noticed or prevented before. No names: causes.>",
        "What went well, what did not": "<Of detection, calls, containment, letters.>",
        "Actions": "- [ ] <What will be done, by whom, until when>",
    }
    head = [
        f"# Post-mortem of incident {history.incident}",
        "",
        f"{history.priority.name} in account {finding['account']}, region {finding['region']}, found {history.count} times.",
        *([f"Due {_at(by)}."] if by else []),
    ]
    return "\n".join([*head, *(f"\n## {title}\n\n{bodies[title]}" for title in sections(history))]) + "\n"


def faults(history: History, text: str) -> Iterator[str]:
    """What is wrong with a post-mortem."""
    if len(text) > LONGEST:
        yield f"it has {len(text)} characters; {LONGEST} fit"
    parts = re.split(r"^## +(.+?)\s*$", text, flags=re.MULTILINE)
    written = dict(zip(parts[1::2], (one.strip() for one in parts[2::2]), strict=True))
    for title in sections(history):
        if not written.get(title):
            yield f'the section "## {title}" is missing or empty'
    if written.get("Actions") and not actions(text) and not re.match(r"None: .{10,}", written["Actions"]):
        yield 'the section "## Actions" has no action ("- [ ] ...") and does not say why ("None: ...")'
    left = _PLACEHOLDER.findall(text)
    if left:
        yield f"still to be written: {', '.join(left[:5])}"


def actions(text: str) -> list[str]:
    """What a post-mortem says will be done."""
    parts = re.split(r"^## +Actions\s*$", text, flags=re.MULTILINE)
    following = re.split(r"^## ", parts[1], flags=re.MULTILINE)[0] if len(parts) > 1 else ""
    return [one.strip()[:200] for one in _ACTION.findall(following)][:20]


def letter_to_customers(history: History) -> str:
    """What customers are told, to begin with."""
    by = notify_by(history)
    tenants = history.affected.tenants
    return "\n".join(
        [
            f"To: {', '.join(tenants) if tenants else '<the customers affected>'}",
            *([f"Note: others may be affected: {history.affected.unknown}"] if history.affected.unknown else []),
            f"Send by: {_at(by) if by else '<when>'}",
            f"Subject: Security incident of {history.occurred_at:%d %B %Y}",
            "",
            "Dear <name>,",
            "",
            f"On {_at(history.opened_at)} we learned of a security incident that concerns your data.",
            "",
            "What happened: <in plain words>",
            f"When: from {_at(history.occurred_at)} <until when>",
            "Which of your data: <kinds of data, number of people and records, as far as known>",
            "What it may mean for you: <likely consequences>",
            "What we have done and will do: <containment, remedy>",
            "What you can do: <steps>",
            "",
            "Our contact for questions: <name, address, telephone>",
            "We will write again when we know more, and send the post-mortem when it is written.",
            "",
        ]
    )


def letter_to_regulator(history: History) -> str:
    """The notification of a personal data breach, to begin with, in the order of Article 33(3) of the GDPR.

    https://eur-lex.europa.eu/eli/reg/2016/679/oj
    """
    by = notify_by(history)
    affected = history.affected
    return "\n".join(
        [
            "Notification of a personal data breach (Article 33 GDPR)",
            "",
            f"Became aware: {_at(history.opened_at)}. Notify by: {_at(by) if by else '<when>'}.",
            "If later than 72 hours, why: <reasons for the delay, or: not applicable>",
            "",
            "(a) Nature of the breach: <confidentiality, integrity or availability; what happened>",
            f"    Customers concerned: {affected}",
            "    Categories and approximate number of data subjects and records: <as far as known>",
            "(b) Data protection officer or other contact: <name, address, telephone>",
            "(c) Likely consequences: <consequences>",
            "(d) Measures taken or proposed: <containment, remedy, mitigation>",
            "",
            f"Our reference: {history.incident}",
            "",
        ]
    )


def timeline(history: History) -> list[tuple[datetime, str]]:
    """What happened when, without what is bookkeeping."""
    told: list[tuple[datetime, str]] = [(history.occurred_at, "it began, as far as the finder knows")]
    for name, record in history.records.items():
        at = datetime.fromisoformat(str(record["at"]))
        kind, _, rest = name.partition("-")
        by = record.get("by")
        match kind:
            case "opened":
                told.append((at, f"opened as {record['priority']}: {record['finding']['title']}"))
            case "paged":
                told.append((at, f"called {', '.join(record['to'])}: {record['why']}"))
            case "acknowledged":
                told.append((at, f"{by} acknowledged it"))
            case "assigned":
                told.append((at, f"{by} assigned it to {record['to']}"))
            case "note":
                told.append((at, f"{by}: {record['text']}"))
            case "resolved":
                told.append((at, f"{by} resolved it: {record['text']}"))
            case "told":
                how = f"told: {record['text']}" if record["needed"] else f"need not be told: {record['text']}"
                told.append((at, f"{by}: {rest} {how}"))
            case "postmortem":
                told.append((at, f"{by} wrote the post-mortem"))
            case "closed":
                told.append((at, f"{by} closed it"))
    told += [(at, f"became {level.name}") for level, at in history.levels[1:]]
    return sorted(told, key=lambda one: one[0])


def _at(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
