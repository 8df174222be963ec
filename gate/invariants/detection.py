"""Detectors that watch every account and region, an administrator for them, and findings that reach somebody."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from assembly import Resource
from assembly.event_pattern import PatternError, seen
from assembly.sample_findings import (
    REPORTED_BY_DETECTORS,
    REPORTED_BY_EVERY_ACCOUNT,
    REPORTED_WHERE_GATHERED,
    SAMPLES,
    SEVERE,
)
from gate.control import control
from gate.policies import documents
from gate.schemas import offered
from gate.world import World, as_list, at, truthy

PLANS = frozenset(
    {
        "S3_DATA_EVENTS",
        "EKS_AUDIT_LOGS",
        "EBS_MALWARE_PROTECTION",
        "RDS_LOGIN_EVENTS",
        "LAMBDA_NETWORK_LOGS",
        "RUNTIME_MONITORING",
    }
)
AGENTS = frozenset({"EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"})
SCANS = frozenset({"EC2", "ECR", "LAMBDA", "LAMBDA_CODE"})
TRUSTED = frozenset(
    {
        "access-analyzer.amazonaws.com",
        "config-multiaccountsetup.amazonaws.com",
        "config.amazonaws.com",
        "guardduty.amazonaws.com",
        "iam.amazonaws.com",
        "inspector2.amazonaws.com",
        "macie.amazonaws.com",
        "malware-protection.guardduty.amazonaws.com",
        "securityhub.amazonaws.com",
    }
)
RULES = (
    "CMK_BACKING_KEY_ROTATION_ENABLED",
    "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED",
    "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED",
    "S3_BUCKET_SSL_REQUESTS_ONLY",
    "RDS_STORAGE_ENCRYPTED",
    "RDS_INSTANCE_PUBLIC_ACCESS_CHECK",
    "VPC_DEFAULT_SECURITY_GROUP_CLOSED",
    "VPC_FLOW_LOGS_ENABLED",
    "LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED",
    "EC2_IMDSV2_CHECK",
    "EC2_EBS_ENCRYPTION_BY_DEFAULT",
    "DYNAMODB_PITR_ENABLED",
    "IAM_ROOT_ACCESS_KEY_CHECK",
    "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED",
)
"""Rules of AWS Config that no account may lack; a pack may hold more."""
STANDARDS = ("aws-foundational-security-best-practices", "cis-aws-foundations-benchmark")
_ARCHIVE_DAYS = 90
_DETECTOR, _HUB, _MACIE = "AWS::GuardDuty::Detector", "AWS::SecurityHub::Hub", "AWS::Macie::Session"
_ANALYSER = "AWS::AccessAnalyzer::Analyzer"
_COVER, _DELEGATE, _ADMIN = "Custom::CoverAccounts", "Custom::DelegateDetection", "AWS::SecurityHub::DelegatedAdmin"


def _on(items: Any, **wanted: str) -> set[str]:
    return {
        str(item.get("Name"))
        for item in as_list(items)
        if isinstance(item, Mapping) and all(item.get(name) == value for name, value in wanted.items())
    }


@control("detection.account.detectors", _DETECTOR, _HUB, _MACIE)
def account_detectors(resource: Resource, world: World) -> Iterator[str]:
    """A detector is on with every protection plan, tells of changed findings within a quarter of an hour, and stays when
    its stack goes.

    Fix: use AccountDetectors, which has no switch to turn a plan off.
    https://docs.aws.amazon.com/guardduty/latest/ug/guardduty-features-activation-model.html
    """
    properties = resource.properties
    if resource.definition.get("DeletionPolicy") not in {"Retain", "RetainExceptOnCreate"}:
        yield "it ends with its stack"
    if resource.type == _HUB:
        if not truthy(properties.get("AutoEnableControls")):
            yield "new controls stay off"
        if properties.get("ControlFindingGenerator") != "SECURITY_CONTROL":
            yield "each standard tells of the same fault again"
        return
    if properties.get("FindingPublishingFrequency") != "FIFTEEN_MINUTES":
        yield "it tells of changed findings later than in a quarter of an hour"
    if resource.type == _MACIE:
        if properties.get("Status") != "ENABLED":
            yield "it is paused"
        return
    if not truthy(properties.get("Enable")):
        yield "it is off"
    features = as_list(properties.get("Features"))
    missing = PLANS - _on(features, Status="ENABLED")
    agents = {name for feature in features for name in _on(feature.get("AdditionalConfiguration"), Status="ENABLED")}
    for name in sorted(missing | (AGENTS - agents)):
        yield f"{name} is off"
    region = world.stack(resource).region
    for kind in (_HUB, _MACIE):
        if offered(kind, region) and not any(world.of_type(kind, near=resource, same_region=True)):
            yield f"there is no {kind} beside it"


@control("detection.organization.delegated", _DELEGATE, _ADMIN)
def delegated(resource: Resource, world: World) -> Iterator[str]:
    """The detectors of the organization are administered by the account that gathers findings, in every region.

    Fix: add Delegation at home and a Security Hub administrator in every region of deployment.regions.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html
    """
    properties = resource.properties
    administrator = properties.get("Administrator" if resource.type == _DELEGATE else "AdminAccountId")
    if administrator not in {world.stack(bus).account for bus in world.of_type("AWS::Events::EventBus")}:
        yield f"account {administrator} does not gather findings"
    if resource.type == _ADMIN:
        return
    for region in sorted(_regions(world) - set(as_list(properties.get("Regions")))):
        yield f"nobody is appointed in {region}"
    for region in sorted(_regions(world) - set(as_list(properties.get("MacieRegions")))):
        if offered(_MACIE, region):
            yield f"nobody is appointed for Macie in {region}"
    for service in sorted(TRUSTED - set(as_list(properties.get("TrustedServices")))):
        yield f"{service} is not let in"
    for service in ("access-analyzer", "config", "config-multiaccountsetup", "iam"):
        if f"{service}.amazonaws.com" not in as_list(properties.get("DelegatedServices")):
            yield f"{service} has no administrator"
    appointed = {world.stack(one).region for one in world.of_type(_ADMIN, near=resource)}
    for region in sorted(_regions(world) - appointed):
        yield f"Security Hub has no administrator in {region}"


@control("detection.organization.coverage", _COVER)
def coverage(resource: Resource, world: World) -> Iterator[str]:
    """Every account and region is scanned by Inspector; in an organization GuardDuty and Macie cover it too.

    Fix: give Coverage all of deployment.account_ids and deployment.regions.
    https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_organizations.html
    """
    properties = resource.properties
    for region in sorted(_regions(world) - set(as_list(properties.get("Regions")))):
        yield f"{region} is left out"
    for scan in sorted(SCANS - set(as_list(properties.get("Scans")))):
        yield f"{scan} is not scanned"
    accounts = set(as_list(properties.get("Accounts")))
    if any(world.of_type(_DELEGATE)):
        if properties.get("OfOrganization") != "true":
            yield "it covers its own account only"
        for account in sorted(world.scope.accounts - accounts):
            yield f"account {account} is left out"
        for region in sorted(_regions(world) - set(as_list(properties.get("MacieRegions")))):
            if offered(_MACIE, region):
                yield f"Macie is left out in {region}"
        networks = {world.stack(vpc).account for vpc in world.of_type("AWS::EC2::VPC")}
        for account in sorted(networks - set(as_list(properties.get("DataAccounts")))):
            yield f"Macie does not look into the buckets of account {account}"
        plans = properties.get("Plans", {})
        for plan in sorted(PLANS - set(plans)):
            yield f"GuardDuty leaves {plan} off"
        for agent in sorted(AGENTS - set(as_list(plans.get("RUNTIME_MONITORING")))):
            yield f"GuardDuty leaves {agent} off"
    elif world.stack(resource).account not in accounts:
        yield "its own account is left out"


@control(
    "detection.organization.posture",
    "AWS::SecurityHub::OrganizationConfiguration",
    "AWS::SecurityHub::ConfigurationPolicy",
    "AWS::SecurityHub::PolicyAssociation",
    "AWS::SecurityHub::FindingAggregator",
)
def posture(resource: Resource, world: World) -> Iterator[str]:
    """One policy holds every account under the root against both standards, no control left out, and findings of every
    region are gathered at home.

    Fix: use CentralPosture, with the organization's root and every other region.
    https://docs.aws.amazon.com/securityhub/latest/userguide/central-configuration-intro.html
    """
    properties = resource.properties
    name = resource.type.rpartition(":")[2]
    if name == "OrganizationConfiguration" and properties.get("ConfigurationType") != "CENTRAL":
        yield "each account configures itself"
    if name == "PolicyAssociation":
        if properties.get("TargetType") != "ROOT":
            yield "it does not reach every account"
        policy = world.target(properties.get("ConfigurationPolicyId"), resource)
        if policy is None or policy.type != "AWS::SecurityHub::ConfigurationPolicy":
            yield "it brings no policy of this deployment"
    if name == "FindingAggregator":
        linked = set(as_list(properties.get("Regions")))
        for region in sorted(_regions(world) - linked - {world.stack(resource).region}):
            if properties.get("RegionLinkingMode") != "ALL_REGIONS":
                yield f"findings of {region} are not gathered"
    if name == "ConfigurationPolicy":
        hub = at(properties, "ConfigurationPolicy", "SecurityHub") or {}
        if not truthy(hub.get("ServiceEnabled")):
            yield "it turns Security Hub off"
        for standard in STANDARDS:
            if standard not in str(hub.get("EnabledStandardIdentifiers")):
                yield f"{standard} is left out"
        if at(hub, "SecurityControlsConfiguration", "DisabledSecurityControlIdentifiers"):
            yield "it leaves controls out"
        if not any(
            world.target(one.properties.get("ConfigurationPolicyId"), one) == resource
            for one in world.of_type("AWS::SecurityHub::PolicyAssociation", near=resource)
        ):
            yield "no account is held against it"


@control("detection.account.conformance", "AWS::Config::ConfigurationRecorder", "AWS::Config::ConformancePack")
def conformance(resource: Resource, world: World) -> Iterator[str]:
    """Where AWS Config records, it also judges: each of our rules stands in the conformance pack of the place.

    Fix: add Conformance to the account and region.
    https://docs.aws.amazon.com/config/latest/developerguide/conformance-packs.html
    """
    if resource.type.endswith("Recorder"):
        if not any(world.of_type("AWS::Config::ConformancePack", near=resource, same_region=True)):
            yield "no rule judges what it records"
        return
    body = world.text(resource.properties.get("TemplateBody", ""), resource)
    for rule in RULES:
        if f'"{rule}"' not in body:
            yield f"rule {rule} is left out"


@control("detection.organization.record", "AWS::Config::ConfigurationAggregator")
def organization_record(resource: Resource, world: World) -> Iterator[str]:
    """Configuration of every account of the organization is gathered, from every region.

    Fix: use OrganizationRecord with deployment.regions.
    https://docs.aws.amazon.com/config/latest/developerguide/aggregate-data.html
    """
    source = resource.properties.get("OrganizationAggregationSource", {})
    if not source:
        yield "it gathers single accounts only"
    elif not truthy(source.get("AllAwsRegions")):
        for region in sorted(_regions(world) - set(as_list(source.get("AwsRegions")))):
            yield f"{region} is left out"


@control("detection.organization.analysers", "AWS::AccessAnalyzer::Analyzer")
def analysers(resource: Resource, _world: World) -> Iterator[str]:
    """An analyser looks at the whole organization, or, where there is none, at its account, and archives nothing by rule.

    Fix: use OrganizationAnalysers; archive single findings by hand.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/what-is-access-analyzer.html
    """
    kind = str(resource.properties.get("Type"))
    if kind.removesuffix("_UNUSED_ACCESS") not in {"ORGANIZATION", "ACCOUNT"}:
        yield f"{kind} is no analyser of access"
    if resource.properties.get("ArchiveRules"):
        yield "its findings are put aside unseen"
    unused = at(resource.properties, "AnalyzerConfiguration", "UnusedAccessConfiguration") or {}
    if unused.get("AnalysisRule"):
        yield "it leaves accounts or roles out"
    if int(unused.get("UnusedAccessAge", 90)) > 90:
        yield "access is unused for longer than a quarter before it tells"


@control("detection.bus.senders", "AWS::Events::EventBus")
def bus_senders(bus: Resource, world: World) -> Iterator[str]:
    """Only this deployment's accounts, by one role each, put events on a bus, which is encrypted and archived, and what
    it cannot take is kept.

    Fix: use FindingsBus; its accounts are deployment.account_ids.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html
    """
    key = world.target(bus.properties.get("KmsKeyIdentifier"), bus)
    if key is None or key.type != "AWS::KMS::Key":
        yield "no key of this deployment encrypts it"
    if not at(bus.properties, "DeadLetterConfig", "Arn"):
        yield "what cannot be encrypted or decrypted is lost"
    for statement in as_list(at(bus.properties, "Policy", "Statement")):
        principals = json.dumps(statement.get("Principal"))
        if statement.get("Effect") != "Allow":
            continue
        if '"*"' in principals:
            yield "anybody may send to it"
        conditions = statement.get("Condition", {})
        senders = as_list(at(conditions, "ArnEquals", "aws:PrincipalArn"))
        if not senders or any("*" in str(sender) for sender in senders):
            yield "any principal of its accounts may send to it"
        if not at(conditions, "ForAllValues:StringEquals", "events:detail-type"):
            yield "events of any kind may be sent to it"
    archives = [
        archive
        for archive in world.of_type("AWS::Events::Archive", near=bus)
        if world.target(archive.properties.get("SourceArn"), archive) == bus
    ]
    if not archives:
        yield "nothing keeps its events"
    for archive in archives:
        if archive.properties.get("EventPattern"):
            yield "some of its events are not kept"
        if 0 < int(archive.properties.get("RetentionDays", 0)) < _ARCHIVE_DAYS:
            yield f"its events are kept less than {_ARCHIVE_DAYS} days"
        if world.target(archive.properties.get("KmsKeyIdentifier"), archive) != key:
            yield "its archive is not under its key"


@control("detection.findings.forwarded", "AWS::Events::EventBus")
def forwarded(bus: Resource, world: World) -> Iterator[str]:
    """Every account is watched in every region, and a rule there sends each kind of finding on to the bus.

    Judged by evaluating the rules' patterns against a sample of each kind.
    Fix: add a Detection stack for each of deployment.owners in each of deployment.regions.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html
    """
    home = world.stack(bus)
    regions = _regions(world)
    delegating = list(world.of_type(_DELEGATE))
    covered = {
        (account, region)
        for one in world.of_type(_COVER)
        if delegating and one.properties.get("OfOrganization") == "true"
        for account in as_list(one.properties.get("Accounts"))
        # An administrator's own detector is no member of its own.
        if account != world.stack(one).account
        for region in as_list(one.properties.get("Regions"))
    }
    # GuardDuty asks the organization's own account to turn it on itself.
    # https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_organizations.html
    covered -= {(world.stack(one).account, region) for one in delegating for region in regions}
    detecting = {(world.stack(one).account, world.stack(one).region) for one in world.of_type(_DETECTOR)}
    analysed = {
        (world.stack(one).account, world.stack(one).region)
        for one in world.of_type(_ANALYSER)
        if not str(one.properties.get("Type")).endswith("_UNUSED_ACCESS")
    }
    sent: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for rule in world.of_type("AWS::Events::Rule"):
        if any(world.target(target.get("Arn"), rule) == bus for target in as_list(rule.properties.get("Targets"))):
            stack = world.stack(rule)
            sent.setdefault((stack.account, stack.region), []).append(rule.properties.get("EventPattern", {}))
    for account in sorted(world.scope.accounts):
        for region in sorted(regions):
            place = (account, region)
            if place not in detecting | covered:
                yield f"nothing watches account {account} in {region}"
            if (home.account if delegating else account, region) not in analysed:
                yield f"nobody analyses who reaches account {account} in {region}"
            administers = not delegating or account == home.account
            kinds = [*REPORTED_BY_EVERY_ACCOUNT, *(REPORTED_BY_DETECTORS if administers else ())]
            if administers and (not delegating or region == home.region):
                kinds += REPORTED_WHERE_GATHERED
            for kind in kinds:
                if not _sees(sent.get(place, []), kind):
                    yield f"findings of kind {kind} in account {account}, {region}, are not sent on"
        if not any(
            str(one.properties.get("Type")).endswith("_UNUSED_ACCESS")
            for one in world.of_type(_ANALYSER)
            if world.stack(one).account == (home.account if delegating else account)
        ):
            yield f"nobody analyses which access of account {account} is used"
    if delegating and not any(world.of_type("AWS::SecurityHub::OrganizationConfiguration", near=bus)):
        yield "Security Hub of the organization is not configured here"
    if delegating and not any(world.of_type("AWS::Config::ConfigurationAggregator", near=bus)):
        yield "configuration of the organization is not gathered here"
    if delegating and not any(world.of_type("AWS::SecurityHub::FindingAggregator", near=bus, same_region=True)):
        yield "findings of other regions are not gathered here"


_NAMED_SERVICE = {
    "iam:CreateServiceLinkedRole": "iam:AWSServiceName",
    "organizations:EnableAWSServiceAccess": "organizations:ServicePrincipal",
    "organizations:RegisterDelegatedAdministrator": "organizations:ServicePrincipal",
}


@control("identity.policy.services", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role")
def services_named(resource: Resource, world: World) -> Iterator[str]:
    """Who may let a service into the organization, or make a service's own role, may do so for named services only.

    Fix: add a condition on organizations:ServicePrincipal or iam:AWSServiceName.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
    """
    for document in documents(resource, world):
        if document.kind != "identity":
            continue
        for statement in document.statements:
            for action, key in _NAMED_SERVICE.items():
                asked = statement.condition(key)
                if statement.allows and statement.covers(action) and (asked is None or "*" in asked.values):
                    yield f"{statement} allows {action} for any service"


@control("detection.findings.heard", "AWS::Events::EventBus")
def heard(bus: Resource, world: World) -> Iterator[str]:
    """A severe finding of each kind on the bus becomes a message to a topic.

    Fix: add SevereNotices to the bus.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
    """
    patterns = [
        rule.properties.get("EventPattern", {})
        for rule in world.of_type("AWS::Events::Rule", near=bus)
        if world.target(rule.properties.get("EventBusName"), rule) == bus
        and any(
            (target := world.target(one.get("Arn"), rule)) is not None and target.type == "AWS::SNS::Topic"
            for one in as_list(rule.properties.get("Targets"))
        )
    ]
    for kind in SEVERE:
        if not _sees(patterns, kind):
            yield f"nobody hears of a severe finding of kind {kind}"


def _sees(patterns: list[Mapping[str, Any]], kind: str) -> bool:
    try:
        return seen(patterns, SAMPLES[kind])
    except PatternError:
        return False


def _regions(world: World) -> set[str]:
    return {stack.region for stack in world.assembly.stacks}
