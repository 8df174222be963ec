"""What an account promises of its resources, judged again by AWS Config whenever one changes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import aws_config as config

from constructs import Construct

RULES: Mapping[str, str] = {
    "BackingKeysRotate": "CMK_BACKING_KEY_ROTATION_ENABLED",
    "BucketsAreEncrypted": "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED",
    "BucketsAreNotPublic": "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED",
    "BucketsDemandTls": "S3_BUCKET_SSL_REQUESTS_ONLY",
    "BucketsKeepVersions": "S3_BUCKET_VERSIONING_ENABLED",
    "ClustersRefuseDeletion": "RDS_CLUSTER_DELETION_PROTECTION_ENABLED",
    "DatabasesAreEncrypted": "RDS_STORAGE_ENCRYPTED",
    "DatabasesAreNotPublic": "RDS_INSTANCE_PUBLIC_ACCESS_CHECK",
    "DefaultGroupsAreClosed": "VPC_DEFAULT_SECURITY_GROUP_CLOSED",
    "FunctionsAreNotPublic": "LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED",
    "LogGroupsAreEncrypted": "CLOUDWATCH_LOG_GROUP_ENCRYPTED",
    "MachinesDemandTokens": "EC2_IMDSV2_CHECK",
    "NetworksAreLogged": "VPC_FLOW_LOGS_ENABLED",
    "NobodyMayDoEverything": "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS",
    "RootHasNoKeys": "IAM_ROOT_ACCESS_KEY_CHECK",
    "ShellIsClosed": "INCOMING_SSH_DISABLED",
    "TablesRollBack": "DYNAMODB_PITR_ENABLED",
    "TopicsAreEncrypted": "SNS_ENCRYPTED_KMS",
    "TrailsAreSigned": "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED",
    "VolumesAreEncrypted": "EC2_EBS_ENCRYPTION_BY_DEFAULT",
}
"""Managed rules by what they say.
https://docs.aws.amazon.com/config/latest/developerguide/managed-rules-by-aws-config.html"""


class Conformance(Construct):
    """Judges every recorded resource of this account and region by our rules; a recorder must be there before it.

    A pack of each account's own, so that an account of the organization which is not one of ours stands in nobody's way.

    Control: detection.account.conformance
    https://docs.aws.amazon.com/config/latest/developerguide/conformance-packs.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str) -> None:
        super().__init__(scope, construct_id)
        config.CfnConformancePack(
            self,
            "Resource",
            conformance_pack_name=name,
            template_body=json.dumps(
                {
                    "Resources": {
                        rule: {
                            "Type": "AWS::Config::ConfigRule",
                            "Properties": {
                                "ConfigRuleName": identifier.lower().replace("_", "-"),
                                "Source": {"Owner": "AWS", "SourceIdentifier": identifier},
                            },
                        }
                        for rule, identifier in RULES.items()
                    }
                },
                separators=(",", ":"),
            ),
        )
