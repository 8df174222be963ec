"""Over every stack of every account: logs are kept and masked, alarms act, rules reach a target that lets them in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from assembly import Assembly, Resource
from stacks.settings import CLOUDWATCH_RETENTION_DAYS


def _exports(assembly: Assembly) -> dict[tuple[str, str, str], tuple[str, Any]]:
    return {
        (stack.account, stack.region, output["Export"]["Name"]): (stack.name, output["Value"])
        for stack in assembly.stacks
        for output in stack.outputs.values()
        if "Export" in output
    }


def _resolve(assembly: Assembly, stack: str, value: Any) -> Resource | None:
    """The resource that an ARN in a template means: in this stack, through an export in another, or a queue by name."""
    place = assembly[stack]
    if isinstance(value, str):
        return next(
            (
                queue
                for other, queue in assembly.resources("AWS::SQS::Queue")
                if other.region == place.region
                and value == f"arn:aws:sqs:{other.region}:{other.account}:{queue.properties.get('QueueName')}"
            ),
            None,
        )
    if not isinstance(value, dict):
        return None
    if "Fn::ImportValue" in value:
        stack, value = _exports(assembly)[(place.account, place.region, value["Fn::ImportValue"])]
    logical_id = value.get("Ref") or (value.get("Fn::GetAtt") or [None])[0]
    return assembly[stack].resources.get(logical_id)


def _policies(assembly: Assembly, resource: Resource, kind: str, property_name: str) -> Iterator[dict[str, Any]]:
    for policy in assembly[resource.stack].resources.values():
        if policy.type == kind and {"Ref": resource.logical_id} in policy.properties[property_name]:
            yield from policy.properties["PolicyDocument"]["Statement"]


def _lets_in(statements: Iterator[dict[str, Any]], service: str, action: str) -> bool:
    return any(
        s["Effect"] == "Allow"
        and service in json.dumps(s["Principal"])
        and action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
        for s in statements
    )


# --------------------------------------------------------------------------------------------------------------- logs


def test_every_log_group_is_encrypted_and_ends(assembly: Assembly) -> None:
    groups = [group for _, group in assembly.resources("AWS::Logs::LogGroup")]
    assert groups
    for group in groups:
        assert group.properties.get("KmsKeyId"), group
        assert group.properties.get("RetentionInDays") in CLOUDWATCH_RETENTION_DAYS, group


def test_every_log_group_masks_what_must_not_be_logged(assembly: Assembly) -> None:
    for _, group in assembly.resources("AWS::Logs::LogGroup"):
        policy = group.properties.get("DataProtectionPolicy")
        assert policy, group
        audit, mask = policy["Statement"]
        # CloudWatch Logs refuses the policy unless both list the same identifiers.
        assert audit["DataIdentifier"] == mask["DataIdentifier"], group
        assert audit["Operation"] == {"Audit": {"FindingsDestination": {}}}, group
        assert mask["Operation"] == {"Deidentify": {"MaskConfig": {}}}, group
        names = {identifier.rpartition("/")[2] for identifier in mask["DataIdentifier"]}
        assert {"EmailAddress", "CreditCardNumber", "AwsSecretKey"} <= names, group
        assert group.properties.get("LogGroupClass", "STANDARD") == "STANDARD", f"{group}: only this class masks"


# ------------------------------------------------------------------------------------------------------------- alarms


def _actions(alarm: Resource) -> list[Any]:
    actions: list[Any] = alarm.properties.get("AlarmActions", [])
    return actions if alarm.properties.get("ActionsEnabled", True) else []


def test_every_alarm_does_something(assembly: Assembly) -> None:
    for stack in assembly.stacks:
        composites = [r for r in stack.resources.values() if r.type == "AWS::CloudWatch::CompositeAlarm"]
        spoken_for = {
            name
            for c in composites
            if _actions(c)
            for name in re.findall(r'"Fn::GetAtt": \["(\w+)"', json.dumps(c.properties))
        }
        for alarm in (r for r in stack.resources.values() if r.type == "AWS::CloudWatch::Alarm"):
            assert _actions(alarm) or alarm.logical_id in spoken_for, alarm
        for composite in composites:
            assert _actions(composite), composite


def test_every_topic_that_an_alarm_names_lets_alarms_in(assembly: Assembly) -> None:
    seen = 0
    for stack, alarm in assembly.resources("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        for action in _actions(alarm):
            topic = _resolve(assembly, stack.name, action)
            if topic is None or topic.type != "AWS::SNS::Topic":
                continue
            seen += 1
            statements = _policies(assembly, topic, "AWS::SNS::TopicPolicy", "Topics")
            assert _lets_in(statements, "cloudwatch.amazonaws.com", "sns:Publish"), f"{alarm} -> {topic}"
    assert seen


# -------------------------------------------------------------------------------------------------------------- rules


def _topic_lets_rules_in(assembly: Assembly, topic: Resource) -> bool:
    return _lets_in(
        _policies(assembly, topic, "AWS::SNS::TopicPolicy", "Topics"), "events.amazonaws.com", "sns:Publish"
    )


def _queue_lets_rules_in(assembly: Assembly, queue: Resource) -> bool:
    return _lets_in(
        _policies(assembly, queue, "AWS::SQS::QueuePolicy", "Queues"), "events.amazonaws.com", "sqs:SendMessage"
    )


def _function_lets_rules_in(assembly: Assembly, function: Resource) -> bool:
    return any(
        permission.properties["Principal"] == "events.amazonaws.com"
        and function.logical_id in json.dumps(permission.properties["FunctionName"])
        for _, permission in assembly.resources("AWS::Lambda::Permission")
    )


LETS_IN: dict[str, Callable[[Assembly, Resource], bool]] = {
    "AWS::SNS::Topic": _topic_lets_rules_in,
    "AWS::SQS::Queue": _queue_lets_rules_in,
    "AWS::Lambda::Function": _function_lets_rules_in,
}


def test_every_rule_reaches_a_target_that_lets_it_in(assembly: Assembly) -> None:
    rules = list(assembly.resources("AWS::Events::Rule"))
    assert rules
    for stack, rule in rules:
        assert str(rule.properties.get("State", "ENABLED")).startswith("ENABLED"), rule
        targets = rule.properties.get("Targets")
        assert targets, f"{rule} has no target"
        for target in targets:
            if "RoleArn" in target:
                continue
            if isinstance(target["Arn"], str) and ":log-group:" in target["Arn"]:
                name = target["Arn"].rpartition(":log-group:")[2]
                documents = [
                    json.dumps(r.properties["PolicyDocument"])
                    for r in stack.resources.values()
                    if r.type == "AWS::Logs::ResourcePolicy"
                ]
                assert any("events.amazonaws.com" in d and f":log-group:{name}:" in d for d in documents), rule
                continue
            resource = _resolve(assembly, stack.name, target["Arn"])
            assert resource is not None, f"{rule}: target {target['Arn']} is nowhere"
            assert LETS_IN[resource.type](assembly, resource), f"{rule} -> {resource}"
            assert assembly[resource.stack].region == stack.region, f"{rule}: its target is in another region"


def test_no_event_is_lost_when_its_target_fails(assembly: Assembly) -> None:
    for stack, rule in assembly.resources("AWS::Events::Rule"):
        for target in rule.properties["Targets"]:
            queue = _resolve(assembly, stack.name, target.get("DeadLetterConfig", {}).get("Arn"))
            assert queue is not None, f"{rule}: nowhere to leave what its target does not take"
            assert _queue_lets_rules_in(assembly, queue), f"{rule} -> {queue}"


@pytest.mark.parametrize("kind", ["AWS::SNS::Topic", "AWS::SQS::Queue"])
def test_every_topic_and_queue_is_encrypted_with_a_customer_key(assembly: Assembly, kind: str) -> None:
    for _, resource in assembly.resources(kind):
        assert resource.properties.get("KmsMasterKeyId"), resource
        assert "alias/aws/" not in str(resource.properties["KmsMasterKeyId"]), resource
