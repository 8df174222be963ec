"""Incidents, from a finding of each kind to the post-mortem: by the deployed functions, with the timer's clock moved."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import sys
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lambda"))

from lead_incident.handler import Services, lead
from palisade_runtime.incidents.follow import Follower
from palisade_runtime.incidents.on_call import Rotation
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records

from assembly.sample_findings import SAMPLES
from rehearsal.checks import Resource, View, refused, scenario
from rehearsal.machines import Machine, machines
from rehearsal.state_machine import MovedClock, StateMachine

_KEY = "a-signing-key-of-the-rehearsal"
_LIVE = "666666666666"


class _Enough(Exception):  # noqa: N818 - not an error
    """The scenario has seen enough."""


@dataclass
class _Until(MovedClock):
    """A clock that ends a run when it comes to its end."""

    end: datetime | None = None

    def advance(self, seconds: float = 0, **units: float) -> None:
        """Let time go by."""
        super().advance(seconds, **units)
        if self.end is not None and self.now > self.end:
            raise _Enough


@dataclass
class _Room:
    """Whoever is called, as the HTTP addresses see it."""

    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def pages(self, incident: str) -> list[dict[str, Any]]:
        """The webhook's messages about an incident."""
        said = [json.loads(body) for path, _, body in self.got if path == "/webhook"]
        return [one for one in said if one["incident"] == incident]


@dataclass(frozen=True, kw_only=True)
class _Desk:
    """The deployed handling of incidents."""

    view: View
    machine: Machine
    functions: Mapping[str, Resource]

    def settings(self, source: str) -> Mapping[str, str]:
        """The environment of one of the functions."""
        found: Mapping[str, str] = self.functions[source].properties["Environment"]["Variables"]
        return found

    def client(self, service: str) -> Any:
        """A client of the security account."""
        return self.view.client(service, self.machine.resource)

    @property
    def records(self) -> Records:
        """The records, by the archive's own account: no other principal here is one that its policy admits."""
        settings = self.settings("lead_incident")
        bucket = next(one for one in self.view.of("AWS::S3::Bucket") if one.id == settings["RECORD_BUCKET"])
        return Records(
            s3=self.view.client("s3", bucket),
            bucket=settings["RECORD_BUCKET"],
            account=self.machine.resource.account,
            workflow=settings["RECORD_WORKFLOW"],
        )

    def ask(self, source: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """What a deployed function answers."""
        answer = self.client("lambda").invoke(
            FunctionName=self.functions[source].id, Payload=json.dumps(event).encode()
        )
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return said

    def find(self, kind: str, account: str) -> str:
        """Deliver one sample so; the one incident that it became."""
        (incident,) = self.find_all([kind], account)
        return incident

    def find_all(self, kinds: Iterable[str], account: str) -> set[str]:
        """Deliver a sample of each kind, twice, to the intake; the incidents that they became."""
        before = set(self.records.subjects())
        bodies = [json.dumps(SAMPLES[kind]).replace(_LIVE, account) for kind in kinds]
        messages = [{"messageId": str(uuid.uuid4()), "body": body} for body in (*bodies, *bodies)]
        assert self.ask("take_finding", {"Records": messages}) == {"batchItemFailures": []}
        return set(self.records.subjects()) - before

    def do(self, person: str, deed: str, incident: str, **body: Any) -> dict[str, Any]:
        """``person`` writes a deed, and the desk looks at it."""
        deed_id = uuid.uuid4().hex
        self.records.say(deed, f"{incident}@{deed_id}", f"AROAREHEARSAL:{person}", body)
        return self.ask("answer_responder", {"kind": deed, "incident": incident, "deed": deed_id})

    def run(self, incident: str, *, minutes: float) -> str:
        """Run the deployed timer from now, with its clock moved on by ``minutes``; how it ended."""
        clock = _Until(datetime.now(UTC))
        clock.end = clock.now + timedelta(minutes=minutes)
        settings = self.settings("lead_incident")
        services = Services(
            records=self.records,
            follower=Follower(
                records=self.records,
                ssm=self.client("ssm"),
                cloudwatch=self.client("cloudwatch"),
                namespace=settings["NAMESPACE"],
            ),
            rotation=Rotation.read(settings["ROTATION"]),
            clock=clock,
            logger=Logger(service="rehearsal", output=_Silence()),
        )
        leads = self.functions["lead_incident"].attributes["Arn"]

        def task(resource: str, given: Any) -> Any:
            # The deployed function lives in the present; its code does here, in the moved time.
            return lead(given, services) if resource == leads else self.ask("page_people", given)

        with suppress(_Enough):
            return StateMachine(self.machine.definition, task, clock).run({"incident": incident}, name=incident).status
        return "RUNNING"


class _Silence:
    def write(self, text: str, /) -> None:
        """Nothing is said."""


def desks(view: View) -> Iterator[_Desk]:
    for machine in machines(view):
        functions = {
            str(one.properties["Handler"]).split(".")[0]: one
            for one in view.of("AWS::Lambda::Function")
            if one.stack == machine.resource.stack
        }
        if "lead_incident" in functions:
            yield _Desk(view=view, machine=machine, functions=functions)


@contextmanager
def listening(desk: _Desk) -> Iterator[_Room]:
    """A webhook and a chat room on this machine, named to the deployed function by its secret."""
    room = _Room()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            room.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing is said."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    secrets, name = desk.client("secretsmanager"), desk.settings("page_people")["CHANNELS_NAME"]
    addresses = {"webhook": f"{url}/webhook", "chat": f"{url}/chat", "signing_key": _KEY}
    before = secrets.get_secret_value(SecretId=name)["SecretString"]
    secrets.put_secret_value(SecretId=name, SecretString=json.dumps(addresses))
    try:
        yield room
    finally:
        secrets.put_secret_value(SecretId=name, SecretString=before)
        server.shutdown()


@contextmanager
def _mailbox(desk: _Desk, person: str) -> Iterator[Any]:
    """A queue that gets what ``person`` is mailed; called, it answers with the messages so far."""
    sns, sqs, topic = desk.client("sns"), desk.client("sqs"), desk.settings("page_people")["TOPIC_ARN"]
    url = sqs.create_queue(QueueName=f"rehearsal-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    letting_in = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [letting_in]})}
    )
    subscription = sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"FilterPolicy": json.dumps({"to": [person]})},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    got: list[str] = []

    def messages() -> list[str]:
        got.extend(
            one["Body"]
            for one in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", ())
        )
        return got

    try:
        yield messages
    finally:
        sns.unsubscribe(SubscriptionArn=subscription)
        sqs.delete_queue(QueueUrl=url)


def _account() -> str:
    """An account that no finding was about before."""
    return str(uuid.uuid4().int % 10**12).zfill(12)


@scenario("a finding of each kind, told twice, opens one incident with a running timer")
def each_kind_opens_one(view: View) -> None:
    for desk in desks(view):
        incidents = desk.find_all(SAMPLES, _account())
        assert len(incidents) == len(SAMPLES), incidents
        pages = desk.client("stepfunctions").get_paginator("list_executions")
        started = {
            one["name"]
            for page in pages.paginate(stateMachineArn=desk.machine.resource.id)
            for one in page["executions"]
        }
        assert incidents <= started


@scenario("a grave finding calls everybody by mail, webhook and chat, signed, and without its secrets")
def grave_calls_everybody(view: View) -> None:
    for desk in desks(view):
        rotation = Rotation.read(desk.settings("lead_incident")["ROTATION"])
        with listening(desk) as room, _mailbox(desk, rotation.everyone[-1]) as mail:
            incident = desk.find("root", _account())
            desk.run(incident, minutes=1)
            page = room.pages(incident)[0]
            assert page["to"] == list(rotation.everyone), page
            assert any(path == "/chat" and incident in body.decode() for path, _, body in room.got)
            assert any(incident in one for one in mail()), "nobody was mailed"
            for path, headers, body in room.got:
                if path == "/webhook":
                    signed = headers["x-palisade-timestamp"].encode() + b"." + body
                    wanted = hmac.new(_KEY.encode(), signed, hashlib.sha256).hexdigest()
                    assert headers["x-palisade-signature"] == f"v1={wanted}", "the signature does not hold"
                assert _KEY not in body.decode()


@scenario("nobody answers for five minutes and the next is called, then all; once acknowledged, nobody")
def nobody_answers(view: View) -> None:
    for desk in desks(view):
        rotation = Rotation.read(desk.settings("lead_incident")["ROTATION"])
        with listening(desk) as room:
            incident = desk.find("break-glass", _account())
            assert desk.run(incident, minutes=12) == "RUNNING"
            called = list(dict.fromkeys(tuple(one["to"]) for one in room.pages(incident)))
            now = datetime.now(UTC)
            first = rotation.on_call(now)
            assert called == list(dict.fromkeys([(first,), (rotation.after(first, now),), rotation.everyone])), called
            assert desk.do("ada", "ack", incident)["by"] == "ada"
            again = desk.do("ben", "ack", incident)
            assert (again["by"], again["first"]) == ("ada", False), again
            before = len(room.pages(incident))
            desk.run(incident, minutes=59)
            assert len(room.pages(incident)) == before, "somebody was called though it is in hand"


@scenario("an incident is assigned, reminded of, refused to close, written up and closed, its item in step")
def written_up_and_closed(view: View) -> None:
    for desk in desks(view):
        with listening(desk) as room:
            rotation = Rotation.read(desk.settings("lead_incident")["ROTATION"])
            incident = desk.find("guardduty", _account())
            desk.run(incident, minutes=1)
            assert desk.do("ada", "assign", incident, to=rotation.everyone[0])["ok"]
            desk.run(incident, minutes=25 * 60)
            assert any("tell the customers" in one["subject"] for one in room.pages(incident)), "nobody was reminded"
            denied = desk.do("ada", "close", incident)
            assert not denied["ok"], denied
            assert "it cannot be closed yet: write the post-mortem" in denied["problems"], denied
            assert desk.do("ada", "resolve", incident, text="the key was taken away")["ok"]
            for whom in ("customers", "regulator", "affected"):
                assert desk.do("ada", "told", incident, whom=whom, needed=True, text="by letter")["ok"]
            draft = desk.ask("answer_responder", {"kind": "draft", "incident": incident, "of": "postmortem"})["text"]
            assert not desk.do("ada", "postmortem", incident, text=draft)["ok"], "a draft is no post-mortem"
            text = re.sub(r"<[^<>\n]{3,200}>", "A key had been forgotten", draft)
            assert desk.do("ada", "postmortem", incident, text=text)["ok"]
            shown = desk.do("ben", "close", incident)["incident"]
            assert shown["status"] == "closed", shown
            assert desk.run(incident, minutes=1) == "SUCCEEDED"
            item = desk.client("ssm").get_ops_item(OpsItemId=shown["item"])["OpsItem"]
            assert item["Status"] == "Resolved", item
            _cannot_be_undone(desk, incident)


def _cannot_be_undone(desk: _Desk, incident: str) -> None:
    bucket = next(
        one for one in desk.view.of("AWS::S3::Bucket") if one.id == desk.settings("lead_incident")["RECORD_BUCKET"]
    )
    s3 = desk.view.client("s3", bucket)
    prefix = f"{desk.machine.resource.account}/incidents/{incident}/closed"
    record = s3.list_object_versions(Bucket=bucket.id, Prefix=prefix)["Versions"][0]
    refused(
        lambda: s3.delete_object(Bucket=bucket.id, Key=record["Key"], VersionId=record["VersionId"]),
        because="AccessDenied",
    )
