"""Makes incidents of findings: opens one, or folds the finding into the one that is open, whatever comes twice or late.

Three things make it so: a record is written once, an execution's name is used once, and both names follow from what was found.
Whoever is killed between the two leaves a record without a timer; the same finding, delivered again, starts it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from palisade_runtime.clock import Clock
from palisade_runtime.incidents.finding import Finding
from palisade_runtime.incidents.priorities import Priority, Rule, score
from palisade_runtime.incidents.tenants import affected
from palisade_runtime.records import Records

_ATTEMPTS = 10


class CrowdedError(Exception):
    """Others kept opening and resolving the same incident at the same moment; the finding is delivered again."""


@dataclass(frozen=True, kw_only=True)
class Intake:
    """``quiet`` accounts serve no customers; ``stages`` names the stage of each account that holds customers' data;
    ``tenant_buckets`` are those whose keys begin with the tenant."""

    records: Records
    step_functions: Any
    machine_arn: str
    quiet: frozenset[str]
    stages: Mapping[str, str]
    tenant_buckets: frozenset[str]
    clock: Clock

    def take(self, finding: Finding) -> str:
        """The incident that ``finding`` belongs to, which is recorded and whose timer runs.

        Raises:
            CrowdedError: no turn came.
            ClientError: the archive or Step Functions did not answer; the same finding again goes on from there.
        """
        rule = score(finding, quiet=self.quiet)
        for _ in range(_ATTEMPTS):
            generation, known = self._latest(finding)
            incident = f"{finding.fingerprint}-{generation}"
            record = self._record(incident, finding, rule)
            if known is None:
                if not self.records.keep(incident, "opened", record):
                    continue
                self._start(incident, incident)
                return incident
            if not _same(known, finding):
                self.records.keep(incident, f"seen-{rule.priority.name}-{finding.occurrence}", record)
                if self._over(incident, finding):
                    continue
            if "resolved" not in self.records.events(incident, "resolved"):
                self._start(incident, incident)
                if rule.priority < Priority[known["priority"]]:
                    # The first timer may sleep for an hour; whoever is to hear of it now does.
                    self._start(f"{incident}-{rule.priority.name}", incident)
            return incident
        raise CrowdedError(finding.fingerprint)

    def _latest(self, finding: Finding) -> tuple[int, dict[str, Any] | None]:
        """The generation that ``finding`` belongs to, and its first record; None if it is to be opened."""
        known = [int(one.rpartition("-")[2]) for one in self.records.subjects(f"{finding.fingerprint}-")]
        generation = max(known, default=0)
        incident = f"{finding.fingerprint}-{generation}"
        if generation == 0 or self._over(incident, finding):
            return generation + 1, None
        return generation, self.records.read(incident, "opened")

    def _over(self, incident: str, finding: Finding) -> bool:
        """Whether ``incident`` was resolved before this was found: then it is another one."""
        resolved = self.records.read(incident, "resolved")
        return resolved is not None and datetime.fromisoformat(resolved["at"]) < finding.found_at

    def _record(self, incident: str, finding: Finding, rule: Rule) -> dict[str, Any]:
        return {
            "incident": incident,
            "at": self.clock().isoformat(timespec="milliseconds"),
            "priority": rule.priority.name,
            "why": rule.why,
            "breach": rule.breach,
            "finding": finding.as_record(),
            "affected": affected(finding, stages=self.stages, tenant_buckets=self.tenant_buckets).as_record(),
        }

    def _start(self, name: str, incident: str) -> None:
        """https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html"""
        try:
            self.step_functions.start_execution(
                stateMachineArn=self.machine_arn, name=name, input=f'{{"incident": "{incident}"}}'
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ExecutionAlreadyExists":
                raise


def _same(opened: Mapping[str, Any], finding: Finding) -> bool:
    """Whether ``finding`` is the very telling that opened it."""
    told = opened["finding"]
    return bool(told["source"] == finding.source and told["found_at"] == finding.found_at.isoformat())
