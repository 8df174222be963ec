"""What is promised of every resource of a kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from proofs.finding import Case, Finding, note, proof
from proofs.model import Model, Node, as_list, as_mapping, at, truthy, walk
from proofs.resilience.regions import is_evidence, selections_of, stores

# ------------------------------------------------------------------------------------------------------------ audited


_DEEDS = {
    "AWS::S3::Bucket": ("AWS::S3::Object", ("GetObject", "PutObject", "DeleteObject")),
    "AWS::DynamoDB::Table": ("AWS::DynamoDB::Table", ("GetItem", "PutItem", "DeleteItem", "Query")),
    "AWS::Lambda::Function": ("AWS::Lambda::Function", ("Invoke",)),
}
"""By type of resource: what CloudTrail calls its data, and deeds that must be on record."""
_ARRIVALS = frozenset({"PutObject"})
"""Deeds that fill an archive; recording them would record the record of them, without end."""


@proof("coverage.stores-audited")
def stores_audited(case: Case, finding: Finding) -> None:
    """Every reading, writing and deleting of data in buckets, tables, functions and databases is on record.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
    """
    trails = list(case.model.of("AWS::CloudTrail::Trail"))
    everywhere = {trail: truthy(trail.get("IsMultiRegionTrail")) for trail in trails}
    everyone = {trail: truthy(trail.get("IsOrganizationTrail")) for trail in trails}
    named = {trail: str(trail.properties) for trail in trails}
    for node in case.model.of(*_DEEDS):
        kind, deeds = _DEEDS[node.type]
        # A trail that names the account is the likeliest to record what is done there.
        covering = [
            trail
            for trail in trails
            if (everywhere[trail] or trail.region == node.region) and (everyone[trail] or trail.account == node.account)
        ]
        watching = sorted(covering, key=lambda trail: node.account not in named[trail])
        arn = f"{node.arn}/object" if kind == "AWS::S3::Object" else node.arn
        recorders = {deed: next((t for t in watching if _records(t, kind, arn, deed)), None) for deed in deeds}
        lost = [
            deed for deed, trail in recorders.items() if trail is None and not (deed in _ARRIVALS and is_evidence(node))
        ]
        if lost:
            guilty = watching[0] if watching else node
            where = f"{node.path}: " if guilty is not node else ""
            finding.broken.append(note(guilty, f"{where}{', '.join(lost)} is on no record"))
        else:
            by = dict.fromkeys(trail.path for trail in recorders.values() if trail is not None)
            finding.evidence.append(note(node, f"recorded by {', '.join(by)}"))
    for account in sorted({node.account for node in case.model.of(*_DEEDS)}):
        if trails and not any(_manages(trail, account) for trail in trails):
            finding.broken.append(note(trails[0], f"what is done to the settings of {account} is on no record"))
    for trail in trails:
        if not truthy(trail.get("IsLogging", default=True)):
            finding.broken.append(note(trail, "does not log"))
        if not truthy(trail.get("EnableLogFileValidation")):
            finding.broken.append(note(trail, "does not sign its files"))
    for cluster in case.model.of("AWS::RDS::DBCluster"):
        group = case.model.find(
            cluster.get("DBClusterParameterGroupName"), "AWS::RDS::DBClusterParameterGroup", near=cluster
        )
        parameters = as_mapping(group.get("Parameters") if group else None)
        exported = as_list(cluster.get("EnableCloudwatchLogsExports"))
        postgres = "postgres" in str(cluster.get("Engine"))
        audits = not postgres or (
            "pgaudit" in str(parameters.get("shared_preload_libraries")) and parameters.get("pgaudit.log")
        )
        if audits and ("postgresql" if postgres else "audit") in exported:
            finding.evidence.append(note(cluster, "statements recorded by its audit extension"))
        else:
            missing = "exports no log" if audits else "records no statement"
            finding.broken.append(note(cluster if audits or group is None else group, f"{cluster.path}: {missing}"))


def _manages(trail: Node, account: str) -> bool:
    """Whether the trail records every management event of the account."""
    if account != trail.account and not truthy(trail.get("IsOrganizationTrail")):
        return False
    for selector in as_list(trail.get("AdvancedEventSelectors")):
        fields = as_list(at(selector, "FieldSelectors"))
        if [at(field, "Field") for field in fields] == ["eventCategory"] and "Management" in as_list(
            at(fields, 0, "Equals")
        ):
            return True
    basic = as_list(trail.get("EventSelectors"))
    if not basic:
        return trail.get("AdvancedEventSelectors") is None
    return any(
        at(item, "IncludeManagementEvents", default=True) is True and at(item, "ReadWriteType", default="All") == "All"
        for item in basic
    )


def _records(trail: Node, kind: str, arn: str, deed: str) -> bool:
    reads = deed.startswith(("Get", "Query", "List", "Scan"))
    facts = {
        "eventCategory": "Data",
        "resources.type": kind,
        "resources.ARN": arn,
        "eventName": deed,
        "readOnly": "true" if reads else "false",
    }
    for selector in as_list(trail.get("AdvancedEventSelectors")):
        fields = as_list(at(selector, "FieldSelectors"))
        if fields and all(_field(field, facts) for field in fields):
            return True
    for selector in as_list(trail.get("EventSelectors")):
        if at(selector, "ReadWriteType", default="All") not in {"All", "ReadOnly" if reads else "WriteOnly"}:
            continue
        for item in as_list(at(selector, "DataResources")):
            names = [str(value) for value in as_list(at(item, "Values"))]
            if at(item, "Type") == kind and any(arn.startswith(name.removesuffix("/")) for name in names):
                return True
    return False


def _field(field: Any, facts: dict[str, str]) -> bool:
    name = str(at(field, "Field"))
    if name not in facts:
        return False  # a narrowing by who, where or how: not everything is on record
    value = facts[name]
    tests: dict[str, Callable[[str], bool]] = {
        "Equals": value.__eq__,
        "StartsWith": value.startswith,
        "EndsWith": value.endswith,
    }
    for operator, test in tests.items():
        if at(field, operator) is not None and not any(test(str(item)) for item in as_list(at(field, operator))):
            return False
        if any(test(str(item)) for item in as_list(at(field, f"Not{operator}"))):
            return False
    return True


# ------------------------------------------------------------------------------------------------------------- logged


@proof("coverage.ingress-logged")
def ingress_logged(case: Case, finding: Finding) -> None:
    """Every entrance keeps a log: distributions, load balancers, APIs, firewalls, networks, name resolution and buckets.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
    """
    for judge in (_edge_logs, _balancer_logs, _api_logs, _firewall_logs, _network_logs, _bucket_logs):
        for node, what in judge(case.model):
            if what:
                finding.broken.append(note(node, what))
            else:
                finding.evidence.append(note(node, "logged"))


_Judged = Iterator[tuple[Node, str]]


def _edge_logs(model: Model) -> _Judged:
    delivered = {str(item.get("DeliverySourceName")) for item in model.of("AWS::Logs::Delivery")}
    sources = {
        str(item.get("ResourceArn")): item
        for item in model.of("AWS::Logs::DeliverySource")
        if str(item.get("Name")) in delivered or item.id in delivered
    }
    for node in model.of("AWS::CloudFront::Distribution"):
        own = node.get("DistributionConfig", "Logging", "Bucket")
        yield node, "" if node.arn in sources or own else "its requests are in no log"


def _balancer_logs(model: Model) -> _Judged:
    for node in model.of("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        attributes = {at(item, "Key"): at(item, "Value") for item in as_list(node.get("LoadBalancerAttributes"))}
        on = attributes.get("access_logs.s3.enabled") == "true" and attributes.get("access_logs.s3.bucket")
        yield node, "" if on else "its requests are in no log"


def _api_logs(model: Model) -> _Judged:
    for node in model.of("AWS::ApiGateway::Stage"):
        yield (node, "" if node.get("AccessLogSetting", "DestinationArn") else "its requests are in no log")
    for node in model.of("AWS::ApiGatewayV2::Stage"):
        yield (node, "" if node.get("AccessLogSettings", "DestinationArn") else "its requests are in no log")


def _firewall_logs(model: Model) -> _Judged:
    logged = {str(item.get("ResourceArn")) for item in model.of("AWS::WAFv2::LoggingConfiguration")}
    for node in model.of("AWS::WAFv2::WebACL"):
        yield node, "" if node.arn in logged else "its decisions are in no log"
    walls = {
        str(item.get("FirewallArn"))
        for item in model.of("AWS::NetworkFirewall::LoggingConfiguration")
        if as_list(item.get("LoggingConfiguration", "LogDestinationConfigs"))
    }
    for node in model.of("AWS::NetworkFirewall::Firewall"):
        yield (node, "" if node.arn in walls or node.id in walls else "its decisions are in no log")


def _network_logs(model: Model) -> _Judged:
    flows = {
        str(item.get("ResourceId"))
        for item in model.of("AWS::EC2::FlowLog")
        if item.get("TrafficType", default="ALL") == "ALL" and (item.get("LogDestination") or item.get("LogGroupName"))
    }
    queries = {
        str(item.get("ResourceId")) for item in model.of("AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation")
    }
    for node in model.of("AWS::EC2::VPC"):
        yield node, "" if node.id in flows else "its flows are in no log"
        yield node, "" if node.id in queries else "its name queries are in no log"


def _bucket_logs(model: Model) -> _Judged:
    receiving = {str(item.get("LoggingConfiguration", "DestinationBucketName")) for item in model.of("AWS::S3::Bucket")}
    copies = {
        str(at(rule, "Destination", "Bucket"))
        for item in model.of("AWS::S3::Bucket")
        if item.name in receiving
        for rule in as_list(item.get("ReplicationConfiguration", "Rules"))
    }
    for node in model.of("AWS::S3::Bucket"):
        if node.name in receiving or node.arn in copies:
            continue  # a log of its own log would never end
        yield (
            node,
            "" if node.get("LoggingConfiguration", "DestinationBucketName") else "requests to it are in no log",
        )


# ------------------------------------------------------------------------------------------------------ kept, redacted


@proof("coverage.logs-kept-and-redacted")
def logs_kept_and_redacted(case: Case, finding: Finding) -> None:
    """Every log group ends its events after a set time and masks personal data, and every function writes to such a group.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/mask-sensitive-log-data.html
    """
    for group in case.model.of("AWS::Logs::LogGroup"):
        days = group.get("RetentionInDays")
        masks = any(
            isinstance(item, dict) and "MaskConfig" in at(item, "Operation", "Deidentify", default={})
            for item in as_list(at(group.get("DataProtectionPolicy"), "Statement"))
        )
        if not isinstance(days, int):
            finding.broken.append(note(group, "keeps its events for ever"))
        if not masks:
            finding.broken.append(note(group, "masks nothing"))
        if isinstance(days, int) and masks:
            finding.evidence.append(note(group, f"{days} days, masked"))
    for log in case.model.of("AWS::WAFv2::LoggingConfiguration"):
        redacted = {str(at(item, "SingleHeader", "Name")).lower() for item in as_list(log.get("RedactedFields"))}
        if {"authorization", "cookie"} <= redacted:
            finding.evidence.append(note(log, f"without {', '.join(sorted(redacted))}"))
        else:
            finding.broken.append(
                note(log, f"records {', '.join(sorted({'authorization', 'cookie'} - redacted))} headers")
            )
    for function in case.model.of("AWS::Lambda::Function"):
        name = function.get("LoggingConfig", "LogGroup", default=f"/aws/lambda/{function.name}")
        if case.model.find(name, "AWS::Logs::LogGroup", near=function) is None:
            finding.broken.append(note(function, f"writes to {name}, a group that these templates do not make"))


# ---------------------------------------------------------------------------------------------------------- backed up


@proof("coverage.stores-backed-up")
def stores_backed_up(case: Case, finding: Finding) -> None:
    """Every store that deployment cannot make anew is chosen by a backup plan, and by a role of this deployment.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html
    """
    for store in stores(case.model):
        chosen = selections_of(case.model, store)
        if not chosen:
            finding.broken.append(note(store, "is chosen by no backup plan"))
            continue
        plans = [case.model.find(item.get("BackupPlanId"), "AWS::Backup::BackupPlan") for item in chosen]
        roles = [case.model.find(item.get("BackupSelection", "IamRoleArn"), "AWS::IAM::Role") for item in chosen]
        if not any(plans):
            finding.broken.append(note(chosen[0], f"chooses {store.path} for a plan that is not there"))
        elif not any(roles):
            finding.broken.append(note(chosen[0], f"chooses {store.path} with a role that is not there"))
        else:
            finding.evidence.append(note(store, f"chosen by {', '.join(item.path for item in chosen)}"))
    for bucket in case.model.of("AWS::S3::Bucket"):
        kept = truthy(bucket.get("ObjectLockEnabled")) or bucket.get("ReplicationConfiguration") is not None
        if bucket.tags.get("palisade:backup") == "archived" and not kept:
            finding.assumptions.append(f"{bucket.path} is tagged as nothing that backups must hold; its owner says so.")


# ------------------------------------------------------------------------------------------------------------ guarded


@proof("coverage.public-behind-firewall")
def public_behind_firewall(case: Case, finding: Finding) -> None:
    """Every public resource is behind a web firewall of this deployment, and behind Shield Advanced where the account has it.

    https://docs.aws.amazon.com/waf/latest/developerguide/how-aws-waf-works-resources.html
    """
    model = case.model
    guarded = {
        str(item.get("ResourceArn")): item
        for item in model.of("AWS::WAFv2::WebACLAssociation")
        if model.find(item.get("WebACLArn"), "AWS::WAFv2::WebACL") is not None
    }
    shielded = {(item.account, str(item.get("ResourceArn"))) for item in model.of("AWS::Shield::Protection")}
    advanced = {account for account, _ in shielded}
    for node, arn in _public(model):
        own = node.get("DistributionConfig", "WebACLId")
        if own is not None and model.find(own, "AWS::WAFv2::WebACL") is None:
            finding.broken.append(note(node, f"its firewall {own} is in no template"))
        elif own is None and arn not in guarded:
            finding.broken.append(note(node, "is public without a web firewall"))
        elif node.account in advanced and node.type in _SHIELDED and (node.account, node.arn) not in shielded:
            finding.broken.append(note(node, "its account has Shield Advanced, and it is not under it"))
        else:
            shield = "Shield Advanced" if node.account in advanced else "Shield Standard"
            finding.evidence.append(note(node, f"behind a web firewall and {shield}"))
    for wall in model.of("AWS::WAFv2::WebACL"):
        rules = as_list(wall.get("Rules"))
        counts = [
            str(at(rule, "Name"))
            for rule in rules
            if "Count" in (at(rule, "OverrideAction") or at(rule, "Action") or {})
        ]
        if not rules or len(counts) == len(rules):
            finding.broken.append(note(wall, "has no rule that blocks"))


_SHIELDED = frozenset({"AWS::CloudFront::Distribution", "AWS::ElasticLoadBalancingV2::LoadBalancer"})


def _public(model: Model) -> Iterator[tuple[Node, str]]:
    for node in model.of("AWS::CloudFront::Distribution"):
        yield node, node.arn
    for node in model.of("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        if node.get("Scheme") != "internal" and node.get("Type", default="application") == "application":
            yield node, node.arn
    for node in model.of("AWS::ApiGateway::Stage"):
        api = model.find(node.get("RestApiId"), "AWS::ApiGateway::RestApi")
        types = [] if api is None else as_list(api.get("EndpointConfiguration", "Types"))
        if "PRIVATE" not in types:
            yield (node, f"arn:aws:apigateway:{node.region}::/restapis/{node.get('RestApiId')}/stages/{_stage(node)}")
    for node in model.of("AWS::AppSync::GraphQLApi", "AWS::Cognito::UserPool"):
        yield node, node.arn


def _stage(node: Node) -> str:
    # A reference to the stage gives its logical id's stand-in; its name is what the ARN will hold.
    return node.id


# ------------------------------------------------------------------------------------------------------------ bounded


_COMPONENTS = (
    "AWS::AutoScaling::LaunchConfiguration",
    "AWS::CodeBuild::Project",
    "AWS::ECS::TaskDefinition",
    "AWS::Glue::Job",
    "AWS::IAM::InstanceProfile",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Lambda::Function",
    "AWS::StepFunctions::StateMachine",
    "AWS::Synthetics::Canary",
)
_ROLE = ("Role", "RoleArn", "ServiceRole", "ExecutionRoleArn", "TaskRoleArn", "RoleARN", "Roles")


@proof("coverage.bounded-roles")
def bounded_roles(case: Case, finding: Finding) -> None:
    """Every component runs under a role of its own, and every role is held by a permissions boundary.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    users: dict[Node, list[Node]] = defaultdict(list)
    for component in case.model.of(*_COMPONENTS):
        roles = {
            role
            for value in walk(component.properties)
            if isinstance(value, dict)
            for name in _ROLE
            for item in as_list(value.get(name))
            if (role := case.model.find(item, "AWS::IAM::Role", near=component)) is not None
        }
        if not roles:
            finding.broken.append(note(component, "runs under a role that these templates do not make"))
        for role in roles:
            users[role].append(component)
    for role in case.model.of("AWS::IAM::Role"):
        if not isinstance(role.get("PermissionsBoundary"), str):
            finding.broken.append(note(role, "has no permissions boundary"))
        elif len(users[role]) > 1:
            finding.broken.append(note(role, f"is shared by {' and '.join(sorted(item.path for item in users[role]))}"))
        else:
            finding.evidence.append(
                note(role, f"bounded, {users[role][0].path if users[role] else 'of a service'} alone")
            )
    for user in case.model.of("AWS::IAM::User", "AWS::IAM::AccessKey"):
        finding.broken.append(note(user, "is a standing identity with keys of its own"))
