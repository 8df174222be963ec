"""Access requests, from the person who asks to the sweep: in people's own sessions, through the deployed functions, with the
gates judged as AWS would judge them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import ops.access  # noqa: F401 - puts lambda/ on the path

# isort: split

import boto3
from palisade_runtime.records import Records

from proofs.policy import PolicyKind, PolicySet, Request, compile_policy, evaluate
from rehearsal.checks import Resource, View, refused, scenario
from rehearsal.machines import machines

ADA, BEN = "ada@example.com", "ben@example.com"
REASON = "the queue of uploads does not drain"


def _now() -> datetime:
    return datetime.now(UTC)


def _identity() -> str:
    return f"{_now():%Y%m%d}-{secrets.token_hex(5)}"


@dataclass(frozen=True, kw_only=True)
class Session:
    """A person signed in, and the two services they reach."""

    user_id: str
    s3: Any
    functions: Any


@dataclass(kw_only=True)
class Rehearsed:
    """One deployed workflow, and who walks in and out of it."""

    view: View
    decider: Resource
    enforcer: Resource
    rules: Mapping[str, Any]
    places: Mapping[str, Any]
    users: dict[str, str] = field(default_factory=dict)
    sessions: dict[tuple[str, str], Session] = field(default_factory=dict)

    # --------------------------------------------------------------------------------------------------------- people

    @property
    def environment(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.decider.properties["Environment"]["Variables"]
        return found

    def management(self, service: str) -> Any:
        group = next(iter(self.view.of("AWS::SSO::PermissionSet")))
        return self.view.aws.client(service, group.account, self.environment["CENTER_REGION"])

    def hire(self, person: str, *levels: str) -> None:
        """A user in the directory, and in the groups that may ask for ``levels``."""
        store, store_id = self.management("identitystore"), self.environment["STORE_ID"]
        name = {"GivenName": person, "FamilyName": "Example"}
        made = store.create_user(IdentityStoreId=store_id, UserName=person, DisplayName=person, Name=name)
        self.users[person] = made["UserId"]
        for level in levels:
            named = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": self.rules["groups"][level]}}
            group = store.get_group_id(IdentityStoreId=store_id, AlternateIdentifier=named)["GroupId"]
            store.create_group_membership(IdentityStoreId=store_id, GroupId=group, MemberId={"UserId": made["UserId"]})

    def dismiss_everybody(self) -> None:
        """Nobody is left in the directory."""
        for user in self.users.values():
            self.management("identitystore").delete_user(IdentityStoreId=self.environment["STORE_ID"], UserId=user)

    def signed_in(self, person: str, job: str) -> Session:
        """A session of the security account with a permission set, as Identity Center would make it."""
        if (person, job) not in self.sessions:
            self.sessions[person, job] = self._sign_in(person, job)
        return self.sessions[person, job]

    def _sign_in(self, person: str, job: str) -> Session:
        account, region = self.decider.account, self.decider.region
        (given,) = [
            one for one in self.view.of("AWS::SSO::PermissionSet") if one.properties["Name"].endswith(f"-{job}")
        ]
        iam = self.view.aws.client("iam", account, region)
        name = f"AWSReservedSSO_{given.properties['Name']}_0123456789abcdef"
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        try:
            iam.create_role(
                RoleName=name,
                Path=f"/aws-reserved/sso.amazonaws.com/{region}/",
                AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
            )
            for reference in given.properties["CustomerManagedPolicyReferences"]:
                iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::{account}:policy/{reference['Name']}")
        except iam.exceptions.EntityAlreadyExistsException:
            pass
        answer = self.view.aws.client("sts", account, region).assume_role(
            RoleArn=iam.get_role(RoleName=name)["Role"]["Arn"], RoleSessionName=person
        )
        clients = boto3.Session(
            aws_access_key_id=answer["Credentials"]["AccessKeyId"],
            aws_secret_access_key=answer["Credentials"]["SecretAccessKey"],
            aws_session_token=answer["Credentials"]["SessionToken"],
            region_name=region,
        )
        aws = self.view.aws
        return Session(
            user_id=answer["AssumedRoleUser"]["AssumedRoleId"],
            s3=clients.client("s3", endpoint_url=aws.tls_endpoint, verify=str(aws.authority.bundle)),
            functions=clients.client("lambda", endpoint_url=aws.tls_endpoint, verify=str(aws.authority.bundle)),
        )

    def say(self, person: str, job: str, deed: str, subject: str, body: Mapping[str, object], **as_whom: str) -> None:
        """The person writes a deed with their own session's rights; ``user_id`` is theirs unless given."""
        session = self.signed_in(person, job)
        records = Records(
            s3=session.s3,
            bucket=self.environment["RECORD_BUCKET"],
            account=self.decider.account,
            workflow=self.environment["RECORD_WORKFLOW"],
        )
        records.say(deed, subject, as_whom.get("user_id", session.user_id), body)

    def do(self, person: str, job: str, deed: str, identity: str, body: Mapping[str, object]) -> dict[str, Any]:
        """The person does a deed, then has it looked at: with their own rights both."""
        self.say(person, job, deed, identity, body)
        return _answer(self.signed_in(person, job).functions, self.decider, {"kind": deed, "id": identity})

    def word(self, person: str, deed: str, tenant: str, body: Mapping[str, object]) -> dict[str, Any]:
        """The person records what a customer said."""
        identity = _identity()
        self.say(person, "approver", deed, f"{tenant}.{identity}", body)
        event = {"kind": deed, "id": identity, "tenant": tenant}
        return _answer(self.signed_in(person, "approver").functions, self.decider, event)

    def ask(self, person: str, **wish: object) -> dict[str, Any]:
        said = {
            "stage": self.rules["stages"][0],
            "level": "operator",
            "reason": REASON,
            "address": self.address,
            "minutes": 60,
            "tenants": [],
            **wish,
        }
        return self.do(person, "requester", "request", _identity(), said)

    @property
    def address(self) -> str:
        """One of the allowed addresses."""
        return str(self.rules["networks"][0]).split("/", maxsplit=1)[0]

    # -------------------------------------------------------------------------------------------------------- machines

    def live_out(self, identity: str) -> None:
        """Run the rest of a grant's life through the deployed definition."""
        (machine,) = [one for one in machines(self.view) if one.resource.id == self.environment["MACHINE_ARN"]]
        execution = machine.run({"grant": identity})
        assert execution.status == "SUCCEEDED", (execution.path, execution.error)

    def enforce(self, step: str, identity: str = "") -> dict[str, Any]:
        """One step of the workflow, again while it says that it is not settled."""
        said: dict[str, Any] = {}
        for _ in range(5):
            client = self.view.client("lambda", self.enforcer)
            answer = client.invoke(
                FunctionName=self.enforcer.id, Payload=json.dumps({"step": step, "grant": identity}).encode()
            )
            said = json.loads(answer["Payload"].read())
            if "FunctionError" not in answer:
                return said
        raise AssertionError(f"it does not settle: {said}")

    def holders(self, level: str = "operator") -> set[str]:
        """Whom Identity Center assigns the level in the stage."""
        (level_set,) = [
            one
            for one in self.view.of("AWS::SSO::PermissionSet")
            if one.properties["Name"] == self.places["sets"][level]
        ]
        found = self.management("sso-admin").list_account_assignments(
            InstanceArn=level_set.properties["InstanceArn"],
            AccountId=next(iter(self.places["stages"].values())),
            PermissionSetArn=level_set.id,
        )
        return {one["PrincipalId"] for one in found["AccountAssignments"]}

    def may(self, person: str, address: str, *, after: timedelta, level: str = "operator") -> bool:
        """Whether a session that begins now may turn a knob after a while, by the permission set and the gate as they are."""
        account = next(iter(self.places["stages"].values()))
        iam = self.view.aws.client("iam", account, self.decider.region)
        gate = self.places["policy"].format(account=account, level=level)
        version = iam.get_policy(PolicyArn=gate)["Policy"]["DefaultVersionId"]
        shut = iam.get_policy_version(PolicyArn=gate, VersionId=version)["PolicyVersion"]["Document"]
        (level_set,) = [
            one
            for one in self.view.of("AWS::SSO::PermissionSet")
            if one.properties["Name"] == self.places["sets"][level]
        ]
        rights = json.loads(
            self.management("sso-admin").get_inline_policy_for_permission_set(
                InstanceArn=level_set.properties["InstanceArn"], PermissionSetArn=level_set.id
            )["InlinePolicy"]
        )
        name = f"AWSReservedSSO_{self.places['sets'][level]}_0123456789abcdef"
        region, stage = self.decider.region, self.rules["stages"][0]
        request = Request(
            principal=f"arn:aws:sts::{account}:assumed-role/{name}/{person}",
            session_issuer=f"arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/{region}/{name}",
            action="lambda:PutFunctionConcurrency",
            resource=f"arn:aws:lambda:{region}:{account}:function:{stage}-documents-Api",
            context={
                "identitystore:UserId": self.users[person],
                "aws:SourceIp": address,
                "aws:ViaAWSService": False,
                "aws:TokenIssueTime": _text(_now()),
                "aws:CurrentTime": _text(_now() + after),
            },
        )
        policies = [compile_policy(one, PolicyKind.IDENTITY, level) for one in (rights, shut)]
        return evaluate(request, PolicySet(identity_policies=tuple(policies))).certainly_allowed


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _answer(client: Any, function: Resource, event: Mapping[str, Any]) -> dict[str, Any]:
    answer = client.invoke(FunctionName=function.id, Payload=json.dumps(event).encode())
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    return said


def _workflows(view: View) -> Iterator[Rehearsed]:
    by_handler = {one.properties.get("Handler"): one for one in view.of("AWS::Lambda::Function")}
    decider, enforcer = by_handler.get("decide_access.handler.handle"), by_handler.get("enforce_access.handler.handle")
    if decider is not None and enforcer is not None:
        yield Rehearsed(
            view=view,
            decider=decider,
            enforcer=enforcer,
            rules=json.loads(decider.properties["Environment"]["Variables"]["RULES"]),
            places=json.loads(enforcer.properties["Environment"]["Variables"]["PLACES"]),
        )


@scenario(
    "a level is asked for, refused, approved by another, used from one address, revoked, expired, and swept when held without"
)
def levels_are_held_for_a_while(view: View) -> None:
    for rehearsed in _workflows(view):
        if not rehearsed.rules["stages"]:
            continue
        try:
            rehearsed.hire(ADA, "operator", "database")
            rehearsed.hire(BEN)
            _is_refused(rehearsed)
            _is_approved_used_and_revoked(rehearsed)
            _enters_customer_data_by_consent(rehearsed)
            _expires(rehearsed)
            _is_swept(rehearsed)
        finally:
            rehearsed.dismiss_everybody()


def _is_refused(it: Rehearsed) -> None:
    assert it.ask(ADA, reason="")["outcome"] == "refused", "without a reason"
    assert it.ask(BEN)["outcome"] == "refused", "of no group that may ask"
    assert it.ask(ADA, address="192.0.2.200")["outcome"] == "refused", "from anywhere"
    refused(lambda: it.say(ADA, "requester", "request", _identity(), {}, user_id="AROAX:ben"), because="AccessDenied")
    refused(lambda: it.say(ADA, "requester", "approve", _identity(), {}), because="AccessDenied")
    asked = it.ask(ADA)
    assert asked["outcome"] == "waiting", asked
    own = it.do(ADA, "approver", "approve", asked["id"], {})
    assert own["outcome"] == "refused", "nobody approves their own request"
    inside = it.ask(ADA, level="database", tenants=["example"])
    assert it.do(BEN, "approver", "approve", inside["id"], {})["outcome"] == "refused", "without the customer's consent"
    assert it.holders() == it.holders("database") == set()
    assert not it.may(ADA, it.address, after=timedelta())


def _is_approved_used_and_revoked(it: Rehearsed) -> None:
    asked = it.ask(ADA)
    assert it.do(BEN, "approver", "approve", asked["id"], {})["outcome"] == "approved"
    it.enforce("open", asked["id"])
    assert it.holders() == {it.users[ADA]}
    assert it.may(ADA, it.address, after=timedelta(minutes=1)), "the granted person, from the granted address"
    assert not it.may(ADA, "192.0.2.200", after=timedelta(minutes=1)), "from another address"
    assert not it.may(BEN, it.address, after=timedelta(minutes=1)), "another person"
    assert not it.may(ADA, it.address, after=timedelta(minutes=61)), "later"
    assert it.do(BEN, "approver", "revoke", asked["id"], {})["outcome"] == "revoked"
    it.live_out(asked["id"])
    assert it.holders() == set()
    assert not it.may(ADA, it.address, after=timedelta(minutes=1)), "revoked"


def _enters_customer_data_by_consent(it: Rehearsed) -> None:
    """Somebody else records the customer's word; when it is withdrawn, whoever is inside by it is put out."""
    word = {"until": str(_now().date() + timedelta(days=1)), "evidence": "letter of the customer, ticket 4711"}
    it.word(BEN, "consent", "example", word)
    asked = it.ask(ADA, level="database", tenants=["example"], minutes=15)
    assert it.do(BEN, "approver", "approve", asked["id"], {})["outcome"] == "approved", asked
    it.enforce("open", asked["id"])
    assert it.holders("database") == {it.users[ADA]}
    assert it.word(BEN, "withdraw", "example", {})["revoked"] == [asked["id"]]
    it.enforce("close", asked["id"])
    assert it.holders("database") == set(), "the customer no longer consents"


def _expires(it: Rehearsed) -> None:
    """A grant that ended a minute ago and was not closed: what was decided then lies in the archive."""
    identity, then = _identity(), _now() - timedelta(minutes=16)
    archive = Records(
        s3=it.view.aws.client("s3", it.environment["RECORD_BUCKET"].rsplit("-", 1)[-1], it.decider.region),
        bucket=it.environment["RECORD_BUCKET"],
        account=it.decider.account,
        workflow=it.environment["RECORD_WORKFLOW"],
    )
    asked = {"stage": it.rules["stages"][0], "level": "operator", "address": it.address, "minutes": 15, "tenants": []}
    archive.keep(
        identity, "request", {**asked, "outcome": "accepted", "by": ADA, "user": it.users[ADA], "reason": REASON}
    )
    ends = then + timedelta(minutes=15)
    decision = {"outcome": "approved", "by": BEN, "on_call": False, "at": then.isoformat(), "expires": ends.isoformat()}
    archive.keep(identity, "decision", decision)
    _assign(it, ADA)
    it.live_out(identity)
    assert it.holders() == set(), "who has expired is out"
    assert archive.read(identity, "closed") is not None


def _is_swept(it: Rehearsed) -> None:
    _assign(it, BEN)
    assert it.holders() == {it.users[BEN]}
    assert it.enforce("sweep")["unexplained"] == 1
    assert it.enforce("sweep") == {"unexplained": 0, "unsettled": 0}
    assert it.holders() == set(), "nobody holds what no grant explains"


def _assign(it: Rehearsed, person: str) -> None:
    (level_set,) = [
        one for one in it.view.of("AWS::SSO::PermissionSet") if one.properties["Name"] == it.places["sets"]["operator"]
    ]
    it.management("sso-admin").create_account_assignment(
        InstanceArn=level_set.properties["InstanceArn"],
        TargetId=next(iter(it.places["stages"].values())),
        TargetType="AWS_ACCOUNT",
        PermissionSetArn=level_set.id,
        PrincipalType="USER",
        PrincipalId=it.users[person],
    )
