"""A log group that is encrypted, kept for a set time and masks personal data and credentials."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from constructs import Construct

MASKED = (
    "EmailAddress",
    "CreditCardNumber",
    "AwsSecretKey",
    "OpenSshPrivateKey",
    "PkcsPrivateKey",
    "PuttyPrivateKey",
    "PgpPrivateKey",
)
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/protect-sensitive-log-data-types.html"""


class RetainedLogGroup(Construct):
    """Log events are encrypted with ``key``, deleted after ``days``, and masked where they hold what must not be logged.

    ``name`` is the full log group name; ``days`` one of the values CloudWatch Logs offers.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/mask-sensitive-log-data.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, key: kms.IKey, days: int) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        resource = logs.CfnLogGroup(
            self,
            "Resource",
            log_group_name=name,
            kms_key_id=key.key_arn,
            retention_in_days=days,
            data_protection_policy=_masking(),
        )
        resource.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        self.log_group: logs.ILogGroup = logs.LogGroup.from_log_group_arn(
            self,
            "Imported",
            # The ARN that grants need ends in ":*", which the imported interface adds itself.
            cdk.Stack.of(self).format_arn(
                service="logs",
                resource="log-group",
                resource_name=resource.ref,
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            ),
        )


def _masking() -> dict[str, object]:
    identifiers = [f"arn:aws:dataprotection::aws:data-identifier/{name}" for name in MASKED]
    return {
        "Name": "mask-personal-data-and-credentials",
        "Version": "2021-06-01",
        "Statement": [
            {"Sid": "audit", "DataIdentifier": identifiers, "Operation": {"Audit": {"FindingsDestination": {}}}},
            {"Sid": "mask", "DataIdentifier": identifiers, "Operation": {"Deidentify": {"MaskConfig": {}}}},
        ],
    }
