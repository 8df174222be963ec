"""Every delivery arrives, and the first thing that would stop one is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from assembly import Assembly, Resource, of_templates
from proofs.delivery import DeliveryFinding, arrows, findings
from proofs.model import Model, Node, at, changed

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def model(assembly: Assembly) -> Model:
    return Model(assembly)


def _one(resources: Mapping[str, Any]) -> list[DeliveryFinding]:
    template = {"Resources": resources}
    return list(findings(Model(of_templates({"shop": template}, account=ACCOUNT, region="eu-west-1"))))


def test_every_delivery_of_the_deployment_arrives(model: Model) -> None:
    assert [str(finding) for finding in findings(model)] == []


def test_knows_every_kind_of_arrow_that_the_deployment_has(model: Model) -> None:
    kinds = {arrow.kind for arrow in arrows(model)}
    assert kinds >= {
        "trail to bucket",
        "trail to key",
        "flow log to bucket",
        "resolver log to bucket",
        "firewall log to bucket",
        "log delivery to destination",
        "log delivery to bucket",
        "load balancer access log to bucket",
        "server access log to bucket",
        "replica to bucket",
        "session record to bucket",
        "alarm to topic",
        "rule to topic",
        "rule to queue",
        "rule to function",
        "rule to log group",
        "rule to dead-letter queue",
        "topic to dead-letter queue",
        "bucket event to rule",
        "queue to function",
        "function to log group",
        "load balancer to function",
        "API to function",
        "API to authorizer",
        "API log to log group",
        "log group to key",
        "distribution to bucket",
        "backup copy to vault",
        "canary result to bucket",
    }


_NO_SENDER_YET = frozenset({"AuditStreamWrite", "AuditStreamCheck", "AuditStream"})
"""Permissions that wait for a sender which no stack has yet."""


def _service_permissions(model: Model) -> list[tuple[Resource, tuple[str | int, ...], str]]:
    """Every statement that lets a service in, once per kind of place, with its path and Sid."""
    found: dict[tuple[str, str], tuple[Resource, tuple[str | int, ...], str]] = {}
    places = {
        "AWS::S3::BucketPolicy": ("PolicyDocument",),
        "AWS::SNS::TopicPolicy": ("PolicyDocument",),
        "AWS::SQS::QueuePolicy": ("PolicyDocument",),
        "AWS::KMS::Key": ("KeyPolicy",),
    }
    for node in model:
        path = places.get(node.type, ("none",))
        for index, statement in enumerate(at(node.properties, *path, "Statement") or []):
            sid, principal = statement.get("Sid", ""), statement.get("Principal")
            if isinstance(principal, dict) and "Service" in principal and sid not in _NO_SENDER_YET:
                found[node.type, sid] = (node.resource, (*path, "Statement", index), sid)
    return list(found.values())


def test_notices_every_permission_that_goes_missing(assembly: Assembly, model: Model) -> None:
    permissions = _service_permissions(model)
    assert len(permissions) >= 12
    silent = []
    for resource, path, sid in permissions:
        hurt = Model(changed(assembly, resource, *path))
        asked = [arrow for arrow in arrows(hurt) if any(_is_of(hurt, call.receiver, resource) for call in arrow.calls)]
        if not any(_concerns(hurt, finding, resource) for finding in findings(hurt, asked)):
            silent.append(f"{resource.path} {sid}")
    assert silent == []


def _is_of(model: Model, receiver: Node | None, policy: Resource) -> bool:
    """Whether the policy is the receiver's own."""
    node = model.node(policy.stack, policy.logical_id)
    return receiver is not None and node is not None and (node is receiver or receiver in model.references(node))


def _concerns(model: Model, finding: DeliveryFinding, policy: Resource) -> bool:
    """Whether the finding is at the resource whose policy was changed."""
    node = model.node(policy.stack, policy.logical_id)
    assert node is not None
    return finding.where is node or finding.where in model.references(node)


QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "letters"}}
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "news"}}
TOPIC_ARN, QUEUE_ARN = f"arn:aws:sns:eu-west-1:{ACCOUNT}:news", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:letters"


def _topic_policy(statement: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Type": "AWS::SNS::TopicPolicy",
        "Properties": {
            "Topics": [{"Ref": "Topic"}],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": TOPIC_ARN, **statement}],
            },
        },
    }


ALARM = {
    "Type": "AWS::CloudWatch::Alarm",
    "Properties": {"AlarmName": "late", "AlarmActions": [{"Ref": "Topic"}]},
}
RULE = {"Type": "AWS::Events::Rule", "Properties": {"Name": "deeds", "Targets": [{"Arn": {"Ref": "Topic"}, "Id": "T"}]}}


def test_lets_an_alarm_through_that_the_topic_names() -> None:
    policy = _topic_policy({"Principal": {"Service": "cloudwatch.amazonaws.com"}})
    assert _one({"Topic": TOPIC, "Alarm": ALARM, "Policy": policy}) == []


def test_refuses_an_alarm_of_another_account() -> None:
    conditions = {"StringEquals": {"aws:SourceAccount": "999999999999"}}
    policy = _topic_policy({"Principal": {"Service": "cloudwatch.amazonaws.com"}, "Condition": conditions})
    (finding,) = _one({"Topic": TOPIC, "Alarm": ALARM, "Policy": policy})
    assert finding.certain
    assert finding.where.path == "shop/Topic"
    assert "sns:Publish on shop/Topic" in finding.text


def test_names_the_statement_that_denies() -> None:
    policy = _topic_policy({"Principal": "*"})
    policy["Properties"]["PolicyDocument"]["Statement"].append(
        {"Sid": "Nobody", "Effect": "Deny", "Principal": "*", "Action": "sns:*", "Resource": TOPIC_ARN}
    )
    (finding,) = _one({"Topic": TOPIC, "Alarm": ALARM, "Policy": policy})
    assert (finding.statement, finding.where.path) == ("Nobody", "shop/Policy")


def test_knows_that_event_rules_send_a_topic_no_source() -> None:
    conditions = {"ArnLike": {"aws:SourceArn": f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/*"}}
    policy = _topic_policy({"Principal": {"Service": "events.amazonaws.com"}, "Condition": conditions})
    (finding,) = _one({"Topic": TOPIC, "Rule": RULE, "Policy": policy})
    assert finding.arrow.kind == "rule to topic"
    assert finding.certain


def test_refuses_an_alarm_whose_topic_is_under_an_aws_managed_key() -> None:
    topic = {**TOPIC, "Properties": {"TopicName": "news", "KmsMasterKeyId": "alias/aws/sns"}}
    policy = _topic_policy({"Principal": {"Service": "cloudwatch.amazonaws.com"}})
    (finding,) = _one({"Topic": topic, "Alarm": ALARM, "Policy": policy})
    assert "alias/aws/sns" in finding.text


def test_refuses_a_key_that_does_not_know_the_sender() -> None:
    key = {
        "Type": "AWS::KMS::Key",
        "Properties": {
            "KeyPolicy": {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"},
                ],
            }
        },
    }
    topic = {**TOPIC, "Properties": {"TopicName": "news", "KmsMasterKeyId": {"Ref": "Key"}}}
    policy = _topic_policy({"Principal": {"Service": "cloudwatch.amazonaws.com"}})
    (finding,) = _one({"Topic": topic, "Alarm": ALARM, "Policy": policy, "Key": key})
    assert finding.where.path == "shop/Key"


def test_takes_no_unresolved_permission_for_one() -> None:
    policy = _topic_policy({"Principal": {"Service": "cloudwatch.amazonaws.com"}, "Resource": {"Ref": "Nowhere"}})
    assert len(_one({"Topic": TOPIC, "Alarm": ALARM, "Policy": policy})) == 1


def test_takes_no_receiver_for_granted_that_no_template_holds() -> None:
    (finding,) = _one({"Alarm": {**ALARM, "Properties": {"AlarmActions": [f"arn:aws:sns:eu-west-1:{ACCOUNT}:theirs"]}}})
    assert not finding.certain
    assert finding.where.path == "shop/Alarm"


def test_refuses_server_access_logs_into_a_locked_bucket() -> None:
    service = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::logs/*",
    }
    locked = {
        "Type": "AWS::S3::Bucket",
        "Properties": {
            "BucketName": "logs",
            "ObjectLockConfiguration": {"Rule": {"DefaultRetention": {"Days": 1, "Mode": "COMPLIANCE"}}},
        },
    }
    policy = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": "logs", "PolicyDocument": {"Version": "2012-10-17", "Statement": [service]}},
    }
    source = {"Type": "AWS::S3::Bucket", "Properties": {"LoggingConfiguration": {"DestinationBucketName": "logs"}}}
    (finding,) = _one({"Logs": locked, "Policy": policy, "Source": source})
    assert "locks each object" in finding.text
    unlocked = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "logs"}}
    assert _one({"Logs": unlocked, "Policy": policy, "Source": source}) == []


def test_notices_a_bucket_that_tells_nobody_of_its_objects() -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "uploads"}}
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": ["uploads"]}}}
    rule = {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern, "Targets": []}}
    (finding,) = _one({"Bucket": bucket, "Rule": rule})
    assert "does not tell EventBridge" in finding.text


_PLACE = f"arn:aws:logs:eu-west-1:{ACCOUNT}:*"
_DATA = f"arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:work"


def _machine(*, group: str = "/aws/vendedlogs/states/work", delivery: str = _PLACE) -> dict[str, Any]:
    """A machine under a key, with all that it needs to write its log and call its function."""

    def allow(action: Any, resource: Any, context: Mapping[str, str], **principal: Any) -> dict[str, Any]:
        condition = {"StringEquals": {f"kms:EncryptionContext:{name}": value for name, value in context.items()}}
        made = {"Effect": "Allow", "Action": action, "Resource": resource, **principal}
        return {**made, "Condition": condition} if context else made

    owner = {"Principal": {"AWS": ACCOUNT}}
    service = {"Principal": {"Service": "delivery.logs.amazonaws.com"}}
    key, function = {"Fn::GetAtt": ["Key", "Arn"]}, {"Fn::GetAtt": ["Function", "Arn"]}
    use = ["kms:Decrypt", "kms:GenerateDataKey"]
    statements = [
        allow("lambda:InvokeFunction", function, {}),
        allow(use, key, {"aws:states:stateMachineArn": _DATA}),
        allow("kms:GenerateDataKey", key, {"SourceArn": _PLACE}),
    ]
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    states = '{"StartAt":"Do","States":{"Do":{"Type":"Task","End":true,"Resource":"'
    return {
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {
                "KeyPolicy": {
                    "Statement": [
                        allow("kms:*", "*", {}, **owner),
                        allow("kms:Decrypt", "*", {"SourceArn": delivery}, **service),
                    ]
                }
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "work",
                "AssumeRolePolicyDocument": {"Statement": [trust]},
                "Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": statements}}],
            },
        },
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": group}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "do"}},
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "work",
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "DefinitionString": {"Fn::Join": ["", [states, function, '"}}}']]},
                "EncryptionConfiguration": {"KmsKeyId": key, "Type": "CUSTOMER_MANAGED_KMS_KEY"},
                "LoggingConfiguration": {
                    "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": {"Fn::GetAtt": ["Group", "Arn"]}}}]
                },
            },
        },
    }


def test_lets_a_state_machine_call_its_function_and_write_its_log() -> None:
    assert [str(finding) for finding in _one(_machine())] == []


def test_notices_a_log_of_a_state_machine_that_the_key_or_the_group_keeps_out() -> None:
    (finding,) = _one(_machine(delivery=f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:other"))
    assert (finding.arrow.kind, finding.where.path) == ("state machine log to log group", "shop/Key")
    (finding,) = _one(_machine(group="/work"))
    assert "/aws/vendedlogs/" in finding.text


@pytest.mark.parametrize(("index", "kind"), [(0, "state machine to function"), (1, "state machine log to log group")])
def test_notices_a_right_that_a_state_machine_lacks(index: int, kind: str) -> None:
    resources = _machine()
    resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].pop(index)
    (finding,) = _one(resources)
    assert finding.arrow.kind == kind
