"""What is stored and sent is encrypted."""

from __future__ import annotations

from palisade.organization.guardrail import PolicyType, Statement, deny, deny_everyone, guardrail
from palisade.organization.principals import Deployment


@guardrail(PolicyType.SERVICE_CONTROL)
def encryption_at_rest(*, deployment: Deployment) -> list[Statement]:
    """No volume, database or file system is made unencrypted, the default encryption of volumes is not switched off, and no
    object is encrypted with a key that only its writer has (how ransomware locks a bucket).

    Exempt: functions of the templates for the key of new volumes, which CloudFormation cannot set. An Aurora instance has its
    cluster's encryption and no setting of its own.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    """
    return [
        deny(
            "UnencryptedVolumes",
            ("ec2:CreateVolume", "ec2:RunInstances"),
            on=("arn:aws:ec2:*:*:volume/*",),
            when={"Bool": {"ec2:Encrypted": "false"}},
        ),
        deny("EncryptionByDefaultOff", ("ec2:DisableEbsEncryptionByDefault", "ec2:ResetEbsDefaultKmsKeyId")),
        deny("KeyOfVolumes", ("ec2:ModifyEbsDefaultKmsKeyId",), when={"StringNotEquals": deployment.not_made_by_it}),
        deny(
            "UnencryptedClusters",
            ("rds:CreateDBCluster",),
            when={"Bool": {"rds:StorageEncrypted": "false"}},
        ),
        deny(
            "UnencryptedDatabases",
            ("rds:CreateDBInstance",),
            when={
                "Bool": {"rds:StorageEncrypted": "false"},
                "StringNotLike": {"rds:DatabaseEngine": "aurora*"},
            },
        ),
        deny(
            "UnencryptedFileSystems",
            ("elasticfilesystem:CreateFileSystem",),
            when={"Bool": {"elasticfilesystem:Encrypted": "false"}},
        ),
        deny(
            "KeysOfTheWriterAlone",
            ("s3:PutObject",),
            when={"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}},
        ),
    ]


@guardrail(PolicyType.RESOURCE_CONTROL)
def encryption_in_transit() -> list[Statement]:
    """No request reaches a bucket, queue or secret unencrypted, or a bucket over TLS older than 1.2, whoever sends it.

    Exempt: nobody; AWS services encrypt what they send.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    """
    return [
        deny_everyone(
            "Plaintext",
            ("s3:*", "secretsmanager:*", "sqs:*"),
            when={"Bool": {"aws:SecureTransport": "false"}},
        ),
        deny_everyone("OldTls", ("s3:*",), when={"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
    ]
