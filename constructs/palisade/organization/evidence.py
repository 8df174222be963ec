"""What watches and records, and what it has recorded."""

from __future__ import annotations

from palisade.organization.guardrail import PolicyType, Statement, deny, guardrail
from palisade.organization.principals import CLOUDFORMATION, Deployment


@guardrail(PolicyType.SERVICE_CONTROL)
def trails() -> list[Statement]:
    """Nobody stops, deletes or thins out a trail, or changes what AWS Config records and where it delivers.

    Exempt: CloudFormation at work for the pipeline, which makes and changes them from reviewed templates.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html
    """
    return [
        deny(
            "Trails",
            (
                "cloudtrail:DeleteEventDataStore",
                "cloudtrail:DeleteTrail",
                "cloudtrail:DeregisterOrganizationDelegatedAdmin",
                "cloudtrail:PutEventSelectors",
                "cloudtrail:PutInsightSelectors",
                "cloudtrail:StopEventDataStoreIngestion",
                "cloudtrail:StopLogging",
                "cloudtrail:UpdateEventDataStore",
                "cloudtrail:UpdateTrail",
                "config:DeleteAggregationAuthorization",
                "config:DeleteConfigRule",
                "config:DeleteConfigurationAggregator",
                "config:DeleteConfigurationRecorder",
                "config:DeleteConformancePack",
                "config:DeleteDeliveryChannel",
                "config:DeleteEvaluationResults",
                "config:DeleteOrganization*",
                "config:DeleteRemediation*",
                "config:DeleteRetentionConfiguration",
                "config:DeleteServiceLinkedConfigurationRecorder",
                "config:DisassociateResourceTypes",
                "config:PutConfigurationRecorder",
                "config:PutDeliveryChannel",
                "config:PutRetentionConfiguration",
                "config:StopConfigurationRecorder",
            ),
            unless_arn=(CLOUDFORMATION,),
        )
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def detectors(*, deployment: Deployment) -> list[Statement]:
    """Nobody switches off, leaves or blinds GuardDuty, Security Hub, Inspector, Macie, Detective or Access Analyzer.

    Exempt: CloudFormation at work for the pipeline, and functions of its templates, which set what CloudFormation cannot.
    https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_suspend-disable.html
    """
    return [
        deny(
            "Detectors",
            (
                "access-analyzer:CreateArchiveRule",
                "access-analyzer:DeleteAnalyzer",
                "access-analyzer:UpdateAnalyzer",
                "access-analyzer:UpdateArchiveRule",
                "detective:DeleteGraph",
                "detective:DisassociateMembership",
                "guardduty:CreateIPSet",
                "guardduty:CreateT*",
                "guardduty:DeleteDetector",
                "guardduty:DeleteMembers",
                "guardduty:DeletePublishingDestination",
                "guardduty:DisableOrganizationAdminAccount",
                "guardduty:DisassociateFrom*",
                "guardduty:DisassociateMembers",
                "guardduty:StopMonitoringMembers",
                "guardduty:UpdateDetector",
                "guardduty:UpdateIPSet",
                "guardduty:UpdateMemberDetectors",
                "guardduty:UpdateOrganizationConfiguration",
                "guardduty:UpdateT*",
                "inspector2:BatchUpdateMemberEc2DeepInspectionStatus",
                "inspector2:Disable*",
                "inspector2:DisassociateMember",
                "inspector2:UpdateConfiguration",
                "inspector2:UpdateOrganizationConfiguration",
                "macie2:DeleteMember",
                "macie2:Disable*",
                "macie2:Disassociate*",
                "macie2:UpdateMacieSession",
                "macie2:UpdateMemberSession",
                "macie2:UpdateOrganizationConfiguration",
                "securityhub:BatchDisableStandards",
                "securityhub:DeleteConfigurationPolicy",
                "securityhub:DeleteFindingAggregator",
                "securityhub:DeleteMembers",
                "securityhub:Disable*",
                "securityhub:Disassociate*",
                "securityhub:UpdateOrganizationConfiguration",
                "securityhub:UpdateSecurityHubConfiguration",
            ),
            when={"StringNotEquals": deployment.not_made_by_it},
            unless_arn=(CLOUDFORMATION,),
        )
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def records(*, deployment: Deployment) -> list[Statement]:
    """Nobody stops a record of the network or of a workload: flow logs, DNS query logs, log groups with the deployment's
    prefix, their keys, masks, retention and delivery; nobody lifts the mask from what is masked.

    Exempt: CloudFormation at work for the pipeline, and functions of its templates. Log groups without the prefix, such as
    an engineer's own in a sandbox, are not meant.
    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam.html
    """
    return [
        deny(
            "NetworkRecords",
            (
                "ec2:DeleteFlowLogs",
                "route53resolver:DeleteResolverQueryLogConfig",
                "route53resolver:DisassociateResolverQueryLogConfig",
                "wafv2:DeleteLoggingConfiguration",
                "wafv2:PutLoggingConfiguration",
            ),
            unless_arn=(CLOUDFORMATION,),
        ),
        deny(
            "WorkloadRecords",
            (
                "logs:AssociateKmsKey",
                "logs:DeleteDataProtectionPolicy",
                "logs:DeleteLogGroup",
                "logs:DeleteLogStream",
                "logs:DeleteMetricFilter",
                "logs:DeleteRetentionPolicy",
                "logs:DeleteSubscriptionFilter",
                "logs:DisassociateKmsKey",
                "logs:PutDataProtectionPolicy",
                "logs:PutRetentionPolicy",
                "logs:PutSubscriptionFilter",
                "logs:Unmask",
            ),
            on=tuple(
                f"arn:aws:logs:*:*:log-group:{name}"
                for name in (
                    f"/{deployment.prefix}/*",
                    # Of databases, canaries, events and APIs, which AWS names.
                    f"/aws/*{deployment.prefix}*",
                    "API-Gateway-Execution-Logs_*",
                    "RDSOSMetrics",
                    "aws-waf-logs-*",
                )
            ),
            unless_arn=(CLOUDFORMATION,),
        ),
        deny(
            "Deliveries",
            (
                "firehose:DeleteDeliveryStream",
                "firehose:StopDeliveryStreamEncryption",
                "firehose:UpdateDestination",
                "logs:DeleteDelivery*",
            ),
            unless_arn=(CLOUDFORMATION,),
        ),
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def network_defences(*, deployment: Deployment) -> list[Statement]:
    """Nobody opens the DNS firewall, the network firewall, the web ACLs or the block of public access that a VPC has.

    Exempt: CloudFormation at work for the pipeline, and functions of its templates, which set what CloudFormation cannot.
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-vpc-protections.html
    """
    return [
        deny(
            "NetworkDefences",
            (
                "ec2:*VpcBlockPublicAccessExclusion",
                "ec2:ModifyVpcBlockPublicAccessOptions",
                "network-firewall:Delete*",
                "network-firewall:Disassociate*",
                "network-firewall:Update*",
                "route53resolver:DeleteFirewall*",
                "route53resolver:DisassociateFirewallRuleGroup",
                "route53resolver:ImportFirewallDomains",
                "route53resolver:UpdateFirewall*",
                "shield:DeleteProtection",
                "shield:DeleteSubscription",
                "shield:DisassociateDRTRole",
                "wafv2:DeleteFirewallManagerRuleGroups",
                "wafv2:DeleteWebACL",
                "wafv2:DisassociateWebACL",
                "wafv2:UpdateIPSet",
                "wafv2:UpdateRuleGroup",
                "wafv2:UpdateWebACL",
            ),
            when={"StringNotEquals": deployment.not_made_by_it},
            unless_arn=(CLOUDFORMATION,),
        )
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def archive(*, deployment: Deployment) -> list[Statement]:
    """In the accounts that keep evidence nobody deletes an object or a version, shortens or bypasses a lock, or changes
    a bucket's policy, lifecycle, replication, encryption or versioning.

    Exempt: CloudFormation at work for the pipeline for the buckets' settings, nobody for their objects; what a lifecycle
    rule deletes when its time is over, S3 deletes itself.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
    """
    buckets = (f"arn:aws:s3:::{deployment.prefix}-*", f"arn:aws:s3:::aws-waf-logs-{deployment.prefix}-*")
    return [
        deny(
            "ArchivedObjects",
            (
                "s3:BypassGovernanceRetention",
                "s3:DeleteObject",
                "s3:DeleteObjectVersion",
                "s3:PutObjectAcl",
                "s3:PutObjectLegalHold",
                "s3:PutObjectRetention",
                "s3:PutObjectVersionAcl",
            ),
            on=tuple(f"{bucket}/*" for bucket in buckets),
        ),
        deny(
            "ArchiveBuckets",
            (
                "s3:DeleteBucket",
                "s3:DeleteBucketPolicy",
                "s3:PutBucketAcl",
                "s3:PutBucketObjectLockConfiguration",
                "s3:PutBucketOwnershipControls",
                "s3:PutBucketPolicy",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketVersioning",
                "s3:PutEncryptionConfiguration",
                "s3:PutLifecycleConfiguration",
                "s3:PutReplicationConfiguration",
            ),
            on=buckets,
            unless_arn=(CLOUDFORMATION,),
        ),
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def backups(*, deployment: Deployment) -> list[Statement]:
    """Nobody deletes a recovery point or a vault, opens or unlocks one, shortens a recovery point's life, or stops a plan.

    Exempt: CloudFormation at work for the pipeline for vaults and plans, functions of its templates for what a region
    backs up, nobody for recovery points; what has outlived its retention, AWS Backup deletes itself.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
    """
    return [
        deny(
            "RecoveryPoints",
            ("backup:DeleteRecoveryPoint", "backup:DisassociateRecoveryPoint*", "backup:UpdateRecoveryPointLifecycle"),
        ),
        deny(
            "Vaults",
            (
                "backup:DeleteBackup*",
                "backup:DeleteFramework",
                "backup:DeleteRestoreTesting*",
                "backup:PutBackupVaultAccessPolicy",
                "backup:PutBackupVaultLockConfiguration",
                "backup:UpdateBackupPlan",
                "backup:UpdateRestoreTesting*",
                "dynamodb:DeleteBackup",
                "dynamodb:UpdateContinuousBackups",
                "rds:DeleteDBClusterAutomatedBackup",
                "rds:DeleteDBInstanceAutomatedBackup",
            ),
            unless_arn=(CLOUDFORMATION,),
        ),
        deny(
            "BackupSettings",
            ("backup:UpdateGlobalSettings", "backup:UpdateRegionSettings"),
            when={"StringNotEquals": deployment.not_made_by_it},
        ),
        deny(
            "Snapshots",
            ("rds:DeleteDBClusterSnapshot", "rds:DeleteDBSnapshot"),
            on=("arn:aws:rds:*:*:cluster-snapshot:awsbackup:*", "arn:aws:rds:*:*:snapshot:awsbackup:*"),
            unless_arn=(deployment.backup_roles,),
        ),
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def keys(*, deployment: Deployment) -> list[Statement]:
    """Nobody deletes, disables or gives away a key of the deployment, which would destroy everything it encrypts at once.

    Exempt: CloudFormation at work for the pipeline; key administrators and the function that contains incidents, who may
    switch a key off and on again but never use it; an engineer's own key, which lacks the deployment's tag, is not meant.
    https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
    """
    return [
        deny(
            "Keys",
            (
                "kms:DeleteImportedKeyMaterial",
                "kms:DisableKeyRotation",
                "kms:PutKeyPolicy",
                "kms:ScheduleKeyDeletion",
                "kms:TagResource",
                "kms:UntagResource",
                "kms:UpdatePrimaryRegion",
            ),
            when={"StringEquals": {"aws:ResourceTag/palisade:deployment": deployment.name}},
            unless_arn=(CLOUDFORMATION,),
        ),
        deny(
            "KeysSwitchedOff",
            ("kms:DisableKey",),
            when={"StringEquals": {"aws:ResourceTag/palisade:deployment": deployment.name}},
            unless_arn=(CLOUDFORMATION, deployment.job("key-administrator"), deployment.containment),
        ),
        deny(
            "GrantsForPeople",
            ("kms:CreateGrant",),
            when={
                "StringEquals": {"aws:ResourceTag/palisade:deployment": deployment.name},
                "BoolIfExists": {"kms:GrantIsForAWSResource": "false"},
            },
        ),
    ]
