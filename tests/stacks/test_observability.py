"""Deeds are noticed, the objective's alarms fire at the budgeted burn rates and not below, and the canary is confined."""

from __future__ import annotations

import ast
import dataclasses
import fnmatch
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from assembly import Assembly, Resource
from stacks.observability import AVAILABILITY_PERCENT
from stacks.settings import EDGE_REGION, ConfigError, check
from tests.fixture_deployment import FIXTURE

STAGES = pytest.mark.parametrize("stage", FIXTURE.stages, ids=lambda stage: stage.name)


def _only(assembly: Assembly, stack: str, kind: str) -> list[Resource]:
    return [resource for resource in assembly[stack].resources.values() if resource.type == kind]


# ---------------------------------------------------------------------------------------------------------- objective

MINUTE = 60
WINDOWS = {"Fast": (14.4, 3600, 300), "Steady": (6, 21600, 1800), "Slow": (1, 259200, 21600)}


def _evaluate(expression: str, values: Mapping[str, float]) -> float | None:
    """CloudWatch metric math, as far as the objective uses it; None where it yields no data point."""

    def value(node: ast.expr) -> float:
        match node:
            case ast.Constant(value=float() | int() as number):
                return float(number)
            case ast.Name(id=name):
                return values[name]
            case ast.BinOp(left=left, op=operator, right=right):
                operations: dict[type, Callable[[float, float], float]] = {
                    ast.Add: lambda a, b: a + b,
                    ast.Sub: lambda a, b: a - b,
                    ast.Mult: lambda a, b: a * b,
                    ast.Div: lambda a, b: a / b,
                }
                return operations[type(operator)](value(left), value(right))
            case ast.Call(func=ast.Name(id="FILL"), args=[ast.Name(id=name), ast.Constant(value=int() as other)]):
                return values.get(name, float(other))
        raise AssertionError(f"the test cannot evaluate {ast.unparse(node)}")

    try:
        return value(ast.parse(expression, mode="eval").body)
    except ZeroDivisionError:
        return None


class Objective:
    """The composite alarms of one template, run over simulated minutes."""

    def __init__(self, assembly: Assembly, stage: Any) -> None:
        resources = assembly[f"{stage.name}-observability"].resources
        self.alarms = {i: r for i, r in resources.items() if r.type == "AWS::CloudWatch::Alarm"}
        self.composites = {
            r.path.split("/")[-2]: r for r in resources.values() if r.type == "AWS::CloudWatch::CompositeAlarm"
        }

    def _parts(self, name: str) -> list[Resource]:
        rule = self.composites[name].properties["AlarmRule"]
        text = "".join(
            piece if isinstance(piece, str) else f"<{piece['Fn::GetAtt'][0]}>" for piece in rule["Fn::Join"][1]
        )
        assert re.fullmatch(r'\(ALARM\("<\w+>"\) AND ALARM\("<\w+>"\)\)', text), text
        return [self.alarms[logical_id] for logical_id in re.findall(r"<(\w+)>", text)]

    def windows(self, name: str) -> list[int]:
        return [self._period(alarm) for alarm in self._parts(name)]

    @staticmethod
    def _period(alarm: Resource) -> int:
        periods = {m["MetricStat"]["Period"] for m in alarm.properties["Metrics"] if "MetricStat" in m}
        assert len(periods) == 1
        return int(periods.pop())

    def fires(self, name: str, minutes: list[Mapping[str, float]]) -> bool:
        return all(self._in_alarm(alarm, minutes) for alarm in self._parts(name))

    def _in_alarm(self, alarm: Resource, minutes: list[Mapping[str, float]]) -> bool:
        properties = alarm.properties
        assert properties["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert properties["EvaluationPeriods"] == 1
        assert properties["TreatMissingData"] == "notBreaching"
        (expression,) = [m["Expression"] for m in properties["Metrics"] if m.get("ReturnData", True)]
        window = minutes[-self._period(alarm) // MINUTE :]
        sums: dict[str, float] = {}
        for metric in properties["Metrics"]:
            if "MetricStat" in metric:
                published = [minute[metric["Id"]] for minute in window if metric["Id"] in minute]
                if published:
                    sums[metric["Id"]] = sum(published)
        rate = _evaluate(expression, sums)
        return rate is not None and rate >= properties["Threshold"] - 1e-9


def _minutes(count: int, error_ratio: float) -> list[Mapping[str, float]]:
    """Canary runs, a thousand a minute so that small ratios are exact; ``good`` is a hundred for each good run."""
    return [{"runs": 1000.0, "good": 100.0 * 1000 * (1 - error_ratio)} for _ in range(count)]


@pytest.fixture(scope="module")
def objective(assembly: Assembly) -> Objective:
    return Objective(assembly, FIXTURE.stages[0])


BUDGET = 1 - AVAILABILITY_PERCENT / 100


@pytest.mark.parametrize("name", WINDOWS)
def test_each_burn_rate_has_its_two_windows(objective: Objective, name: str) -> None:
    assert objective.windows(name) == list(WINDOWS[name][1:])


@pytest.mark.parametrize("name", WINDOWS)
def test_fires_at_the_budgeted_burn_rate_and_not_below(objective: Objective, name: str) -> None:
    rate, long, _ = WINDOWS[name]
    length = long // MINUTE
    assert objective.fires(name, _minutes(length, rate * BUDGET))
    assert objective.fires(name, _minutes(length, min(1, rate * BUDGET * 1.01)))
    assert not objective.fires(name, _minutes(length, rate * BUDGET * 0.99))
    assert not objective.fires(name, _minutes(length, 0))


@pytest.mark.parametrize("name", WINDOWS)
def test_falls_silent_soon_after_the_trouble_ends(objective: Objective, name: str) -> None:
    _, long, short = WINDOWS[name]
    trouble = _minutes(long // MINUTE, 1)
    assert objective.fires(name, trouble)
    assert not objective.fires(name, trouble + _minutes(short // MINUTE, 0))


def test_a_short_burst_that_costs_little_wakes_nobody(objective: Objective) -> None:
    quiet = _minutes(3 * 24 * 60, 0)
    # Forty seconds of full outage in an hour use 1.5 % of the month's budget; the fast alarm wants 2 %.
    assert not objective.fires("Fast", [*quiet, *_minutes(1, 2 / 3)])
    assert not objective.fires("Steady", [*quiet, *_minutes(1, 1)])


def test_nothing_asked_is_no_outage(objective: Objective) -> None:
    assert not any(objective.fires(name, [{} for _ in range(3 * 24 * 60)]) for name in WINDOWS)


def test_the_long_windows_use_the_share_of_the_months_budget_they_claim() -> None:
    month = 30 * 24 * 3600
    shares = {name: round(rate * long / month, 3) for name, (rate, long, _) in WINDOWS.items()}
    assert shares == {"Fast": 0.02, "Steady": 0.05, "Slow": 0.1}


def test_api_failures_and_failed_canary_runs_both_count(assembly: Assembly) -> None:
    alarm = next(a for a in Objective(assembly, FIXTURE.stages[0]).alarms.values() if "/FastLong/" in a.path)
    (expression,) = [m["Expression"] for m in alarm.properties["Metrics"] if m.get("ReturnData", True)]
    ids = {m["Id"] for m in alarm.properties["Metrics"] if "MetricStat" in m}
    assert _evaluate(expression, {"runs": 10, "good": 1000}) == 0
    assert _evaluate(expression, {"runs": 10, "good": 900}) == pytest.approx(0.1 / BUDGET)
    for index in range(len([i for i in ids if i.startswith("requests")])):
        values = {"runs": 0.0, "good": 0.0, f"requests{index}": 100.0, f"errors{index}": 1.0}
        assert _evaluate(expression, values) == pytest.approx(0.01 / BUDGET)


# -------------------------------------------------------------------------------------------------------------- deeds


def _matches(pattern: Any, event: Any) -> bool:
    """Whether EventBridge delivers ``event`` to a rule with ``pattern``, as far as these rules use the language."""
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(_matches(choice, event) for choice in wanted):
                return False
        elif isinstance(wanted, dict):
            if not _matches(wanted, event.get(key, {})):
                return False
        elif not any(_meets(test, event, key) for test in wanted):
            return False
    return True


def _meets(test: Any, event: Any, key: str) -> bool:
    if not isinstance(test, dict):
        return key in event and (event[key] == test or (isinstance(event[key], list) and test in event[key]))
    ((operator, operand),) = test.items()
    if operator == "exists":
        return (key in event) is operand
    if key not in event:
        return False
    match operator:
        case "prefix":
            return str(event[key]).startswith(operand)
        case "wildcard":
            return fnmatch.fnmatchcase(str(event[key]), operand)
    raise AssertionError(f"the test cannot match {operator}")


def _call(source: str, name: str, **detail: Any) -> dict[str, Any]:
    return {
        "source": f"aws.{source}",
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "userIdentity": {"type": "AssumedRole"},
            **detail,
        },
    }


def _sign_in(user: str, outcome: str, mfa: str) -> dict[str, Any]:
    return {
        "source": "aws.signin",
        "detail-type": "AWS Console Sign In via CloudTrail",
        "detail": {
            "eventSource": "signin.amazonaws.com",
            "eventName": "ConsoleLogin",
            "userIdentity": {"type": user},
            "responseElements": {"ConsoleLogin": outcome},
            "additionalEventData": {"MFAUsed": mfa},
        },
    }


def _taken(how: str, role: str) -> dict[str, Any]:
    return _call("sts", how, requestParameters={"roleArn": f"arn:aws:iam::200000000001:role/{role}"})


NOTICED = {
    "root reads": (_call("s3", "ListBuckets", userIdentity={"type": "Root"}), "RootUse"),
    "root signs in": (_sign_in("Root", "Success", "Yes"), "RootUse"),
    "refused": (_call("s3", "GetObject", errorCode="AccessDenied"), "RefusedCalls"),
    "refused by KMS": (_call("kms", "Decrypt", errorCode="AccessDeniedException"), "RefusedCalls"),
    "refused by EC2": (_call("ec2", "RunInstances", errorCode="Client.UnauthorizedOperation"), "RefusedCalls"),
    "no MFA": (_sign_in("IAMUser", "Success", "No"), "SignInWithoutMfa"),
    "policy": (_call("iam", "PutRolePolicy"), "IamChange"),
    "access key": (_call("iam", "CreateAccessKey"), "IamChange"),
    "trail": (_call("cloudtrail", "StopLogging"), "TrailChange"),
    "wrong password": (_sign_in("IAMUser", "Failure", "No"), "FailedSignIns"),
    "key": (_call("kms", "ScheduleKeyDeletion"), "KeyRemoval"),
    "key policy": (_call("kms", "PutKeyPolicy"), "KeyPolicyChange"),
    "bucket": (_call("s3", "PutBucketPolicy"), "BucketPolicyChange"),
    "public access": (_call("s3", "DeleteAccountPublicAccessBlock"), "BucketPolicyChange"),
    "recorder": (_call("config", "StopConfigurationRecorder"), "ConfigChange"),
    "group": (_call("ec2", "AuthorizeSecurityGroupIngress"), "SecurityGroupChange"),
    "ACL": (_call("ec2", "ReplaceNetworkAclEntry"), "NetworkAclChange"),
    "gateway": (_call("ec2", "AttachInternetGateway"), "GatewayChange"),
    "route": (_call("ec2", "CreateRoute"), "RouteTableChange"),
    "peering": (_call("ec2", "AcceptVpcPeeringConnection"), "VpcChange"),
    "flow log": (_call("ec2", "DeleteFlowLogs"), "VpcChange"),
    "leaves": (_call("organizations", "LeaveOrganization"), "OrganizationChange"),
    "snapshot": (_call("ec2", "ModifySnapshotAttribute"), "SnapshotSharing"),
    "dump": (_call("rds", "StartExportTask"), "DatabaseSnapshotSharing"),
    "emergency": (_taken("AssumeRole", "acme-break-glass"), "BreakGlass"),
    "emergency by Identity Center": (
        _taken("AssumeRoleWithSAML", "aws-reserved/sso.amazonaws.com/AWSReservedSSO_acme-break-glass_0123456789abcdef"),
        "BreakGlass",
    ),
    "emergency in the console": (
        {
            "source": "aws.signin",
            "detail-type": "AWS Console Sign In via CloudTrail",
            "detail": {
                "eventSource": "signin.amazonaws.com",
                "eventName": "SwitchRole",
                "userIdentity": {
                    "type": "AssumedRole",
                    "arn": "arn:aws:sts::200000000001:assumed-role/acme-break-glass/ada",
                },
            },
        },
        "BreakGlassInConsole",
    ),
}
QUIET = {
    "read": _call("s3", "ListBuckets"),
    "instance": _call("ec2", "RunInstances"),
    "service on root's behalf": _call("kms", "Decrypt", userIdentity={"type": "Root", "invokedBy": "s3.amazonaws.com"}),
    "MFA": _sign_in("IAMUser", "Success", "Yes"),
    "federated": _sign_in("AssumedRole", "Success", "No"),
    "key use": _call("kms", "GenerateDataKey"),
    "component takes its role": _taken("AssumeRole", "acme-documents-tenant"),
}


def _rules(assembly: Assembly, stack: str) -> dict[str, Resource]:
    return {rule.path.split("/Deeds/")[1].split("/")[0]: rule for rule in _deeds(assembly, stack)}


def _deeds(assembly: Assembly, stack: str) -> list[Resource]:
    return [rule for rule in _only(assembly, stack, "AWS::Events::Rule") if "/Deeds/" in rule.path]


@pytest.mark.parametrize("what", NOTICED)
def test_every_deed_is_noticed_by_its_rule_alone(assembly: Assembly, what: str) -> None:
    event, expected = NOTICED[what]
    rules = _rules(assembly, f"{FIXTURE.stages[0].name}-observability-edge")
    assert [name for name, rule in rules.items() if _matches(rule.properties["EventPattern"], event)] == [expected]


@pytest.mark.parametrize("what", QUIET)
def test_everyday_work_is_not_reported(assembly: Assembly, what: str) -> None:
    for stack in ("observability", "observability-edge"):
        rules = _rules(assembly, f"{FIXTURE.stages[0].name}-{stack}")
        assert not [n for n, rule in rules.items() if _matches(rule.properties["EventPattern"], QUIET[what])]


def test_every_rule_has_an_event_that_proves_it(assembly: Assembly) -> None:
    rules = _rules(assembly, f"{FIXTURE.stages[0].name}-observability-edge")
    assert set(rules) == {expected for _, expected in NOTICED.values()}


@STAGES
def test_global_services_are_watched_where_their_events_are(assembly: Assembly, stage: Any) -> None:
    home, edge = (set(_rules(assembly, f"{stage.name}-observability{suffix}")) for suffix in ("", "-edge"))
    assert assembly[f"{stage.name}-observability-edge"].region == EDGE_REGION
    assert edge - home == {"IamChange", "OrganizationChange"}
    assert not home - edge


@STAGES
def test_rules_on_reads_are_given_reads(assembly: Assembly, stage: Any) -> None:
    for name in ("RootUse", "RefusedCalls", "BreakGlass"):
        rule = _rules(assembly, f"{stage.name}-observability")[name]
        assert rule.properties["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


@STAGES
def test_notices_say_who_what_when_and_what_to_do(assembly: Assembly, stage: Any) -> None:
    for rule in _deeds(assembly, f"{stage.name}-observability"):
        for target in rule.properties["Targets"]:
            if "InputTransformer" not in target:
                continue
            template, paths = (target["InputTransformer"][part] for part in ("InputTemplate", "InputPathsMap"))
            lines = template.split("\n")
            assert all(re.fullmatch(r'"[^"]+"', line) for line in lines), template
            assert set(re.findall(r"<(\w+)>", template)) == set(paths)
            assert all(re.fullmatch(r"\$(\.[\w\-]+(\[\d+\])?)+", path) for path in paths.values()), paths
            assert {"$.detail.userIdentity.arn", "$.detail.eventName", "$.detail.eventTime"} <= set(paths.values())
            assert len(template) < 8192


@STAGES
def test_what_matters_in_number_is_counted(assembly: Assembly, stage: Any) -> None:
    stack = f"{stage.name}-observability"
    rules = _rules(assembly, stack)
    alarms = {a.path.split("/")[-3]: a for a in _only(assembly, stack, "AWS::CloudWatch::Alarm") if "/Deeds/" in a.path}
    assert set(alarms) == {"RefusedCallsRate", "FailedSignInsRate"}
    for name, alarm in alarms.items():
        rule = rules[name.removesuffix("Rate")]
        assert alarm.properties["Dimensions"] == [{"Name": "RuleName", "Value": {"Ref": rule.logical_id}}]
        assert "Security" in str(alarm.properties["AlarmActions"])


# ------------------------------------------------------------------------------------------------------------- canary


@STAGES
def test_the_canary_asks_the_public_address_as_often_as_configured(assembly: Assembly, stage: Any) -> None:
    (canary,) = _only(assembly, f"{stage.name}-observability", "AWS::Synthetics::Canary")
    assert canary.properties["RunConfig"]["EnvironmentVariables"] == {
        "URL_TO_CHECK": f"https://{stage.domain.name}/status"
    }
    assert canary.properties["Schedule"]["Expression"] == f"rate({stage.shape.canary_minutes} minutes)"
    assert canary.properties["StartCanaryAfterCreation"] is True
    assert "VPCConfig" not in canary.properties, "it must come from outside, as a customer does"


@pytest.mark.parametrize("minutes", [0, 61])
def test_refuses_a_canary_that_synthetics_would_not_run(minutes: int) -> None:
    stage = FIXTURE.stages[0]
    shape = dataclasses.replace(stage.shape, canary_minutes=minutes)
    wrong = dataclasses.replace(FIXTURE, stages=(dataclasses.replace(stage, shape=shape),))
    with pytest.raises(ConfigError, match=rf"shape.canary_minutes is {minutes}; the canary runs every 1 to 60 minutes"):
        check(wrong)


@STAGES
def test_the_canary_writes_its_results_and_logs_and_nothing_else(assembly: Assembly, stage: Any) -> None:
    stack = f"{stage.name}-observability"
    (canary,) = _only(assembly, stack, "AWS::Synthetics::Canary")
    encryption = canary.properties["ArtifactConfig"]["S3Encryption"]
    assert encryption["EncryptionMode"] == "SSE_KMS"
    assert encryption["KmsKeyArn"]
    (policy,) = [p for p in _only(assembly, stack, "AWS::IAM::ManagedPolicy") if "/Canary/" in p.path]
    statements = policy.properties["PolicyDocument"]["Statement"]
    actions = {a for s in statements for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])}
    assert "logs:CreateLogGroup" not in actions, "the function would make a group without key and end"
    assert actions <= {
        "cloudwatch:PutMetricData",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:ListAllMyBuckets",
        "s3:PutObject",
    }
    log_groups = [g for g in _only(assembly, stack, "AWS::Logs::LogGroup") if "/Canary/" in g.path]
    assert {"Fn::GetAtt": [canary.logical_id, "Id"]} in log_groups[0].properties["LogGroupName"]["Fn::Join"][1]
    bucket = next(b for b in _only(assembly, stack, "AWS::S3::Bucket"))
    assert canary.properties["ArtifactS3Location"].startswith(f"s3://{bucket.properties['BucketName']}/")
    assert bucket.logical_id in canary.definition["DependsOn"]
