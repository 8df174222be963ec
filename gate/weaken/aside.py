"""Which changes drawn by chance are no weakenings, each kind with its reason; what no rule here names counts as one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from assembly import Resource
from assembly.change import GONE, Path
from assembly.identity import IDENTITIES
from gate.invariants.data import STATEFUL
from gate.schemas import demanded
from gate.weaken import words
from gate.world import at


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One change that chance made: where, in which way, and what stood there."""

    resource: Resource
    path: Path
    way: str
    was: Any
    new: Any

    @property
    def name(self) -> str:
        """The last property name on the path."""
        return next((part for part in reversed(self.path) if isinstance(part, str)), "")

    @property
    def place(self) -> str:
        """The path with dots."""
        return ".".join(map(str, self.path))

    @property
    def text(self) -> str:
        """Tells two draws apart."""
        return f"{self.resource.path} {self.place} {self.way} {self.new!r:.80}"


def aside(one: Draw, chosen_tags: Collection[str]) -> str | None:
    """The reason why a draw is no weakening, or None if it counts as one."""
    if any(str(part) in {"Tags", "TagSpecifications"} for part in one.path):
        tag = (
            at(one.resource.properties, *one.path[:2], default={})
            if one.path[0] == "Tags" and len(one.path) > 1
            else {}
        )
        if at(tag, "Key") not in chosen_tags:
            return "tags that choose nothing"
    for reason, covers in RULES.items():
        if covers(one):
            return reason
    return None


def _refused(one: Draw) -> bool:
    return (
        one.new is GONE
        and isinstance(one.path[-1], str)
        and (
            demanded(one.resource.type, one.path)
            or any((one.resource.type, part) in _NEEDED for part in one.path[-2:])
            or one.name in _PARTS
        )
    ) or (one.resource.type, one.name, one.way) in _REFUSED


_NEEDED = frozenset(
    {
        ("AWS::EC2::SecurityGroup", "CidrIp"),
        ("AWS::EC2::SecurityGroup", "VpcId"),
        ("AWS::EC2::VPCEndpoint", "ServiceName"),
        ("AWS::EC2::VPCEndpoint", "SubnetIds"),
        ("AWS::ElasticLoadBalancingV2::Listener", "Key"),
        ("AWS::ElasticLoadBalancingV2::Listener", "Value"),
        ("AWS::ElasticLoadBalancingV2::ListenerRule", "Field"),
        ("AWS::ElasticLoadBalancingV2::ListenerRule", "PathPatternConfig"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Value"),
        ("AWS::Route53Resolver::FirewallRuleGroup", "FirewallDomainListId"),
        ("AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation", "ResolverQueryLogConfigId"),
        ("AWS::S3::Bucket", "DeleteMarkerReplication"),
        ("AWS::S3::Bucket", "Filter"),
        ("AWS::ApiGateway::DomainName", "DomainName"),
        ("AWS::ApiGateway::DomainName", "RegionalCertificateArn"),
        ("AWS::AutoScaling::AutoScalingGroup", "LaunchTemplateId"),
        ("AWS::CloudFront::Distribution", "Origins"),
        ("AWS::DynamoDB::Table", "AttributeDefinitions"),
        ("AWS::ElasticLoadBalancingV2::ListenerRule", "ListenerArn"),
        ("AWS::ElasticLoadBalancingV2::ListenerRule", "Values"),
        ("AWS::IAM::ServiceLinkedRole", "AWSServiceName"),
        ("AWS::NetworkFirewall::Firewall", "VpcId"),
        ("AWS::NetworkFirewall::RuleGroup", "StatefulRuleOptions"),
        ("AWS::SSM::Association", "Operation"),
        ("AWS::WAFv2::WebACL", "FieldKeys"),
        ("Custom::BlockPublicBuckets", "AccountId"),
        ("AWS::KinesisFirehose::DeliveryStream", "LogStreamName"),
        ("AWS::Logs::DeliverySource", "LogType"),
        ("AWS::Logs::LogStream", "LogStreamName"),
        ("Custom::FindManagedIds", "DomainLists"),
        ("Custom::FindManagedIds", "PrefixLists"),
        ("AWS::AutoScaling::AutoScalingGroup", "LaunchTemplate"),
        ("AWS::CloudWatch::Alarm", "ComparisonOperator"),
        ("AWS::CloudWatch::Alarm", "Threshold"),
        ("AWS::EC2::NatGateway", "AllocationId"),
        ("AWS::EC2::NatGateway", "SubnetId"),
        ("AWS::EC2::NetworkAclEntry", "CidrBlock"),
        ("AWS::EC2::Route", "DestinationCidrBlock"),
        ("AWS::EC2::Route", "GatewayId"),
        ("AWS::EC2::Route", "NatGatewayId"),
        ("AWS::EC2::Route", "VpcEndpointId"),
        ("AWS::EC2::SecurityGroupEgress", "CidrIp"),
        ("AWS::EC2::SecurityGroupEgress", "DestinationPrefixListId"),
        ("AWS::EC2::SecurityGroupEgress", "DestinationSecurityGroupId"),
        ("AWS::EC2::SecurityGroupIngress", "GroupId"),
        ("AWS::EC2::SecurityGroupIngress", "SourcePrefixListId"),
        ("AWS::EC2::SecurityGroupIngress", "SourceSecurityGroupId"),
        ("AWS::EC2::Subnet", "CidrBlock"),
        ("AWS::EC2::VPC", "CidrBlock"),
        ("AWS::EC2::VPCGatewayAttachment", "InternetGatewayId"),
        ("AWS::Lambda::Function", "Handler"),
        ("AWS::NetworkFirewall::Firewall", "SubnetMappings"),
        ("AWS::RDS::DBInstance", "DBInstanceClass"),
        ("AWS::RDS::DBInstance", "Engine"),
        ("AWS::SNS::Subscription", "Endpoint"),
        ("AWS::WAFv2::WebACL", "Allow"),
    }
)
"""What the service demands although the schema does not."""

_REFUSED = frozenset(
    {
        ("AWS::DynamoDB::Table", "AttributeDefinitions", "drop item"),
        ("AWS::DynamoDB::Table", "AttributeType", "other word"),
        ("AWS::EC2::FlowLog", "LogDestinationType", "other word"),
        ("AWS::EC2::FlowLog", "ResourceType", "other word"),
        ("AWS::EC2::LaunchTemplate", "DeviceIndex", "more"),
        ("AWS::EC2::NetworkAclEntry", "Code", "drop property"),
        ("AWS::NetworkFirewall::FirewallPolicy", "RuleOrder", "other word"),
        ("AWS::NetworkFirewall::RuleGroup", "Type", "other word"),
        ("AWS::S3::Bucket", "Account", "drop property"),
        ("AWS::SSO::Assignment", "InstanceArn", "elsewhere"),
        ("AWS::SSO::InstanceAccessControlAttributeConfiguration", "InstanceArn", "elsewhere"),
        ("AWS::SSO::PermissionSet", "InstanceArn", "elsewhere"),
        ("AWS::EC2::Route", "DestinationCidrBlock", "open"),
        ("AWS::EC2::Subnet", "CidrBlock", "open"),
        ("AWS::ElasticLoadBalancingV2::Listener", "LoadBalancerArn", "elsewhere"),
        ("AWS::ElasticLoadBalancingV2::Listener", "Type", "other word"),
        ("AWS::ElasticLoadBalancingV2::ListenerRule", "ListenerArn", "elsewhere"),
        ("AWS::EC2::VPC", "CidrBlock", "open"),
        ("AWS::EC2::VPCEndpoint", "VpcEndpointType", "other word"),
        ("AWS::ElasticLoadBalancingV2::ListenerRule", "Type", "other word"),
        ("AWS::Lambda::Function", "Runtime", "other word"),
        ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamType", "other word"),
        ("AWS::NetworkFirewall::LoggingConfiguration", "LogDestinationType", "other word"),
        ("AWS::Route53Resolver::FirewallRuleGroup", "BlockResponse", "other word"),
    }
)
"""A type, property and way that the service refuses for what else the resource says."""

_PARTS = frozenset(
    {
        "ConditionKey",
        "ConditionValue",
        "S3Key",
        "S3Bucket",
        "CertificateArn",
        "FromPort",
        "ToPort",
        "From",
        "To",
        "KeySchema",
        "AttributeName",
        "KeyType",
    }
)
"""Halves of a value that make no sense alone."""


def _safer(one: Draw) -> bool:
    if (one.name, str(one.new)) in _SAFER_WORDS or (
        one.way == "open" and at(one.resource.properties, "RuleAction") == "deny"
    ):
        return True
    if one.way == "flip" and isinstance(one.was, bool):
        exposed = one.was and words.OPENS.match(one.name) is not None
        return exposed or one.name in words.NEUTRAL or (not one.was and words.GUARDS.match(one.name) is not None)
    if one.way == "flip":
        return str(one.was) in {"0", "off", "Disabled", "DISABLED", "disabled", "false"}
    number = {"fewer": _SMALL_IS_SAFE, "more": _LARGE_IS_SAFE}.get(one.way)
    return number is not None and number.fullmatch(one.name) is not None


_SMALL_IS_SAFE = re.compile(
    words.LENGTHENED.pattern.removeprefix("^(").removesuffix(")$") + "|UnusedAccessAge|RateLimit|BurstLimit|"
    "ApproveAfterDays|maxSessionDuration|DaysAfterInitiation|ChangeableForDays|StartWindowMinutes|"
    "CompletionWindowMinutes|SecondsUntilAutoPause|maxLength|maximum|MaximumConcurrency|DatapointsToAlarm"
)
_LARGE_IS_SAFE = re.compile(
    words.SHORTENED.pattern.removeprefix("^(").removesuffix(")$")
    + "|PerformanceInsightsRetentionPeriod|FailureRetentionPeriod|SuccessRetentionPeriod|MaximumEventAgeInSeconds|"
    "MaximumRetryAttempts|maxReceiveCount|SelectionWindowDays|minLength|minimum"
)
_SAFER_WORDS = frozenset(
    {
        ("InternetGatewayExclusionMode", "allow-egress"),
        ("MinimumProtocolVersion", "TLSv1.3_2025"),
        ("BlockResponse", "NODATA"),
        ("HttpEndpoint", "disabled"),
        ("TargetTypes", "HTTP_HOST"),
        ("State", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"),
        ("ComparisonOperator", "GreaterThanThreshold"),
        ("ComparisonOperator", "GreaterThanOrEqualToThreshold"),
        ("ComparisonOperator", "GreaterThanUpperThreshold"),
        ("SSEAlgorithm", "aws:kms:dsse"),
        ("TreatMissingData", "breaching"),
        ("LoggingLevel", "INFO"),
    }
)


def _default(one: Draw) -> bool:
    return one.new is GONE and (
        one.was in (False, {}, "", "ENABLED", "enabled", None)
        or one.name in words.NEUTRAL
        or any((one.resource.type, part) in _DEFAULTS for part in one.path)
    )


_DEFAULTS = frozenset(
    {
        ("AWS::ApiGateway::DomainName", "EndpointConfiguration"),
        ("AWS::ApiGateway::RestApi", "EndpointConfiguration"),
        ("AWS::Backup::RestoreTestingPlan", "StartWindowHours"),
        ("AWS::Backup::RestoreTestingSelection", "ValidationWindowHours"),
        ("AWS::DynamoDB::Table", "ContributorInsightsSpecification"),
        ("AWS::DynamoDB::Table", "SSEType"),
        ("AWS::Events::Rule", "RetryPolicy"),
        ("AWS::KMS::Key", "PendingWindowInDays"),
        ("AWS::RDS::DBClusterParameterGroup", "log_statement"),
        ("AWS::RDS::DBClusterParameterGroup", "password_encryption"),
        ("AWS::RDS::DBInstance", "CACertificateIdentifier"),
        ("AWS::Route53Resolver::FirewallRuleGroup", "BlockResponse"),
        ("AWS::Route53Resolver::FirewallRuleGroup", "FirewallDomainRedirectionAction"),
        ("AWS::SecretsManager::Secret", "PasswordLength"),
        ("AWS::RDS::DBClusterParameterGroup", "pgaudit.log_catalog"),
        ("AWS::Synthetics::Canary", "ProvisionedResourceCleanup"),
        ("AWS::RDS::DBInstance", "AutoMinorVersionUpgrade"),
        ("AWS::SQS::Queue", "maxReceiveCount"),
        ("AWS::Synthetics::Canary", "RetryConfig"),
        ("AWS::Synthetics::Canary", "SuccessRetentionPeriod"),
        ("AWS::WAFv2::WebACL", "AssociationConfig"),
        ("AWS::WAFv2::WebACL", "EvaluationWindowSec"),
    }
)
"""Properties that say what would be so without them: the reference page of the type states the same default, or one as safe."""


def _same_callers(one: Draw) -> bool:
    """Everybody is let in who meets a condition that only the callers named before can meet."""
    if one.resource.type == "AWS::Lambda::Permission" and one.name == "SourceAccount" and one.new is GONE:
        return str(one.resource.properties.get("SourceArn", "")).count(":") >= 5  # the ARN names the account
    if "Statement" not in one.path or one.way not in {"widen principal", "drop condition"}:
        return False
    statement = at(one.resource.properties, *one.path[: one.path.index("Statement") + 2], default={})
    if one.way == "drop condition":
        # Said twice: the principal is that account's root already.
        return one.name == "kms:CallerAccount" and str(one.was) in str(statement.get("Principal"))
    keys = {key.lower() for tests in (statement.get("Condition") or {}).values() for key in tests}
    return bool(
        keys & {"aws:principalarn", "aws:principalaccount", "kms:calleraccount", "aws:sourcearn", "aws:sourceaccount"}
    )


def _own_rules(one: Draw) -> bool:
    """A group whose rules are resources of their own keeps those, and not the rule that AWS gives a group without any."""
    return one.resource.type == "AWS::EC2::SecurityGroup" and one.path[0] == "SecurityGroupEgress" and one.new is GONE


def _allows_less(one: Draw) -> bool:
    if one.new is not GONE:
        return False
    holder = at(one.resource.properties, *one.path[:-1])
    return (
        (one.resource.type, one.name) in _ALLOWING
        or (one.name == "FirewallRules" and isinstance(one.was, Mapping) and one.was.get("Action") == "ALLOW")
        or (one.name == "NotEquals" and isinstance(holder, list))
        or one.path[-2:]
        in {("BackupSelection", "Conditions"), ("Conditions", "StringEquals"), ("BackupSelection", "Resources")}
    )


_ALLOWING = frozenset(
    {
        ("AWS::CloudFront::Distribution", "AllowedMethods"),
        ("AWS::CloudFront::Distribution", "CachedMethods"),
        ("AWS::CloudFront::Distribution", "Aliases"),
        ("AWS::EC2::SecurityGroup", "SecurityGroupIngress"),
        ("AWS::EC2::VPCEndpoint", "RouteTableIds"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "SecurityGroups"),
        ("AWS::IAM::ManagedPolicy", "Roles"),
        ("AWS::IAM::Role", "ManagedPolicyArns"),
        ("AWS::NetworkFirewall::RuleGroup", "RulesSourceList"),
        ("AWS::NetworkFirewall::RuleGroup", "Targets"),
        ("AWS::WAFv2::WebACL", "ScopeDownStatement"),
        ("AWS::Route53Resolver::FirewallDomainList", "Domains"),
    }
)
"""What lets in, out or through: less of it closes."""


def _named(pattern: str, *types: str) -> Callable[[Draw], bool]:
    """Whether a property on the path has the name, in a resource of the types (of every type if none is given)."""
    name, kind = re.compile(pattern), re.compile("|".join(types) or ".*")
    return lambda one: (
        kind.search(one.resource.type) is not None
        and any(isinstance(part, str) and name.fullmatch(part) for part in one.path)
    )


def _own_name(one: Draw) -> bool:
    """Its own name, or a word about it: what is found by name is judged where it is looked for."""
    identity = IDENTITIES.get(one.resource.type)
    return (identity is not None and one.path == (identity.name,)) or (
        _LABEL.fullmatch(one.name) is not None and isinstance(one.was, str)
    )


_LABEL = re.compile(
    r"\w*(?<!Domain)(?<!Bucket)(?<!Header)(?<!Vault)(?<!Group)(?<!Stream)(?<!Service)(?<!Metric)Name|\w*Description|description|Comment|"
    r"Id|Sid|Label|Version|Path|DashboardBody|GroupName|VersionDescription|S3KeyPrefix|s3KeyPrefix|LogFilePrefix|StreamName|"
    r"Prefix|ErrorOutputPrefix"
)


def _holds_nothing(one: Draw) -> bool:
    """Settings and machinery; a queue holds what is on its way, which counts."""
    return one.way == "let go" and one.resource.type not in {*STATEFUL, "AWS::SQS::Queue"}


def _watches_more(one: Draw) -> bool:
    """Without dimensions Lambda's metrics are those of every function of the account."""
    return (
        one.new is GONE
        and one.name == "Dimensions"
        and at(one.resource.properties, *one.path[:-1], "Namespace") == "AWS/Lambda"
    )


RULES: Mapping[str, Callable[[Draw], bool]] = {
    "CloudFormation or the service refuses it": _refused,
    "safer than before": _safer,
    "it holds no data": _holds_nothing,
    "what AWS takes by default": _default,
    "allows less, or keeps more, than before": lambda one: _allows_less(one) or _own_rules(one) or _watches_more(one),
    "only the same callers meet the condition that stays": _same_callers,
    "a name or a word about it": _own_name,
    "data's shape: tables, queries, models, dashboards": _named(
        ".*",
        "Glue::",
        "Athena::NamedQuery",
        "ApiGateway::(Model|RequestValidator|Deployment|Resource)",
        "CloudWatch::Dashboard",
    ),
    "which event, in which words": _named("EventPattern|InputTransformer|Input|InputPath", "Events::Rule"),
    "where DNS and certificates point": _named(".*", "Route53::(RecordSet|HealthCheck)", "CertificateManager::"),
    "what a component does, within rights that stay": _named(
        "Environment|EnvironmentVariables|Architectures|Handler|Content|Layers|CompatibleArchitectures|CompatibleRuntimes|Integration|"
        "RequestModels|RequestValidatorId|FunctionAssociations|FunctionConfig|EventSourceArn|FunctionResponseTypes|Script|FunctionCode|UserData|"
        "ProcessingConfiguration|BufferingHints|CompressionFormat|DocumentType|DocumentFormat|schemaVersion|UpdateMethod|"
        "parameters|properties|AuthorizerUri|ResponseTemplates|BasePath|RestApiId|Stage|ApiStages|DefaultRootObject|FixedResponseConfig",
        "Lambda::(Function|LayerVersion|EventSourceMapping)",
        "ApiGateway::",
        "Synthetics::",
        "SSM::Document",
        "Firehose",
        "CloudFront::",
        "ListenerRule",
        "LaunchTemplate",
    ),
    "size, speed and price": _named(
        "MemorySize|MemoryInMB|Timeout|TimeoutInSeconds|BatchSize|MaximumConcurrency|VisibilityTimeout|BillingMode|Transitions|"
        "StorageClass|InstanceType|VolumeSize|VolumeType|MinCapacity|MaxCapacity|SecondsUntilAutoPause|PriceClass|HttpVersion|"
        "EngineVersion|PromotionTier|Capacity|FileFormat|OutputFormat|TTL|ServiceTimeout|Compress|MonitoringInterval|MonitoringRoleArn|"
        "DestinationOptions|MaxRetries|ScalingConfig|CachePolicyId|OriginRequestPolicyId|HealthCheck\\w+|\\w+ThresholdCount|"
        "DurationInSeconds|Priority|RuleNumber|MaxSize|MinSize|PerformanceInsightsRetentionPeriod|DBInstanceClass|LockTimeout|"
        "DatabaseInsightsMode|MaxRetentionDays|S3SuffixPath|RebootOption|ComplianceSeverity|ComplianceLevel|ConfigSnapshotDeliveryProperties|OperatingSystem|maxReceiveCount|RunConfig|StartWindowHours|ValidationWindowHours|DaysAfterInitiation|StreamExceptionPolicy|EngineMode|StorageType|SampledRequestsEnabled|BucketKeyEnabled|AvailabilityZone|Domain"
    ),
    "where tests restore to": _named("RestoreMetadataOverrides|RecoveryPointTypes", "RestoreTesting"),
    "where else a component finds what it needs": _named(
        "ReplicaRegions|NotificationConfiguration|TargetGroupArn|PathPatternConfig"
    ),
    "the type of a published value": _named("Type", "SSM::Parameter"),
    "when machines run": _named(".*", "AutoScaling::(ScalingPolicy|ScheduledAction)"),
    "in whose clock a window is": _named("ScheduleTimezone", "SSM::MaintenanceWindow"),
    "which pages people see, and which group comes first": _named(
        "ManagedLoginVersion|Precedence", "Cognito::UserPool(Domain|Group)"
    ),
    "how sensitive an alarm is, which is design": _named(
        "Threshold|EvaluationPeriods|DatapointsToAlarm|Period|Statistic|ExtendedStatistic|Unit|Metrics|Namespace|TreatMissingData|"
        "OKActions|AlarmRule|InsufficientDataActions",
        "CloudWatch::",
    ),
    "another port or protocol, nothing wider": lambda one: (
        one.way in {"fewer", "more"}
        and one.name in {"Protocol", "FromPort", "ToPort", "From", "To", "Code", "Type", "Port", "portNumber"}
    ),
}
"""By reason: what it covers. The first that fits is counted."""
