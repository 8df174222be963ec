"""An incident as its records tell it: each record is one thing that happened, written once; together they are the state.

Records of the incident ``<fingerprint>-<generation>``, each with ``at`` and, where a person did it, ``by``:

- ``opened``: the finding, its priority and rule, whether it may be a breach, and who is affected;
- ``seen-<priority>-<occurrence>``: a further finding of the same fingerprint, in the form of ``opened``;
- ``paged-<page>``: whom a page reached, by which channels, and which failed;
- ``acknowledged``, ``assigned-<deed>``, ``note-<deed>``, ``resolved``, ``postmortem-<deed>``, ``closed``: what people did;
- ``told-customers``, ``told-regulator``, ``told-affected``: who was told, or why nobody had to be;
- ``measured-<metric>``, ``item``, ``item-<status>``: what was measured, and the item in Systems Manager.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from palisade_runtime.incidents.priorities import Priority
from palisade_runtime.incidents.tenants import Affected, merged
from palisade_runtime.records import Records

_MOST_SEEN = 50
"""Further findings of each priority that are read; an alarm may come thousands of times, and all are counted."""
WHOM = ("customers", "regulator", "affected")
"""Who is to be told: customers and the regulator of a breach, those affected of the post-mortem."""


@dataclass(frozen=True, kw_only=True)
class History:
    """The records of one incident by their names, and how often it was found."""

    incident: str
    records: Mapping[str, Mapping[str, Any]]
    count: int = 1

    @classmethod
    def read(cls, records: Records, incident: str) -> "History":
        """What is recorded of ``incident`` now.

        Raises:
            KeyError: there is no such incident.
        """
        names = records.events(incident)
        if "opened" not in names:
            raise KeyError(incident)
        seen = [name for name in names if name.startswith("seen-")]
        unread = {
            name
            for level in Priority
            for name in [one for one in seen if one.startswith(f"seen-{level.name}-")][_MOST_SEEN:]
        }
        texts = {name: records.text(incident, name) for name in names if name not in unread}
        return cls(
            incident=incident, records={name: json.loads(text) for name, text in texts.items()}, count=1 + len(seen)
        )

    @property
    def opened(self) -> Mapping[str, Any]:
        """The first record."""
        return self.records["opened"]

    @property
    def opened_at(self) -> datetime:
        """When we knew of it: from here on clocks run."""
        return _moment(self.opened)

    @property
    def occurred_at(self) -> datetime:
        """When what was found began, as far as the finder knows."""
        return datetime.fromisoformat(self.opened["finding"]["occurred_at"])

    @cached_property
    def levels(self) -> list[tuple[Priority, datetime]]:
        """The priority at opening, and each raise of it since, with its moment."""
        levels = [(Priority[self.opened["priority"]], self.opened_at)]
        for _, seen in sorted(self._of("seen"), key=lambda one: _moment(one[1])):
            level = Priority[seen["priority"]]
            if level < levels[-1][0]:
                levels.append((level, _moment(seen)))
        return levels

    @property
    def priority(self) -> Priority:
        """The gravest that it ever had."""
        return self.levels[-1][0]

    @property
    def breach(self) -> bool:
        """Whether customers' data may have been in wrong hands."""
        return any(bool(one.get("breach")) for one in self._findings())

    @property
    def affected(self) -> Affected:
        """Whose data it concerns, over all findings."""
        return merged(
            Affected(tenants=tuple(one["affected"]["tenants"]), unknown=one["affected"]["unknown"])
            for one in self._findings()
        )

    def moment(self, name: str) -> datetime | None:
        """When ``name`` was recorded; None if it was not."""
        return _moment(self.records[name]) if name in self.records else None

    @property
    def acknowledged(self) -> bool:
        """Whether somebody has it in hand."""
        return self._taken is not None

    @property
    def acknowledged_at(self) -> datetime | None:
        """When somebody first had it in hand: whoever assigns it has seen it."""
        return self._taken

    @property
    def assignee(self) -> str | None:
        """Whose it is: whoever it was last assigned to, else whoever acknowledged it."""
        assigned = [one for _, one in sorted(self._of("assigned"), key=lambda one: (_moment(one[1]), one[0]))]
        if assigned:
            return str(assigned[-1]["to"])
        return str(self.records["acknowledged"]["by"]) if "acknowledged" in self.records else None

    @property
    def postmortem(self) -> Mapping[str, Any] | None:
        """The newest post-mortem."""
        written = sorted(self._of("postmortem"), key=lambda one: (_moment(one[1]), one[0]))
        return written[-1][1] if written else None

    @property
    def postmortem_at(self) -> datetime | None:
        """When the first post-mortem was written."""
        return min((_moment(one) for _, one in self._of("postmortem")), default=None)

    @property
    def notes(self) -> list[Mapping[str, Any]]:
        """What people noted, in order."""
        return [one for _, one in sorted(self._of("note"), key=lambda one: _moment(one[1]))]

    @property
    def closed(self) -> bool:
        """Whether nothing more is to be done."""
        return "closed" in self.records

    def open_duties(self) -> list[str]:
        """What must be done before it can be closed."""
        duties = []
        if "resolved" not in self.records:
            duties.append("resolve it")
        if self.postmortem is None:
            duties.append("write the post-mortem")
        duties += [f"tell {whom}, or record why they need not be" for whom in self.to_tell() if not self.told(whom)]
        return duties

    def to_tell(self) -> list[str]:
        """Who must be told: of a breach customers and regulator; of any incident but P3 the affected get the post-mortem."""
        told = ["customers", "regulator"] if self.breach else []
        return told if self.priority is Priority.P3 else [*told, "affected"]

    def told(self, whom: str) -> bool:
        """Whether ``whom`` was told, or somebody recorded why not."""
        return f"told-{whom}" in self.records

    @property
    def status(self) -> str:
        """One word."""
        for name in ("closed", "resolved"):
            if name in self.records:
                return name
        return "acknowledged" if self.acknowledged else "open"

    @property
    def _taken(self) -> datetime | None:
        moments = [_moment(one) for _, one in self._of("assigned")]
        if "acknowledged" in self.records:
            moments.append(_moment(self.records["acknowledged"]))
        return min(moments, default=None)

    def _of(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        return ((name, one) for name, one in self.records.items() if name.startswith(f"{kind}-"))

    def _findings(self) -> Iterator[Mapping[str, Any]]:
        yield self.opened
        yield from (one for _, one in self._of("seen"))


def _moment(record: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(record["at"]))
