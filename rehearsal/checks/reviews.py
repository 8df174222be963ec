"""Access reviews, from the collection of what was planted to signatures and to what was revoked being gone."""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from palisade_runtime.records import Records

from rehearsal.checks import Resource, View, refused, scenario
from rehearsal.machines import Machine, machines
from rehearsal.people import Person, signed_in
from rehearsal.state_machine import Killed

_STALE_DAYS = 400


@dataclass(frozen=True, kw_only=True)
class Office:
    """The functions of one deployment's reviews, and its state machine."""

    view: View
    door: Resource
    steps: Resource
    collector: Resource
    machine: Machine

    @property
    def settings(self) -> Mapping[str, str]:
        """The door's environment."""
        found: Mapping[str, str] = self.door.properties["Environment"]["Variables"]
        return found

    def ask(self, function: Resource, **event: Any) -> dict[str, Any]:
        """Call one of the functions."""
        answer = self.view.client("lambda", function).invoke(
            FunctionName=function.id, Payload=json.dumps(event).encode()
        )
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return said

    def sign(self, period: str, person: Person, decisions: Mapping[str, str]) -> dict[str, Any]:
        """As ``./palisade review sign`` does."""
        body = {
            "digest": self.ask(self.door, do="show", period=period)["digest"],
            "decisions": dict(decisions),
            "reason": "rehearsed",
        }
        number = hashlib.sha256(f"{person.user_id}{json.dumps(body, sort_keys=True)}".encode()).hexdigest()[:20]
        records = Records(
            s3=person.client("s3"),
            bucket=self.settings["RECORD_BUCKET"],
            account=self.door.account,
            workflow=self.settings["RECORD_WORKFLOW"],
        )
        somebody = f"{person.user_id.partition(':')[0]}:somebody-else"
        refused(lambda: records.say("sign", f"{period}.{number}", somebody, body), because="AccessDenied")
        records.say("sign", f"{period}.{number}", person.user_id, body)
        answer = person.client("lambda").invoke(
            FunctionName=self.door.id, Payload=json.dumps({"do": "sign", "period": period, "number": number}).encode()
        )
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return said

    def collect(self, period: str, number: int, accounts: list[str]) -> None:
        """A collection and its weighing, without the machine around them: its waits last a week."""
        for account in accounts:
            which = {"period": period, "round": number, "account": account}
            begun = self.ask(self.collector, do="begin", **which)
            while not begun["ready"]:
                begun = self.ask(self.collector, do="gather", begun=begun, **which)
        self.ask(self.steps, do="weigh", period=period, round=number, accounts=accounts)


def _offices(view: View) -> Iterator[Office]:
    def of(handler: str, act: str = "") -> Resource:
        return next(
            one
            for one in view.of("AWS::Lambda::Function")
            if one.properties.get("Handler") == f"{handler}.handler.handle"
            and (not act or act in one.properties["Environment"]["Variables"]["ACTS"].split())
        )

    for machine in machines(view):
        if "CollectAccounts" in machine.definition["States"]:
            yield Office(
                view=view,
                door=of("review_access", "sign"),
                steps=of("review_access", "open"),
                collector=of("collect_access"),
                machine=machine,
            )


@contextlib.contextmanager
def _planted(view: View, account: str, names: tuple[str, ...]) -> Iterator[None]:
    """Users with an old access key each, which are gone at the end, whatever happens."""
    iam = view.aws.client("iam", account, "us-east-1")
    keys = {}
    try:
        for name in names:
            iam.create_user(UserName=name)
            keys[name] = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
            view.aws.ask("age", account=account, user=name, days=_STALE_DAYS)
        yield
    finally:
        for name in names:
            with contextlib.suppress(iam.exceptions.NoSuchEntityException):
                iam.delete_access_key(UserName=name, AccessKeyId=keys[name])
                iam.delete_user(UserName=name)


@scenario(
    "a review finds a stale user and key in an account, reminds, refuses a signature about oneself, is signed by two, and "
    "follows what they revoked until it is gone"
)
def access_is_reviewed(view: View) -> None:
    for office in _offices(view):
        names = [*office.settings["ACCESS_REVIEWERS"].split()[:2], "mallory@example.com"]
        policy = next(one.id for one in view.of("AWS::IAM::ManagedPolicy") if one.id.endswith("-review-signer"))
        with signed_in(view, office.door, names=names, policies=[policy.rpartition("/")[2]]) as people:
            _reviewed(view, office, *people)


def _reviewed(view: View, office: Office, ada: Person, ben: Person, mallory: Person) -> None:
    her = ada.user_id.partition(":")[2]
    reviewers = {role.account for role in view.of("AWS::IAM::Role") if str(role.id).endswith("-reviewer")}
    account = max(reviewers)
    stale = f"stale-{uuid.uuid4().hex[:8]}"
    # Of a year in which nobody has reviewed anything yet.
    period = f"access-{2100 + uuid.uuid4().int % 7800}-Q1"
    with _planted(view, account, (stale, her)):
        told = _runs(office, period)
        shown = office.ask(office.door, do="show", period=period)
        found = {(one["rule"], one["who"]): one for one in shown["document"]["findings"]}
        assert not set(shown["document"]["missing"]) & reviewers, shown["document"]["missing"]
        for rule in ("user-unexplained", "user-stale", "key-old", "key-unused"):
            assert (rule, stale) in found, f"{rule} is not found of {stale}: {sorted(found)}"
        assert told == ["Remind"], told

        own = {one["id"]: "keep" for (_, who), one in found.items() if who == her}
        assert "is about" in office.sign(period, ada, own)["refused"][0]
        others = {one["id"]: "revoke" for (_, who), one in found.items() if who == stale}
        rest = {one["id"]: "keep" for one in found.values() if one["id"] not in others}
        half = office.sign(period, ben, rest | others)
        assert (half["stands"], half["undecided"]) == ("to sign", 0), half
        whole = office.sign(period, ada, others)
        assert (whole["stands"], whole["open"]) == ("open rights", len(others)), whole
        assert "is not a reviewer" in office.sign(period, mallory, {})["refused"][0]
        accounts = sorted(reviewers)
        office.collect(period, 1, accounts)
        assert office.ask(office.door, do="status", period=period)["open"] == len(others)
    office.collect(period, 2, accounts)
    assert office.ask(office.door, do="status", period=period)["stands"] == "closed"
    ended = office.machine.run({"period": period}, name=period)
    assert (ended.status, ended.path[-1]) == ("SUCCEEDED", "Closed"), ended.error


def _runs(office: Office, period: str) -> list[str]:
    """Run the machine until it waits for signatures, killed now and then; the messages it sent."""
    sent: list[str] = []
    for kill in (4, 16 + 6 * len(office.settings["ACCOUNTS"].split())):
        with contextlib.suppress(Killed):
            # What waits for people waits for ever here, where their functions live in the present.
            execution = office.machine.run({"period": period}, name=period, kill_after=kill)
            raise AssertionError(f"it ended unsigned: {execution.status} {execution.error}")
    status = office.ask(office.door, do="status", period=period)
    sent += ["Remind" for one in status["told"] if one.startswith("day-")]
    return sent
