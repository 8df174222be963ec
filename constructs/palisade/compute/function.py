"""A Python function with a role, a log group and a place in the network of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute.source import lambda_source
from palisade.identity import ComponentRole
from palisade.observability import RetainedLogGroup


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where functions of one stack run and how their logs are kept.

    ``log_group_prefix`` begins the log group's name (``/palisade/documents``); ``log_days`` is a CloudWatch value.
    Without ``vpc`` the functions run outside any VPC: for those that must work before there is one. ``vpc``,
    ``subnets`` and ``security_group`` are given together or not at all.
    """

    log_key: kms.IKey
    environment_key: kms.IKey
    log_group_prefix: str
    log_days: int
    vpc: ec2.IVpc | None = None
    subnets: ec2.SubnetSelection | None = None
    security_group: ec2.ISecurityGroup | None = None

    def __post_init__(self) -> None:
        given = [part is not None for part in (self.vpc, self.subnets, self.security_group)]
        if any(given) and not all(given):
            raise ValueError(
                "vpc, subnets and security_group go together; give all three, or none to run outside a VPC."
            )


class Function(Construct):
    """Runs ``lambda/<source>/handler.py:handle`` on Arm, where ``placement`` says, traced, under a role of its own.

    Environment variables are encrypted with a customer key and hold names, never secrets. ``timeout_seconds`` is at
    most 900. ``name`` and ``role_name`` are given only where another account uses them. The role can manage its network
    interfaces only as the Lambda service, never from the function's code.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: str,
        description: str,
        placement: Placement,
        environment: Mapping[str, str] | None = None,
        timeout_seconds: int = 10,
        memory_mb: int = 256,
        layers: Sequence[lambda_.ILayerVersion] = (),
        dead_letters: sqs.IQueue | None = None,
        name: str | None = None,
        role_name: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group = RetainedLogGroup(
            self,
            "Logs",
            name=f"{placement.log_group_prefix}/{source.replace('_', '-')}",
            key=placement.log_key,
            days=placement.log_days,
        )
        self.component = ComponentRole(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"{description} (function)",
            name=role_name,
        )
        self.function = lambda_.Function(
            self,
            "Resource",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            function_name=name,
            handler=f"{source}.handler.handle",
            code=lambda_.Code.from_asset(lambda_source(source)),
            description=description,
            # CDK would otherwise add inline policies of its own making.
            role=self.component.role.without_policy_updates(),
            environment=dict(environment or {}),
            environment_encryption=placement.environment_key,
            timeout=cdk.Duration.seconds(timeout_seconds),
            memory_size=memory_mb,
            layers=list(layers),
            dead_letter_queue=dead_letters,
            tracing=lambda_.Tracing.ACTIVE,
            logging_format=lambda_.LoggingFormat.JSON,
            log_group=self.log_group.log_group,
            vpc=placement.vpc,
            vpc_subnets=placement.subnets,
            security_groups=None if placement.security_group is None else [placement.security_group],
        )
        self.component.allow(
            iam.PolicyStatement(
                sid="WriteOwnLogs",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[self.log_group.log_group.log_group_arn],
            ),
            iam.PolicyStatement(
                sid="Trace", actions=["xray:PutTelemetryRecords", "xray:PutTraceSegments"], resources=["*"]
            ),
            *(() if placement.vpc is None else _network_interfaces()),
        )
        # Lambda tries the role's network permissions when it makes the function.
        self.function.node.add_dependency(self.component.policy)
        if dead_letters is not None:
            dead_letters.grant_send_messages(self.component.grantee)
        which = source if name is None else f"{source} ({name})"
        acknowledge(
            self.component.policy,
            f"{which}: X-Ray defines no resource type"
            + (
                "."
                if placement.vpc is None
                else ", nor do the Lambda service's own EC2 network-interface calls, which the function's code is denied."
            ),
            "AwsSolutions-IAM5[Resource::*]",
        )
        group = self.log_group.node.find_child("Resource")
        assert isinstance(group, logs.CfnLogGroup)
        stack = cdk.Stack.of(self)
        acknowledge(
            self.component.policy,
            f"{which}: Lambda invents the names of the log streams, all of them in the function's own group.",
            f"AwsSolutions-IAM5[Resource::arn:aws:logs:{stack.region}:{stack.account}:log-group:"
            f"<{stack.get_logical_id(group)}>:*]",
        )
        acknowledge(
            self.function,
            f"{which}: reserving concurrency must leave 100 unreserved, which the quota of a new account does not; what "
            "calls the function sets its pace.",
            *in_packs("LambdaConcurrency", "NIST.800.53.R5", "HIPAA.Security"),
        )

    @property
    def grantee(self) -> iam.IGrantable:
        """What to grant the function's rights to."""
        return self.component.grantee

    @property
    def role(self) -> iam.IRole:
        """The function's role, to name as a principal in another policy."""
        return self.component.role


def _network_interfaces() -> list[iam.PolicyStatement]:
    actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ]
    return [
        iam.PolicyStatement(sid="NetworkInterfaces", actions=actions, resources=["*"]),
        iam.PolicyStatement(
            sid="NetworkInterfacesNeverFromCode",
            effect=iam.Effect.DENY,
            actions=actions,
            resources=["*"],
            # The key is present only in calls that the function's code makes with the role's credentials.
            conditions={"Null": {"lambda:SourceFunctionArn": "false"}},
        ),
    ]
