"""A repository of container images whose tags never move."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs import Construct
from palisade.images.registry_scanning import RegistryScanning

KEPT_IMAGES = 100
UNTAGGED_DAYS = 7
_PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


class ImageRepository(Construct):
    """Images under ``key`` that ``pulled_by`` accounts may pull and nobody outside this account may push.

    A tag means one image for ever. The newest hundred images are kept; what has no tag goes after a week. Roles of the
    accounts pull under ``perimeter``, a condition that names the organization, and Lambda for functions of these accounts.
    The stack never deletes the repository. ``scanning`` is the registry's, without which nobody would look at the images.

    Control: images.repository.immutable

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
    https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#configuration-images-xaccount-permissions
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        key: kms.IKey,
        pulled_by: Sequence[str],
        perimeter: Mapping[str, object],
        scanning: RegistryScanning,
    ) -> None:
        super().__init__(scope, construct_id)
        region = cdk.Stack.of(self).region
        self.resource = ecr.CfnRepository(
            self,
            "Resource",
            repository_name=name,
            image_tag_mutability="IMMUTABLE",
            encryption_configuration=ecr.CfnRepository.EncryptionConfigurationProperty(
                encryption_type="KMS", kms_key=key.key_arn
            ),
            lifecycle_policy=ecr.CfnRepository.LifecyclePolicyProperty(lifecycle_policy_text=json.dumps(_lifecycle())),
            repository_policy_text=iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        sid="StagesPull",
                        principals=[iam.AccountPrincipal(account) for account in pulled_by],
                        actions=_PULL,
                        conditions={"StringEquals": dict(perimeter)},
                    ),
                    iam.PolicyStatement(
                        sid="FunctionsOfStagesPull",
                        principals=[iam.ServicePrincipal("lambda.amazonaws.com")],
                        actions=["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                        conditions={
                            "ArnLike": {
                                "aws:SourceArn": [
                                    f"arn:aws:lambda:{region}:{account}:function:*" for account in pulled_by
                                ]
                            }
                        },
                    ),
                ]
            ),
        )
        self.resource.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        self.resource.node.add_dependency(scanning)


def _lifecycle() -> dict[str, object]:
    def rule(priority: int, description: str, **selection: object) -> dict[str, object]:
        return {
            "rulePriority": priority,
            "description": description,
            "selection": selection,
            "action": {"type": "expire"},
        }

    return {
        "rules": [
            rule(
                1,
                "What no tag names goes",
                tagStatus="untagged",
                countType="sinceImagePushed",
                countUnit="days",
                countNumber=UNTAGGED_DAYS,
            ),
            rule(2, "The newest stay", tagStatus="any", countType="imageCountMoreThan", countNumber=KEPT_IMAGES),
        ]
    }
