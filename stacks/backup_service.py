"""What AWS Backup needs in the backup account before the first copy arrives."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from stacks.base import PalisadeStack
from stacks.settings import Deployment


class BackupService(PalisadeStack):
    """The service-linked role of AWS Backup, under which copies from other accounts are received.

    AWS makes it with an account's own first backup, and the backup account never makes one.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/using-service-linked-roles.html
    """

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(
            scope,
            deployment=deployment,
            owner="backup",
            # A stage cannot be called this, so its vault never has the same name.
            subject="service-role",
            account=deployment.accounts.backup,
            stateful=True,
        )
        role = iam.CfnServiceLinkedRole(
            self,
            "Role",
            aws_service_name="backup.amazonaws.com",
            description="Receives copies of backups from other accounts",
        )
        role.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
