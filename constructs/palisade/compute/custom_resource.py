"""A function of ours that CloudFormation calls for what it cannot do itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute.function import Function, Placement


class ResourceProvider(Construct):
    """A function ``lambda/<source>`` that CloudFormation calls for each resource that :meth:`make` asks for.

    The function does with ``statements`` what it must and nothing else. It answers through
    ``palisade_runtime.custom_resource``, which answers on every path, so that a stack never hangs. It runs outside any VPC,
    from where CloudFormation's answer bucket is always in reach. ``role_name`` is given only where a policy names the role.

    Raises:
        ValueError: ``placement`` names a VPC, whose endpoint policies would hold back the answer.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources-lambda.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: str,
        description: str,
        placement: Placement,
        statements: Sequence[iam.PolicyStatement],
        role_name: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        if placement.vpc is not None:
            raise ValueError(
                f"{self.node.path}: a custom resource's function runs outside any VPC. Give a Placement without one."
            )
        self.function = Function(
            self,
            "Function",
            source=source,
            description=description,
            placement=placement,
            timeout_seconds=60,
            role_name=role_name,
        )
        self.function.component.allow(*statements)
        acknowledge(
            self.function.function,
            f"{source}: CloudFormation, its only caller, waits for an answer and fails the deployment without one; there is "
            "no message that a dead-letter queue could keep for later.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        acknowledge(
            self.function.function,
            f"{source}: it must answer CloudFormation before the VPC is there and after its endpoints are gone, and touches "
            "nothing in it.",
            *in_packs("LambdaInsideVPC"),
        )
        self._type = "Custom::" + "".join(word.capitalize() for word in source.split("_"))

    def make(self, construct_id: str, properties: Mapping[str, object]) -> cdk.CustomResource:
        """Call the function when ``properties`` come, change or go, and wait two minutes for its answer."""
        resource = cdk.CustomResource(
            self,
            construct_id,
            service_token=self.function.function.function_arn,
            service_timeout=cdk.Duration.minutes(2),
            resource_type=self._type,
            properties=dict(properties),
        )
        # Without an explicit order the call could come before the right to do anything.
        resource.node.add_dependency(self.function)
        return resource


class CustomResource(ResourceProvider):
    """A :class:`ResourceProvider` of one resource. Data for :meth:`attribute` is what the function returns."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: str,
        description: str,
        placement: Placement,
        properties: Mapping[str, object],
        statements: Sequence[iam.PolicyStatement],
        role_name: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            source=source,
            description=description,
            placement=placement,
            statements=statements,
            role_name=role_name,
        )
        self.resource = self.make("Resource", properties)

    def attribute(self, name: str) -> str:
        """What the function returned under ``name``."""
        return self.resource.get_att_string(name)
