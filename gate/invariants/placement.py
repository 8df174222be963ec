"""Where things are and whom they name: regions of the residency area, accounts of this deployment, names that fit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.world import NAMED_BY, World, leaves

REGION = re.compile(
    r"(?<![a-z0-9-])((?:us|eu|ap|ca|sa|af|me|il|mx)-(?:gov-)?(?:central|north|south|east|west|northeast|northwest|southeast|southwest)-\d)(?![0-9])"
)
_ACCOUNT = re.compile(r"(?<![0-9A-Za-z.:-])(\d{12})(?![0-9A-Za-z.-])|(?<=:)(\d{12})(?=:)")

EDGE = "us-east-1"
EDGE_TYPES = frozenset(
    {
        "AWS::CloudFront::Distribution",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::CloudFront::CachePolicy",
        "AWS::CloudFront::OriginRequestPolicy",
        "AWS::CloudFront::Function",
        "AWS::CloudFront::KeyValueStore",
        "AWS::WAFv2::WebACL",
        "AWS::WAFv2::IPSet",
        "AWS::WAFv2::LoggingConfiguration",
        "AWS::CertificateManager::Certificate",
        "AWS::AccessAnalyzer::Analyzer",
        "AWS::Config::ConformancePack",
        "AWS::GuardDuty::Detector",
        "AWS::Macie::Session",
        "AWS::SecurityHub::DelegatedAdmin",
        "AWS::SecurityHub::Hub",
        "AWS::SecurityHub::Standard",
        "AWS::Route53::HealthCheck",
        "AWS::Route53::RecordSet",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SNS::Subscription",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
        "AWS::KMS::Key",
        "AWS::KMS::Alias",
        "AWS::Config::ConfigurationRecorder",
        "AWS::Config::DeliveryChannel",
        "AWS::IAM::ServiceLinkedRole",
        "AWS::SSM::ServiceSetting",
        "AWS::Logs::LogGroup",
        "AWS::Logs::DeliverySource",
        "AWS::Logs::DeliveryDestination",
        "AWS::Logs::Delivery",
        "AWS::Logs::ResourcePolicy",
        "AWS::Events::Rule",
        "AWS::Shield::Protection",
        "AWS::Shield::ProtectionGroup",
        "AWS::Shield::DRTAccess",
        "AWS::Shield::ProactiveEngagement",
        "AWS::IAM::Role",
        "AWS::IAM::ManagedPolicy",
        "AWS::SSM::Parameter",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
    }
)
"""What CloudFront, Shield and Route 53 need in us-east-1, whatever the home region; it holds no customer data.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html"""

_AWS_ACCOUNTS = frozenset(
    {
        # Elastic Load Balancing's log delivery accounts, one a region.
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
        "127311923021", "033677994240", "027434742980", "797873946194", "985666609251", "054676820928", "156460612806",
        "652711504416", "009996457667", "897822967062", "635631232127", "582318560864", "383597477331", "718504428378",
        "783225319266",
        # AWS's published Lambda layers: Secrets extension, Powertools, Lambda Insights.
        "015030872274", "017000801446", "580247275435", "158895979263", "177933569100",
    }
)  # fmt: skip


@control("placement.region.residency")
def residency(resource: Resource, world: World) -> Iterator[str]:
    """Nothing lives in, or names, a region outside the residency area; only the edge uses us-east-1, without customer data.

    Fix: use a region of the deployment's area.
    https://docs.aws.amazon.com/prescriptive-guidance/latest/strategy-aws-gdpr/data-residency.html
    """
    allowed = world.scope.regions
    here = world.stack(resource).region
    edge = here == EDGE
    if here not in allowed and not (edge and resource.type in EDGE_TYPES):
        yield f"it lives in {here}, outside the residency area"
    for path, value in leaves(resource.properties):
        if not isinstance(value, str) or len(value) < 9:
            continue
        if resource.type == "AWS::Glue::Table" and path[-1] == "projection.region.values":
            continue  # a trail records every region, and its table must find what happened in any
        if value == EDGE and path[0] == "ReplicaRegions" and "GenerateSecretString" in resource.properties:
            continue  # a random value that CloudFront, which is deployed from there, sends to its origin
        for region in REGION.findall(value):
            if region not in allowed and not (region == EDGE and (edge or _about_edge(resource, path, value))):
                yield f"{'.'.join(map(str, path))} names {region}"


def _about_edge(resource: Resource, path: tuple[str | int, ...], value: str) -> bool:
    """Whether us-east-1 stands where a global service answers from there: CloudFront, WAF, IAM, Route 53, billing."""
    return (
        re.search(
            r"arn:[^ ]*:(cloudfront|wafv2|acm|route53|shield|iam|cloudwatch|logs|sns|events|kms|health|cloudformation)"
            r"[^ ]*:us-east-1",
            value,
        )
        is not None
        or resource.type
        in {"AWS::CloudWatch::Dashboard", "AWS::Events::Rule", "AWS::Organizations::Policy", "AWS::CloudTrail::Trail"}
        or re.fullmatch(r"aws:RequestedRegion", str(path[-2] if len(path) > 1 else "")) is not None
        or (
            any(re.search(r"(?i)region", str(part)) for part in path)
            and resource.type.startswith(
                ("Custom::", "AWS::CloudFormation::", "AWS::SecurityHub::FindingAggregator", "AWS::Config::")
            )
        )
        # Where a function that sees to the whole account looks.
        or (resource.type == "AWS::Lambda::Function" and path[-1] == "REGIONS")
    )


@control("placement.account.own")
def accounts(resource: Resource, world: World) -> Iterator[str]:
    """Nothing names an account outside this deployment, save those that AWS publishes.

    Fix: correct the account id, or add it to the deployment's accounts.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/tutorial_cross-account-with-roles.html
    """
    for path, value in leaves(resource.properties):
        if not isinstance(value, str) or len(value) < 12:
            continue
        for match in _ACCOUNT.finditer(value):
            account = match[1] or match[2]
            if account not in world.scope.accounts and account not in _AWS_ACCOUNTS:
                yield f"{'.'.join(map(str, path))} names account {account}"


_LENGTHS = {
    "AWS::S3::Bucket": 63,
    "AWS::IAM::Role": 64,
    "AWS::IAM::ManagedPolicy": 128,
    "AWS::Lambda::Function": 64,
    "AWS::SQS::Queue": 80,
    "AWS::SNS::Topic": 256,
    "AWS::Logs::LogGroup": 512,
    "AWS::Backup::BackupVault": 50,
    "AWS::DynamoDB::Table": 255,
    "AWS::CloudTrail::Trail": 128,
    "AWS::KinesisFirehose::DeliveryStream": 64,
    "AWS::StepFunctions::StateMachine": 80,
    "AWS::CloudWatch::Alarm": 255,
    "AWS::RDS::DBCluster": 63,
    "AWS::SecretsManager::Secret": 512,
    "AWS::SSM::Parameter": 1011,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": 32,
    "AWS::ElasticLoadBalancingV2::TargetGroup": 32,
    "AWS::Synthetics::Canary": 255,
    "AWS::WAFv2::WebACL": 128,
    "AWS::Events::Rule": 64,
    "AWS::Scheduler::Schedule": 64,
    "AWS::Athena::WorkGroup": 128,
}
_NAME_PROPERTY = {
    **NAMED_BY,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "Name",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "Name",
    "AWS::Synthetics::Canary": "Name",
    "AWS::WAFv2::WebACL": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::Athena::WorkGroup": "Name",
}


@control("placement.name.length", *_LENGTHS)
def name_length(resource: Resource, world: World) -> Iterator[str]:
    """Every physical name is within its service's limit, and a bucket's is one that DNS takes.

    Fix: shorten the prefix, stage or purpose.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    value = resource.properties.get(_NAME_PROPERTY[resource.type])
    if value is None:
        return
    text = world.text(value, resource)
    if len(text) > _LENGTHS[resource.type]:
        yield f"its name {text} has {len(text)} characters; {_LENGTHS[resource.type]} are allowed"
    if (
        resource.type == "AWS::S3::Bucket"
        and "<" not in text
        and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", text)
    ):
        yield f"its name {text} is no bucket name"


@control("placement.name.unique", *NAMED_BY)
def name_unique(resource: Resource, world: World) -> Iterator[str]:
    """No two resources of one type claim one name in an account and region; buckets in the world.

    Fix: rename one of them.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
    """
    value = resource.properties.get(NAMED_BY[resource.type])
    if value is None:
        return
    mine = world.text(value, resource)
    world_wide = resource.type == "AWS::S3::Bucket"
    account_wide = resource.type.startswith("AWS::IAM::")
    here = world.stack(resource)
    for key in world.holders(resource.type, mine):
        there = world.stack_named(key[0])
        if key == (resource.stack, resource.logical_id):
            continue
        if world_wide or (there.account == here.account and (account_wide or there.region == here.region)):
            yield f"{key[0]}/{key[1]} is also called {mine}"


@control("placement.reference.strong")
def reference_strong(resource: Resource, world: World) -> Iterator[str]:
    """Stacks hand values over by export and import or by computed names, never by outputs read from another account, and
    every import has its export.

    Fix: pass an object within an account and region; across them, use a name from stacks/names.py.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
    """
    stack = world.stack(resource)
    for reference in world.intrinsics(resource, "Fn::GetStackOutput"):
        yield f"it reads an output of another stack by Fn::GetStackOutput: {reference}"
    for name in world.intrinsics(resource, "Fn::ImportValue"):
        if isinstance(name, str) and not world.exported(stack, name):
            yield f"it imports {name}, which no stack of this account and region exports"
    for template in world.intrinsics(resource, "Ref"):
        if (
            isinstance(template, str)
            and not template.startswith("AWS::")
            and template not in stack.template.get("Resources", {})
            and template not in stack.template.get("Parameters", {})
        ):
            yield f"it refers to {template}, which its template does not hold"


@control("placement.template.secure-parameters")
def plain_parameters(resource: Resource, _world: World) -> Iterator[str]:
    """A template resolves secrets at deployment time only by dynamic references to Secrets Manager or secure parameters.

    Fix: use {{resolve:secretsmanager:...}}.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
    """
    for path, value in leaves(resource.properties):
        if isinstance(value, str) and "{{resolve:ssm:" in value and re.search(r"(?i)password|secret|token", str(path)):
            yield f"{'.'.join(map(str, path))} reads a secret from a plain parameter"
