"""What follows an incident outside its records: its item in Systems Manager, and what is measured. Both may be done twice.

https://docs.aws.amazon.com/systems-manager/latest/userguide/OpsCenter-working-deduplication.html
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from palisade_runtime.incidents.clocks import ACKNOWLEDGE, notify_by, postmortem_by
from palisade_runtime.incidents.history import History
from palisade_runtime.incidents.on_call import Rotation
from palisade_runtime.incidents.priorities import Priority
from palisade_runtime.records import Records

_STATUS = {"open": "Open", "acknowledged": "InProgress", "resolved": "InProgress", "closed": "Resolved"}
_TITLE = 1024
_TEXT = 2048


@dataclass(frozen=True, kw_only=True)
class Follower:
    """Keeps item and metrics in step with the records. ``namespace`` is CloudWatch's."""

    records: Records
    ssm: Any
    cloudwatch: Any
    namespace: str

    def follow(self, history: History, rotation: Rotation, now: datetime) -> None:
        """Bring both up to date.

        Raises:
            ClientError: one of the services did not answer; the same call again goes on from there.
        """
        self._measure(history, rotation, now)
        item = self._item(history)
        status = _STATUS[history.status]
        if status != "Open" and f"item-{status}" not in history.records:
            self.ssm.update_ops_item(OpsItemId=item, Status=status)
            self.records.keep(history.incident, f"item-{status}", {"at": now.isoformat(), "item": item})
        postmortem = history.postmortem
        for action in postmortem["actions"] if postmortem else []:
            name = f"action-{hashlib.sha256(action.encode()).hexdigest()[:20]}"
            if name not in history.records:
                made = self._make(
                    dedup=f"{history.incident}/{name}",
                    title=f"{action} (after incident {history.incident})",
                    text=f"An action from the post-mortem of incident {history.incident}.",
                    severity="3",
                    related=[{"OpsItemId": item}],
                )
                self.records.keep(history.incident, name, {"at": now.isoformat(), "item": made, "action": action})

    def _item(self, history: History) -> str:
        if "item" in history.records:
            return str(history.records["item"]["item"])
        finding = history.opened["finding"]
        made = self._make(
            dedup=history.incident,
            title=f"{history.priority.name} {finding['title']}",
            text=(
                f"Incident {history.incident} ({history.opened['why']}). Account {finding['account']}, region "
                f"{finding['region']}. Affected: {history.affected}. Its record and commands: "
                f"./palisade incident show {history.incident}"
            ),
            severity=str(min(history.priority + 1, 4)),
            related=[],
        )
        self.records.keep(history.incident, "item", {"at": history.opened["at"], "item": made})
        return made

    def _make(self, *, dedup: str, title: str, text: str, severity: str, related: list[dict[str, str]]) -> str:
        try:
            answer = self.ssm.create_ops_item(
                Title=title[:_TITLE],
                Description=text[:_TEXT],
                Source="palisade",
                Category="Security",
                Severity=severity,
                RelatedOpsItems=related,
                OperationalData={
                    "/aws/dedup": {"Type": "SearchableString", "Value": json.dumps({"dedupString": dedup})},
                },
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "OpsItemAlreadyExistsException":
                raise
            return str(error.response["OpsItemId"])
        return str(answer["OpsItemId"])

    def _measure(self, history: History, rotation: Rotation, now: datetime) -> None:
        for name, value, unit in _measures(history, rotation, now):
            record = f"measured-{name}"
            if record not in history.records:
                self.cloudwatch.put_metric_data(
                    Namespace=self.namespace,
                    MetricData=[{"MetricName": name.partition("-")[0], "Value": value, "Unit": unit}],
                )
                self.records.keep(
                    history.incident, record, {"at": now.isoformat(), "value": value, "unit": unit.lower()}
                )


def missed(history: History, rotation: Rotation, now: datetime) -> Iterator[str]:
    """Which promises were not kept by ``now``."""
    if history.priority is not Priority.P3:
        since = history.opened_at
        if (history.acknowledged_at or now) - since > ACKNOWLEDGE:
            yield "acknowledgement"
    limits: Mapping[str, tuple[datetime | None, datetime | None]] = {
        "customers": (notify_by(history), history.moment("told-customers")),
        "regulator": (notify_by(history), history.moment("told-regulator")),
        "postmortem": (postmortem_by(history, rotation), history.postmortem_at),
    }
    for name, (by, done) in limits.items():
        if by is not None and (done or now) > by:
            yield name


def _measures(history: History, rotation: Rotation, now: datetime) -> Iterator[tuple[str, float, str]]:
    opened = history.opened_at
    moments = {
        "TimeToDetect": (history.occurred_at, opened),
        "TimeToAcknowledge": (opened, history.moment("acknowledged") or history.acknowledged_at),
        "TimeToAssign": (opened, history.acknowledged_at),
        "TimeToResolve": (opened, history.moment("resolved")),
    }
    if history.priority is not Priority.P3:
        for name, (since, until) in moments.items():
            if until is not None:
                yield name, max((until - since).total_seconds(), 0.0), "Seconds"
    for promise in missed(history, rotation, now):
        yield f"PromisesMissed-{promise}", 1.0, "Count"
