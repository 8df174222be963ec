"""A secret that an outside service signs with, which people bring here from there."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function


class SigningSecret(Construct):
    """Random at first, so that nobody's signature counts until people put the service's own secret under ``name``.

    Templates never hold it. When the service changes it, people put the new value here; what is signed with the former one
    counts for a day longer (``lambda/receive_chat``).

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_update-secret-value.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, description: str, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        resource = secretsmanager.Secret(
            self,
            "Resource",
            secret_name=name,
            description=description,
            # By reference: the L2 would give the whole account CreateGrant in the key's policy.
            encryption_key=kms.Key.from_key_arn(self, "Key", key.key_arn),
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        self.arn = resource.secret_arn
        acknowledge(
            resource,
            f"{name}: the service that signs makes the secret, so only there can it be changed; people bring it over.",
            "AwsSolutions-SMG4",
            *in_packs("SecretsManagerRotationEnabled", "NIST.800.53.R5", "HIPAA.Security"),
        )

    def allow_reading(self, function: Function) -> None:
        """Let ``function`` read every version that has a label."""
        function.component.allow(
            iam.PolicyStatement(
                sid="ReadSigningSecret",
                actions=["secretsmanager:GetSecretValue"],
                resources=[self.arn],
            ),
            iam.PolicyStatement(
                sid="DecryptSigningSecret",
                actions=["kms:Decrypt"],
                resources=[self._key.key_arn],
                conditions={"StringEquals": {"kms:EncryptionContext:SecretARN": self.arn}},
            ),
        )
