"""A review as people read it: what to decide first, then what changed, then who can do what, by person and by account."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from review_access.findings import ADMIN_POWERS
from review_access.periods import ADMIN, kind_of

Document = Mapping[str, Any]
Row = Sequence[str]

_FIXES = {
    "account-not-seen": "see why in the function's log; it is read again every week until it answers",
    "admin-outside-grants": "delete the role, or write it into the templates",
    "assignment-unexplained": "take the assignment away; access is requested and granted for a while",
    "assignment-unused": "take it out of the templates",
    "founding-role-used": "say what it was used for",
    "key-old": "rotate the key",
    "key-unused": "delete the key",
    "mfa-missing": "enrol a device, or delete the password",
    "permission-set-unused": "take it out of the templates",
    "person-stale": "take the person out of the group",
    "role-unused": "delete the role",
    "root-key": "delete the root user's keys",
    "root-used": "say what it was used for",
    "user-stale": "delete the user",
    "user-unexplained": "delete the user",
}
"""What "revoke" means for each rule."""


def sections(
    document: Document, digest: str, state: Mapping[str, Any] | None = None
) -> list[tuple[str, str, list[Row]]]:
    """Title, a sentence, and a table (its first row the heading; nothing where there is no table) of each section."""
    names = document["accounts"]
    decided = dict((state or {}).get("decisions", {}))

    def place(account: str) -> str:
        return f"{names.get(account, '')} {account}".strip() or "everywhere"

    rights = [one for one in document["rights"] if _told_of(one, document["period"])]
    return [
        (
            f"Access review {document['period']}",
            f"Collected {document['at'][:10]}. Digest {digest}. Two of {', '.join(document['reviewers'])} sign it, and nobody "
            "decides about themselves.",
            [],
        ),
        (
            "Not seen",
            "Every account answered."
            if not document["missing"]
            else "These accounts could not be read: what is in them is NOT here.",
            _table(["account", "why"], ((place(a), why) for a, why in document["missing"].items())),
        ),
        (
            "To decide",
            "Nothing was found."
            if not document["findings"]
            else "Each needs a decision: keep, or revoke as the last column says.",
            _table(
                ["finding", "what", "who", "where", "why", "to revoke", "decided"],
                (
                    (
                        one["id"], one["what"], one["who"], place(one["account"]), f"{one['rule']}: {one['says']}",
                        _FIXES[one["rule"]], decided.get(one["id"], "-"),
                    )
                    for one in document["findings"]
                ),
            ),
        ),
        (
            "Revoked before, and still there",
            "Nothing." if not document["open"] else "Decided in earlier reviews:",
            _table(["review", "finding", "right"], ((o["period"], o["id"], o["right"]) for o in document["open"])),
        ),
        (
            "Grants",
            "Live now, or not used by whoever asked for them.",
            _table(
                ["grant", "person", "where", "level", "until", "live", "used"],
                (
                    (g["grant"], g["person"], place(g["account"]), g["level"], g["until"], _yes(g["live"]), _yes(g["used"]))
                    for g in document["grants"]
                ),
            ),
        ),
        (
            "Changed since the last review",
            f"Compared with {document['before']}." if document["before"] else "This is the first review.",
            _table(
                ["change", "right"],
                [*(("new", one) for one in document["new"]), *(("gone", one) for one in document["gone"])],
            ),
        ),
        (
            "By person",
            "Who may do what where, and when they last did.",
            _table(
                ["person", "where", "as", "powers", "last used", "by"],
                sorted(
                    (
                        person, place(one["account"]), one["what"], _list(one["powers"]), _day(one["uses"][person]),
                        one["why"] or "group",
                    )
                    for one in rights
                    for person in one["people"]
                ),
            ),
        ),
        (
            "By account",
            "Every identity that may do anything; services are those it used of those it may use.",
            _table(
                ["where", "who", "what", "powers", "last used", "services", "from"],
                sorted(
                    (
                        place(one["account"]), one["who"], one["what"], _list(one["powers"]), _day(one["used"]),
                        _services(one["services"]), one["why"],
                    )
                    for one in rights
                    if one["account"]
                ),
            ),
        ),
        (
            "Limits",
            "Powers are read from policies by their words: guardrails may take some away. "
            + " ".join(f"{place(account)}: {'; '.join(said)}." for account, said in document["limits"].items()),
            [],
        ),
    ]  # fmt: skip


def markdown(document: Document, digest: str, state: Mapping[str, Any] | None = None) -> str:
    """The review as Markdown."""
    parts = []
    for number, (title, says, rows) in enumerate(sections(document, digest, state)):
        parts.append(f"{'#' if number == 0 else '##'} {title}\n\n{says.strip()}\n")
        if rows:
            head, *body = [[_cell(one) for one in row] for row in rows]
            lines = [head, ["---"] * len(head), *body]
            parts.append("\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n")
    return "\n".join(parts)


def page(document: Document, digest: str, state: Mapping[str, Any] | None = None) -> str:
    """The review as one HTML page that needs nothing else."""
    parts = []
    for number, (title, says, rows) in enumerate(sections(document, digest, state)):
        level = "h1" if number == 0 else "h2"
        parts.append(f"<{level}>{escape(title)}</{level}><p>{escape(says.strip())}</p>")
        if rows:
            head, *body = rows
            cells = "".join(f"<th>{escape(one)}</th>" for one in head)
            lines = "".join("<tr>" + "".join(f"<td>{escape(one)}</td>" for one in row) + "</tr>" for row in body)
            parts.append(f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table>")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(document["period"])}</title><style>'
        "body{font:15px/1.5 system-ui;margin:2rem auto;max-width:80rem;padding:0 1rem}table{border-collapse:collapse;width:100%}"
        "th,td{border-bottom:1px solid #ddd;padding:.35rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
        "th{background:#f4f4f4}tr:hover{background:#fafafa}</style>" + "".join(parts) + "</html>\n"
    )


def _told_of(right: Mapping[str, Any], period: str) -> bool:
    """A review of administrators speaks of their rights alone."""
    if kind_of(period) == ADMIN:
        return bool(ADMIN_POWERS.intersection(right["powers"]))
    return bool(right["powers"] or right["people"])


def _table(head: Row, rows: Iterable[Row]) -> list[Row]:
    body = list(rows)
    return [head, *body] if body else []


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ") or "-"


def _day(at: str | None) -> str:
    return "never seen" if at is None else at[:10] or "yes"


def _list(items: Sequence[str]) -> str:
    return ", ".join(items) or "-"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _services(services: Mapping[str, Any]) -> str:
    return f"{len(services['used'])} of {services['granted']}" if services else "-"
