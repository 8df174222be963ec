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
PERIOD = "access-2100-Q1"
"""A review of its own, of a year in which there is no other."""


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

    def sign(self, person: Person, digest: str, decisions: Mapping[str, str]) -> dict[str, Any]:
        """As ``./palisade review sign`` does."""
        body = {"digest": digest, "decisions": dict(decisions), "reason": "rehearsed"}
        number = hashlib.sha256(f"{person.user_id}{json.dumps(body, sort_keys=True)}".encode()).hexdigest()[:20]
        records = Records(
            s3=person.client("s3"),
            bucket=self.settings["RECORD_BUCKET"],
            account=self.door.account,
            workflow=self.settings["RECORD_WORKFLOW"],
        )
        somebody = f"{person.user_id.partition(':')[0]}:somebody-else"
        refused(lambda: records.say("sign", f"{PERIOD}.{number}", somebody, body), because="AccessDenied")
        records.say("sign", f"{PERIOD}.{number}", person.user_id, body)
        answer = person.client("lambda").invoke(
            FunctionName=self.door.id, Payload=json.dumps({"do": "sign", "period": PERIOD, "number": number}).encode()
        )
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return said

    def collect(self, number: int, account: str) -> None:
        """One account of a later collection, and its weighing, without the machine around them: its waits last a week."""
        which = {"period": PERIOD, "round": number, "account": account}
        begun = self.ask(self.collector, do="begin", **which)
        while not begun["ready"]:
            begun = self.ask(self.collector, do="gather", begun=begun, **which)
        self.ask(self.steps, do="weigh", period=PERIOD, round=number, accounts=[account])


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
        known = {one["period"]: one["stands"] for one in office.ask(office.door, do="list")["reviews"]}
        if PERIOD in known:
            # After an update: what was signed and closed before is so still.
            assert known[PERIOD] == "closed", known
            continue
        names = [*office.settings["ACCESS_REVIEWERS"].split()[:2], "mallory@example.com"]
        policy = next(one.id for one in view.of("AWS::IAM::ManagedPolicy") if one.id.endswith("-review-signer"))
        with signed_in(view, office.door, names=names, policies=[policy.rpartition("/")[2]]) as people:
            _reviewed(view, office, *people)


def _reviewed(view: View, office: Office, ada: Person, ben: Person, mallory: Person) -> None:
    her = ada.user_id.partition(":")[2]
    reviewers = {role.account for role in view.of("AWS::IAM::Role") if str(role.id).endswith("-reviewer")}
    account = max(reviewers)
    stale = f"stale-{uuid.uuid4().hex[:8]}"
    with _planted(view, account, (stale, her)):
        _until_told(office)
        shown = office.ask(office.door, do="show", period=PERIOD)
        findings = shown["document"]["findings"]
        found = {(one["rule"], one["who"]) for one in findings}
        assert not set(shown["document"]["missing"]) & reviewers, shown["document"]["missing"]
        for rule in ("user-unexplained", "user-stale", "key-old", "key-unused"):
            assert (rule, stale) in found, f"{rule} is not found of {stale}: {sorted(found)}"

        def sign(person: Person, decisions: Mapping[str, str]) -> dict[str, Any]:
            return office.sign(person, shown["digest"], decisions)

        own = {one["id"]: "keep" for one in findings if one["who"] == her}
        assert "is about" in sign(ada, own)["refused"][0]
        assert "is not a reviewer" in sign(mallory, {})["refused"][0]
        others = {one["id"]: "revoke" for one in findings if one["who"] == stale}
        rest = {one["id"]: "keep" for one in findings if one["id"] not in others}
        half = sign(ben, rest | others)
        assert (half["stands"], half["undecided"]) == ("to sign", 0), half
        whole = sign(ada, others)
        assert (whole["stands"], whole["open"]) == ("open rights", len(others)), whole
        office.collect(1, account)
        assert office.ask(office.door, do="status", period=PERIOD)["open"] == len(others)
    office.collect(2, account)
    assert office.ask(office.door, do="status", period=PERIOD)["stands"] == "closed"


def _until_told(office: Office) -> None:
    """Run the machine until it has sent its first message; its wait for signatures would never end here."""
    steps = 7 + 6 * len(office.settings["ACCOUNTS"].split())
    with contextlib.suppress(Killed):
        execution = office.machine.run({"period": PERIOD}, name=PERIOD, kill_after=steps)
        raise AssertionError(f"it ended unsigned: {execution.status} {execution.error}")
    told = office.ask(office.door, do="status", period=PERIOD)["told"]
    assert told == ["day-000"], told
