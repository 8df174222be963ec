"""What no condition on one resource's properties can decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from assembly.resolve import INVENTED
from ops.coverage.judge import CHECKS, Case, check
from proofs.model import Node, as_list, as_mapping, at, truthy
from proofs.model.policies import documents_of, statements
from proofs.reachability.network import Hop

Found = Iterator[tuple[Node | str, str]]
_REMOTE = (22, 3389)
_TCP = {"6", "-1", "tcp"}


# -------------------------------------------------------------------------------------------------------------- edge


@check
def guarded_by_a_web_firewall(case: Case, subjects: Sequence[Node]) -> Found:
    """A web ACL is associated with the stage."""
    for stage in subjects:
        api = case.model.find(stage.get("RestApiId"), "AWS::ApiGateway::RestApi")
        guards = [node for node in (stage, api) if node is not None]
        if not any(case.model.referrers(node, "AWS::WAFv2::WebACLAssociation") for node in guards):
            yield stage, "no web ACL is associated with it"


@check
def logs_its_requests(case: Case, subjects: Sequence[Node]) -> Found:
    """The distribution logs, the old way or by a delivery of logs."""
    for distribution in subjects:
        old = distribution.get("DistributionConfig", "Logging", "Bucket")
        sources = {str(node.get("Name")) for node in case.model.referrers(distribution, "AWS::Logs::DeliverySource")}
        deliveries = case.model.of("AWS::Logs::Delivery", account=distribution.account)
        if not old and not any(node.get("DeliverySourceName") in sources for node in deliveries):
            yield distribution, "its requests are logged nowhere"


def _bucket_origins(case: Case, distribution: Node) -> Iterator[tuple[Any, Node | None]]:
    for origin in as_list(distribution.get("DistributionConfig", "Origins")):
        name = str(at(origin, "DomainName", default=""))
        if at(origin, "S3OriginConfig") is None and ".s3." not in name:
            continue
        invented = INVENTED.search(name)
        bucket = case.model.node(invented[1], invented[2]) if invented else None
        yield origin, bucket or case.model.find(name.partition(".s3.")[0], "AWS::S3::Bucket")


@check
def its_bucket_exists(case: Case, subjects: Sequence[Node]) -> Found:
    """Each origin that is a bucket is a bucket of the assembly."""
    for distribution in subjects:
        for origin, bucket in _bucket_origins(case, distribution):
            if bucket is None or bucket.type != "AWS::S3::Bucket":
                yield distribution, f"no template makes the bucket of its origin {at(origin, 'Id')}"


@check
def its_bucket_is_called_with_origin_access_control(case: Case, subjects: Sequence[Node]) -> Found:
    """Each origin that is a bucket has an origin access control."""
    for distribution in subjects:
        for origin, _ in _bucket_origins(case, distribution):
            if not at(origin, "OriginAccessControlId"):
                yield distribution, f"its origin {at(origin, 'Id')} has no origin access control"


# ---------------------------------------------------------------------------------------------------------- evidence


@check
def every_account_is_trailed(case: Case, _: Sequence[Node]) -> Found:
    """A trail of all regions records reading and writing management events in each account, or for the whole organization."""
    trails = [
        trail
        for trail in case.model.of("AWS::CloudTrail::Trail")
        if truthy(trail.get("IsMultiRegionTrail")) and truthy(trail.get("IsLogging")) and _records_management(trail)
    ]
    whole = any(truthy(trail.get("IsOrganizationTrail")) for trail in trails)
    for account, owner in case.owners.items():
        if not whole and not any(trail.account == account for trail in trails):
            yield owner, "no trail of all regions records its management events"


def _records_management(trail: Node) -> bool:
    advanced = as_list(trail.get("AdvancedEventSelectors"))
    if not advanced:
        selectors = as_list(trail.get("EventSelectors"))
        return not selectors or any(
            at(one, "IncludeManagementEvents", default=True) is True
            and at(one, "ReadWriteType", default="All") == "All"
            for one in selectors
        )
    fields = [{str(at(f, "Field")): at(f, "Equals") for f in as_list(at(one, "FieldSelectors"))} for one in advanced]
    return any(one == {"eventCategory": ["Management"]} for one in fields)


@check
def Security_Hub_is_on_everywhere(case: Case, _: Sequence[Node]) -> Found:  # noqa: N802
    """Each account has Security Hub in each region: its own, or by a policy for the whole organization, which reaches the
    region where findings are gathered and those that are linked to it.

    https://docs.aws.amazon.com/securityhub/latest/userguide/central-configuration-intro.html
    """
    own = {(hub.account, hub.region) for hub in case.model.of("AWS::SecurityHub::Hub")}
    reached: set[str] = set()
    for central in case.model.of("AWS::SecurityHub::PolicyAssociation"):
        if central.get("TargetType") == "ROOT":
            gathered = case.model.of("AWS::SecurityHub::FindingAggregator", account=central.account)
            reached |= {central.region, *(str(one) for node in gathered for one in as_list(node.get("Regions")))}
    for account, region in case.places:
        if (account, region) not in own and region not in reached:
            yield f"{case.owners[account]} {region}", "nothing turns Security Hub on"


@check
def its_bucket_logs_access(case: Case, subjects: Sequence[Node]) -> Found:
    """The bucket that the trail writes to logs access."""
    for trail in subjects:
        bucket = case.model.find(trail.get("S3BucketName"), "AWS::S3::Bucket")
        if bucket is None or not bucket.get("LoggingConfiguration"):
            yield bucket or trail, "requests to the trail's bucket are not logged by the bucket"


# ----------------------------------------------------------------------------------------------------------- network


def _has_endpoint(service: str, case: Case, subjects: Sequence[Node]) -> Found:
    for vpc in subjects:
        endpoints = [node for node in case.model.of("AWS::EC2::VPCEndpoint") if node.get("VpcId") == vpc.id]
        if not any(str(node.get("ServiceName")).endswith(f".{service}") for node in endpoints):
            yield vpc, f"it has no endpoint for {service}"


for _service in ("ec2", "ecr.api", "ecr.dkr", "ssm", "ssm-contacts", "ssm-incidents"):
    CHECKS[f"endpoint {_service}"] = partial(_has_endpoint, _service)


@check
def used_by_a_subnet(case: Case, subjects: Sequence[Node]) -> Found:
    """Some subnet has the network ACL."""
    for acl in subjects:
        if not case.model.referrers(acl, "AWS::EC2::SubnetNetworkAclAssociation"):
            yield acl, "no subnet uses it"


@check
def keeps_remote_administration_out(_: Case, subjects: Sequence[Node]) -> Found:
    """The entry does not let everybody in to the ports of SSH and RDP."""
    for entry in subjects:
        everybody = entry.get("CidrBlock") == "0.0.0.0/0" or entry.get("Ipv6CidrBlock") == "::/0"
        inward = not truthy(entry.get("Egress")) and entry.get("RuleAction") == "allow"
        if everybody and inward and str(entry.get("Protocol")) in _TCP:
            low, high = (int(entry.get("PortRange", end, default=edge)) for end, edge in (("From", 0), ("To", 65535)))
            if any(low <= port <= high for port in _REMOTE):
                yield entry, f"it lets everybody in to ports {low} to {high}"


@check
def its_subnets_have_no_way_to_the_internet(case: Case, subjects: Sequence[Node]) -> Found:
    """No route of the subnets leads to an internet gateway."""
    network = case.network
    for group in subjects:
        for name in map(str, as_list(group.get("SubnetIds"))):
            subnet = network.subnets.get(name)
            if subnet is None or any(route.hop is Hop.INTERNET for _, route in network.ways(subnet)):
                yield group, f"a route of {subnet.path if subnet else name} leads to an internet gateway"


@check
def the_firewall_logs(case: Case, subjects: Sequence[Node]) -> Found:
    """A logging configuration belongs to the firewall."""
    for firewall in subjects:
        if not case.model.referrers(firewall, "AWS::NetworkFirewall::LoggingConfiguration"):
            yield firewall, "it logs nothing"


# --------------------------------------------------------------------------------------------------------- identities


def _allowed(document: Any) -> Iterator[tuple[str, list[str]]]:
    """Each action that a statement allows, with its resources."""
    for statement in statements([document]):
        if statement.get("Effect") == "Allow":
            named = [f"not {item}" for item in as_list(statement.get("NotAction"))]
            for action in [*map(str, as_list(statement.get("Action"))), *named]:
                yield action, [str(item) for item in as_list(statement.get("Resource", "*"))]


@check
def allows_not_everything(_: Case, subjects: Sequence[Node]) -> Found:
    """No statement allows every action on everything."""
    for policy in subjects:
        for action, resources in _allowed(policy.get("PolicyDocument")):
            if action in {"*", "*:*"} and "*" in resources:
                yield policy, "it allows every action on everything"


@check
def allows_no_whole_service(_: Case, subjects: Sequence[Node]) -> Found:
    """No statement allows every action of a service, or everything but a few."""
    for policy in subjects:
        for action, _resources in _allowed(policy.get("PolicyDocument")):
            if action.endswith(":*") or action == "*" or action.startswith("not "):
                yield policy, f"it allows {action}"


@check
def somebody_may_talk_to_AWS_Support(case: Case, _: Sequence[Node]) -> Found:  # noqa: N802  (its name is shown)
    """A role or permission set has AWSSupportAccess."""
    if not any("AWSSupportAccess" in str(arn) for _node, arn in _managed(case)):
        yield "the organization", "no role or permission set has AWSSupportAccess"


@check
def nobody_has_all_of_CloudShell(case: Case, _: Sequence[Node]) -> Found:  # noqa: N802
    """No role or permission set has AWSCloudShellFullAccess."""
    for node, arn in _managed(case):
        if "AWSCloudShellFullAccess" in str(arn):
            yield node, "it has AWSCloudShellFullAccess"


def _managed(case: Case) -> Iterator[tuple[Node, Any]]:
    types = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group", "AWS::SSO::PermissionSet")
    for node in case.model.of(*types):
        for name in ("ManagedPolicyArns", "ManagedPolicies"):
            for arn in as_list(node.get(name)):
                yield node, arn


@check
def may_report_to_Systems_Manager(case: Case, subjects: Sequence[Node]) -> Found:  # noqa: N802
    """The machine has a role that may tell Systems Manager that it is there."""
    for machine in subjects:
        found = machine.get("IamInstanceProfile") or machine.get("LaunchTemplateData", "IamInstanceProfile")
        named = [str(at(found, end, default="")) for end in ("Arn", "Name")] if not isinstance(found, str) else [found]
        profile = next(filter(None, (case.model.find(name, "AWS::IAM::InstanceProfile") for name in named)), None)
        roles = [
            case.model.find(name, "AWS::IAM::Role", near=machine) for name in as_list(profile and profile.get("Roles"))
        ]
        allowed = [
            action
            for role in filter(None, roles)
            for document in documents_of(case.model, role)
            for action, _ in _allowed(document)
        ]
        core = any("AmazonSSMManagedInstanceCore" in str(role.get("ManagedPolicyArns")) for role in filter(None, roles))
        if not core and not any(fnmatchcase("ssm:updateinstanceinformation", action.lower()) for action in allowed):
            yield machine, "its role may not report to Systems Manager"


# --------------------------------------------------------------------------------------------------------------- data

_SHARING = {
    "AWS::RDS::DBCluster": "rds:ModifyDBClusterSnapshotAttribute",
    "AWS::RDS::DBInstance": "rds:ModifyDBSnapshotAttribute",
}


def _whole(stores: Sequence[Node]) -> Iterator[Node]:
    """Those that hold data by themselves: not the instances of a cluster."""
    return (one for one in stores if one.type == "AWS::RDS::DBCluster" or one.get("DBClusterIdentifier") is None)


_DENYING = frozenset({"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"})


@check
def nobody_may_share_snapshots_of_databases(case: Case, subjects: Sequence[Node]) -> Found:
    """A policy of the organization denies everybody the sharing of snapshots."""
    denied = {
        str(action).lower()
        for node in case.model.of("AWS::Organizations::Policy")
        if node.get("Type") in _DENYING and as_list(node.get("TargetIds"))
        for statement in statements([as_mapping(node.get("Content"))])
        if statement.get("Effect") == "Deny"
        for action in as_list(statement.get("Action"))
    }
    for store in _whole(subjects):
        wanted = _SHARING[store.type].lower()
        if not any(fnmatchcase(wanted, pattern) for pattern in denied):
            yield store, "no policy of the organization denies the sharing of its snapshots"


@check
def has_two_instances(case: Case, subjects: Sequence[Node]) -> Found:
    """Two instances of the cluster can serve."""
    for cluster in subjects:
        number = sum(
            case.model.find(node.get("DBClusterIdentifier"), cluster.type, near=node) is cluster
            for node in case.model.of("AWS::RDS::DBInstance")
        )
        if number < 2:
            yield cluster, f"it has {number} instance{'s' * (number != 1)}"


def _hears_of(source: str, case: Case, subjects: Sequence[Node]) -> Found:
    for store in _whole(subjects):
        around = case.model.of("AWS::RDS::EventSubscription", account=store.account, region=store.region)
        if not any(node.get("SourceType") in {source, None} for node in around):
            yield store, f"no subscription tells of events of a {source}"


for _source in ("db-parameter-group", "db-security-group"):
    CHECKS[f"somebody hears of {_source}"] = partial(_hears_of, _source)


@check
def logs_access_or_holds_the_logs(case: Case, subjects: Sequence[Node]) -> Found:
    """The bucket logs access, unless others log theirs to it: it would log its own logging for ever.

    https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-9
    """
    holding = {
        str(bucket.get("LoggingConfiguration", "DestinationBucketName")) for bucket in case.model.of("AWS::S3::Bucket")
    }
    for bucket in subjects:
        if not bucket.get("LoggingConfiguration") and not {bucket.name, bucket.id} & holding:
            yield bucket, "access to it is not logged"


_WEAKENING = frozenset(
    {
        "s3:DeleteBucketPolicy",
        "s3:PutBucketAcl",
        "s3:PutBucketPolicy",
        "s3:PutEncryptionConfiguration",
        "s3:PutObjectAcl",
    }
)
"""What the control calls sensitive.
https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-blacklisted-actions-prohibited.html"""


@check
def gives_other_accounts_nothing_that_weakens_it(_: Case, subjects: Sequence[Node]) -> Found:
    """No other account may change the bucket's policy, encryption or ACLs."""
    for policy in subjects:
        for statement in statements([policy.get("PolicyDocument")]):
            principal = statement.get("Principal")
            named = ["*"] if principal == "*" else [str(one) for one in as_list(at(principal, "AWS"))]
            others = [one for one in named if f":{policy.account}:" not in one and one != policy.account]
            for action in map(str, as_list(statement.get("Action"))) if statement.get("Effect") == "Allow" else ():
                if others and any(fnmatchcase(bad.lower(), action.lower()) for bad in _WEAKENING):
                    yield policy, f"another account may {action}"


@check
def rotates_by_itself(case: Case, subjects: Sequence[Node]) -> Found:
    """A schedule rotates the secret within 90 days."""
    for secret in subjects:
        schedules = case.model.referrers(secret, "AWS::SecretsManager::RotationSchedule")
        days = [at(node.properties, "RotationRules", "AutomaticallyAfterDays", default=0) for node in schedules]
        if not any(str(number).isdigit() and 0 < int(number) <= 90 for number in days):
            yield secret, "nothing rotates it within 90 days"


@check
def images_are_scanned(case: Case, subjects: Sequence[Node]) -> Found:
    """The repository scans on push, or its registry scans continuously."""
    for repository in subjects:
        registry = case.model.of(
            "AWS::ECR::RegistryScanningConfiguration", account=repository.account, region=repository.region
        )
        own = truthy(repository.get("ImageScanningConfiguration", "ScanOnPush"))
        if not own and not any(node.get("ScanType") == "ENHANCED" for node in registry):
            yield repository, "its images are not scanned"


@check
def has_a_policy_of_its_own(case: Case, subjects: Sequence[Node]) -> Found:
    """The bus has a policy."""
    for bus in subjects:
        if not bus.get("Policy") and not case.model.referrers(bus, "AWS::Events::EventBusPolicy"):
            yield bus, "it has no policy"


@check
def somebody_hears_of_the_organization(case: Case, _: Sequence[Node]) -> Found:
    """A rule tells of what changes the organization."""
    rules = case.model.of("AWS::Events::Rule")
    if not any("organizations.amazonaws.com" in str(rule.get("EventPattern")) for rule in rules):
        yield "the organization", "no rule tells of its changes"
