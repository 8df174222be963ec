"""The secret by which CloudFront proves to the load balancer that a request comes from this distribution."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs

ORIGIN_HEADER = "X-Origin-Verify"


class OriginSecret(Construct):
    """64 random characters that Secrets Manager invents, known under ``name`` here and in ``also_in``.

    Templates only refer to it; CloudFormation resolves the value while it deploys. Its copy in another region is under
    that region's key of Secrets Manager.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/restrict-access-to-load-balancer.html
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, key: kms.IKey, also_in: str | None = None
    ) -> None:
        super().__init__(scope, construct_id)
        resource = secretsmanager.Secret(
            self,
            "Resource",
            secret_name=name,
            description="Proves that a request comes from the stage's own CloudFront distribution",
            # By reference: the L2 would give the whole account CreateGrant in the key's policy.
            encryption_key=kms.Key.from_key_arn(self, "Key", key.key_arn),
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
            replica_regions=None if also_in is None else [secretsmanager.ReplicaRegion(region=also_in)],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.value = resource.secret_value.unsafe_unwrap()
        """A reference that CloudFormation resolves, for the listener's rule."""
        acknowledge(
            resource,
            f"{name}: both sides must change together, so it is replaced by adding the next generation to the stage's "
            "domain and removing the former one (docs/howto/domain.md), never by a function alone.",
            "AwsSolutions-SMG4",
            *in_packs("SecretsManagerRotationEnabled", "NIST.800.53.R5", "HIPAA.Security"),
        )


def origin_secret_elsewhere(name: str) -> str:
    """The same reference for a stack of another region, where the secret is known by its name."""
    return cdk.SecretValue.secrets_manager(name).unsafe_unwrap()
