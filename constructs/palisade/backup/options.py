"""What AWS Backup leaves to each account and region to turn on."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.backup.restore_testing import RESOURCE_TYPES
from palisade.compute import CustomResource, Placement


class BackupOptions(Construct):
    """Opts the region in to backups of databases, tables and buckets, and to full management of table backups.

    Only under full management can a table's backup leave the account and the region. ``placement`` is outside any VPC.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, placement: Placement) -> None:
        super().__init__(scope, construct_id)
        options = CustomResource(
            self,
            "Resource",
            source="set_backup_options",
            description="Turns on the backup of each type of store",
            placement=placement,
            properties={"ResourceTypes": list(RESOURCE_TYPES), "FullyManaged": ["DynamoDB"]},
            statements=[
                iam.PolicyStatement(
                    sid="SetOptions",
                    actions=["backup:DescribeRegionSettings", "backup:UpdateRegionSettings"],
                    resources=["*"],
                )
            ],
        )
        acknowledge(
            options.function.component.policy.node.find_child("Resource"),
            "set_backup_options: the region's own setting has no ARN that a policy could name.",
            "AwsSolutions-IAM5[Resource::*]",
        )
