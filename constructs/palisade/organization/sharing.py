"""What must never be public, and what must never go from one stage to another."""

from __future__ import annotations

from collections.abc import Sequence

from palisade.organization.guardrail import PolicyType, Statement, deny, deny_everyone, guardrail
from palisade.organization.principals import CLOUDFORMATION, Deployment

DATA = (
    "dynamodb:*",
    "ecr:*",
    "kms:*",
    "logs:*",
    "s3:*",
    "secretsmanager:*",
    "sqs:*",
)
"""Services with data that resource control policies reach (besides those that this library does not use).
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html#rcp-supported-services"""


@guardrail(PolicyType.SERVICE_CONTROL)
def public_sharing(*, deployment: Deployment) -> list[Statement]:
    """Nobody shares a snapshot, image, bucket, function or document with the public, or a resource with accounts outside the
    organization.

    Exempt: AWS Backup's roles, which share a database's snapshot with the vault's account while they copy it;
    CloudFormation and functions of its templates for the blocks of public access that they set.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """
    return [
        deny(
            "PublicSnapshots",
            ("ec2:ModifySnapshotAttribute",),
            when={"StringEquals": {"ec2:Add/group": "all"}},
        ),
        deny(
            "PublicImages",
            ("ec2:DisableImageBlockPublicAccess", "ec2:DisableSnapshotBlockPublicAccess", "ec2:ModifyImageAttribute"),
            unless_arn=(CLOUDFORMATION,),
        ),
        deny(
            "SharedDatabaseSnapshots",
            ("rds:ModifyDBClusterSnapshotAttribute", "rds:ModifyDBSnapshotAttribute"),
            unless_arn=(deployment.backup_roles,),
        ),
        # What keeps every bucket of the account private; a bucket's own block adds to it.
        deny(
            "PublicAccounts",
            ("s3:PutAccountPublicAccessBlock",),
            when={"StringNotEquals": deployment.not_made_by_it},
            unless_arn=(CLOUDFORMATION,),
        ),
        deny(
            "PublicBuckets",
            ("s3:PutBucketLogging", "s3:PutBucketPublicAccessBlock"),
            on=(f"arn:aws:s3:::{deployment.prefix}-*",),
            unless_arn=(CLOUDFORMATION,),
        ),
        deny(
            "PublicObjects",
            ("s3:CreateBucket", "s3:PutBucketAcl", "s3:PutObject", "s3:PutObjectAcl"),
            when={"StringLike": {"s3:x-amz-acl": ("public-*", "authenticated-read")}},
        ),
        deny(
            "PublicFunctions",
            ("lambda:AddPermission",),
            when={"StringEquals": {"lambda:Principal": "*"}},
        ),
        deny(
            "PublicFunctionUrls",
            ("lambda:CreateFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig"),
            when={"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
        ),
        deny(
            "SharedOutside",
            ("ecr-public:*", "lambda:AddLayerVersionPermission", "ssm:ModifyDocumentPermission"),
        ),
        deny(
            "ResourceSharesOutside",
            ("ram:CreateResourceShare", "ram:UpdateResourceShare"),
            when={"Bool": {"ram:RequestedAllowsExternalPrincipals": "true"}},
        ),
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def nothing_to_other_stages(*, others: Sequence[str]) -> list[Statement]:
    """Nobody in a stage uses anything that belongs to another stage, or shares a snapshot, image or resource with any account.

    Exempt: nobody; AWS Backup copies to the backup account under its own roles, by other means than these.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceaccount
    """
    return [
        deny("OtherStages", ("*",), when={"StringEquals": {"aws:ResourceAccount": others}}),
        deny(
            "SnapshotsToAccounts",
            ("ec2:ModifySnapshotAttribute",),
            when={"Null": {"ec2:Add/userId": "false"}},
        ),
        deny("SharesOfResources", ("ram:AssociateResourceShare", "ram:CreateResourceShare")),
    ]


@guardrail(PolicyType.RESOURCE_CONTROL)
def nothing_from_other_stages(*, others: Sequence[str]) -> list[Statement]:
    """No principal of another stage reads or uses a bucket, key, queue, secret, table, log or image of this stage, or
    assumes a role in it, whatever the resource's own policy says.

    Exempt: nobody.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
    return [
        deny_everyone(
            "FromOtherStages",
            (*DATA, "sts:AssumeRole"),
            when={"StringEquals": {"aws:PrincipalAccount": others}},
        )
    ]
