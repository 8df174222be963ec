"""Holds a drill: one sample finding of each kind, followed from the bus to the closed incident, and timed against the promises.

usage: ./palisade drill [--stage STAGE] [--kind KIND ...] [--contain-profile PROFILE] [--json]

Each finding says everywhere that it is a drill, makes an incident of its own, and is closed by the drill. People are called
as if it were real, so say it beforehand. Sign in to the security account as a responder; with --contain-profile, a profile of
the stage's account, containment is planned too (nothing is changed). What was measured is noted in each incident's record.
Exit status: 0 every promise kept, 1 one is missed, 2 not possible. docs/howto/drill.md says more.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "lambda"))

from palisade_runtime.incidents.finding import DRILL, DRILL_TITLE, findings  # noqa: E402

from assembly.sample_findings import SAMPLES  # noqa: E402
from ops.configured import deployment_of  # noqa: E402
from ops.incident import Desk  # noqa: E402
from ops.places import OpsError  # noqa: E402
from stacks.names import Names  # noqa: E402
from stacks.settings import Deployment  # noqa: E402

DETECT = timedelta(minutes=5)
PAGE = timedelta(minutes=1)
ASSIGN = timedelta(minutes=5)
NOTIFY = timedelta(hours=72)
_PATIENCE = timedelta(minutes=10)
_SAMPLE_ACCOUNT = "666666666666"
_TIMES = (
    (re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?=Z|\+)"), "%Y-%m-%dT%H:%M:%S.000"),
    (re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?=Z|\+)"), "%Y-%m-%dT%H:%M:%S"),
)
_TITLES = ("title", "Title", "alarmName", "configRuleName", "eventName")
_POSTMORTEM = (
    "".join(
        f"## {section}\n\nDrill: nothing happened.\n\n"
        for section in ("Summary", "Impact", "Timeline", "Causes", "What went well, what did not")
    )
    + "## Actions\n\nNone: it was a drill.\n"
)

Clock = Callable[[], datetime]


class Handling(Protocol):
    """The desk: answers what is asked, and takes deeds under one's own name (``ops.incident.Desk``)."""

    def ask(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The desk's answer."""

    def do(self, deed: str, incident: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Write a deed and have it looked at."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One promise on one kind of finding."""

    kind: str
    promise: str
    promised: str
    measured: str
    kept: bool


@dataclass(frozen=True, kw_only=True)
class Drill:
    """What a drill needs. ``put`` puts an event on the bus; ``plan`` asks containment what it would do, or is None."""

    put: Callable[[Mapping[str, Any]], None]
    desk: Handling
    clock: Clock
    wait: Callable[[float], None]
    account: str
    me: str
    region: str
    security: str
    plan: Callable[[], Mapping[str, Any]] | None = None

    def hold(self, kinds: Sequence[str]) -> Iterator[Measure]:
        """Follow a sample of each kind to its end, one after the other."""
        for kind in kinds:
            measured: list[Measure] = []
            for one in self._follow(kind, measured):
                measured.append(one)
                yield one

    def _follow(self, kind: str, measured: Sequence[Measure]) -> Iterator[Measure]:
        """``measured`` is what was yielded before, for the record."""
        name = f"drill:{uuid.uuid4()}"
        sent = self.clock().replace(microsecond=0)
        event = sample(kind, name=name, account=self.account, security=self.security, region=self.region, now=sent)
        incident = f"{findings(event)[0].fingerprint}-1"
        self.put(event)
        shown = self._until(incident, bool)
        if shown is None:
            yield Measure(kind=kind, promise="detect", promised=_text(DETECT), measured="never", kept=False)
            return
        opened = _moment(shown, "opened as")
        assert opened is not None
        yield _timed(kind, "detect", DETECT, opened - sent)
        shown = self._until(incident, lambda one: _moment(one, "called") is not None) or shown
        called = _moment(shown, "called")
        yield _timed(kind, "page at once", PAGE, None if called is None else called - opened)
        assigned_at = self._assign(incident)
        yield _timed(kind, "assign", ASSIGN, None if assigned_at is None else assigned_at - opened)
        if self.plan is not None:
            planned = self.plan()
            yield Measure(
                kind=kind,
                promise="contain (planned only)",
                promised="a plan",
                measured=f"{planned['outcome']}, {len(planned.get('steps', ()))} steps",
                kept=planned["outcome"] == "planned",
            )
        yield from self._clocks(kind, incident, opened)
        self._say("note", incident, text="drill: " + "; ".join(map(_said, measured)))
        yield self._closed(kind, incident)

    def _assign(self, incident: str) -> datetime | None:
        self._say("ack", incident)
        self._say("assign", incident, to=self.me)
        return _moment(self._show(incident) or {}, "acknowledged it")

    def _clocks(self, kind: str, incident: str, opened: datetime) -> Iterator[Measure]:
        shown = self._show(incident) or {}
        if shown.get("breach"):
            due = shown["deadlines"].get("customers and regulator")
            runs = due is not None and datetime.fromisoformat(due) == opened + NOTIFY
            yield Measure(
                kind=kind, promise="72 hours run", promised=str(opened + NOTIFY), measured=str(due), kept=runs
            )
        self._say("resolve", incident, text="drill")
        if shown.get("priority") != "P3":
            due = (self._show(incident) or {}).get("deadlines", {}).get("post-mortem")
            yield Measure(
                kind=kind,
                promise="post-mortem is due",
                promised="one business day",
                measured=str(due),
                kept=due is not None,
            )

    def _closed(self, kind: str, incident: str) -> Measure:
        shown = self._show(incident) or {}
        for duty in shown.get("open", ()):
            found = re.match(r"tell (\w+)", duty)
            if found:
                self._say("told", incident, whom=found[1], needed=False, text="a drill")
        self._say("postmortem", incident, text=_POSTMORTEM)
        self._say("close", incident)
        status = str((self._show(incident) or {}).get("status"))
        return Measure(kind=kind, promise="close", promised="closed", measured=status, kept=status == "closed")

    def _say(self, deed: str, incident: str, **body: Any) -> None:
        answer = self.desk.do(deed, incident, body)
        if not answer["ok"]:
            raise OpsError(f"{deed} {incident} was refused: {' '.join(answer['problems'])}")

    def _show(self, incident: str) -> dict[str, Any] | None:
        answer = self.desk.ask({"kind": "show", "incident": incident})
        return answer["incident"] if answer["ok"] else None

    def _until(self, incident: str, fits: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any] | None:
        """The incident once it fits; None if it does not in time."""
        end = self.clock() + _PATIENCE
        while True:
            shown = self._show(incident)
            if shown is not None and fits(shown):
                return shown
            if self.clock() >= end:
                return None
            self.wait(5)


def sample(kind: str, *, name: str, account: str, security: str, region: str, now: datetime) -> dict[str, Any]:
    """The sample of ``kind`` as the bus delivers it in a drill called ``name``: of ``account``, now, and marked."""
    text = json.dumps(SAMPLES[kind]).replace(_SAMPLE_ACCOUNT, account)
    for pattern, style in _TIMES:
        text = pattern.sub(now.strftime(style), text)
    text = re.sub(
        r"[A-Z][a-z]{2} \d{1,2}, 20\d\d, \d{1,2}:\d\d:\d\d.[AP]M", now.strftime("%b %d, %Y, %I:%M:%S %p"), text
    )
    event: dict[str, Any] = json.loads(text)
    _mark(event["detail"])
    return {**event, "source": DRILL, "resources": [name], "account": security, "region": region}


def _mark(detail: dict[str, Any]) -> None:
    """Say that it is a drill wherever a message about it takes its words from."""
    for place in (detail, *detail.get("findings", ())):
        for title in _TITLES:
            if title in place:
                place[title] = f"{DRILL_TITLE} {place[title]}"


def main(arguments: list[str] | None = None) -> int:
    """Hold a drill and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        drill = _drill(deployment_of(options.deployment), options)
        measured = []
        for one in drill.hold(options.kind or list(SAMPLES)):
            measured.append(one)
            if not options.json:
                print(line(one), flush=True)
    except OpsError as error:
        print(f"drill: {error}", file=sys.stderr)
        return 2
    missed = sum(not one.kept for one in measured)
    if options.json:
        print(json.dumps([asdict(one) for one in measured], indent=2))
    else:
        print(f"drill: {len(measured) - missed} of {len(measured)} promises kept")
    return 1 if missed else 0


def line(one: Measure) -> str:
    """A measure as a line of the table."""
    kept = "kept" if one.kept else "MISSED"
    return f"{one.kind:<16} {one.promise:<24} {one.promised:<28} {one.measured:<28} {kept}"


def _timed(kind: str, promise: str, promised: timedelta, measured: timedelta | None) -> Measure:
    return Measure(
        kind=kind,
        promise=promise,
        promised=f"within {_text(promised)}",
        measured="never" if measured is None else _text(measured),
        kept=measured is not None and measured <= promised,
    )


def _said(one: Measure) -> str:
    return f"{one.promise} {one.measured}, {'kept' if one.kept else 'MISSED'}"


def _text(span: timedelta) -> str:
    return f"{span.total_seconds():.0f} s"


def _moment(shown: Mapping[str, Any], words: str) -> datetime | None:
    """When the incident's timeline first says ``words``."""
    said = [datetime.fromisoformat(at) for at, what in shown.get("timeline", ()) if words in what]
    return min(said, default=None)


def _drill(deployment: Deployment, options: argparse.Namespace) -> Drill:
    import boto3  # noqa: PLC0415 - half a second that --help should not wait for
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    stages = {stage.name: stage.account for stage in deployment.stages}
    stage = options.stage or deployment.stages[-1].name
    if stage not in stages:
        raise OpsError(f"--stage {stage}: choose one of {', '.join(stages)}.")
    names, home = Names(deployment), deployment.home.name

    def client(service: str) -> Any:
        return boto3.client(service, region_name=home)

    def put(event: Mapping[str, Any]) -> None:
        entry = {
            "EventBusName": names.findings_bus,
            "Source": DRILL,
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
            "Resources": event["resources"],
        }
        try:
            answer = client("events").put_events(Entries=[entry])
        except (BotoCoreError, ClientError) as error:
            raise OpsError(f"the bus took nothing: {error}. Sign in to the security account as a responder.") from None
        if answer["FailedEntryCount"]:
            raise OpsError(f"the bus took nothing: {answer['Entries'][0].get('ErrorMessage')}")

    try:
        identity = client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"nobody is signed in: {error}. Sign in to the security account as a responder.") from None
    if identity["Account"] != deployment.accounts.security:
        raise OpsError(
            f"the credentials are of account {identity['Account']}, but incidents are handled in the security account "
            f"{deployment.accounts.security}. Switch profile."
        )
    return Drill(
        put=put,
        desk=Desk(deployment=deployment, client=client),
        clock=lambda: datetime.now(UTC),
        wait=time.sleep,
        account=stages[stage],
        me=_somebody(deployment, identity["UserId"].partition(":")[2]),
        region=home,
        security=deployment.accounts.security,
        plan=_planner(options.contain_profile, names, home) if options.contain_profile else None,
    )


def _somebody(deployment: Deployment, me: str) -> str:
    """To whom incidents of the drill are assigned: whoever holds it, if they are ever on call."""
    people = [person.name for person in deployment.on_call.people]
    return me if me in people else people[0]


def _planner(profile: str, names: Names, region: str) -> Callable[[], Mapping[str, Any]]:
    """Asks containment of the stage what it would do; needs a session there, because nobody is let in from elsewhere."""
    import boto3  # noqa: PLC0415

    functions = boto3.Session(profile_name=profile).client("lambda", region_name=region)
    event = {"kind": "plan", "action": "block-address", "target": "9.9.9.9"}

    def plan() -> Mapping[str, Any]:
        answer = functions.invoke(FunctionName=names.containment, Payload=json.dumps(event).encode())
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        return {"outcome": "failed"} if "FunctionError" in answer else said

    return plan


def _parser() -> argparse.ArgumentParser:
    assert __doc__
    parser = argparse.ArgumentParser(
        prog="palisade drill", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    parser.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
    parser.add_argument("--stage", default="", help="whose account the findings are about (default: the last stage)")
    parser.add_argument("--kind", action="append", choices=sorted(SAMPLES), help="only this kind; may be repeated")
    parser.add_argument("--contain-profile", default="", help="plan containment, too, with this profile of the stage")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser
