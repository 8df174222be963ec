"""A Step Functions state machine whose every step is logged and whose every failure is heard."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.compute.function import Placement
from palisade.identity import ComponentRole
from palisade.observability import RetainedLogGroup
from palisade.observability.alarm import Alarm


class StateMachine(Construct):
    """Runs ``definition`` as a standard workflow named ``name``, its definition and data encrypted with ``key``.

    Every transition is logged without its data, which may be personal. ``topic`` hears of each execution that fails, times
    out or is stopped: what a workflow has begun must not be forgotten half done. A run lasts at most ``longest``.

    Control: compute.machine.logged
    https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
    https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        definition: sfn.IChainable,
        key: kms.IKey,
        placement: Placement,
        topic: sns.ITopic,
        longest: cdk.Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        self.component = ComponentRole(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            ),
            description=f"{name} (state machine)",
        )
        # With a name that begins so, CloudWatch Logs needs no entry of its own for each machine in its resource policy.
        group = RetainedLogGroup(
            self, "Logs", name=f"/aws/vendedlogs/states/{name}", key=placement.log_key, days=placement.log_days
        ).log_group
        self._allow_own_data(name, key)
        self.machine = sfn.StateMachine(
            self,
            "Resource",
            state_machine_name=name,
            definition_body=sfn.DefinitionBody.from_chainable(definition),
            role=self.component.role.without_policy_updates(),
            # An imported key, because CDK would add a statement without conditions to the policy of one it can change.
            encryption_configuration=sfn.CustomerManagedEncryptionConfiguration(
                kms.Key.from_key_arn(self, "Key", key.key_arn), cdk.Duration.minutes(5)
            ),
            logs=sfn.LogOptions(destination=group, level=sfn.LogLevel.ALL, include_execution_data=False),
            tracing_enabled=True,
            timeout=longest,
        )
        self.machine.node.add_dependency(self.component.policy)
        for alarm_id, metric, what in (
            ("Failed", self.machine.metric_failed(), "failed"),
            ("TimedOut", self.machine.metric_timed_out(), "ran out of time"),
            ("Stopped", self.machine.metric_aborted(), "was stopped by hand"),
        ):
            Alarm(
                self,
                alarm_id,
                description=f"{name}: an execution {what}. See where it stands, mend the cause, then redrive it.",
                metric=metric,
                threshold=1,
                topic=topic,
            )

    def allow_invoke(self, *functions: lambda_.IFunction) -> None:
        """Let the machine call ``functions``."""
        self.component.allow(
            iam.PolicyStatement(
                sid="Invoke",
                actions=["lambda:InvokeFunction"],
                resources=[function.function_arn for function in functions],
            )
        )

    def _allow_own_data(self, name: str, key: kms.IKey) -> None:
        stack = cdk.Stack.of(self)
        here = f"{stack.region}:{stack.account}"
        self.component.allow(
            iam.PolicyStatement(
                sid="OwnData",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[key.key_arn],
                conditions={
                    "StringEquals": {
                        "kms:EncryptionContext:aws:states:stateMachineArn": f"arn:aws:states:{here}:stateMachine:{name}"
                    }
                },
            ),
            iam.PolicyStatement(
                sid="OwnLogsData",
                actions=["kms:GenerateDataKey"],
                resources=[key.key_arn],
                conditions={"StringEquals": {"kms:EncryptionContext:SourceArn": f"arn:aws:logs:{here}:*"}},
            ),
            iam.PolicyStatement(
                sid="DeliverLogs",
                actions=[
                    "logs:CreateLogDelivery",
                    "logs:DeleteLogDelivery",
                    "logs:DescribeLogGroups",
                    "logs:DescribeResourcePolicies",
                    "logs:GetLogDelivery",
                    "logs:ListLogDeliveries",
                    "logs:PutResourcePolicy",
                    "logs:UpdateLogDelivery",
                ],
                resources=["*"],
            ),
            iam.PolicyStatement(
                sid="Trace",
                actions=[
                    "xray:GetSamplingRules",
                    "xray:GetSamplingTargets",
                    "xray:PutTelemetryRecords",
                    "xray:PutTraceSegments",
                ],
                resources=["*"],
            ),
        )
        acknowledge(
            self.component.policy,
            f"{name}: X-Ray's actions and the log deliveries by which Step Functions writes its logs have no resource types.",
            "AwsSolutions-IAM5[Resource::*]",
        )
