"""The product's users of one stage: a directory of its own, for stages that name no issuer."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function
from palisade.identity import Federation, Saml, SignInPages, UserPool

from constructs import Construct
from stacks.alarms import Alarms
from stacks.base import StageStack
from stacks.entry import Entry
from stacks.keys import Keys
from stacks.network import Network
from stacks.settings import Deployment, Stage


class Users(StageStack):
    """Cognito user pool behind the stage's web ACL; its access tokens name tenant and role."""

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        keys: Keys,
        network: Network,
        alarms: Alarms,
        entry: Entry,
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="users", stateful=True)
        directory = stage.directory
        shaper = Function(
            self,
            "TokenShaper",
            source="shape_token",
            description="Puts tenant and role into access tokens",
            placement=network.placement("users"),
            environment={"PROVIDER_TENANTS": json.dumps({saml.name: saml.tenant for saml in directory.saml})},
            # Cognito waits five seconds.
            timeout_seconds=4,
        )
        acknowledge(
            shaper.function,
            f"{stage.name}: Cognito waits for the token shaper's answer; nothing is queued that could be lost.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        self.pool = UserPool(
            self,
            "Pool",
            name=self.names.user_pool(stage),
            pages=SignInPages(domain_prefix=self.names.sign_in_prefix(stage), app_url=f"https://{stage.domain.name}"),
            key=keys.data.key,
            token_shaper=shaper.function,
            federation=Federation(
                saml=tuple(Saml(name=saml.name, metadata_url=saml.metadata_url) for saml in directory.saml),
                google_client_id=directory.google_client_id,
                google_secret=self.names.google_secret(stage),
            ),
        )
        self.pool.stand_behind(entry.web_acl.arn)
        failed = shaper.function.metric_errors(statistic="Sum", period=cdk.Duration.minutes(5)).create_alarm(
            self,
            "TokenShaperErrors",
            threshold=0,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{stage.name} users: somebody who belongs to no tenant was refused a token, or nobody gets one.",
        )
        for act in (failed.add_alarm_action, failed.add_ok_action):
            act(actions.SnsAction(alarms.topic))

    def admit(self, authorizer: Function) -> None:
        """Let ``authorizer`` ask whether a user is still in the directory."""
        authorizer.component.allow(
            iam.PolicyStatement(sid="AskForUser", actions=["cognito-idp:AdminGetUser"], resources=[self.pool.arn])
        )


def trusted_tokens(stage: Stage, users: Users | None) -> dict[str, str]:
    """What an authorizer must know of the stage's tokens: who issues them, for whom, and where their users are.

    Raises:
        ValueError: the stage names neither an issuer nor has users of its own.
    """
    if stage.issuer is not None:
        return {"ISSUER": stage.issuer.url, "AUDIENCE": stage.issuer.audience}
    if users is None:
        raise ValueError(f"stage {stage.name}: without an issuer it needs a Users stack; pass it.")
    return {"ISSUER": users.pool.issuer_url, "AUDIENCE": users.pool.client_id, "USER_POOL_ID": users.pool.id}
