"""What people may do to an incident, and what each deed must say. All problems at once."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from palisade_runtime.incidents import drafts
from palisade_runtime.incidents.history import WHOM, History
from palisade_runtime.incidents.on_call import Rotation

LONGEST_NOTE = 4000
DEEDS = ("ack", "assign", "note", "told", "resolve", "postmortem", "close", "report")
SEVERITIES = {"P0": 9.0, "P1": 7.0, "P2": 4.0, "P3": 1.0}
"""What a person reports, as the table of priorities reads it."""


class RefusedDeedError(Exception):
    """It cannot be done; ``problems`` says everything that is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The record a deed leaves: its name, and what it says besides when and by whom."""

    name: str
    body: Mapping[str, Any]


Read = Callable[[Mapping[str, Any], History, Rotation, str], Kept]


def read(deed: str, body: Mapping[str, Any], history: History, rotation: Rotation, deed_id: str) -> Kept:
    """What ``deed`` leaves.

    Raises:
        RefusedDeedError: it lacks something, or the incident is not ready for it.
    """
    if history.closed and deed != "close":
        raise RefusedDeedError([f"incident {history.incident} is closed"])
    return _READ[deed](body, history, rotation, deed_id)


def _ack(_body: Mapping[str, Any], _history: History, _rotation: Rotation, _id: str) -> Kept:
    return Kept(name="acknowledged", body={})


def _assign(body: Mapping[str, Any], _history: History, rotation: Rotation, deed_id: str) -> Kept:
    to = body.get("to")
    if to not in rotation.everyone:
        raise RefusedDeedError([f"to must be one of {', '.join(rotation.everyone)}"])
    return Kept(name=f"assigned-{deed_id}", body={"to": to})


def _note(body: Mapping[str, Any], _history: History, _rotation: Rotation, deed_id: str) -> Kept:
    return Kept(name=f"note-{deed_id}", body={"text": _text(body)})


def _told(body: Mapping[str, Any], _history: History, _rotation: Rotation, _id: str) -> Kept:
    problems = list(_text_problems(body))
    if body.get("whom") not in WHOM:
        problems.append(f"whom must be one of {', '.join(WHOM)}")
    if not isinstance(body.get("needed"), bool):
        problems.append("needed must be true or false")
    if problems:
        raise RefusedDeedError(problems)
    return Kept(name=f"told-{body['whom']}", body={"needed": body["needed"], "text": _text(body)})


def _resolve(body: Mapping[str, Any], _history: History, _rotation: Rotation, _id: str) -> Kept:
    return Kept(name="resolved", body={"text": _text(body)})


def _postmortem(body: Mapping[str, Any], history: History, _rotation: Rotation, deed_id: str) -> Kept:
    text = body.get("text")
    if not isinstance(text, str):
        raise RefusedDeedError(["text must be the post-mortem in Markdown"])
    problems = list(drafts.faults(history, text))
    if problems:
        raise RefusedDeedError(problems)
    return Kept(name=f"postmortem-{deed_id}", body={"text": text, "actions": drafts.actions(text)})


def _close(_body: Mapping[str, Any], history: History, _rotation: Rotation, _id: str) -> Kept:
    duties = [] if history.closed else history.open_duties()
    if duties:
        raise RefusedDeedError([f"it cannot be closed yet: {duty}" for duty in duties])
    return Kept(name="closed", body={})


def report_problems(body: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a report."""
    title = body.get("title")
    if not isinstance(title, str) or not 5 <= len(title.strip()) <= 200:
        yield "title must be 5 to 200 characters"
    if body.get("priority") not in SEVERITIES:
        yield f"priority must be one of {', '.join(SEVERITIES)}"
    if not isinstance(body.get("account"), str) or not re.fullmatch(r"\d{12}", str(body.get("account"))):
        yield "account must be 12 digits"
    for name in ("tenants", "resources"):
        values = body.get(name, [])
        if not isinstance(values, list) or len(values) > 10 or not all(isinstance(one, str) and one for one in values):
            yield f"{name} must be a list of up to 10 names"


def _text(body: Mapping[str, Any]) -> str:
    problems = list(_text_problems(body))
    if problems:
        raise RefusedDeedError(problems)
    return str(body["text"]).strip()


def _text_problems(body: Mapping[str, Any]) -> Iterator[str]:
    text = body.get("text")
    if not isinstance(text, str) or not 3 <= len(text.strip()) <= LONGEST_NOTE:
        yield f"text must be 3 to {LONGEST_NOTE} characters"


_READ: Mapping[str, Read] = {
    "ack": _ack,
    "assign": _assign,
    "note": _note,
    "told": _told,
    "resolve": _resolve,
    "postmortem": _postmortem,
    "close": _close,
}
