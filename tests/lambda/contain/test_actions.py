"""Each act of containment on services in memory: planned it changes nothing, killed it goes on, undone all is as it was."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from contain.action import Action, RefusedError
from contain.addresses import BlockAddress, Firewall
from contain.containment import Containment
from contain.functions import IsolateFunction
from contain.instances import PROTECTION, QuarantineInstance
from contain.keys import DisableAccessKey, DisableKey
from contain.roles import POLICY, RevokeSessions
from contain.users import BlockUser
from moto import mock_aws
from moto.ec2.models import ec2_backends
from palisade_runtime.records import Records

REGION = "eu-west-1"
BOUNDARY = "acme-boundary"
BUCKET = "acme-live-decision-100000000002"
ADA, BEN = "AROAEXAMPLE:ada@example.com", "AROAEXAMPLE:ben@example.com"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


class KilledError(Exception):
    """The function was stopped here."""


@dataclass
class Kill:
    """Stops the function before or after the given change to a service."""

    at: int | None = None
    changes: list[str] = field(default_factory=list)

    def point(self, name: str) -> None:
        self.changes.append(name)
        if self.at is not None and len(self.changes) > self.at:
            raise KilledError(name)

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        self.point(name)
        yield
        self.point(name)

    def client(self, service: str, region: str = REGION) -> Any:
        client = boto3.client(service, region_name=region)

        def pass_by(model: Any, **_: object) -> None:
            if not model.name.startswith(("Get", "List", "Describe")):
                self.point(model.name)

        client.meta.events.register("before-call", pass_by)
        client.meta.events.register("after-call", pass_by)
        return client


@dataclass(frozen=True, kw_only=True)
class Case:
    """An act, its target, what it changes (``look`` sees it apart from the act's own looking), and how it must end."""

    action: Action
    target: str
    look: Callable[[], Any]
    contained: Any
    meddle: Callable[[], Any] | None = None


def _role(iam: Any, name: str, boundary: str | None = BOUNDARY) -> None:
    given = {} if boundary is None else {"PermissionsBoundary": f"arn:aws:iam::123456789012:policy/{boundary}"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **given)


def _instance(kill: Kill) -> Case:
    ec2, scaling = boto3.client("ec2", region_name=REGION), boto3.client("autoscaling", region_name=REGION)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    one, other, quarantine = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        for name in ("one", "other", "quarantine")
    )
    launch = {"ImageId": "ami-12c6146b", "InstanceType": "t3.micro", "SecurityGroupIds": [one, other]}
    ec2.create_launch_template(LaunchTemplateName="machine", LaunchTemplateData=launch)
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="machines",
        LaunchTemplate={"LaunchTemplateName": "machine", "Version": "$Latest"},
        MinSize=1,
        MaxSize=1,
        VPCZoneIdentifier=subnet,
    )
    target = scaling.describe_auto_scaling_instances()["AutoScalingInstances"][0]["InstanceId"]
    interface = ec2.describe_instances(InstanceIds=[target])["Reservations"][0]["Instances"][0]["NetworkInterfaces"][0]
    # moto counts the groups of the launch as every interface's for good; AWS does not.
    ec2_backends["123456789012"][REGION].get_instance(target).security_groups.clear()
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=interface["NetworkInterfaceId"], Groups=sorted((one, other))
    )

    def look() -> Any:
        found = ec2.describe_instances(InstanceIds=[target])["Reservations"][0]["Instances"][0]
        return {
            "groups": [sorted(g["GroupId"] for g in nic["Groups"]) for nic in found["NetworkInterfaces"]],
            "protected": scaling.describe_auto_scaling_instances()["AutoScalingInstances"][0]["ProtectedFromScaleIn"],
        }

    return Case(
        action=QuarantineInstance(
            ec2=kill.client("ec2"), scaling=kill.client("autoscaling"), vpc=vpc, group=quarantine
        ),
        target=target,
        look=look,
        contained={"groups": [[quarantine]], "protected": True},
        meddle=lambda: ec2.modify_network_interface_attribute(
            NetworkInterfaceId=interface["NetworkInterfaceId"], Groups=[other]
        ),
    )


def _sessions(kill: Kill) -> Case:
    iam = boto3.client("iam", region_name=REGION)
    _role(iam, "live-documents-Api")
    own = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}],
    }
    iam.put_role_policy(RoleName="live-documents-Api", PolicyName="Own", PolicyDocument=json.dumps(own))

    def look() -> Any:
        names = iam.list_role_policies(RoleName="live-documents-Api")["PolicyNames"]
        return {
            name: iam.get_role_policy(RoleName="live-documents-Api", PolicyName=name)["PolicyDocument"]
            for name in names
        }

    refusal = {
        "Sid": POLICY,
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-03-02T12:00:00Z"}},
    }
    return Case(
        action=RevokeSessions(iam=kill.client("iam"), boundary=BOUNDARY, spared="own", emergency="acme-break-glass"),
        target="live-documents-Api",
        look=look,
        contained={"Own": own, POLICY: {"Version": "2012-10-17", "Statement": [refusal]}},
        meddle=lambda: iam.put_role_policy(
            RoleName="live-documents-Api", PolicyName=POLICY, PolicyDocument=json.dumps(own)
        ),
    )


def _key(kill: Kill) -> Case:
    kms = boto3.client("kms", region_name=REGION)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/acme/data", TargetKeyId=key)
    return Case(
        action=DisableKey(kms=kill.client("kms"), aliases=frozenset({"alias/acme/data", "alias/acme/secrets"})),
        target="alias/acme/data",
        look=lambda: kms.describe_key(KeyId=key)["KeyMetadata"]["Enabled"],
        contained=False,
    )


def _access_key(kill: Kill) -> Case:
    iam = boto3.client("iam", region_name=REGION)
    iam.create_user(UserName="leftover")
    keys = [iam.create_access_key(UserName="leftover")["AccessKey"]["AccessKeyId"] for _ in range(2)]

    def look() -> Any:
        found = iam.list_access_keys(UserName="leftover")["AccessKeyMetadata"]
        return {one["AccessKeyId"]: one["Status"] for one in found}

    return Case(
        action=DisableAccessKey(iam=kill.client("iam")),
        target=f"leftover/{keys[0]}",
        look=look,
        contained={keys[0]: "Inactive", keys[1]: "Active"},
    )


def _address(kill: Kill) -> Case:
    regions = {"CLOUDFRONT": "us-east-1", "REGIONAL": REGION}
    clients = {scope: boto3.client("wafv2", region_name=region) for scope, region in regions.items()}
    for scope, client in clients.items():
        for version, family, others in ((4, "IPV4", ["8.8.8.8/32"]), (6, "IPV6", [])):
            client.create_ip_set(
                Name=f"acme-live-{scope}-v{version}", Scope=scope, IPAddressVersion=family, Addresses=others
            )

    def look() -> Any:
        return {
            one["Name"]: client.get_ip_set(Name=one["Name"], Scope=scope, Id=one["Id"])["IPSet"]["Addresses"]
            for scope, client in clients.items()
            for one in client.list_ip_sets(Scope=scope)["IPSets"]
        }

    def firewall(scope: str) -> Firewall:
        sets = {version: f"acme-live-{scope}-v{version}" for version in (4, 6)}
        return Firewall(waf=kill.client("wafv2", regions[scope]), scope=scope, sets=sets)

    return Case(
        action=BlockAddress(firewalls={"edge": firewall("CLOUDFRONT"), "home region": firewall("REGIONAL")}),
        target="9.9.9.0/24",
        look=look,
        contained={
            "acme-live-CLOUDFRONT-v4": ["8.8.8.8/32", "9.9.9.0/24"],
            "acme-live-CLOUDFRONT-v6": [],
            "acme-live-REGIONAL-v4": ["8.8.8.8/32", "9.9.9.0/24"],
            "acme-live-REGIONAL-v6": [],
        },
    )


def _function(kill: Kill) -> Case:
    iam, functions = boto3.client("iam", region_name=REGION), boto3.client("lambda", region_name=REGION)
    sqs = boto3.client("sqs", region_name=REGION)
    _role(iam, "function", None)
    functions.create_function(
        FunctionName="live-documents-Analyser",
        Runtime="python3.13",
        Role="arn:aws:iam::123456789012:role/function",
        Handler="handler.handle",
        Code={"ZipFile": b"code"},
    )
    functions.put_function_concurrency(FunctionName="live-documents-Analyser", ReservedConcurrentExecutions=7)
    for name, enabled in (("one", True), ("two", False)):
        sqs.create_queue(QueueName=name)
        functions.create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:{REGION}:123456789012:{name}",
            FunctionName="live-documents-Analyser",
            Enabled=enabled,
        )

    def look() -> Any:
        found = functions.get_function_concurrency(FunctionName="live-documents-Analyser")
        mappings = functions.list_event_source_mappings(FunctionName="live-documents-Analyser")["EventSourceMappings"]
        return [found.get("ReservedConcurrentExecutions"), *sorted((m["EventSourceArn"], m["State"]) for m in mappings)]

    queue = f"arn:aws:sqs:{REGION}:123456789012"
    return Case(
        action=IsolateFunction(functions=kill.client("lambda"), prefix="live-", sleep=lambda _: None),
        target="live-documents-Analyser",
        look=look,
        contained=[0, (f"{queue}:one", "Disabled"), (f"{queue}:two", "Disabled")],
        meddle=lambda: functions.put_function_concurrency(
            FunctionName="live-documents-Analyser", ReservedConcurrentExecutions=3
        ),
    )


class Directory:
    """A user pool as the act meets it."""

    class exceptions:  # noqa: N801
        class UserNotFoundException(Exception):  # noqa: N818
            pass

    def __init__(self, kill: Kill) -> None:
        self.users = {"mallory": True, "alice": True}
        self.signed_in = {"mallory", "alice"}
        self._kill = kill

    def admin_get_user(self, *, Username: str, **_: str) -> dict[str, bool]:  # noqa: N803
        if Username not in self.users:
            raise self.exceptions.UserNotFoundException
        return {"Enabled": self.users[Username]}

    def admin_disable_user(self, *, Username: str, **_: str) -> None:  # noqa: N803
        with self._kill.around("AdminDisableUser"):
            self.users[Username] = False

    def admin_enable_user(self, *, Username: str, **_: str) -> None:  # noqa: N803
        with self._kill.around("AdminEnableUser"):
            self.users[Username] = True

    def admin_user_global_sign_out(self, *, Username: str, **_: str) -> None:  # noqa: N803
        with self._kill.around("AdminUserGlobalSignOut"):
            self.signed_in.discard(Username)


def _user(kill: Kill) -> Case:
    directory = Directory(kill)
    return Case(
        action=BlockUser(cognito=directory, pool="eu-west-1_pool"),
        target="mallory",
        look=lambda: dict(directory.users),
        contained={"mallory": False, "alice": True},
        meddle=lambda: directory.signed_in,
    )


CASES = (_instance, _sessions, _key, _access_key, _address, _function, _user)


@pytest.fixture(autouse=True)
def _in_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
        yield


@dataclass
class Clock:
    now: datetime = datetime(2026, 3, 2, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def workflow(case: Case, clock: Clock) -> Containment:
    return Containment(
        records=Records(
            s3=boto3.client("s3", region_name="us-east-1"),
            bucket=BUCKET,
            account="123456789012",
            workflow="containment",
        ),
        actions={case.action.name: case.action},
        guarded=False,
        clock=clock,
    )


def asked(containment: Containment, case: Case) -> str:
    identity: str = containment.plan(case.action.name, case.target)["id"]
    body = {"action": case.action.name, "target": case.target, "reason": "an intruder", "incident": ""}
    containment.records.say("request", identity, ADA, body)
    return identity


@pytest.fixture(autouse=True)
def _owner(monkeypatch: pytest.MonkeyPatch) -> None:
    # The archive is in memory of this account.
    monkeypatch.setattr(Records, "owner", "123456789012")


@pytest.mark.parametrize("make", CASES)
def test_planned_nothing_changes_done_and_undone_all_is_as_before(make: Callable[[Kill], Case]) -> None:
    kill, clock = Kill(), Clock()
    case = make(kill)
    containment, former = workflow(case, clock), case.look()
    planned = containment.plan(case.action.name, case.target)
    assert case.look() == former
    assert not kill.changes
    assert planned["steps"]
    identity = asked(containment, case)
    assert containment.do(identity)["outcome"] == "contained"
    assert case.look() == case.contained != former
    done = list(kill.changes)
    containment.do(identity)
    assert kill.changes == done, "asked again, it acted again"
    clock.now += timedelta(hours=13)
    containment.records.say("undo", identity, BEN, {"reason": "over"})
    assert containment.undo(identity)["outcome"] == "undone"
    assert case.look() == former


@pytest.mark.parametrize("make", CASES)
def test_killed_around_each_change_it_comes_to_the_same_end(make: Callable[[Kill], Case]) -> None:
    kill, clock = Kill(), Clock()
    case = make(kill)
    containment, former = workflow(case, clock), case.look()

    def killed_at(point: int, act: Callable[[str], Any], identity: str) -> bool:
        kill.at = point
        kill.changes.clear()
        try:
            act(identity)
        except KilledError:
            return True
        finally:
            kill.at = None
        return False

    for point in itertools.count():
        clock.now = datetime(2026, 3, 2, 12, tzinfo=UTC)
        identity = asked(containment, case)
        killed = killed_at(point, containment.do, identity)
        told = containment.do(identity)
        assert told["outcome"] == "contained"
        assert len(told["copies"]) == (1 if isinstance(case.action, QuarantineInstance) else 0)
        assert case.look() == case.contained
        clock.now += timedelta(hours=13)
        containment.records.say("undo", identity, BEN, {})
        killed |= killed_at(point, containment.undo, identity)
        assert containment.undo(identity)["outcome"] == "undone"
        assert case.look() == former
        if not killed:
            break
    assert point >= 2


@pytest.mark.parametrize("make", [_instance, _sessions, _function])
def test_what_somebody_changed_since_is_not_undone(make: Callable[[Kill], Case]) -> None:
    clock = Clock()
    case = make(Kill())
    containment = workflow(case, clock)
    identity = asked(containment, case)
    containment.do(identity)
    assert case.meddle is not None
    case.meddle()
    changed = case.look()
    clock.now += timedelta(hours=13)
    containment.records.say("undo", identity, BEN, {})
    with pytest.raises(RefusedError, match="changed it since"):
        containment.undo(identity)
    assert case.look() == changed


def test_blocking_one_address_leaves_the_others_and_undoing_too() -> None:
    case = _address(Kill())
    containment, clock = workflow(case, Clock()), Clock()
    first = asked(containment, case)
    containment.do(first)
    other = Case(action=case.action, target="2a00:1450:4001::/48", look=case.look, contained=None)
    second = asked(containment, other)
    containment.do(second)
    assert case.look()["acme-live-CLOUDFRONT-v6"] == ["2a00:1450:4001:0000:0000:0000:0000:0000/48"]
    clock.now += timedelta(hours=1)
    containment.records.say("undo", first, BEN, {})
    containment.undo(first)
    assert case.look()["acme-live-REGIONAL-v4"] == ["8.8.8.8/32"]
    assert case.look()["acme-live-REGIONAL-v6"] == ["2a00:1450:4001:0000:0000:0000:0000:0000/48"]


def test_keys_of_evidence_backups_logs_and_messages_are_never_disabled() -> None:
    case = _key(Kill())
    kms = boto3.client("kms", region_name=REGION)
    for alias in ("archive-live", "backup", "logs", "messaging", "containment"):
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=f"alias/acme/{alias}", TargetKeyId=key)
        for target in (f"alias/acme/{alias}", key):
            with pytest.raises(RefusedError, match="may not be disabled"):
                case.action.check(target)
        # Nor under a second name that would be allowed.
        kms.create_alias(AliasName="alias/acme/secrets", TargetKeyId=key)
        with pytest.raises(RefusedError, match="may not be disabled"):
            case.action.check("alias/acme/secrets")
        kms.delete_alias(AliasName="alias/acme/secrets")
    nameless = kms.create_key()["KeyMetadata"]["KeyId"]
    with pytest.raises(RefusedError, match="without alias"):
        case.action.check(nameless)


def _refusals() -> Mapping[Callable[[Kill], Case], list[str]]:
    return {
        _instance: ["i-0123456789abcdef0", "vpc-1", "i-xyz"],
        _sessions: ["own", "unbounded", "nobody", "arn:aws:iam::1:role/x"],
        _key: ["alias/acme/nothing", "*"],
        _access_key: ["leftover/AKIAIOSFODNN7EXAMPLE", "nobody/AKIAIOSFODNN7EXAMPLE", "leftover"],
        _address: ["0.0.0.0/0", "8.0.0.0/8", "10.0.0.1", "9.9.9.1/24", "everybody", "::/0"],
        _function: ["acme-containment", "live-nothing", "live-*"],
        _user: ["nobody", "a b"],
    }


@pytest.mark.parametrize("make", CASES)
def test_refuses_a_target_that_is_none_or_must_not_be_touched(make: Callable[[Kill], Case]) -> None:
    kill = Kill()
    case = make(kill)
    _role(boto3.client("iam", region_name=REGION), "own")
    _role(boto3.client("iam", region_name=REGION), "unbounded", None)
    for target in _refusals()[make]:
        with pytest.raises(RefusedError):
            case.action.check(target)
    assert not kill.changes


def test_sessions_do_not_live_again_before_they_would_have_ended() -> None:
    case, clock = _sessions(Kill()), Clock()
    containment = workflow(case, clock)
    identity = asked(containment, case)
    containment.do(identity)
    clock.now += timedelta(hours=11)
    containment.records.say("undo", identity, BEN, {})
    with pytest.raises(RefusedError, match="live again"):
        containment.undo(identity)


def test_a_blocked_user_is_signed_out() -> None:
    case = _user(Kill())
    containment = workflow(case, Clock())
    containment.do(asked(containment, case))
    assert case.meddle is not None
    assert case.meddle() == {"alice"}


def test_only_the_emergency_role_is_no_part_of_the_product() -> None:
    action = _sessions(Kill()).action
    assert not action.stops("acme-break-glass")
    assert action.stops("live-documents-Api")


def test_a_machine_keeps_its_protection_when_its_group_shrinks() -> None:
    case = _instance(Kill())
    assert case.action.look(case.target)[PROTECTION] is False
    assert case.action.wanted(case.action.look(case.target), Clock().now)[PROTECTION] is True


def test_a_mapping_that_is_still_changing_is_tried_again() -> None:
    waits: list[float] = []

    class BusyError(Exception):
        pass

    class Lambda:
        exceptions = type("Errors", (), {"ResourceInUseException": BusyError})
        calls = 0

        def update_event_source_mapping(self, **_: object) -> None:
            self.calls += 1
            if self.calls < 3:
                raise BusyError

    functions = Lambda()
    IsolateFunction(functions=functions, prefix="live-", sleep=waits.append).apply("live-x", "uuid", False)
    assert (functions.calls, len(waits)) == (3, 2)
