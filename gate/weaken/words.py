"""What weakens: property names and values, classified once for every type of resource.

Nothing here names a resource or a type's instance. A Boolean whose name no pattern knows fails the test, so that a new
resource's switches are thought about once, when they first appear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

GUARDS = re.compile(
    r"^(Enabled?|SSEEnabled|Encrypted|StorageEncrypted|BlockPublic\w+|IgnorePublicAcls|RestrictPublicBuckets|BucketKeyEnabled|"
    r"ObjectLockEnabled|EnableKeyRotation|DeletionProtection(Enabled)?|EnableIAMDatabaseAuthentication|ManageMasterUserPassword|"
    r"PerformanceInsightsEnabled|EnablePerformanceInsights|CopyTagsToSnapshot|PointInTimeRecoveryEnabled|"
    r"IsLogging|IsMultiRegionTrail|IncludeGlobalServiceEvents|IncludeManagementEvents|EnableLogFileValidation|IsOrganizationTrail|"
    r"EnforceWorkGroupConfiguration|TracingEnabled|DisableExecuteApiEndpoint|ApiKeyRequired|EnableDnsSupport|EnableDnsHostnames|"
    r"PrivateDnsEnabled|CloudWatchMetricsEnabled|MetricsEnabled|Override|IncludeSubdomains|Preload|DeleteProtection|"
    r"FirewallPolicyChangeProtection|SubnetChangeProtection|EnableContinuousBackup|StartCanaryAfterCreation|Monitoring|"
    r"ActionsEnabled|s3EncryptionEnabled|cloudWatchEncryptionEnabled|AllSupported|IncludeGlobalResourceTypes|"
    r"AutoEnableControls|ServiceEnabled|ContainsPublicSource|AllowAdminCreateUserOnly|EnableTokenRevocation|Require(Lowercase|Uppercase|Numbers|Symbols)|"
    r"Require\w+Characters|BlockInternet|StartedOnCreate|AutoMinorVersionUpgrade|XrayTracingEnabled|Encryption\w*|"
    r"PublishCloudWatchMetricsEnabled)$"
)
"""Booleans that protect while true."""

OPENS = re.compile(
    r"^(PubliclyAccessible|MapPublicIpOnLaunch|AssociatePublicIpAddress|DataTraceEnabled|IncludeExecutionData|Inverted|Disabled|"
    r"AssignIpv6AddressOnCreation|BypassPolicyLockoutSafetyCheck|PrivilegedMode|InsufficientDataHealthStatus|Cookies|IncludeCookies|"
    r"CaseSensitive)$"
)
"""Booleans that expose while true."""

NEUTRAL: Mapping[str, str] = {
    "method.request.header.X-Slack-Request-Timestamp": "the function behind the door refuses what does not bear it",
    "method.request.header.X-Slack-Signature": "the function behind the door refuses what does not bear it",
    "AutoEnable": "whether Security Hub is on in new accounts without a policy; central configuration demands false",
    "EnableDefaultStandards": "two standards that AWS picks; those that are wanted are named",
    "Egress": "the direction of an access list's rule; opening its block and ports is tried instead",
    "SampledRequestsEnabled": "samples hold headers of requests: on or off, a choice of privacy against diagnosis",
    "EnableHttpEndpoint": "the Data API, reached by IAM only",
    "AllowMajorVersionUpgrade": "which upgrade a later deployment may make",
    "IsIPV6Enabled": "which protocol answers",
    "IPV6Enabled": "which protocol answers",
    "Compress": "size of answers",
    "SmoothStreaming": "a media format",
    "EnableSNI": "how a health check says which name it asks for",
    "MeasureLatency": "a measurement of its own",
    "DisableScaleIn": "how an instance group shrinks",
    "RawMessageDelivery": "the envelope of a message",
    "ReadOnly": "how a volume is mounted",
    "NewInstancesProtectedFromScaleIn": "how an instance group shrinks",
    "DeleteOnTermination": "whether a stateless machine's volume outlives it",
    "EbsOptimized": "speed",
    "Negated": "the sense of a match, tried as an allow rule instead",
    "ReturnData": "which expression of an alarm is shown",
    "ValidateRequestBody": "shape of requests, which the function validates again",
    "ValidateRequestParameters": "shape of requests, which the function validates again",
    "CachingEnabled": "whether answers are kept; with encryption judged where on",
    "CacheDataEncrypted": "judged where caching is on",
    "PauseClusterEnabled": "cost",
    "GenerateDistinctId": "a key's id",
    "ExcludePunctuation": "an alphabet of passwords",
    "IncludeSpace": "an alphabet of passwords",
    "RequireEachIncludedType": "an alphabet of passwords",
    "AllowUsersToChangePassword": "whether a person may choose an own password, of the kind that is demanded",
    "AllowUnassociatedTargets": "whether a task may name machines that the window does not",
    "DefaultBaseline": "whether a baseline is for machines without a patch group; the gate demands groups",
    "EnableNonSecurity": "which patches are installed",
    "ApplyOnlyAtCronInterval": "when patches are installed",
    "projection.enabled": "how Athena finds partitions",
    "StoredAsSubDirectories": "how Athena reads",
    "Compressed": "how Athena reads",
    "EvaluateTargetHealth": "how DNS answers",
    "ExpiredObjectDeleteMarker": "a marker of lifecycle",
    "OptInToArchiveForSupportedResources": "which tier keeps backups",
    "BisectBatchOnFunctionError": "how a failing batch is narrowed",
    "PropagateAtLaunch": "whether machines carry the group's tag",
    "AutoDeploy": "tooling",
    "DeleteAutomatedBackups": "what happens to automated backups after a deletion, which is refused",
    "HiveCompatiblePartitions": "how a log's keys are spelt",
    "PerHourPartition": "how a log's keys are spelt",
    "cloudWatchStreamingEnabled": "when a session's record is written, not whether",
    "ActiveTracing": "whether a canary's own requests are traced; what they reach is traced by itself",
    "AutoPublish": "whether a viewer function's new code is live at once",
    "RecursiveDeleteOption": "whether a workgroup goes with its saved queries",
    "RequesterPaysEnabled": "who pays for reading",
    "EventBridgeEnabled": "whether a bucket tells EventBridge of its objects",
    "HealthCheckEnabled": "whether a function behind a balancer is called to see that it lives",
    "S3EnableHiveCompatiblePath": "how a log's keys are spelt",
    "additionalProperties": "shape of requests, which the function validates again",
    "GenerateSecret": "whether an app that runs on a server has a secret; one in a browser cannot keep any",
    "AllowedOAuthFlowsUserPoolClient": "whether the sign-in pages know the app at all",
    "Mutable": "whether an attribute can change; who may change it, the app client says",
    "Notify": "a mail about a risk that is acted upon anyhow",
    "Required": "which attributes every user has",
    "UseCognitoProvidedValues": "how sign-in pages look",
    "exists": "what an event must hold to match",
    "runAsEnabled": "as whom a session runs on a machine without secrets",
}
"""Booleans that neither protect nor expose, each with the reason."""

WEAKER: Mapping[str, tuple[str, ...]] = {
    "Enabled": ("Disabled", "Suspended"),
    "ENABLED": ("DISABLED",),
    "required": ("optional",),
    "aws:kms": ("AES256",),
    "SSE_KMS": ("SSE_S3",),
    "COMPLIANCE": (),
    "BucketOwnerEnforced": ("ObjectWriter",),
    "redirect-to-https": ("allow-all",),
    "https-only": ("http-only",),
    "HTTPS": ("HTTP",),
    "Active": ("PassThrough",),
    "STRICT": ("BASIC",),
    "always": ("never",),
    "Disable": ("Enable",),
    "DNS": ("EMAIL",),
    "DENY": ("SAMEORIGIN",),
    "CUSTOM": ("NONE",),
    "AWS_IAM": ("NONE",),
    "COGNITO_USER_POOLS": ("NONE",),
    "JWT": ("NONE",),
    "BLOCK": ("ALERT", "ALLOW"),
    "ALL": ("OFF",),
    "JSON": (),
    "block-bidirectional": ("block-ingress", "off"),
    "allow-egress": ("allow-bidirectional",),
    "ON": ("OFF", "OPTIONAL"),
    "IMMUTABLE": ("MUTABLE",),
    "ENHANCED": ("BASIC",),
    "CONTINUOUS_SCAN": ("SCAN_ON_PUSH",),
    "PLUS": ("ESSENTIALS",),
    "ENFORCED": ("AUDIT", "OFF"),
    "CUSTOMER_MANAGED_KEY": ("AWS_OWNED_KEY",),
    "code": ("implicit",),
    "SOFTWARE_TOKEN_MFA": ("SMS_MFA",),
    "ALLOW_USER_SRP_AUTH": ("ALLOW_USER_PASSWORD_AUTH",),
    "aws:forward_to_sfe": ("aws:pass",),
}
"""Words that protect, and those that protect less."""

TLS = re.compile(r"TLS|SSLPolicy|SecurityPolicy_|ELBSecurityPolicy")
OLD_TLS: Mapping[str, str] = {
    "SslPolicy": "ELBSecurityPolicy-2016-08",
    "MinimumProtocolVersion": "TLSv1",
    "SecurityPolicy": "TLS_1_0",
    "TLSSecurityPolicy": "Policy-Min-TLS-1-0-2019-07",
}
"""What each property that names a TLS policy took ten years ago."""

PLAIN_ATTRIBUTES = frozenset({"routing.http2.enabled", "idle_timeout.timeout_seconds"})
"""Attributes of load balancers that neither protect nor expose."""

SHORTENED = re.compile(
    r"^(RetentionInDays|BackupRetentionPeriod|DeleteAfterDays|PendingWindowInDays|MinRetentionDays|Days|MessageRetentionPeriod|"
    r"RecoveryPeriodInDays|AccessControlMaxAgeSec|PasswordLength|MinimumPasswordLength|PasswordReusePrevention|MinimumLength)$"
)
"""Numbers that protect by their length; tried as 1."""

LENGTHENED = re.compile(
    r"^(RotationPeriodInDays|AutomaticallyAfterDays|MaxSessionDuration|AuthorizerResultTtlInSeconds|ThrottlingRateLimit|"
    r"ThrottlingBurstLimit|HttpPutResponseHopLimit|Limit|idleSessionTimeout|MaxPasswordAge|"
    r"(Access|Id|Refresh)TokenValidity|TemporaryPasswordValidityDays)$"
)
"""Numbers that protect by being small; tried a thousand times as large."""

DROPPED = re.compile(
    r"^(Kms\w*|KMS\w*|SSESpecification|BucketEncryption|StreamEncryption|EncryptionConfiguration|EncryptionKey(Arn)?|kmsKeyId|"
    r"PublicAccessBlockConfiguration|OwnershipControls|VersioningConfiguration|LifecycleConfiguration|ObjectLockConfiguration|"
    r"ReplicationConfiguration|LoggingConfiguration|Logging|LoggingConfig|AccessLogSetting|MethodSettings|TracingConfig|TracingConfiguration|"
    r"PermissionsBoundary|VpcConfig|DeadLetterConfig|RedrivePolicy|AlarmActions|Targets|WebACLId|MetadataOptions|RedactedFields|"
    r"TimeToLiveSpecification|PointInTimeRecoverySpecification|EnableCloudwatchLogsExports|DBClusterParameterGroupName|DBSubnetGroupName|"
    r"DataProtectionPolicy|RetentionInDays|LockConfiguration|AccessPolicy|CopyActions|Lifecycle|InsightSelectors|AdvancedEventSelectors|"
    r"LogFormat|LogDestination|ResponseHeadersPolicyId|SecurityHeadersConfig|StrictTransportSecurity|ContentSecurityPolicy|FrameOptions|"
    r"ContentTypeOptions|ReferrerPolicy|ViewerCertificate|SecurityGroupIds|SecurityGroupEgress|FirewallRules|"
    r"OriginAccessControlId|SslPolicy|Certificates|AuthorizerId|IdentitySource|Throttle|SourceArn|LoadBalancerAttributes|"
    r"MasterUserSecret|TreatMissingData|ScheduleExpression|s3BucketName|cloudWatchLogGroupName|idleSessionTimeout|maxSessionDuration|"
    r"BytesScannedCutoffPerQuery|ResultConfiguration|Timeout|AbortIncompleteMultipartUpload|NoncurrentVersionExpiration|"
    r"SecurityPolicy|EndpointAccessMode|MinimumProtocolVersion|StatefulDefaultActions|StatefulRuleGroupReferences|"
    r"DestinationConfig|KeyConfiguration|RefreshTokenRotation|UserPoolAddOns|AdminCreateUserConfig|WriteAttributes|PreventUserExistenceErrors)$"
)
"""Properties, at any depth, that protect by being there; tried without."""

LISTS = re.compile(
    r"^(Rules|FirewallRules|BackupPlanRule|CopyActions|InsightSelectors|AdvancedEventSelectors|RedactedFields|LoadBalancerAttributes|"
    r"EnableCloudwatchLogsExports|Accounts|DataAccounts|Scans|TrustedServices|DelegatedServices|EnabledStandardIdentifiers|AwsRegions)$"
)
"""Lists each of whose items protects; tried without one."""

DESTINATIONS = re.compile(
    r"^(LogDestination|DestinationArn|DestinationBucketName|S3BucketName|s3BucketName|DestinationResourceArn|ArtifactS3Location|"
    r"DestinationBackupVaultArn|OutputLocation|LogDestinationConfigs)$"
)
"""Where evidence and copies go; tried as somebody else's bucket."""

PROTECTIVE_TYPES = re.compile(
    r"Custom::(CoverAccounts|DelegateDetection)|"
    r"AWS::(GuardDuty::Detector|SecurityHub::\w+|Macie::Session|AccessAnalyzer::Analyzer|Events::Archive|Config::(ConformancePack|ConfigurationAggregator)|S3::BucketPolicy|SNS::TopicPolicy|SQS::QueuePolicy|EC2::FlowLog|EC2::SubnetNetworkAclAssociation|"
    r"WAFv2::(WebACLAssociation|LoggingConfiguration)|CloudTrail::Trail|SecretsManager::RotationSchedule|"
    r"Backup::(BackupPlan|BackupSelection|RestoreTestingPlan|RestoreTestingSelection)|Route53Resolver::\w+Association|"
    r"NetworkFirewall::LoggingConfiguration|Logs::DeliverySource|Events::Rule|Logs::MetricFilter|CloudWatch::Alarm|"
    r"EC2::VPCBlockPublicAccessOptions|Route53Resolver::FirewallConfig|"
    r"SSM::(ServiceSetting|MaintenanceWindow\w*|PatchBaseline|Association)|"
    r"Config::(ConfigurationRecorder|DeliveryChannel)|"
    r"Cognito::(LogDeliveryConfiguration|UserPoolRiskConfigurationAttachment))"
)
"""Types whose resources only protect others; tried without."""
