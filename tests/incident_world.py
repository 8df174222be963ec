"""Everything that the handling of incidents meets, in memory, with a clock that is moved: archive, Step Functions, Systems
Manager, metrics, and channels that can be broken."""

from __future__ import annotations

import contextlib
import io
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from answer_responder.handler import Services as DeskServices
from answer_responder.handler import answer
from botocore.exceptions import ClientError
from lead_incident.handler import Services as LeadServices
from lead_incident.handler import lead
from page_people.channels import Channel, ChannelError, Message
from page_people.handler import Services as PageServices
from page_people.handler import page
from palisade_runtime.incidents.finding import findings
from palisade_runtime.incidents.follow import Follower
from palisade_runtime.incidents.history import History
from palisade_runtime.incidents.intake import Intake
from palisade_runtime.incidents.on_call import Rotation
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records
from take_finding.handler import Services as TakeServices
from take_finding.handler import take

from assembly.sample_findings import SAMPLES
from rehearsal.state_machine import Execution, MovedClock, StateMachine

ACCOUNT = "100000000003"
BUCKET = "acme-organization-decision-100000000002"
MACHINE = f"arn:aws:states:eu-central-1:{ACCOUNT}:stateMachine:acme-incidents"
START = datetime(2026, 3, 2, 9, 15, 3, tzinfo=UTC)
ROTATION = Rotation(
    zone="Europe/Dublin",
    first=date(2026, 1, 5),
    at=time(9),
    people=("ada", "ben", "cem"),
    management=("mia",),
    holidays=frozenset({date(2026, 3, 4)}),
)


class OutageError(Exception):
    """Something was not there when it was asked."""


class Enough(Exception):  # noqa: N818 - not an error: the test has seen enough
    """The test wants to look."""


@dataclass
class PlannedClock(MovedClock):
    """A clock that stops on its way for what is planned."""

    plans: list[tuple[datetime, Callable[[], object]]] = field(default_factory=list)

    def advance(self, seconds: float = 0, **units: float) -> None:
        """Let time go by, and what is planned happen in its time."""
        target = self.now + timedelta(seconds=seconds, **units)
        while due := sorted((one for one in self.plans if one[0] <= target), key=lambda one: one[0]):
            self.plans.remove(due[0])
            self.now = max(self.now, due[0][0])
            due[0][1]()
        self.now = max(self.now, target)


@dataclass
class Archive:
    """It takes each key once. ``fail_after`` counts calls down to an outage that lasts one call."""

    clock: MovedClock
    kept: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    fail_after: int | None = None

    def _count(self) -> None:
        if self.fail_after is not None:
            self.fail_after -= 1
            if self.fail_after < 0:
                self.fail_after = None
                raise OutageError("S3")

    def put_object(self, *, Key: str, Body: bytes, IfNoneMatch: str, **_: object) -> None:  # noqa: N803
        assert IfNoneMatch == "*"
        self._count()
        if Key in self.kept:
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": ""}}, "PutObject")
        self.kept[Key] = (Body.decode(), self.clock())

    def get_object(self, *, Key: str, **_: object) -> dict[str, Any]:  # noqa: N803
        self._count()
        return {"Body": io.BytesIO(self.kept[Key][0].encode())}

    def get_paginator(self, _operation: str) -> Archive:
        return self

    def paginate(self, *, Prefix: str, Delimiter: str = "", **_: object) -> Iterator[dict[str, Any]]:  # noqa: N803
        self._count()
        keys = sorted(key for key in self.kept if key.startswith(Prefix))
        if Delimiter:
            folders = sorted(
                {Prefix + key.removeprefix(Prefix).partition("/")[0] + "/" for key in keys if "/" in key[len(Prefix) :]}
            )
            yield {"CommonPrefixes": [{"Prefix": one} for one in folders]}
        else:
            yield {"Contents": [{"Key": key, "LastModified": self.kept[key][1]} for key in keys]}

    def names(self, incident: str) -> list[str]:
        """The records of an incident."""
        prefix = f"{ACCOUNT}/incidents/{incident}/"
        return sorted(key.removeprefix(prefix).removesuffix(".json") for key in self.kept if key.startswith(prefix))


@dataclass
class StepFunctions:
    """It starts each name once, and answers for a running one as if it had started it."""

    executions: dict[str, dict[str, Any]] = field(default_factory=dict)
    down: bool = False

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: N803, A002
        assert stateMachineArn == MACHINE
        assert len(name) <= 80
        if self.down:
            raise OutageError("Step Functions")
        known = self.executions.get(name)
        if known is not None and (known["status"] != "RUNNING" or known["input"] != json.loads(input)):
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists", "Message": ""}}, "StartExecution")
        self.executions.setdefault(name, {"name": name, "status": "RUNNING", "input": json.loads(input)})

    def get_paginator(self, _operation: str) -> StepFunctions:
        return self

    def paginate(self, **_: object) -> Iterator[dict[str, Any]]:
        yield {"executions": [one for one in self.executions.values() if one["status"] == "RUNNING"]}


@dataclass
class Items:
    """OpsCenter: two items of one deduplication string are one."""

    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    down: bool = False

    def create_ops_item(self, **given: Any) -> dict[str, Any]:
        if self.down:
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "CreateOpsItem")
        dedup = json.loads(given["OperationalData"]["/aws/dedup"]["Value"])["dedupString"]
        item = f"oi-{uuid.uuid5(uuid.NAMESPACE_URL, dedup).hex[:12]}"
        if item in self.made:
            error = {"Error": {"Code": "OpsItemAlreadyExistsException", "Message": ""}, "OpsItemId": item}
            raise ClientError(error, "CreateOpsItem")
        self.made[item] = {**given, "Status": "Open"}
        return {"OpsItemId": item}

    def update_ops_item(self, *, OpsItemId: str, Status: str) -> None:  # noqa: N803
        if self.down:
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "UpdateOpsItem")
        self.made[OpsItemId]["Status"] = Status


@dataclass
class Metrics:
    """Every value that was put."""

    put: list[tuple[str, float]] = field(default_factory=list)

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803
        assert Namespace == "acme/incidents"
        self.put += [(one["MetricName"], one["Value"]) for one in MetricData]

    def of(self, name: str) -> list[float]:
        """The values of one metric."""
        return [value for metric, value in self.put if metric == name]


@dataclass
class Way:
    """A channel that remembers, and can be broken."""

    clock: MovedClock
    broken: bool = False
    sent: list[tuple[datetime, Message]] = field(default_factory=list)

    def send(self, message: Message) -> None:
        if self.broken:
            raise ChannelError("it answered 503")
        self.sent.append((self.clock(), message))


@dataclass
class Lines:
    """Log lines."""

    written: list[str] = field(default_factory=list)

    def write(self, text: str, /) -> None:
        self.written.append(text)


@dataclass
class World:
    """All of it, wired as the stack wires it."""

    clock: PlannedClock = field(default_factory=lambda: PlannedClock(START))
    rotation: Rotation = ROTATION

    def __post_init__(self) -> None:
        self.archive = Archive(self.clock)
        self.step_functions = StepFunctions()
        self.items, self.metrics, self.lines = Items(), Metrics(), Lines()
        self.mail, self.webhook, self.chat = Way(self.clock), Way(self.clock), Way(self.clock)
        self.channels: dict[str, Channel | None] = {"mail": self.mail, "webhook": self.webhook, "chat": self.chat}
        records = Records(s3=self.archive, bucket=BUCKET, account=ACCOUNT, workflow="incidents")
        self.records = records
        logger = Logger(service="test", clock=self.clock, output=self.lines)
        intake = Intake(
            records=records,
            step_functions=self.step_functions,
            machine_arn=MACHINE,
            quiet=frozenset({"200000000001"}),
            stages={"666666666666": "live"},
            tenant_buckets=frozenset({"docs"}),
            clock=self.clock,
        )
        follower = Follower(records=records, ssm=self.items, cloudwatch=self.metrics, namespace="acme/incidents")
        self.taking = TakeServices(intake=intake, own_alarms="security-incidents-", logger=logger)
        self.leading = LeadServices(
            records=records, follower=follower, rotation=self.rotation, clock=self.clock, logger=logger
        )
        self.paging = PageServices(
            records=records,
            channels=lambda: self.channels,
            cloudwatch=self.metrics,
            namespace="acme/incidents",
            clock=self.clock,
            logger=logger,
        )
        self.answering = DeskServices(
            records=records,
            intake=intake,
            follower=follower,
            rotation=self.rotation,
            step_functions=self.step_functions,
            clock=self.clock,
            logger=logger,
        )

    def find(self, kind: str = "guardduty", **detail: Any) -> str:
        """A finding arrives; the incident that it belongs to. ``at`` moves its times."""
        event = sample(kind, **detail)
        failed = take({"Records": [{"messageId": "m", "body": json.dumps(event)}]}, self.taking)["batchItemFailures"]
        if failed:
            raise OutageError("intake")
        return self.incident(event)

    def incident(self, event: Mapping[str, Any]) -> str:
        """The newest incident of a finding."""
        fingerprint = findings(event)[0].fingerprint
        return max(self.records.subjects(f"{fingerprint}-"), key=lambda one: int(one.rpartition("-")[2]))

    def history(self, incident: str) -> History:
        """What is recorded."""
        return History.read(self.records, incident)

    def plan(self, minutes: float, deed: Callable[[], object]) -> None:
        """Let ``deed`` happen ``minutes`` after the start."""
        self.clock.plans.append((START + timedelta(minutes=minutes), deed))

    def stop_after(self, minutes: float) -> None:
        """End a run of the timer ``minutes`` after the start."""

        def stop() -> None:
            raise Enough

        self.plan(minutes, stop)

    def watch(self, definition: Mapping[str, Any], incident: str, minutes: float) -> None:
        """Run the timer until ``minutes`` after the start."""
        self.stop_after(minutes)
        with contextlib.suppress(Enough):
            self.run(definition, incident)

    def step(self, function: str, given: Any) -> Any:
        """What a Task state calls."""
        return lead(given, self.leading) if "lead" in function.lower() else page(given, self.paging)

    def machine(self, definition: Mapping[str, Any]) -> StateMachine:
        """The timer, by ``definition``."""
        return StateMachine(definition, self.step, self.clock)

    def run(self, definition: Mapping[str, Any], incident: str, *, kill_after: int | None = None) -> Execution:
        """Run the timer of ``incident``."""
        return self.machine(definition).run({"incident": incident}, name=incident, kill_after=kill_after)

    def do(self, person: str, deed: str, incident: str = "", **body: Any) -> dict[str, Any]:
        """``person`` writes a deed and calls the desk."""
        deed_id = uuid.uuid4().hex
        subject = f"{incident}@{deed_id}" if incident else deed_id
        self.records.say(deed, subject, f"AROAEXAMPLE:{person}", body)
        return answer({"kind": deed, "incident": incident, "deed": deed_id}, self.answering)

    def called(self, way: Way | None = None) -> list[tuple[int, tuple[str, ...]]]:
        """Whom a channel called, by the minute since the start."""
        return [(round((at - START).total_seconds() / 60), message.to) for at, message in (way or self.webhook).sent]


def sample(kind: str, *, at: datetime | None = None, **detail: Any) -> dict[str, Any]:
    """A sample finding with ``detail`` changed, and every time of it at ``at``."""
    text = json.dumps(SAMPLES[kind])
    event: dict[str, Any] = json.loads(text)
    event["detail"] |= detail
    if at is not None:
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        event = json.loads(_restamp(json.dumps(event), stamp))
    return event


def _restamp(text: str, stamp: str) -> str:
    for old in (
        "2026-03-02T09:14:00.000+0000",
        "2026-03-02T09:14:00.000Z",
        "2026-03-02T09:14:00Z",
        "2026-03-02T09:15:00Z",
    ):
        text = text.replace(old, stamp)
    return text


def good_postmortem(text: str) -> str:
    """A draft with every placeholder written out."""
    return re.sub(r"<[^<>\n]{3,200}>", "It was a forgotten key", text)
