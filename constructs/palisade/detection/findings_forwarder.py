"""Sends what an account and region finds to the findings bus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.identity import ComponentRole


class FindingsSender(Construct):
    """The role with which EventBridge of this account, and nobody else, puts events on the findings bus.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, bus_arn: str, account: str) -> None:
        super().__init__(scope, construct_id)
        component = ComponentRole(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "events.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": account}}
            ),
            description="Sends findings to the security account",
            name=name,
        )
        component.allow(iam.PolicyStatement(sid="SendFindings", actions=["events:PutEvents"], resources=[bus_arn]))


class FindingsForwarder(Construct):
    """One rule for each kind of ``signals`` of this account and region, to the bus ``bus_arn`` by the role ``role_arn``.

    What the bus does not take within a day waits in the queue ``undelivered_arn`` of the security account.

    Control: detection.findings.forwarded
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        signals: Mapping[str, Mapping[str, Any]],
        bus_arn: str,
        role_arn: str,
        undelivered_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        for name, pattern in signals.items():
            events.CfnRule(
                self,
                name,
                description=f"{name} to the findings bus",
                event_pattern=dict(pattern),
                # An emergency role that only reads is used all the same.
                state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" if "source" not in pattern else "ENABLED",
                targets=[
                    events.CfnRule.TargetProperty(
                        id="FindingsBus",
                        arn=bus_arn,
                        role_arn=role_arn,
                        dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered_arn),
                        retry_policy=events.CfnRule.RetryPolicyProperty(
                            maximum_event_age_in_seconds=86400, maximum_retry_attempts=185
                        ),
                    )
                ],
            )
