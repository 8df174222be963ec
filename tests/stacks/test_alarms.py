"""Topics: encrypted, and open to exactly the services that alarm."""

from __future__ import annotations

from typing import Any

import pytest

from assembly import Assembly, Resource
from stacks.settings import EDGE_REGION
from tests.fixture_deployment import FIXTURE

STACKS = [
    (f"{stage.name}-{subject}", region, stage.account)
    for stage in FIXTURE.stages
    for subject, region in (("alarms", FIXTURE.home.name), ("alarms-edge", EDGE_REGION))
]


def _only(assembly: Assembly, stack: str, kind: str) -> list[Resource]:
    return [resource for resource in assembly[stack].resources.values() if resource.type == kind]


def _allowed(policy: dict[str, Any], service: str) -> list[dict[str, Any]]:
    return [
        statement
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow" and statement["Principal"] == {"Service": f"{service}.amazonaws.com"}
    ]


@pytest.mark.parametrize(("stack", "region", "account"), STACKS)
def test_alarms_and_rules_may_publish_to_every_topic(assembly: Assembly, stack: str, region: str, account: str) -> None:
    policies = _only(assembly, stack, "AWS::SNS::TopicPolicy")
    assert len(policies) == len(_only(assembly, stack, "AWS::SNS::Topic")) == 2
    for policy in policies:
        document = policy.properties["PolicyDocument"]
        (alarms,) = _allowed(document, "cloudwatch")
        assert alarms["Condition"]["StringEquals"] == {"aws:SourceAccount": account}
        assert alarms["Condition"]["ArnLike"] == {"aws:SourceArn": f"arn:aws:cloudwatch:{region}:{account}:alarm:*"}
        (rules,) = _allowed(document, "events")
        assert "Condition" not in rules, "EventBridge cannot meet a condition in a topic policy"


@pytest.mark.parametrize(("stack", "region", "account"), STACKS)
def test_the_topics_key_serves_alarms_rules_and_undelivered_messages(
    assembly: Assembly, stack: str, region: str, account: str
) -> None:
    keys_stack = stack if stack.endswith("-edge") else stack.replace("-alarms", "-keys")
    (key,) = [
        key
        for key in _only(assembly, keys_stack, "AWS::KMS::Key")
        if _allowed(key.properties["KeyPolicy"], "cloudwatch")
    ]
    policy = key.properties["KeyPolicy"]
    (alarms,) = _allowed(policy, "cloudwatch")
    assert set(alarms["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}
    contexts = [next(iter(s["Condition"]["ArnLike"].items())) for s in _allowed(policy, "events")]
    assert contexts == [
        ("kms:EncryptionContext:aws:sns:topicArn", f"arn:aws:sns:{region}:{account}:*"),
        ("kms:EncryptionContext:aws:sqs:arn", f"arn:aws:sqs:{region}:{account}:*"),
    ]
    (topics,) = _allowed(policy, "sns")
    assert topics["Condition"]["ArnLike"] == {"kms:EncryptionContext:aws:sqs:arn": f"arn:aws:sqs:{region}:{account}:*"}
    for topic in _only(assembly, stack, "AWS::SNS::Topic"):
        assert topic.properties["KmsMasterKeyId"], topic


@pytest.mark.parametrize(("stack", "region", "account"), STACKS)
def test_every_topic_reaches_a_mailbox(assembly: Assembly, stack: str, region: str, account: str) -> None:
    subscriptions = _only(assembly, stack, "AWS::SNS::Subscription")
    assert {s.properties["Endpoint"] for s in subscriptions} == {
        FIXTURE.contacts.operations,
        FIXTURE.contacts.security,
    }
    for subscription in subscriptions:
        assert subscription.properties["RedrivePolicy"]["deadLetterTargetArn"], subscription
    (queue_policy,) = _only(assembly, stack, "AWS::SQS::QueuePolicy")
    document = queue_policy.properties["PolicyDocument"]
    (topics,), (rules,) = _allowed(document, "sns"), _allowed(document, "events")
    assert topics["Condition"]["ArnLike"] == {"aws:SourceArn": f"arn:aws:sns:{region}:{account}:*"}
    assert rules["Condition"]["ArnLike"] == {"aws:SourceArn": f"arn:aws:events:{region}:{account}:rule/*"}
