"""What people may look at, by how much it tells.

Rights are lists of statements, from which permission sets and roles are put together.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from palisade.identity.ground import Ground

_CONFIGURATION = [
    "acm:DescribeCertificate",
    "acm:ListCertificates",
    "athena:ListWorkGroups",
    "autoscaling:Describe*",
    "backup:Describe*",
    "backup:GetBackupPlan",
    "backup:GetBackupSelection",
    "backup:List*",
    "cloudformation:Describe*",
    "cloudformation:GetTemplate",
    "cloudformation:List*",
    "cloudfront:GetDistribution",
    "cloudfront:GetDistributionConfig",
    "cloudfront:List*",
    "cloudwatch:Describe*",
    "cloudwatch:Get*",
    "cloudwatch:List*",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:ListTables",
    "ec2:Describe*",
    "elasticloadbalancing:Describe*",
    "events:DescribeRule",
    "events:List*",
    "firehose:DescribeDeliveryStream",
    "firehose:ListDeliveryStreams",
    "health:Describe*",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:List*",
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListAliases",
    "kms:ListKeys",
    "lambda:GetAccountSettings",
    "lambda:GetFunctionConcurrency",
    "lambda:GetFunctionConfiguration",
    "lambda:GetPolicy",
    "lambda:List*",
    "logs:DescribeLogGroups",
    "logs:DescribeMetricFilters",
    "logs:DescribeSubscriptionFilters",
    "network-firewall:Describe*",
    "network-firewall:List*",
    "rds:Describe*",
    "route53:GetHostedZone",
    "route53:List*",
    "route53resolver:List*",
    "s3:GetBucketLocation",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:ListAllMyBuckets",
    "secretsmanager:DescribeSecret",
    "secretsmanager:ListSecrets",
    "servicequotas:Get*",
    "servicequotas:List*",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:ListTopics",
    "sqs:GetQueueAttributes",
    "sqs:ListDeadLetterSourceQueues",
    "sqs:ListQueues",
    "ssm:DescribeInstanceInformation",
    "ssm:DescribeParameters",
    "ssm:DescribeSessions",
    "ssm:ListDocuments",
    "states:DescribeStateMachine",
    "states:ListExecutions",
    "states:ListStateMachines",
    "synthetics:DescribeCanaries",
    "synthetics:DescribeCanariesLastRun",
    "synthetics:GetCanary",
    "synthetics:GetCanaryRuns",
    "tag:GetResources",
    "wafv2:GetWebACL",
    "wafv2:List*",
]
"""How things are set up and how they fare. Nothing here answers with what a customer wrote."""

CUSTOMER_DATA = [
    "athena:GetQueryResults",
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:GetRecords",
    "dynamodb:PartiQLSelect",
    "dynamodb:Query",
    "dynamodb:Scan",
    "ebs:GetSnapshotBlock",
    "firehose:PutRecord",
    "kms:Decrypt",
    "lambda:InvokeFunction",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:GetLogRecord",
    "logs:GetQueryResults",
    "logs:StartLiveTail",
    "logs:StartQuery",
    "logs:Unmask",
    "rds-data:ExecuteStatement",
    "rds-db:connect",
    "rds:DownloadDBLogFilePortion",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:ListBucket",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "sqs:ReceiveMessage",
    "ssm:GetParameter",
    "ssm:GetParameterHistory",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
    "ssm:StartSession",
    "wafv2:GetSampledRequests",
]
"""Actions that answer with customers' data, with what leads to it, or with logs."""

_AUDIT = [
    "access-analyzer:Get*",
    "access-analyzer:List*",
    "account:GetAlternateContact",
    "cloudtrail:Describe*",
    "cloudtrail:GetTrail",
    "cloudtrail:GetTrailStatus",
    "cloudtrail:GetEventSelectors",
    "cloudtrail:List*",
    "cloudtrail:LookupEvents",
    "config:Describe*",
    "config:Get*",
    "config:List*",
    "config:SelectAggregateResourceConfig",
    "config:SelectResourceConfig",
    "guardduty:Get*",
    "guardduty:List*",
    "iam:GenerateCredentialReport",
    "iam:GenerateServiceLastAccessedDetails",
    "iam:Get*",
    "iam:SimulateCustomPolicy",
    "iam:SimulatePrincipalPolicy",
    "inspector2:Get*",
    "inspector2:List*",
    "macie2:Describe*",
    "macie2:GetFindings",
    "macie2:GetFindingStatistics",
    "macie2:List*",
    "organizations:Describe*",
    "organizations:List*",
    "securityhub:BatchGet*",
    "securityhub:Describe*",
    "securityhub:Get*",
    "securityhub:List*",
    "sso:Describe*",
    "sso:Get*",
    "sso:List*",
]
"""Findings, configuration history and who did what; a sensitive-data finding says where it is, not what."""


def configuration() -> list[iam.PolicyStatement]:
    """How everything is set up and how it fares."""
    rest_apis = ["/restapis", "/restapis/*", "/domainnames", "/domainnames/*"]
    return [
        iam.PolicyStatement(sid="Configuration", actions=_CONFIGURATION, resources=["*"]),
        # GET of everything would include API keys.
        iam.PolicyStatement(
            sid="Apis", actions=["apigateway:GET"], resources=[f"arn:aws:apigateway:*::{path}" for path in rest_apis]
        ),
    ]


def bearings(ground: Ground) -> list[iam.PolicyStatement]:
    """What somebody in an emergency needs to find their way: what there is, and how the stage's own things fare."""
    return [
        iam.PolicyStatement(
            sid="WhatThereIs",
            actions=[
                "autoscaling:Describe*",
                "backup:ListBackupVaults",
                "backup:ListRestoreJobs",
                "cloudformation:ListStacks",
                "cloudfront:ListDistributions",
                "cloudwatch:GetMetricData",
                "cloudwatch:ListMetrics",
                "dynamodb:ListTables",
                "ec2:Describe*",
                "elasticloadbalancing:Describe*",
                "kms:ListAliases",
                "lambda:ListEventSourceMappings",
                "lambda:ListFunctions",
                "rds:Describe*",
                "s3:ListAllMyBuckets",
                "sns:ListTopics",
                "sqs:ListQueues",
            ],
            resources=["*"],
        ),
        iam.PolicyStatement(
            sid="HowItFares",
            actions=[
                "backup:DescribeRecoveryPoint",
                "backup:ListRecoveryPointsByBackupVault",
                "cloudformation:DescribeStackEvents",
                "cloudformation:DescribeStackResources",
                "cloudformation:DescribeStacks",
                "cloudwatch:DescribeAlarms",
                "dynamodb:DescribeTable",
                "lambda:GetFunctionConfiguration",
                "sqs:GetQueueAttributes",
            ],
            resources=[
                *ground.arns("backup", "backup-vault:*", "recovery-point:*"),
                *ground.arns("rds", "cluster-snapshot:awsbackup:*"),
                *ground.arns("cloudformation", "stack/{stage}-*"),
                *ground.arns("cloudwatch", "alarm:*"),
                *ground.arns("dynamodb", "table/*"),
                *ground.arns("lambda", "function:{stage}-*"),
                *ground.arns("sqs", "{stage}-*"),
            ],
        ),
    ]


def findings() -> list[iam.PolicyStatement]:
    """What auditors and the security team look at, in every account."""
    return [iam.PolicyStatement(sid="Audit", actions=_AUDIT, resources=["*"])]


def never_customer_data() -> list[iam.PolicyStatement]:
    """Refuses customers' data also where a resource's own policy would hand it out."""
    return [
        iam.PolicyStatement(sid="NeverCustomerData", effect=iam.Effect.DENY, actions=CUSTOMER_DATA, resources=["*"])
    ]


def server_logs(ground: Ground) -> list[iam.PolicyStatement]:
    """What components logged: neither recorded sessions nor the database's log, which may show a customer's data."""
    read = [
        "logs:DescribeLogStreams",
        "logs:FilterLogEvents",
        "logs:GetLogEvents",
        "logs:GetLogGroupFields",
        "logs:GetQueryResults",
        "logs:StartLiveTail",
        "logs:StartQuery",
    ]
    groups = [
        f"log-group:{name}"
        for name in (f"/{ground.prefix}/*", f"/aws/events/{ground.prefix}/*", "API-Gateway-Execution-Logs_*")
    ]
    return [
        iam.PolicyStatement(sid="ServerLogs", actions=read, resources=ground.arns("logs", *groups)),
        iam.PolicyStatement(
            sid="LogQueries",
            actions=["logs:DescribeLogGroups", "logs:DescribeQueries", "logs:StopQuery"],
            resources=["*"],
        ),
        iam.PolicyStatement(
            sid="NeverSessionRecords",
            effect=iam.Effect.DENY,
            actions=[action for action in read if action != "logs:DescribeLogStreams"],
            resources=ground.arns("logs", f"log-group:/{ground.prefix}/access/*"),
        ),
    ]


def billing() -> list[iam.PolicyStatement]:
    """Invoices, costs and budgets of the organization; no resource of any account.

    https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/billing-permissions-ref.html
    """
    return [
        iam.PolicyStatement(
            sid="Billing",
            actions=[
                "account:GetAccountInformation",
                "billing:GetBilling*",
                "billing:GetContractInformation",
                "billing:GetCredits",
                "billing:GetSellerOfRecord",
                "billing:ListBillingViews",
                "budgets:ViewBudget",
                "ce:Describe*",
                "ce:Get*",
                "ce:List*",
                "consolidatedbilling:Get*",
                "consolidatedbilling:List*",
                "cur:DescribeReportDefinitions",
                "freetier:Get*",
                "invoicing:Get*",
                "invoicing:List*",
                "payments:Get*",
                "payments:List*",
                "pricing:Describe*",
                "pricing:GetProducts",
                "tax:Get*",
                "tax:List*",
            ],
            resources=["*"],
        ),
        iam.PolicyStatement(sid="Pay", actions=["payments:MakePayment"], resources=["*"]),
        iam.PolicyStatement(sid="Budgets", actions=["budgets:ModifyBudget"], resources=["arn:aws:budgets::*:budget/*"]),
    ]
