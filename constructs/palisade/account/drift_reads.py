"""What CloudFormation reads, with the caller's rights, to compare resources with their templates."""

from __future__ import annotations

from collections.abc import Mapping

READS: Mapping[str, str] = {
    "access-analyzer": "GetAnalyzer ListAnalyzers ListArchiveRules",
    "acm": "Describe* List*",
    "apigateway": "GET",
    "athena": "GetNamedQuery GetWorkGroup ListTagsForResource",
    "autoscaling": "Describe*",
    "backup": "Describe* GetBackupPlan GetBackupSelection GetBackupVault* GetRestoreTesting* ListTags",
    "cloudfront": "Describe* Get* List*",
    "cloudtrail": "DescribeTrails GetEvent* GetInsightSelectors GetTrail* ListTags",
    "cloudwatch": "DescribeAlarms GetDashboard ListTagsForResource",
    "cognito-idp": "DescribeIdentityProvider DescribeManagedLoginBranding DescribeRiskConfiguration DescribeUserPool "
    "DescribeUserPoolClient DescribeUserPoolDomain GetGroup GetLogDeliveryConfiguration GetUserPoolMfaConfig "
    "GetWebACLForResource",
    "config": "Describe* ListTagsForResource",
    "dynamodb": "DescribeContinuousBackups DescribeContributorInsights DescribeKinesisStreamingDestination DescribeTable "
    "DescribeTimeToLive GetResourcePolicy ListTagsOfResource",
    "ec2": "Describe*",
    "ecr": "DescribeRepositories GetLifecyclePolicy GetRegistryScanningConfiguration GetRepositoryPolicy ListTagsForResource",
    "elasticloadbalancing": "Describe* Get*",
    "events": "Describe* List*",
    "firehose": "Describe* List*",
    "glue": "GetDatabase GetTable",
    "guardduty": "GetDetector ListTagsForResource",
    "iam": "Get* List*",
    "identitystore": "DescribeGroup",
    "kms": "Describe* GetKey* List*",
    "lambda": "Get* List*",
    "logs": "Describe* GetDataProtectionPolicy GetDelivery* GetLogDelivery ListLogDeliveries ListTagsForResource",
    "macie2": "GetMacieSession ListAutomatedDiscoveryAccounts",
    "network-firewall": "Describe* List*",
    "organizations": "Describe* List*",
    "rds": "Describe* ListTagsForResource",
    "route53": "Get* List*",
    "route53resolver": "Get* List*",
    "s3": "GetAccelerateConfiguration GetAnalyticsConfiguration GetBucket* GetEncryptionConfiguration "
    "GetIntelligentTieringConfiguration GetInventoryConfiguration GetLifecycleConfiguration GetMetricsConfiguration "
    "GetReplicationConfiguration ListAllMyBuckets ListBucket ListTagsForResource",
    "secretsmanager": "DescribeSecret",
    "securityhub": "DescribeHub DescribeOrganizationConfiguration GetConfigurationPolic* GetFindingAggregator "
    "ListOrganizationAdminAccounts ListTagsForResource",
    "shield": "Describe* List*",
    "sns": "Get* List*",
    "sqs": "GetQueueAttributes ListQueueTags",
    "sso": "Describe* Get* List*",
    "ssm": "Describe* GetDefaultPatchBaseline GetDocument GetMaintenanceWindow GetMaintenanceWindowTask GetPatchBaseline "
    "GetServiceSetting ListTagsForResource",
    "states": "DescribeStateMachine ListTagsForResource",
    "synthetics": "Describe* GetCanary ListTagsForResource",
    "wafv2": "Get* List*",
}
"""Actions by service, with an asterisk only where nothing that begins so shows what people put in."""

ACTIONS = tuple(f"{service}:{name}" for service, names in READS.items() for name in names.split())
"""The same as IAM writes them."""
