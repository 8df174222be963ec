"""A small table of fixed prices: what a resource costs in a month in which nobody uses it.

USD without tax, 730 hours a month, list prices as recorded on :data:`AS_OF` for the pages named beside them. AWS changes
prices: compare before you sign a budget. What is billed by use only (requests, gigabytes, runs beyond a schedule) is
listed in :data:`BY_USE` and counts as zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

AS_OF = date(2026, 11, 21)
HOURS = 730
AREAS = {"us-east-1": "us", "us-east-2": "us", "us-west-2": "us", "eu-west-1": "ie", "eu-central-1": "de"}
"""Regions whose prices the table knows; elsewhere Ireland's are used and the report says so."""

Properties = Mapping[str, Any]
Price = Callable[[Properties, str], float]


def hourly(*, us: float, ie: float, de: float) -> Price:
    """Dollars an hour by area, for every hour of the month."""
    prices = {"us": us, "ie": ie, "de": de}
    return lambda _, area: prices[area] * HOURS


def monthly(dollars: float) -> Price:
    """The same dollars a month everywhere."""
    return lambda _properties, _area: dollars


def _interface_endpoint(properties: Properties, area: str) -> float:
    if properties.get("VpcEndpointType") != "Interface":
        return 0.0
    return {"us": 0.010, "ie": 0.011, "de": 0.012}[area] * HOURS * max(1, len(properties.get("SubnetIds", [])))


def _load_balancer(properties: Properties, area: str) -> float:
    """The balancer itself, and a public address in each of its zones if it faces the internet."""
    zones = len(properties.get("Subnets", [])) if properties.get("Scheme") == "internet-facing" else 0
    return ({"us": 0.0225, "ie": 0.0252, "de": 0.027}[area] + 0.005 * zones) * HOURS


def _web_acl(properties: Properties, _area: str) -> float:
    return 5.0 + 1.0 * len(properties.get("Rules", []))


def _alarm(properties: Properties, _area: str) -> float:
    metrics = [metric for metric in properties.get("Metrics", []) if "MetricStat" in metric]
    price = 0.30 if int(properties.get("Period", 60)) < 60 else 0.10
    return price * max(1, len(metrics))


def _network_firewall(properties: Properties, area: str) -> float:
    return {"us": 0.395, "ie": 0.395, "de": 0.43}[area] * HOURS * len(properties.get("SubnetMappings", []))


def _canary(properties: Properties, _area: str) -> float:
    expression = str(properties.get("Schedule", {}).get("Expression", ""))
    amount, _, unit = expression.removeprefix("rate(").removesuffix(")").partition(" ")
    if not amount.isdigit():
        return 0.0
    minutes = int(amount) * (60 if unit.startswith("hour") else 1)
    return 0.0 if minutes == 0 else 0.0012 * HOURS * 60 / minutes


def _database_instances(properties: Properties, area: str) -> float:
    """Aurora capacity units at the cluster's minimum; the number of instances is filled in by the report."""
    minimum = float(properties.get("ServerlessV2ScalingConfiguration", {}).get("MinCapacity", 0))
    return {"us": 0.12, "ie": 0.14, "de": 0.14}[area] * HOURS * minimum * int(properties.get("Instances", 1))


PRICES: Mapping[str, tuple[Price, str]] = {
    "AWS::EC2::NatGateway": (hourly(us=0.045, ie=0.048, de=0.052), "https://aws.amazon.com/vpc/pricing/"),
    "AWS::EC2::EIP": (hourly(us=0.005, ie=0.005, de=0.005), "https://aws.amazon.com/vpc/pricing/"),
    "AWS::EC2::VPCEndpoint": (_interface_endpoint, "https://aws.amazon.com/privatelink/pricing/"),
    "AWS::KMS::Key": (monthly(1.0), "https://aws.amazon.com/kms/pricing/"),
    "AWS::WAFv2::WebACL": (_web_acl, "https://aws.amazon.com/waf/pricing/"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (
        _load_balancer,
        "https://aws.amazon.com/elasticloadbalancing/pricing/",
    ),
    "AWS::NetworkFirewall::Firewall": (_network_firewall, "https://aws.amazon.com/network-firewall/pricing/"),
    "AWS::RDS::DBCluster": (_database_instances, "https://aws.amazon.com/rds/aurora/pricing/"),
    "AWS::SecretsManager::Secret": (monthly(0.40), "https://aws.amazon.com/secrets-manager/pricing/"),
    "AWS::CloudWatch::Alarm": (_alarm, "https://aws.amazon.com/cloudwatch/pricing/"),
    "AWS::CloudWatch::CompositeAlarm": (monthly(0.50), "https://aws.amazon.com/cloudwatch/pricing/"),
    "AWS::CloudWatch::Dashboard": (monthly(3.0), "https://aws.amazon.com/cloudwatch/pricing/"),
    "AWS::Synthetics::Canary": (_canary, "https://aws.amazon.com/cloudwatch/pricing/"),
    "AWS::Route53::HostedZone": (monthly(0.50), "https://aws.amazon.com/route53/pricing/"),
    "AWS::Route53::HealthCheck": (monthly(0.50), "https://aws.amazon.com/route53/pricing/"),
}
"""By resource type: how to price one resource, and the page the figure is from."""

DESCRIBED = {
    "AWS::EC2::NatGateway": "NAT gateways",
    "AWS::EC2::EIP": "public IPv4 addresses",
    "AWS::EC2::VPCEndpoint": "interface endpoints",
    "AWS::KMS::Key": "customer-managed keys",
    "AWS::WAFv2::WebACL": "web ACLs and their rules",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "load balancers and their public addresses",
    "AWS::NetworkFirewall::Firewall": "network firewall endpoints",
    "AWS::RDS::DBCluster": "database at its smallest",
    "AWS::SecretsManager::Secret": "secrets",
    "AWS::CloudWatch::Alarm": "alarms",
    "AWS::CloudWatch::CompositeAlarm": "composite alarms",
    "AWS::CloudWatch::Dashboard": "dashboards",
    "AWS::Synthetics::Canary": "canary runs",
}

SHIELD_ADVANCED = 3000.0
"""A month, once for the whole organization. https://aws.amazon.com/shield/pricing/"""

_BY_USE: Mapping[str, str] = {
    # Per identity analysed, per check, per gigabyte of events: a detector without anything to look at costs nothing.
    "AWS::AccessAnalyzer": "Analyzer",
    "AWS::ApiGateway": "Account ApiKey Authorizer BasePathMapping BasePathMappingV2 Deployment DomainName DomainNameV2 "
    "GatewayResponse Method Model RequestValidator Resource RestApi Stage UsagePlan UsagePlanKey",
    "AWS::AutoScaling": "AutoScalingGroup LifecycleHook ScalingPolicy ScheduledAction",
    "AWS::Athena": "NamedQuery WorkGroup",
    "AWS::Backup": "BackupPlan BackupSelection BackupVault RestoreTestingPlan RestoreTestingSelection",
    "AWS::CDK": "Metadata",
    "AWS::CertificateManager": "Certificate",
    "AWS::CloudFront": "CachePolicy Distribution Function OriginAccessControl OriginRequestPolicy "
    "ResponseHeadersPolicy VpcOrigin",
    "AWS::CloudTrail": "Trail",
    "AWS::Cognito": "LogDeliveryConfiguration ManagedLoginBranding UserPool UserPoolClient UserPoolDomain UserPoolGroup "
    "UserPoolIdentityProvider UserPoolRiskConfigurationAttachment",
    "AWS::Config": "ConfigurationAggregator ConfigurationRecorder ConformancePack DeliveryChannel",
    "AWS::DynamoDB": "Table",
    "AWS::EC2": "FlowLog InternetGateway NetworkAcl NetworkAclEntry Route RouteTable SecurityGroup SecurityGroupEgress "
    "SecurityGroupIngress Subnet SubnetNetworkAclAssociation SubnetRouteTableAssociation VPC VPCGatewayAttachment "
    "Instance LaunchTemplate "
    "VPCBlockPublicAccessExclusion VPCBlockPublicAccessOptions",
    "AWS::ECR": "RegistryScanningConfiguration Repository",
    "AWS::ElasticLoadBalancingV2": "Listener ListenerRule TargetGroup",
    "AWS::Events": "Archive EventBus EventBusPolicy Rule",
    "AWS::Glue": "Database Table",
    "AWS::GuardDuty": "Detector",
    "AWS::IAM": "InstanceProfile ManagedPolicy Policy Role ServiceLinkedRole",
    "AWS::IdentityStore": "Group",
    "AWS::KMS": "Alias",
    "AWS::KinesisFirehose": "DeliveryStream",
    "AWS::Lambda": "EventInvokeConfig EventSourceMapping Function LayerVersion Permission",
    "AWS::Logs": "Delivery DeliveryDestination DeliverySource LogGroup LogStream MetricFilter ResourcePolicy "
    "SubscriptionFilter",
    "AWS::Macie": "Session",
    "AWS::NetworkFirewall": "FirewallPolicy LoggingConfiguration RuleGroup",
    "AWS::Organizations": "Account OrganizationalUnit Policy",
    "AWS::RDS": "DBClusterParameterGroup DBInstance DBParameterGroup DBSubnetGroup",
    "AWS::Route53": "RecordSet",
    "AWS::Route53Resolver": "FirewallDomainList FirewallRuleGroup FirewallRuleGroupAssociation ResolverConfig "
    "ResolverQueryLoggingConfig ResolverQueryLoggingConfigAssociation FirewallConfig",
    "AWS::S3": "Bucket BucketPolicy",
    "AWS::SNS": "Subscription Topic TopicInlinePolicy TopicPolicy",
    "AWS::SQS": "Queue QueueInlinePolicy QueuePolicy",
    "AWS::SSM": "Association Document MaintenanceWindow MaintenanceWindowTarget MaintenanceWindowTask Parameter PatchBaseline "
    "ServiceSetting",
    "AWS::SSO": "Assignment InstanceAccessControlAttributeConfiguration PermissionSet",
    "AWS::Scheduler": "Schedule ScheduleGroup",
    "AWS::SecretsManager": "ResourcePolicy RotationSchedule SecretTargetAttachment",
    "AWS::SecurityHub": "ConfigurationPolicy DelegatedAdmin FindingAggregator Hub OrganizationConfiguration "
    "PolicyAssociation Standard",
    "AWS::Shield": "DRTAccess ProactiveEngagement Protection ProtectionGroup",
    "AWS::StepFunctions": "StateMachine",
    "AWS::WAFv2": "IPSet LoggingConfiguration RegexPatternSet WebACLAssociation",
}

BY_USE = frozenset(f"{service}::{name}" for service, names in _BY_USE.items() for name in names.split())
"""Types that cost nothing while nobody uses them."""
