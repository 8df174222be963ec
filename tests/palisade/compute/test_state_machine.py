"""The state machine: its data are its own, its failures are heard, and it may call what it is told to and nothing else."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from aws_cdk.assertions import Match, Template
from palisade.compute import Placement, StateMachine


@pytest.fixture(scope="module")
def template() -> Template:
    stack = cdk.Stack(cdk.App(), "Stack", env=cdk.Environment(account="100000000003", region="eu-west-1"))
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:100000000003:key/k")
    function = lambda_.Function.from_function_arn(stack, "F", "arn:aws:lambda:eu-west-1:100000000003:function:f")
    machine = StateMachine(
        stack,
        "Machine",
        name="acme-grants",
        definition=tasks.LambdaInvoke(stack, "Do", lambda_function=function, payload_response_only=True),
        key=key,
        placement=Placement(log_key=key, environment_key=key, log_group_prefix="/acme", log_days=14),
        topic=sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:eu-west-1:100000000003:t"),
        longest=cdk.Duration.hours(1),
    )
    machine.allow_invoke(function)
    assert isinstance(machine.machine, sfn.StateMachine)
    return Template.from_stack(stack)


def _statements(template: Template) -> list[dict[str, Any]]:
    (policy,) = template.find_resources("AWS::IAM::ManagedPolicy").values()
    statements: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return statements


def test_writes_no_inline_policy_and_calls_only_its_functions(template: Template) -> None:
    template.resource_count_is("AWS::IAM::Policy", 0)
    invoke = [s for s in _statements(template) if "lambda:InvokeFunction" in s["Action"]]
    assert [s["Resource"] for s in invoke] == ["arn:aws:lambda:eu-west-1:100000000003:function:f"]


def test_uses_the_key_for_its_own_data_only(template: Template) -> None:
    use = [
        s for s in _statements(template) if any(str(a).startswith("kms:") for a in s["Action"]) or "kms:" in s["Action"]
    ]
    assert use
    for statement in use:
        context = [key for test in statement["Condition"].values() for key in test]
        assert all(key.startswith("kms:EncryptionContext:") for key in context), statement


def test_only_step_functions_for_this_account_assumes_its_role(template: Template) -> None:
    template.has_resource_properties(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {
                "Statement": [
                    {
                        "Principal": {"Service": "states.amazonaws.com"},
                        "Condition": {"StringEquals": {"aws:SourceAccount": "100000000003"}},
                        "Action": "sts:AssumeRole",
                        "Effect": "Allow",
                    }
                ]
            }
        },
    )


def test_every_way_to_end_badly_is_heard(template: Template) -> None:
    for metric in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"):
        template.has_resource_properties(
            "AWS::CloudWatch::Alarm",
            {"MetricName": metric, "AlarmActions": ["arn:aws:sns:eu-west-1:100000000003:t"], "Threshold": 1},
        )


def test_logs_each_step_without_its_data_and_ends_in_time(template: Template) -> None:
    template.has_resource_properties(
        "AWS::StepFunctions::StateMachine",
        {
            "LoggingConfiguration": {"Level": "ALL", "IncludeExecutionData": False},
            "TracingConfiguration": {"Enabled": True},
            "EncryptionConfiguration": {"Type": "CUSTOMER_MANAGED_KMS_KEY"},
            "DefinitionString": Match.string_like_regexp('"TimeoutSeconds":3600'),
        },
    )
