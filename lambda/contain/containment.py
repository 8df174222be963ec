"""Decides, does, undoes and records containment.

A containment has an id that follows from what is done to what: ``<twelve digits>-<number>``, the next number once the last was
undone or lapsed. So two people who ask for the same ask for one thing. Its records, each written once: ``requested``,
``approved``, ``before`` (the state as it was, and as it must be: written before anything is changed), ``preserved``,
``did-<n>``, ``contained``, ``undoing``, ``undid-<n>``, ``undone``, and ``refused-<digest>``. Killed anywhere, it goes on from
what it finds when it is called again.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from palisade_runtime.clock import Clock
from palisade_runtime.records import Deed, Records

from contain.action import Action, RefusedError, State

REQUEST = "request"
APPROVE = "approve"
UNDO = "undo"
FORCE = "force-undo"
APPROVE_FORCE = "approve-force-undo"
DEEDS = (REQUEST, APPROVE, UNDO, FORCE, APPROVE_FORCE)
"""What people say, each under their own identity."""

LAPSES = timedelta(hours=4)
"""After that a request that nobody approved is none: what it was about may be over."""
_LONGEST_REASON = 500
_GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class Containment:
    """The rules over the records. In a ``guarded`` stage it takes two people to stop the product."""

    records: Records
    actions: Mapping[str, Action]
    guarded: bool
    clock: Clock

    # ------------------------------------------------------------------------------------------------------- asking

    def plan(self, name: str, target: str) -> dict[str, Any]:
        """What would be done, and by whose word; nothing is changed or recorded.

        Raises:
            RefusedError: it must not be done.
        """
        action = self._action(name)
        action.check(target)
        identity = self._identity(name, target)
        events = self.records.events(identity)
        answer = {"id": identity, "action": name, "target": target, "people": self._people(action, target)}
        if "contained" in events:
            return {**answer, "outcome": "contained", "steps": [], "warning": action.warning}
        before = action.look(target)
        return {
            **answer,
            "outcome": "planned",
            "steps": [*action.to_preserve(target), *_changes(before, action.wanted(before, self.clock()))],
            "warning": action.warning,
        }

    def every(self) -> list[dict[str, Any]]:
        """Every containment that was ever asked for, in the order of ids."""
        asked = {*self.records.subjects(), *self.records.subjects_of(REQUEST)}
        return [self._told(identity) for identity in sorted(asked)]

    # -------------------------------------------------------------------------------------------------------- doing

    def do(self, identity: str) -> dict[str, Any]:
        """Contain what was asked for under ``identity``, or say that it waits for a second person.

        Raises:
            RefusedError: it must not be done; the refusal is on record.
        """
        try:
            return self._do(identity)
        except RefusedError as error:
            self._refused(identity, error)
            raise

    def _do(self, identity: str) -> dict[str, Any]:
        asked = self._asked(identity)
        events = self.records.events(identity)
        if "undoing" in events:
            raise RefusedError(f"{identity} was undone, or is being. Plan it anew to contain the target again.")
        if "contained" in events:
            return self._told(identity)
        action, target = self._action(asked.action), asked.target
        if "before" not in events:
            if self.clock() - asked.deed.at > LAPSES:
                raise RefusedError(
                    f"{identity} was asked for more than {LAPSES.seconds // 3600} hours ago. Plan it anew."
                )
            action.check(target)
            self.records.keep(identity, "requested", {**asked.as_record(), "at": self._now()})
            if self._people(action, target) > 1 and not self._approved(identity, APPROVE, asked.deed, "approved"):
                return self._told(identity)
            before, at = action.look(target), self.clock()
            wanted = action.wanted(before, at)
            self.records.keep(identity, "before", {"state": before, "wanted": wanted, "at": at.isoformat()})
        # Whoever wrote first is right, whatever this call saw.
        start = self._record(identity, "before")
        before, wanted = start["state"], start["wanted"]
        if "preserved" not in events:
            self.records.keep(identity, "preserved", {"copies": action.preserve(target, identity)})
        for number, part in enumerate(wanted, start=1):
            now = action.look(target).get(part, _GONE)
            if now == wanted[part]:
                pass
            elif now == before[part]:
                if self.records.events(identity, "undoing"):
                    raise RefusedError(f"{identity} is being undone by somebody else.")
                action.apply(target, part, wanted[part])
            elif now != _GONE:
                raise RefusedError(
                    f"{part} of {target} is {_text(now)}: somebody changed it since this began. Undo {identity}, and plan anew."
                )
            self.records.keep(identity, f"did-{number}", {"part": part, "value": wanted[part], "at": self._now()})
        action.finish(target)
        self.records.keep(identity, "contained", {"at": self._now()})
        return self._told(identity)

    # ------------------------------------------------------------------------------------------------------- undoing

    def undo(self, identity: str) -> dict[str, Any]:
        """Put everything back as it was recorded before, if nobody changed it since, or if force was asked for.

        Raises:
            RefusedError: it must not be done; the refusal is on record.
        """
        try:
            return self._undo(identity)
        except RefusedError as error:
            self._refused(identity, error)
            raise

    def _undo(self, identity: str) -> dict[str, Any]:
        asked = self._asked(identity)
        action, target = self._action(asked.action), asked.target
        events = self.records.events(identity)
        if "undone" in events:
            return self._told(identity)
        if "before" not in events:
            raise RefusedError(
                f"{identity} changed nothing, so there is nothing to undo. Unapproved, it lapses by itself."
            )
        start = self._record(identity, "before")
        before = start["state"]
        if "undoing" not in events:
            word = self._word_to_undo(identity)
            found = action.look(target)
            objections = self._objections(action, target, start, found)
            if word.forced:
                if self._people(action, target) > 1 and not self._approved(
                    identity, APPROVE_FORCE, word.deed, "force-approved"
                ):
                    return {**self._told(identity), "outcome": "undo waits"}
            elif objections:
                raise RefusedError(*objections, "To undo it nevertheless, ask with --force and a reason.")
            self.records.keep(
                identity,
                "undoing",
                {
                    "by": word.deed.person,
                    "reason": word.reason,
                    "forced": word.forced,
                    "found": found,
                    "objections": list(objections),
                    "at": self._now(),
                },
            )
        for number, part in reversed(list(enumerate(before, start=1))):
            if action.look(target).get(part, _GONE) not in (_GONE, before[part]):
                action.apply(target, part, before[part])
            self.records.keep(identity, f"undid-{number}", {"part": part, "value": before[part], "at": self._now()})
        self.records.keep(identity, "undone", {"at": self._now()})
        return self._told(identity)

    def _objections(self, action: Action, target: str, start: State, found: State) -> tuple[str, ...]:
        before, wanted = start["state"], start["wanted"]
        earliest = action.undo_from(datetime.fromisoformat(start["at"]))
        said = []
        if self.clock() < earliest:
            said.append(f"Undone before {earliest.isoformat(timespec='minutes')}, what was ended would live again.")
        for part in [*before, *(one for one in found if one not in before)]:
            now = found.get(part, _GONE)
            if part not in before:
                said.append(f"{part} of {target} is new since then.")
            elif now not in (before[part], wanted[part]):
                said.append(
                    f"{part} of {target} is {_text(now)}, but was {_text(before[part])} before and {_text(wanted[part])} when "
                    "contained: somebody changed it since."
                )
        return tuple(said)

    # ------------------------------------------------------------------------------------------------------- the words

    def _identity(self, name: str, target: str) -> str:
        """The id of the containment that stands, or of the next."""
        beginning = f"{_digest(name, target)}-"
        asked = {*self.records.subjects(beginning), *self.records.subjects_of(REQUEST, beginning)}
        numbers = sorted(int(one.removeprefix(beginning)) for one in asked if one.removeprefix(beginning).isdigit())
        if not numbers:
            return f"{beginning}1"
        last = f"{beginning}{numbers[-1]}"
        return f"{beginning}{numbers[-1] + 1}" if self._over(last) else last

    def _over(self, identity: str) -> bool:
        events = self.records.events(identity)
        if "before" in events:
            return "undone" in events
        asked = self.records.deeds(REQUEST, identity)
        return bool(asked) and self.clock() - asked[0].at > LAPSES

    def _asked(self, identity: str) -> "_Asked":
        """The first request of that id that says what the id is about."""
        for deed in self.records.deeds(REQUEST, identity):
            action, target = str(deed.body.get("action")), str(deed.body.get("target"))
            if identity.startswith(f"{_digest(action, target)}-") and deed.person:
                return _Asked(
                    deed=deed,
                    action=action,
                    target=target,
                    reason=_words(deed, "reason"),
                    incident=str(deed.body.get("incident") or "")[:100],
                )
        raise RefusedError(f"nobody asked for {identity}.")

    def _approved(self, identity: str, deed: str, asked: Deed, event: str) -> bool:
        """Whether another person than the one who asked approved; their own approval counts for nothing."""
        others = [one for one in self.records.deeds(deed, identity) if one.person and one.person != asked.person]
        if others:
            self.records.keep(identity, event, {"by": others[0].person, "at": others[0].at.isoformat()})
        return bool(others)

    def _word_to_undo(self, identity: str) -> "_Word":
        for deed, forced in ((FORCE, True), (UNDO, False)):
            for one in self.records.deeds(deed, identity):
                reason = _words(one, "reason")
                if one.person and (reason or not forced):
                    return _Word(deed=one, reason=reason, forced=forced)
        raise RefusedError(f"nobody asked to undo {identity}.")

    def _people(self, action: Action, target: str) -> int:
        return 2 if self.guarded and action.stops(target) else 1

    def _action(self, name: str) -> Action:
        if name not in self.actions:
            raise RefusedError(f"{name} is no action here. Choose one of {', '.join(sorted(self.actions))}.")
        return self.actions[name]

    # ----------------------------------------------------------------------------------------------------- the records

    def _told(self, identity: str) -> dict[str, Any]:
        """A containment as people want to know it."""
        events = set(self.records.events(identity))
        outcome = next((name for name in ("undone", "undoing", "contained", "before") if name in events), "waits")
        outcome = {"before": "unfinished", "undoing": "undo unfinished"}.get(outcome, outcome)
        if outcome == "waits" and self._over(identity):
            outcome = "lapsed"
        requested = self._record(identity, "requested") if "requested" in events else {}
        answer: dict[str, Any] = {"id": identity, "outcome": outcome}
        answer |= {name: requested.get(name, "") for name in ("action", "target", "reason", "incident", "by", "at")}
        answer["approved_by"] = self._record(identity, "approved")["by"] if "approved" in events else ""
        answer["copies"] = self._record(identity, "preserved")["copies"] if "preserved" in events else []
        if "before" in events:
            start = self._record(identity, "before")
            answer["steps"] = list(_changes(start["state"], start["wanted"]))
        if "undoing" in events:
            answer["undone_by"] = self._record(identity, "undoing")["by"]
        return answer

    def _refused(self, identity: str, error: RefusedError) -> None:
        if self.records.deeds(REQUEST, identity):
            digest = hashlib.sha256(str(error).encode()).hexdigest()[:12]
            self.records.keep(identity, f"refused-{digest}", {"problems": list(error.problems), "at": self._now()})

    def _record(self, identity: str, event: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.records.text(identity, event))
        return found

    def _now(self) -> str:
        return self.clock().isoformat(timespec="seconds")


@dataclass(frozen=True, kw_only=True)
class _Asked:
    deed: Deed
    action: str
    target: str
    reason: str
    incident: str

    def as_record(self) -> dict[str, str]:
        """What is written down of it."""
        named = {"action": self.action, "target": self.target, "reason": self.reason, "incident": self.incident}
        return {**named, "by": self.deed.person}


@dataclass(frozen=True, kw_only=True)
class _Word:
    deed: Deed
    reason: str
    forced: bool


def _digest(name: str, target: str) -> str:
    return hashlib.sha256(json.dumps([name, target]).encode()).hexdigest()[:12]


def _words(deed: Deed, field: str) -> str:
    return str(deed.body.get(field) or "").strip()[:_LONGEST_REASON]


def _changes(before: State, after: State) -> Iterator[str]:
    for part, value in after.items():
        if before.get(part) == value:
            yield f"{part}: stays {_text(value)}"
        else:
            yield f"{part}: {_text(before.get(part))} becomes {_text(value)}"


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
