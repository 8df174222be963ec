"""The ways to people: a mailbox for each, and the addresses of webhook and chat."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function


class Pages(Construct):
    """A topic that mails each of ``people`` (address by name) what is for them, and a secret for the other channels.

    A message goes to the people in its attribute ``to``; each subscription filters by its own name. What a mailbox does not
    take waits in ``undelivered``. The secret ``secret_name`` holds ``{"webhook", "chat", "signing_key"}``: Secrets Manager
    invents the key, people fill in the addresses, and whoever deploys again changes neither.

    Control: incident.pages.everyone
    https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        people: Mapping[str, str],
        secret_name: str,
        key: kms.IKey,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.topic = sns.Topic(self, "Topic", topic_name=name, master_key=key, enforce_ssl=True)
        for number, (person, address) in enumerate(people.items(), start=1):
            sns.CfnSubscription(
                self,
                f"Mailbox{number}",
                topic_arn=self.topic.topic_arn,
                protocol="email",
                endpoint=address,
                filter_policy={"to": [person]},
                redrive_policy={"deadLetterTargetArn": undelivered.queue_arn},
            )
        self.secret = secretsmanager.Secret(
            self,
            "Channels",
            secret_name=secret_name,
            description="Addresses of the webhook and the chat room that incidents are told to, and the webhook's key",
            # By reference: the L2 would give the whole account CreateGrant in the key's policy.
            encryption_key=kms.Key.from_key_arn(self, "Key", key.key_arn),
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template='{"webhook": "", "chat": ""}',  # noqa: S106 - empty on purpose
                generate_string_key="signing_key",
                password_length=64,
                exclude_punctuation=True,
            ),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        acknowledge(
            self.secret,
            f"{secret_name}: the receiver at the other end must change its copy of the key in the same moment, which no "
            "rotating function can (docs/howto/incidents.md).",
            "AwsSolutions-SMG4",
            *in_packs("SecretsManagerRotationEnabled", "NIST.800.53.R5", "HIPAA.Security"),
        )

    def allow_calling(self, function: Function) -> None:
        """Let ``function`` use every channel."""
        region = cdk.Stack.of(self).region
        function.component.allow(
            iam.PolicyStatement(sid="Mail", actions=["sns:Publish"], resources=[self.topic.topic_arn]),
            iam.PolicyStatement(
                sid="MailKey",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[self._key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": f"sns.{region}.amazonaws.com"}},
            ),
            iam.PolicyStatement(
                sid="Channels", actions=["secretsmanager:GetSecretValue"], resources=[self.secret.secret_arn]
            ),
            iam.PolicyStatement(
                sid="ChannelsKey",
                actions=["kms:Decrypt"],
                resources=[self._key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}},
            ),
        )
