"""Every proof holds on the fixture, and breaks on a weakened assembly for the right reason, naming the guilty resource."""

from __future__ import annotations

import dataclasses
import re
import time
from typing import Any

import pytest

import proofs.all_proofs  # noqa: F401
from assembly import Assembly, Resource
from assembly.change import GONE
from proofs.finding import PROOFS, Case, Finding, Verdict, prove
from proofs.model import changed, without
from proofs.terms import Terms
from tests.fixture_deployment import FIXTURE

TERMS = Terms.of(FIXTURE)
ROOMS = ("reachability", "resilience", "encryption", "coverage", "retention")
OURS = sorted(name for name, judge in PROOFS.items() if judge.__module__.split(".")[1] in ROOMS)
"""The proofs of these rooms; every other room has tests of its own."""
PARTIAL = {
    "resilience.region-loss": "no role may restore",
    "resilience.evidence-elsewhere": "alone",
    "resilience.zone-loss": r"one instance|loses its only zone|has no way to|network",
}
"""Proofs that find something missing in the fixture, with what may be missing and nothing else."""


@pytest.fixture(scope="module")
def findings_of(assembly: Assembly) -> dict[str, Finding]:
    return prove(Case(assembly, TERMS), OURS)


@pytest.mark.parametrize("name", OURS)
def test_holds_on_the_fixture_save_what_is_known_to_be_missing(name: str, findings_of: dict[str, Finding]) -> None:
    finding = findings_of[name]
    if name in PARTIAL:
        assert finding.verdict is Verdict.PARTIAL, str(finding)
        assert all(re.search(PARTIAL[name], str(item)) for item in finding.missing), str(finding)
    else:
        assert finding.verdict is Verdict.HOLDS, str(finding)
        assert finding.evidence


def test_only_the_stage_that_chose_one_zone_loses_anything_with_a_zone(findings_of: dict[str, Finding]) -> None:
    lost = {item.where.split("-")[0] for item in findings_of["resilience.zone-loss"].missing}
    assert lost == {"dev"}


# ------------------------------------------------------------------------------------------------------------ breaking

SSE_S3 = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
RULES = ("BackupPlan", "BackupPlanRule")
LOG = "prod-entry/Status/Logs/Resource"
SESSION = "log-archive-prod/Session/Resource/Resource"
PARAMETERS = "prod-data/Database/Parameters/Resource"
LISTENER = "prod-entry/Balancer/Listener/Resource"
KEY = "prod-keys/Data/Resource/Resource"
VPC = "prod-network/Vpc/Resource"
WRITER = "prod-data/Database/Resource/Writer/Resource"
READER = "prod-data/Database/Resource/Reader1/Resource"
WAY_IN = "prod-network/Groups/BalancerFromCloudFront"
MACHINE = "prod-access/Bastion/Resource"
VAULT = "backup-prod/Vault/Resource"
BEHAVIOR = ("DistributionConfig", "DefaultCacheBehavior")
VIEWERS = ("DistributionConfig", "ViewerCertificate")
COPY = (*RULES, 0, "CopyActions", 0, "Lifecycle", "DeleteAfterDays")
DOCUMENTS = "prod-documents/Objects/Resource/Resource"
ITEMS = "prod-documents/Items/Resource/Resource"
DATABASE = "prod-data/Database/Resource/Resource"
PLAN = "prod-backup/StandardDatabases/Resource"
DOCUMENTS_PLAN = "prod-backup/DocumentsBuckets/Resource"
BALANCER = "prod-entry/Balancer/Resource/Resource"
TRAIL = "management-trail/Trail/Resource"
SITE = "prod-edge/Site/Resource/Resource"
RECOVERY = "backup-prod-recovery/Vault/Resource"
LOCK = ("ObjectLockConfiguration", "Rule", "DefaultRetention", "Days")

Change = tuple[str, tuple[str | int, ...], Any]
WEAKENINGS: list[tuple[str, Change, str, str]] = [
    # proof, (path of the resource, property, new value or GONE), path of the guilty, what is said of it
    ("reachability.stores-are-private", (WRITER, ("PubliclyAccessible",), True), "", "public address"),
    ("reachability.stores-are-private", (READER, ("PubliclyAccessible",), True), "", "public address"),
    ("reachability.only-the-edge-is-open", (WAY_IN, ("SourcePrefixListId",), "pl-12345678"), "", "pl-12345678"),
    ("reachability.only-the-edge-is-open", (WAY_IN, ("CidrIp",), "198.51.100.0/24"), "", "198.51.100.0/24"),
    ("resilience.zone-loss", ("prod-network/Vpc/ApplicationDefaultRoute2", ("VpcEndpointId",),
     "like:prod-network/Vpc/ApplicationDefaultRoute1"), "prod-network/Vpc/ApplicationSubnet2", "no way to the internet"),
    ("resilience.zone-loss", ("prod-data/Database/Subnets/Default", ("SubnetIds",), "one"), DATABASE, "alone"),
    ("resilience.zone-loss", (BALANCER, ("Subnets",), "one"), BALANCER, "alone"),
    ("resilience.zone-loss", ("prod-network/Endpoints/Kms", ("SubnetIds",), "one"), "prod-network/Endpoints/Kms", "only zone"),
    ("resilience.machines-return", (MACHINE, ("VPCZoneIdentifier",), "one"), "", "only in"),
    ("resilience.machines-return", (MACHINE, ("VPCZoneIdentifier",), GONE), "", "no known zone"),
    ("resilience.machines-return", (MACHINE, ("VPCZoneIdentifier",), ["subnet-1"]), "", "no known zone"),
    ("resilience.region-loss", (PLAN, (*RULES, 0, "CopyActions"), GONE), PLAN, "old; promised"),
    ("resilience.region-loss", (PLAN, (*RULES, 0, "ScheduleExpression"), "cron(0 5 ? * SUN *)"), PLAN, "old; promised"),
    ("resilience.region-loss", (PLAN, (*RULES, 0, "CompletionWindowMinutes"), 10080), PLAN, "old; promised"),
    ("resilience.region-loss", (RECOVERY, (), None), PLAN, "in no template"),
    ("resilience.region-loss", (RECOVERY, ("EncryptionKeyArn",), GONE), RECOVERY, "by no key"),
    ("resilience.region-loss", ("backup-prod-recovery/Key/Resource/Resource", ("Enabled",), False),
     "backup-prod-recovery/Key/Resource/Resource", "disabled"),
    ("resilience.region-loss", (DATABASE, ("Tags",), GONE), DATABASE, "no backup plan"),
    ("resilience.recovery-time", ("prod-backup/DocumentsBuckets/Selection", (), None), DOCUMENTS, "no copy"),
    ("resilience.recovery-time", (DOCUMENTS_PLAN, (*RULES, 0, "CopyActions"), GONE), DOCUMENTS, "no copy"),
    ("resilience.recovery-time", ("prod-backup/StandardDatabases/Selection", (), None), DATABASE, "no copy"),
    ("resilience.recovery-points", (ITEMS, ("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"), False), "", ""),
    ("resilience.recovery-points", (DATABASE, ("BackupRetentionPeriod",), 1), "", "35 days"),
    ("resilience.recovery-points", (ITEMS, ("PointInTimeRecoverySpecification", "RecoveryPeriodInDays"), 1), "", "7 days"),
    ("resilience.recovery-points", (DOCUMENTS, ("VersioningConfiguration", "Status"), "Suspended"), "", ""),
    ("resilience.recovery-points", (DOCUMENTS_PLAN, (*RULES, 0, "EnableContinuousBackup"), False), DOCUMENTS, ""),
    ("resilience.evidence-elsewhere", (DOCUMENTS, ("ObjectLockEnabled",), True), "", "whose deeds it tells"),
    ("resilience.evidence-elsewhere", ("prod-site/Files/Resource/Resource", ("ObjectLockEnabled",), True), "", "whose deeds"),
    ("resilience.evidence-elsewhere", ("prod-access-logs/Landing/Resource/Resource", ("ObjectLockEnabled",), True), "", "deeds"),
    ("encryption.at-rest", (DOCUMENTS, ("BucketEncryption",), SSE_S3), "", "no customer-managed key"),
    ("encryption.at-rest", (ITEMS, ("SSESpecification",), GONE), "", "off"),
    ("encryption.at-rest", (DATABASE, ("StorageEncrypted",), False), "", "off"),
    ("encryption.at-rest", (DATABASE, ("MasterUserSecret",), GONE), "", "master password"),
    ("encryption.at-rest", ("prod-alarms/Operations/Resource/Resource", ("KmsMasterKeyId",), "alias/aws/sns"), "", "aws/sns"),
    ("encryption.at-rest", ("prod-alarms/Undelivered/Resource/Resource", ("KmsMasterKeyId",), GONE), "", "messages"),
    ("encryption.at-rest", (LOG, ("KmsKeyId",), GONE), "", "log events"),
    ("encryption.at-rest", (RECOVERY, ("EncryptionKeyArn",), GONE), "", "recovery points"),
    ("encryption.at-rest", (LOG, ("KmsKeyId",), "alias/acme/data"), "", "a key for data, not for logs"),
    ("encryption.at-rest", ("prod-access/Bastion/Template/Resource",
     ("LaunchTemplateData", "BlockDeviceMappings", 0, "Ebs", "Encrypted"), False), "", "volume"),
    ("encryption.keys-rotate", (KEY, ("EnableKeyRotation",), False), "", "does not rotate"),
    ("encryption.keys-rotate", (KEY, ("RotationPeriodInDays",), 2560), "", "2560"),
    ("encryption.keys-rotate", (KEY, ("Enabled",), False), "", "disabled"),
    ("encryption.keys-apart", (DOCUMENTS, ("BucketEncryption", "ServerSideEncryptionConfiguration", 0,
     "ServerSideEncryptionByDefault", "KMSMasterKeyID"), "arn:aws:kms:eu-central-1:200000000001:alias/acme/data"),
     "dev-keys/Data/Resource/Resource", "accounts"),
    ("encryption.keys-apart", (ITEMS, ("SSESpecification", "KMSMasterKeyId"),
     "arn:aws:kms:eu-central-1:200000000001:alias/acme/data"), "dev-keys/Data/Resource/Resource", "accounts"),
    ("encryption.keys-apart", (LOG, ("KmsKeyId",), "arn:aws:kms:eu-central-1:200000000001:alias/acme/logs"),
     "dev-keys/Logs/Resource/Resource", "accounts"),
    ("encryption.in-transit", (SITE, (*BEHAVIOR, "ViewerProtocolPolicy"), "allow-all"), "", "allow-all"),
    ("encryption.in-transit", (SITE, (*VIEWERS, "MinimumProtocolVersion"), "TLSv1"), "", "TLSv1"),
    ("encryption.in-transit", (SITE, ("DistributionConfig", "Origins", 1, "CustomOriginConfig", "OriginProtocolPolicy"),
     "match-viewer"), "", "match-viewer"),
    ("encryption.in-transit", (LISTENER, ("SslPolicy",), "ELBSecurityPolicy-2016-08"), "", "2016"),
    ("encryption.in-transit", (LISTENER, ("Protocol",), "HTTP"), "", "in clear"),
    ("encryption.in-transit", (PARAMETERS, ("Parameters", "rds.force_ssl"), "0"), "", "force_ssl=0"),
    ("encryption.in-transit", ("prod-entry/ApiDomain/Resource/Resource", ("SecurityPolicy",), "TLS_1_0"), "", "TLS_1_0"),
    ("encryption.in-transit", ("prod-documents/Objects/Resource/Policy/Resource", ("PolicyDocument", "Statement", 0), GONE), "",
     "without TLS"),
    ("coverage.stores-audited", (TRAIL, ("AdvancedEventSelectors", 1), GONE), TRAIL, "on no record"),
    ("coverage.stores-audited", (TRAIL, ("IsOrganizationTrail",), False), DOCUMENTS, "on no record"),
    ("coverage.stores-audited", (TRAIL, ("AdvancedEventSelectors", 0), GONE), "", "settings"),
    ("coverage.stores-audited", (DATABASE, ("EnableCloudwatchLogsExports", 0), GONE), "", "exports no log"),
    ("coverage.stores-audited", (TRAIL, ("IsLogging",), False), TRAIL, "does not log"),
    ("coverage.stores-audited", (TRAIL, ("EnableLogFileValidation",), False), TRAIL, "sign"),
    ("coverage.stores-audited", (PARAMETERS, ("Parameters", "pgaudit.log"), GONE), "", "no statement"),
    ("coverage.stores-audited", (DATABASE, ("EnableCloudwatchLogsExports",), GONE), "", "exports no log"),
    ("coverage.ingress-logged", ("prod-edge/Log/Resource", (), None), SITE, "no log"),
    ("coverage.ingress-logged", ("prod-entry/WebAcl/Log", (), None), "prod-entry/WebAcl/Resource", "no log"),
    ("coverage.ingress-logged", ("prod-network/FlowLog/Resource", ("TrafficType",), "REJECT"), VPC, "flows"),
    ("coverage.ingress-logged", ("prod-network/FlowLog/Resource", ("LogDestination",), GONE), VPC, "flows"),
    ("coverage.ingress-logged", ("prod-network/ResolverLog/Association", (), None), VPC, "queries"),
    ("coverage.ingress-logged", (BALANCER, ("LoadBalancerAttributes",), []), "", "no log"),
    ("coverage.ingress-logged", (DOCUMENTS, ("LoggingConfiguration",), GONE), "", "no log"),
    ("coverage.logs-kept-and-redacted", (LOG, ("RetentionInDays",), GONE), "", "for ever"),
    ("coverage.logs-kept-and-redacted", (LOG, ("DataProtectionPolicy",), GONE), "", "masks nothing"),
    ("coverage.logs-kept-and-redacted", ("prod-entry/WebAcl/Log", ("RedactedFields",), GONE), "", "authorization, cookie"),
    ("coverage.logs-kept-and-redacted", (LOG, (), None),
     "prod-entry/Status/Resource/Resource", "do not make"),
    ("coverage.stores-backed-up", (ITEMS, ("Tags",), GONE), "", "no backup plan"),
    ("coverage.stores-backed-up", ("prod-backup/DocumentsBuckets/Selection", (), None), DOCUMENTS, "no backup plan"),
    ("coverage.stores-backed-up", ("prod-backup/Backups/Role/Resource/Resource", (), None),
     "prod-backup/StandardDatabases/Selection", "role that is not there"),
    ("coverage.public-behind-firewall", ("prod-entry/WebAcl/BalancerGuard", (), None), BALANCER, "without a web firewall"),
    ("coverage.public-behind-firewall", (SITE, ("DistributionConfig", "WebACLId"), GONE), "", "without a web firewall"),
    ("coverage.public-behind-firewall", ("prod-documents/Api/Firewall", (), None), "", "without a web firewall"),
    ("coverage.public-behind-firewall", ("prod-entry/WebAcl/Resource", ("Rules",), []), "", "no rule that blocks"),
    ("coverage.bounded-roles", ("prod-entry/Status/Role/Resource/Resource", ("PermissionsBoundary",), GONE), "", "boundary"),
    ("coverage.bounded-roles", ("prod-documents/Service/Resource/Resource", ("Role",), "other"), "", "shared"),
    ("coverage.bounded-roles", ("prod-documents/Service/Resource/Resource", ("Role",), "arn:aws:iam::999999999999:role/x"), "",
     "do not make"),
    ("retention.documents-end", (DOCUMENTS, ("LifecycleConfiguration", "Rules", 1, "Status"), "Disabled"), "", "nothing ends it"),
    ("retention.documents-end", (DOCUMENTS, ("LifecycleConfiguration", "Rules", 1, "ExpirationInDays"), 60), "", "promised gone"),
    ("retention.documents-end", (DOCUMENTS, ("LifecycleConfiguration", "Rules", 0), GONE), "", "its old version stays"),
    ("retention.documents-end", (ITEMS, ("TimeToLiveSpecification", "Enabled"), False), "", "nothing ends it"),
    ("retention.documents-end", (DOCUMENTS_PLAN, COPY, 35), DOCUMENTS, "backup"),
    ("retention.documents-end", (DOCUMENTS_PLAN, (*RULES, 0, "Lifecycle"), GONE), DOCUMENTS, "backup"),
    ("retention.logs-end", (LOG, ("RetentionInDays",), 400), "", "promised 14"),
    ("retention.logs-end", (LOG, ("RetentionInDays",), GONE), "", "for ever"),
    ("retention.logs-end", ("prod-data/Database/PostgresqlLogs/Resource", ("RetentionInDays",), 14), "", "promised 400"),
    ("retention.evidence-stays", (SESSION, LOCK, 30), "", "30 days"),
    ("retention.evidence-stays", ("log-archive-prod/Flow/Resource/Resource", ("ObjectLockEnabled",), False), "", "is not locked"),
    ("retention.evidence-stays", (SESSION, ("ObjectLockConfiguration", "ObjectLockEnabled"), "Disabled"), "", "does not lock"),
    ("retention.evidence-stays", ("log-archive-prod/FlowLanding/Resource/Resource", ("LifecycleConfiguration",), GONE), "",
     "for ever"),
    ("retention.evidence-stays", (SESSION, ("ObjectLockConfiguration",), GONE), "", "promised"),
    ("retention.evidence-stays", (SESSION,
     ("LifecycleConfiguration", "Rules", 0, "ExpirationInDays"), 14), "", "before their lock ends"),
    ("retention.evidence-stays", ("log-archive-prod/FlowLanding/Resource/Resource",
     ("ReplicationConfiguration", "Rules", 0, "Status"), "Disabled"), "", "hands nothing on"),
    ("retention.no-conflict", (DOCUMENTS, ("ObjectLockEnabled",), True), "", "locked and promised to end"),
    ("retention.no-conflict", (VAULT, ("LockConfiguration", "MinRetentionDays"), 30), DOCUMENTS_PLAN, "jobs fail"),
    ("retention.no-conflict", (VAULT, ("LockConfiguration", "MaxRetentionDays"), 10), PLAN, "jobs fail"),
]  # fmt: skip


def found_in(assembly: Assembly, path: str) -> Resource:
    for _, item in assembly.resources():
        if item.path == path:
            return item
    nearest = [item.path for _, item in assembly.resources() if item.path.startswith("/".join(path.split("/")[:2]))]
    raise AssertionError(f"no {path}; there are {nearest}")


def weakened(assembly: Assembly, change: Change) -> Assembly:
    path, place, new = change
    resource = found_in(assembly, path)
    if new is None:
        return without(assembly, resource)
    if new == "one":
        return changed(assembly, resource, *place, to=resource.properties[str(place[0])][:1])
    if isinstance(new, str) and new.startswith("like:"):
        other = found_in(assembly, new.removeprefix("like:"))
        return changed(assembly, resource, *place, to=other.properties[str(place[0])])
    if new == "other":
        other = found_in(assembly, path.replace("Service", "Analysis"))
        return changed(assembly, resource, *place, to=other.properties[str(place[0])])
    return changed(assembly, resource, *place, to=new)


@pytest.mark.parametrize(
    ("name", "change", "guilty", "reason"),
    WEAKENINGS,
    ids=[
        f"{name}:{change[0].split('/')[0]}:{'.'.join(map(str, change[1]))[-40:]}" for name, change, _, _ in WEAKENINGS
    ],
)
def test_breaks_when_weakened_and_names_the_guilty(
    name: str, change: Change, guilty: str, reason: str, assembly: Assembly
) -> None:
    finding = PROOFS[name](Case(weakened(assembly, change), TERMS))
    assert finding.verdict is Verdict.BROKEN, str(finding)
    blamed = [item for item in finding.broken if reason in item.what]
    assert blamed, str(finding)
    if guilty or change[2] is not None:
        assert guilty in {item.where for item in blamed} or (not guilty and change[0] in str(blamed)), str(finding)


def test_every_proof_is_broken_in_three_ways_those_of_networks_beside_their_model() -> None:
    counted = {name: sum(1 for item in WEAKENINGS if item[0] == name) for name in OURS}
    assert all(count >= 3 for name, count in counted.items() if not name.startswith("reachability.")), counted


def test_all_proofs_together_take_less_than_five_seconds(assembly: Assembly) -> None:
    started = time.process_time()
    prove(Case(assembly, TERMS))
    assert time.process_time() - started < 5


@pytest.mark.parametrize("name", OURS)
def test_survives_whatever_shape_a_property_has(name: str, assembly: Assembly) -> None:
    """Templates of others: every property that a proof reads may be an expression that resolves to nothing."""
    stacks = []
    for stack in assembly.stacks:
        resources = {
            logical_id: {**body, "Properties": {key: {"Ref": "Unknown"} for key in body.get("Properties", {})}}
            for logical_id, body in stack.template.get("Resources", {}).items()
        }
        stacks.append(dataclasses.replace(stack, template={**stack.template, "Resources": resources}))
    finding = PROOFS[name](Case(Assembly(directory=assembly.directory, stacks=tuple(stacks)), TERMS))
    assert finding.verdict is not Verdict.HOLDS
