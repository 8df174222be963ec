"""When a database's migrations run."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.compute import Function


class MigrationSchedule(Construct):
    """Calls ``migrator`` whenever its own stack has been deployed, and once a day to see that nothing has come undone.

    By event and not as a part of the deployment, because a function inside the VPC cannot answer CloudFormation through
    endpoints that lead to nobody else's buckets, and because a database that wakes slowly should not roll a stack back.
    Lambda tries a failure twice more; what still failed waits in ``undelivered``, of which an alarm tells.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-event-bridge.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, migrator: Function, undelivered: sqs.IQueue) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        deployed = {
            "source": ["aws.cloudformation"],
            "detail-type": ["CloudFormation Stack Status Change"],
            "detail": {
                "stack-id": [
                    {"prefix": f"arn:aws:cloudformation:{stack.region}:{stack.account}:stack/{stack.stack_name}/"}
                ],
                "status-details": {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]},
            },
        }
        for name, description, when in (
            ("Deployed", "The database's stack was deployed", {"event_pattern": deployed}),
            ("Daily", "The database's isolation is verified", {"schedule_expression": "cron(30 4 * * ? *)"}),
        ):
            rule = events.CfnRule(
                self,
                name,
                description=description,
                targets=[
                    events.CfnRule.TargetProperty(
                        id="Migrator",
                        arn=migrator.function.function_arn,
                        dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
                    )
                ],
                **when,
            )
            lambda_.CfnPermission(
                self,
                f"{name}MayCall",
                action="lambda:InvokeFunction",
                function_name=migrator.function.function_arn,
                principal="events.amazonaws.com",
                source_arn=rule.attr_arn,
            )
        acknowledge(
            migrator.component.policy,
            "migrate_database: what could not be migrated waits in an encrypted queue; each pattern is one KMS call's variants.",
            "AwsSolutions-IAM5[Action::kms:GenerateDataKey*]",
            "AwsSolutions-IAM5[Action::kms:ReEncrypt*]",
        )
