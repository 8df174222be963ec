"""Weakenings that a promise must notice: which of the gate's generated ones, and those that the gate has no use for."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assembly import Resource, Stack
from gate.weaken.mutations import Weakening, with_property
from gate.world import World, as_list, at, key_of, truthy
from proofs.delivery.arrows import SHIPPER
from proofs.model.organization import PLACEMENT
from proofs.register.workload import ANALYSIS


@dataclass(frozen=True, kw_only=True)
class Against:
    """A family of weakenings: kind, type and place as regular expressions, and what the construct path must hold."""

    kind: str
    type: str = ".*"
    place: str = ".*"
    path: str = ""
    was: str = ""

    def covers(self, weakening: Weakening) -> bool:
        """Whether a weakening is of this family."""
        return (
            re.fullmatch(self.kind, weakening.kind) is not None
            and re.search(self.type + "$", weakening.resource.type) is not None
            and re.search(self.place, weakening.place) is not None
            and re.search(self.path, weakening.resource.path) is not None
            and re.search(self.was, weakening.was) is not None
        )


_TRAIL = "CloudTrail::Trail"
_SERVICE = r'"Service"'
_ENTRY_LOGS = (
    Against(kind="drop resource", type="FlowLog"),
    Against(kind="drop resource", type="WAFv2::LoggingConfiguration"),
    Against(kind="drop resource", type="Logs::DeliverySource"),
    Against(kind="drop resource", type="QueryLoggingConfigAssociation"),
    Against(kind="drop property", type="ApiGateway::Stage", place="AccessLogSetting"),
)

AGAINST: Mapping[str, tuple[Against, ...]] = {
    "changes.recorded-once": (
        Against(
            kind="drop property", type="S3::Bucket", path="organization/Decision/", place="ObjectLockConfiguration$"
        ),
        Against(kind="let others record|record nothing of changes"),
        Against(kind="record changes of others"),
    ),
    "secrets.vault-key-and-ciphertext-are-apart": (
        Against(kind="drop condition|drop one condition", type="KMS::Key", path="-vault-keys/"),
        Against(kind="drop resource", type="KMS::Alias", path="-vault-keys/"),
    ),
    "accounts.passwords-are-strong": (Against(kind="weaken passwords"),),
    "accounts.volumes-are-encrypted-by-default": (Against(kind="forget region"),),
    "access.sessions-are-the-only-way-in": (
        Against(kind="add access", type="LaunchTemplate"),
        Against(kind="switch off", type="SSM::Document"),
        Against(kind="drop property", type="SSM::Document", place="s3BucketName|kmsKeyId|idleSessionTimeout"),
        Against(kind="send elsewhere", type="SSM::Document"),
        Against(kind="open network", type="SecurityGroup", path="Bastion", place="^SecurityGroupIngress"),
    ),
    "backups.databases-are-kept": (
        Against(kind="let go", type="RDS::DBCluster", place="DeletionPolicy|UpdateReplacePolicy"),
        Against(kind="switch off", type="RDS::DBCluster", place="DeletionProtection"),
        Against(kind="shorten", type="RDS::DBCluster"),
        Against(kind="drop tag", type="RDS::DBCluster"),
    ),
    "backups.restores-are-tested": (
        Against(kind="drop resource", type="RestoreTestingSelection"),
        Against(kind="deafen", type="Events::Rule", path="Restore"),
    ),
    "coverage.bounded-roles": (
        Against(kind="drop property", type="IAM::Role", place="PermissionsBoundary"),
        Against(kind="share role"),
    ),
    "coverage.ingress-logged": _ENTRY_LOGS,
    "coverage.logs-kept-and-redacted": (
        Against(kind="drop property", type="LogGroup", place="DataProtectionPolicy"),
        Against(kind="drop property", type="LogGroup", place="RetentionInDays"),
    ),
    "coverage.public-behind-firewall": (
        Against(kind="drop resource", type="WebACLAssociation"),
        Against(kind="drop property", type="Distribution", place="WebACLId"),
    ),
    "coverage.stores-audited": (
        Against(kind="drop property", type=_TRAIL, place="^AdvancedEventSelectors$"),
        Against(
            kind="drop item", type=_TRAIL, place="^AdvancedEventSelectors", was="Tables|Functions|Objects|Evidence"
        ),
        Against(kind="switch off", type=_TRAIL, place="IsLogging"),
        Against(kind="drop property", type="RDS::DBCluster", place="EnableCloudwatchLogsExports"),
    ),
    "coverage.stores-backed-up": (
        Against(kind="drop tag", type="RDS::DBCluster|DynamoDB::Table"),
        Against(kind="drop resource", type="BackupSelection"),
    ),
    "people.levels-are-apart": (Against(kind="mix levels"),),
    "delivery.logs-arrive": (
        Against(
            kind="foreign principal", type="S3::BucketPolicy", was="delivery.logs|cloudtrail|logging.s3|logdelivery"
        ),
        Against(
            kind="drop resource", type="S3::BucketPolicy", path="/(Trail|(Flow|Resolver|Waf|Cdn|Balancer)Landing)/"
        ),
        Against(
            kind="send elsewhere", type="FlowLog|S3::Bucket|WAFv2::LoggingConfiguration|ResolverQueryLoggingConfig"
        ),
        Against(
            kind="foreign principal", type="KMS::Key", path="log-archive", was=r'"Service": "(delivery|cloudtrail)'
        ),
    ),
    "delivery.messages-arrive": (
        Against(kind="foreign principal", type="SNS::TopicPolicy", was=_SERVICE),
        Against(kind="foreign principal", type="SQS::QueuePolicy", was=_SERVICE),
        Against(kind="foreign principal", type="KMS::Key", path="Messaging", was=_SERVICE),
        Against(kind="drop resource", type="SQS::QueuePolicy"),
    ),
    "detection.access-is-analysed": (Against(kind="narrow|put aside", type="Analyzer"),),
    "detection.accounts-are-held-against-standards": (
        Against(kind="leave out", type="ConfigurationPolicy|FindingAggregator"),
        Against(kind="narrow", type="PolicyAssociation"),
    ),
    "detection.configuration-is-recorded-and-judged": (
        Against(kind="switch off", type="ConfigurationRecorder", place="AllSupported"),
        Against(kind="judge nothing", type="ConformancePack"),
        Against(kind="foreign principal", type="S3::BucketPolicy", was='"config.amazonaws'),
        Against(kind="send elsewhere", type="DeliveryChannel"),
    ),
    "detection.findings-arrive": (
        Against(kind="deafen", type="Events::Rule", path="/Findings/|/Severe/"),
        Against(kind="foreign principal", type="EventBus"),
        Against(kind="drop permission", path="/Sender/"),
        Against(kind="drop property", type="Events::Rule", path="/Findings/", place="^Targets$"),
    ),
    "detection.machines-are-patched": (Against(kind="run something else|only look", type="SSM::Association"),),
    "detection.threats-are-watched": (
        Against(kind="switch off", type="GuardDuty::Detector"),
        Against(kind="weaker word", type="GuardDuty::Detector", place="Features.\\d.Status"),
        Against(kind="leave out", type="CoverAccounts", place="Regions|Plans"),
    ),
    "detection.vulnerabilities-are-scanned": (
        Against(kind="leave out", type="CoverAccounts", place="Accounts|Regions|Scans"),
    ),
    "drift.changes-by-hand-are-noticed": (
        Against(kind="drop property", type="Events::Rule", path="-account/Drift", place="ScheduleExpression"),
        Against(
            kind="drop property", type="CloudWatch::Alarm", path="-account/Drift", place="AlarmActions|TreatMissingData"
        ),
        Against(kind="foreign principal", type="SNS::TopicPolicy", path="-account/Alarms", was="cloudwatch"),
    ),
    "egress.addresses-are-static-and-published": (
        Against(kind="change addresses"),
        Against(kind="leave directly"),
        Against(kind="drop address"),
    ),
    "encryption.at-rest": (
        Against(kind="drop property", type="S3::Bucket", place="BucketEncryption"),
        Against(kind="drop property", type="DynamoDB::Table", place="SSESpecification"),
        Against(kind="drop property", type="LogGroup|SNS::Topic|SQS::Queue", place="(?i)kms"),
        Against(kind="switch off", type="RDS::DBCluster", place="StorageEncrypted"),
    ),
    "encryption.in-transit": (
        Against(kind="switch off", type="ParameterGroup", place="force_ssl"),
        Against(kind="drop resource", type="S3::BucketPolicy"),
        Against(kind="drop refusal", type="S3::BucketPolicy", was="SecureTransport"),
        Against(kind="weaker word", type="Listener|Distribution", place="Protocol"),
    ),
    "encryption.keys-apart": (Against(kind="one key"),),
    "keys.backups-are-administered-apart": (
        Against(kind="widen principal", type="KMS::Key", path="backup-(?!account)", was="ScheduleKeyDeletion"),
        Against(kind="widen principal", type="KMS::Key", path="-keys/(Data|Backup)", was="ScheduleKeyDeletion"),
        Against(kind="drop property", type="BackupVault", path="backup-", place="EncryptionKeyArn"),
    ),
    "encryption.keys-rotate": (
        Against(kind="switch off", type="KMS::Key", place="EnableKeyRotation"),
        Against(kind="relax limit", type="KMS::Key"),
    ),
    "containment.every-act-is-ready": (
        Against(kind="contain less"),
        Against(kind="let addresses in"),
        Against(kind="let one stop"),
        Against(kind="open quarantine"),
        Against(kind="say as anybody", path="-containment/"),
    ),
    "containment.nothing-that-must-stay": (Against(kind="contain more"),),
    "grants.levels-wait-behind-gates": (
        Against(kind="open gate"),
        Against(kind="take gate away"),
        Against(kind="trust account"),
        Against(kind="assign anything"),
        Against(kind="share assigning"),
    ),
    "grants.nothing-is-forgotten": (
        Against(kind="sweep seldom"),
        Against(kind="sweep never"),
        Against(kind="try once"),
        Against(kind="never close"),
        Against(kind="leave half open"),
        Against(kind="pass over silence"),
        Against(kind="drop property", type="CloudWatch::Alarm", path="security-access/Grants", place="AlarmActions"),
    ),
    "grants.another-person-decides": (
        Against(kind="say as anybody"),
        Against(kind="ask no consent"),
        Against(kind="share assigning"),
    ),
    "guardrails.stages-refuse-each-other": (
        Against(kind="misplace"),
        Against(kind="drop guardrail", place="^OtherStages$"),
    ),
    "guardrails.nothing-is-shared": (
        Against(
            kind="drop guardrail", place="^(SnapshotsToAccounts|SharedDatabaseSnapshots|PublicAccounts|PublicObjects)$"
        ),
    ),
    "guardrails.other-regions-are-closed": (
        Against(kind="drop guardrail", place="^OtherRegions$"),
        Against(kind="allow more", place="^OtherRegions "),
        Against(kind="refuse work", place="^Root"),
    ),
    "guardrails.copies-elsewhere-are-refused": (
        Against(kind="drop guardrail", place="^(BackupsElsewhere|StoresElsewhere)$"),
        Against(kind="allow more", place="^StoresElsewhere "),
    ),
    "guardrails.a-code-lasts-a-day": (
        Against(kind="drop guardrail", place="^UsersWithoutMfa$"),
        Against(kind="drop limit", place="^UsersWithoutMfa .*MultiFactor"),
        Against(kind="refuse work"),
    ),
    "guardrails.nobody-without-second-factor": (
        Against(kind="drop guardrail", place="^(UsersWithoutMfa|LongLivedCredentials)$"),
        Against(kind="drop limit", place="^UsersWithoutMfa .*MultiFactor"),
    ),
    "guardrails.people-come-from-allowed-addresses": (
        Against(kind="drop guardrail", place="^OtherAddresses$"),
        Against(kind="allow more", place="^OtherAddresses "),
        Against(kind="drop limit", place="^OtherAddresses .*(PrincipalArn|ViaAWSService|SourceIp)$"),
    ),
    "guardrails.only-the-pipeline-changes-live": (
        Against(kind="drop guardrail", place="^(ChangesByPeople|PipelineRoles)$", path="/(Prod|Live)/"),
        Against(kind="exempt everybody", place="^ChangesByPeople ", path="/(Prod|Live)/"),
    ),
    "guardrails.evidence-cannot-be-switched-off": (
        Against(
            kind="drop guardrail", place="^(Trails|Detectors|NetworkRecords|WorkloadRecords|ArchivedObjects|Keys)$"
        ),
        Against(kind="exempt everybody", place="^(Trails|ArchiveBuckets|Vaults|Deliveries) "),
    ),
    "guardrails.unencrypted-volumes-are-refused": (
        Against(kind="drop guardrail", place="^(Unencrypted(Volumes|Clusters|FileSystems)|EncryptionByDefaultOff)$"),
        Against(kind="drop limit", place="^UnencryptedVolumes "),
    ),
    "guardrails.exempt-roles-are-out-of-reach": (
        Against(kind="drop guardrail", place="^(OwnRoles|RolesOfTheBootstrap|MarkedRoles)$"),
        Against(kind="exempt everybody", place="^(OwnRoles|RolesOfTheBootstrap|MarkedRoles) "),
    ),
    "identity.network-position-grants-nothing": (
        Against(kind="open network", type="SecurityGroupIngress"),
        Against(kind="weaker word", type="Method", place="AuthorizationType"),
        Against(kind="switch off", type="DBCluster", place="EnableIAMDatabaseAuthentication"),
        Against(kind="believe anybody"),
    ),
    "logs.flow-logs-are-out-of-reach": (
        Against(kind="drop resource", type="FlowLog"),
        Against(kind="send elsewhere", type="FlowLog"),
        Against(kind="drop property", type="S3::Bucket", path="/Flow/", place="ObjectLockConfiguration$"),
        Against(kind="widen principal", type="S3::BucketPolicy", path="/FlowLanding/", was="PutObject"),
    ),
    "logs.redacted-on-the-way": (
        Against(kind="let pass", type="DeliveryStream"),
        Against(kind="drop right", type="ManagedPolicy", place="^Redact$"),
    ),
    "logs.requests-name-their-user": (
        Against(kind="tell less", type="ApiGateway::Stage|SubscriptionFilter", path="^(?!security-)"),
        Against(kind="drop permission", type="LogDeliveryConfiguration"),
    ),
    "logs.shipped-without-loss": (
        Against(kind="drop right", type="ManagedPolicy", place="^(Read|Decrypt)AuditLogs$|^KeepReceipts$|^ReadSecret$"),
        Against(kind="drop right", type="S3::BucketPolicy", place="AuditShipper"),
        Against(kind="drop permission", type="Lambda::Permission", path="-audit-shipping/"),
        Against(kind="stop calling", path="-audit-shipping/"),
        Against(kind="send plainly"),
        Against(kind="send less"),
        Against(
            kind="drop property",
            type="CloudWatch::Alarm",
            path="-audit-shipping/Late",
            place="AlarmActions|TreatMissing",
        ),
    ),
    "logs.trail-cannot-be-stopped": (
        Against(kind="switch off", type=_TRAIL),
        Against(kind="drop property", type="S3::Bucket", path="organization/Trail/", place="ObjectLockConfiguration$"),
        Against(kind="send elsewhere", type=_TRAIL),
        Against(kind="drop item", type=_TRAIL, place="AdvancedEventSelectors", was='"Management"'),
    ),
    "network.access-lists-are-explicit": (
        Against(kind="drop resource", type="SubnetNetworkAclAssociation"),
        Against(kind="open ports", type="NetworkAclEntry"),
    ),
    "network.firewalls-block": (
        Against(kind="only count", type="WebACL", place="OverrideAction"),
        Against(kind="drop item", type="WebACL", place="^Rules", was="RateBased|IpReputation"),
    ),
    "network.unlisted-names-do-not-resolve": (
        Against(kind="drop resource", type="FirewallRuleGroupAssociation"),
        Against(kind="weaker word", type="FirewallRuleGroup", was="BLOCK"),
    ),
    "objectives.burn-rate-alarms-fire-on-budget": (
        Against(kind="dull alarm", path="-observability"),
        Against(kind="drop property", type="CompositeAlarm", place="AlarmActions"),
        Against(kind="widen budget"),
    ),
    "people.engineers-work-in-sandbox": (
        Against(kind="unassign", path="Engineer"),
        Against(
            kind="drop right", type="SSO::PermissionSet", path="Engineer", place="Items|Functions|Deploy|ServerLogs"
        ),
    ),
    "people.jobs-have-the-least-rights": (
        Against(kind="add right", type="SSO::PermissionSet", path="/(ReadOnly|Operator|Messaging|Database|Billing)/"),
    ),
    "people.live-is-entered-apart": (
        Against(kind="add right", type="SSO::PermissionSet", path="/(ReadOnly|LogReader)/"),
        Against(kind="assign in live", path="/(Engineer|Operator|Database|BreakGlass)/|/Engineer"),
    ),
    "people.server-logs-have-few-readers": (
        Against(kind="add logs", type="SSO::PermissionSet", path="/(ReadOnly|Operator|Messaging)/"),
        Against(kind="assign logs"),
    ),
    "platform.documents-stay-in-memory": (Against(kind="keep texts"),),
    "platform.sample-workload-is-complete": (Against(kind="drop permission", path="-documents/"),),
    "reachability.only-the-edge-is-open": (
        Against(kind="open network", type="SecurityGroupIngress", path="BalancerFrom"),
        Against(kind="make public", path="BalancerFrom"),
    ),
    "reachability.stages-are-apart": (
        Against(kind="join networks"),
        Against(kind="share network"),
        Against(kind="carry across"),
    ),
    "reachability.stores-are-private": (Against(kind="switch on", type="DBInstance", place="PubliclyAccessible"),),
    "reachability.what-is-wanted-works": (Against(kind="drop entry", path="DataAcl"),),
    "residency.stores-stay-inside": (
        Against(kind="move away"),
        Against(kind="send elsewhere", type="BackupPlan"),
    ),
    "backups.recovery-point": (
        Against(kind="copy seldom"),
        Against(kind="drop resource", type="BackupSelection"),
    ),
    "resilience.recovery-points": (
        Against(kind="switch off", type="DynamoDB::Table", place="PointInTime"),
        Against(kind="switch off", type="BackupPlan", path="Documents", place="EnableContinuousBackup"),
        Against(kind="weaker word", type="S3::Bucket", path="documents/", place="Versioning"),
    ),
    "resilience.recovery-time": (
        Against(kind="drop resource", type="BackupSelection"),
        Against(kind="drop tag", type="DBCluster|DynamoDB::Table"),
    ),
    "resilience.region-loss": (
        Against(kind="copy seldom"),
        Against(kind="drop resource", type="BackupSelection"),
        Against(kind="drop tag", type="DBCluster|DynamoDB::Table"),
    ),
    "resilience.evidence-elsewhere": (Against(kind="store beside evidence"), Against(kind="lock beside data")),
    "resilience.machines-return": (
        Against(kind="one zone", type="AutoScalingGroup"),
        Against(kind="no zone"),
        Against(kind="single machine"),
    ),
    "resilience.zone-loss": (Against(kind="one zone", path="live|prod"),),
    "retention.documents-end": (
        Against(kind="drop property", type="DynamoDB::Table", path="documents/", place="TimeToLive"),
        Against(kind="drop property", type="S3::Bucket", path="documents/", place="LifecycleConfiguration$"),
    ),
    "retention.evidence-stays": (
        Against(kind="shorten", type="S3::Bucket", path="log-archive", place="ObjectLockConfiguration"),
        Against(kind="drop property", type="S3::Bucket", path="log-archive", place="ObjectLockConfiguration$"),
        Against(kind="drop property", type="S3::Bucket", path="Landing", place="LifecycleConfiguration$"),
        Against(kind="hide early"),
        Against(kind="weaker word", type="S3::Bucket", path="Landing", place="ReplicationConfiguration.*Status"),
    ),
    "retention.logs-end": (Against(kind="keep for ever", type="LogGroup"),),
    "retention.no-conflict": (Against(kind="lock for long"),),
    "secrets.none-in-templates": (Against(kind="add secret"),),
    "reviews.administrators-every-month": (
        Against(kind="put off|stop calling", path="security-reviews/Monthly"),
        Against(kind="drop permission", path="security-reviews/MonthlyMayCall"),
        Against(kind="let one sign", path="security-reviews/", place="ADMIN_REVIEWERS"),
        Against(kind="hide grants"),
    ),
    "reviews.everybody-every-quarter": (
        Against(kind="put off|stop calling", path="security-reviews/Quarterly"),
        Against(kind="drop permission", path="security-reviews/QuarterlyMayCall"),
        Against(kind="let one sign", path="security-reviews/", place="ACCESS_REVIEWERS"),
    ),
    "reviews.every-account-is-read": (
        Against(kind="leave out", path="security-reviews/Collector"),
        Against(kind="let others read|let change"),
        Against(kind="forget the missing"),
    ),
    "reviews.people-sign-as-themselves": (
        Against(kind="sign as anybody"),
        Against(kind="open the steps"),
        Against(kind="drop property", type="S3::Bucket", place="ObjectLock", path="log-archive-organization/Decision"),
    ),
    "reviews.unsigned-is-heard": (
        Against(kind="tell nobody"),
        Against(kind="wait for ever"),
        Against(kind="dull alarm", path="security-reviews/"),
        Against(kind="put off|stop calling", path="security-reviews/Watch"),
    ),
    "deletion.every-store-of-tenants": (Against(kind="forget store|ignore holds|certify unseen"),),
    "deletion.thirty-days-after-or-on-demand": (
        Against(kind="stop calling|drop permission|seldom", path="-offboarding/Daily"),
    ),
    "debug-export.gone-when-time-is-over": (
        Against(kind="keep exports|hear nothing of exports", path="-debug-export/"),
        Against(kind="drop resource", type="CloudWatch::Alarm", path="-debug-export/Export/"),
    ),
    "debug-export.one-tenants-listed-fields": (
        Against(kind="read more", path="-debug-export/Excerpt/"),
        Against(kind="drop condition", type="ManagedPolicy", path="-debug-export/Excerpt/", was="LeadingKeys"),
        Against(kind="drop condition", type="IAM::Role", path="-debug-export/Excerpt/", was="RequestTag"),
    ),
    "debug-export.short-links-on-record": (
        Against(kind="age links|speak for others|record nothing", path="-debug-export/"),
        Against(kind="drop resource", type="S3::BucketPolicy", path="-debug-export/Exports/"),
    ),
    "deletion.reaches-one-tenant": (
        Against(kind="drop condition", type="ManagedPolicy", path="-offboarding/Eraser", was="LeadingKeys|s3:prefix"),
        Against(kind="drop condition", type="IAM::Role", path="-offboarding/Eraser", was="RequestTag"),
    ),
    "separation.no-trust-between-stages": (
        Against(kind="widen principal", type="KMS::Key", path="^[a-z]+-keys/"),
        Against(kind="widen principal", type="IAM::Role", path="-documents/|-access/", was='"sts:AssumeRole"'),
        Against(kind="widen principal", type="S3::BucketPolicy", path="-site/"),
        Against(kind="widen principal", type="SQS::QueuePolicy", path="^(?!deployment-)"),
    ),
    "separation.one-account-a-stage": (Against(kind="share account"), Against(kind="share network")),
    "tenants.sessions-see-one-tenant": (
        Against(kind="drop condition", type="ManagedPolicy", path="-documents/Tenant", was="LeadingKeys|s3:prefix"),
        Against(kind="drop condition", type="IAM::Role", path="-documents/Tenant", was="RequestTag"),
    ),
    "throttles.ten-a-second-and-bursts-of-twenty": (
        Against(kind="relax limit", type="ApiGateway::(Stage|UsagePlan)"),
        Against(kind="drop property", type="ApiGateway::UsagePlan", place="^Throttle$"),
        Against(kind="drop property", type="ApiGateway::Stage", place="MethodSettings"),
    ),
    "transport.entrances-earn-an-a-plus": (
        Against(kind="lower TLS", type="Listener|Distribution|DomainName"),
        Against(kind="drop property", type="ResponseHeadersPolicy", place="StrictTransportSecurity$"),
        Against(kind="shorten", type="ResponseHeadersPolicy"),
        Against(kind="switch off", type="ResponseHeadersPolicy|RestApi", place="Preload|Subdomains|DisableExecute"),
    ),
    "transport.newest-tls-where-aws-offers-it": (
        Against(kind="lower TLS", type="Listener|Distribution|DomainName"),
        Against(kind="weaker word", type="Listener", place="Protocol"),
    ),
    "images.immutable-and-scanned": (
        Against(kind="weaker word", type="ECR::Repository", place="ImageTagMutability"),
        Against(kind="weaker word", type="RegistryScanningConfiguration"),
        Against(kind="drop permission", type="RegistryScanningConfiguration"),
    ),
    "incidents.everything-comes-to-one-intake": (
        Against(kind="miss findings"),
        Against(kind="forget stages"),
        Against(kind="foreign principal", type="SQS::QueuePolicy", path="security-incidents/Intake/", was=_SERVICE),
    ),
    "incidents.people-are-called-by-rotation": (
        Against(kind="mail nobody"),
        Against(kind="call a stranger"),
        Against(kind="drop resource", type="SNS::Subscription", path="security-incidents/Pages/"),
    ),
    "incidents.unanswered-calls-go-on": (
        Against(kind="never ask again|fall silent|call nobody"),
        Against(kind="allow lateness"),
        Against(kind="drop property", type="CloudWatch::Alarm", path="security-incidents/Timer/", place="AlarmActions"),
        Against(
            kind="drop property",
            type="CloudWatch::Alarm",
            path="security-incidents/(AssignedLate|PromiseMissed)/",
            place="AlarmActions",
        ),
    ),
    "incidents.people-act-in-their-own-name": (Against(kind="speak for others"),),
    "incidents.items-follow": (Against(kind="make no items"),),
    "encryption.database-clients-verify": (Against(kind="call by address"), Against(kind="call another host")),
    "tenants.rows-are-apart": (
        Against(kind="stop calling", path="-database/"),
        Against(kind="drop permission", type="Events::Rule", path="-database/Schedule"),
    ),
    "users.federate": (
        Against(kind="drop permission", type="UserPoolIdentityProvider", path="Google"),
        Against(kind="offer less"),
        Against(kind="tell secret"),
    ),
    "users.sessions-are-short": (
        Against(kind="relax limit", type="UserPoolClient"),
        Against(kind="switch off", type="UserPoolClient", place="EnableTokenRevocation"),
        Against(kind="drop property", type="UserPoolClient", place="RefreshTokenRotation"),
    ),
    "users.sign-in-is-guarded": (
        Against(kind="weaker word", type="UserPool", place="^(?!KeyConfiguration)"),
        Against(kind="shorten", type="UserPool"),
        Against(kind="switch off", type="UserPool"),
        Against(kind="drop permission", type="UserPoolRiskConfigurationAttachment"),
    ),
    "users.three-roles": (Against(kind="drop permission", type="UserPoolGroup"),),
    "users.tokens-end-with-their-user": (
        Against(kind="ask nobody", path="Authorizer"),
        Against(kind="share role", path="Authorizer"),
    ),
}
"""By proof: what it must notice."""


def more(world: World) -> Iterator[Weakening]:
    """Weakenings of promises that no single protective property keeps."""
    for stack, resource in world.assembly.resources():
        maker = _MAKERS.get(resource.type)
        if maker is not None:
            yield from maker(resource, stack, world)
    yield from _of_reviews(world)
    yield from _whole_stacks(world)
    yield from _levels(world)
    yield from _placements(world)
    yield from _account_settings(world)
    yield from _grants(world)
    yield from _containment(world)
    yield from _incidents(world)
    yield from _changes(world)
    yield from _debug_exports(world)


def _one(kind: str, resource: Resource, place: str, changed: Resource | None, *others: Resource) -> Weakening:
    changes: dict[tuple[str, str], Resource | None] = {key_of(resource): changed}
    changes |= {key_of(other): other for other in others}
    return Weakening(kind=kind, resource=resource, place=place, changes=changes)


def _set(kind: str, resource: Resource, *path: str | int, to: Any) -> Weakening:
    return _one(kind, resource, ".".join(map(str, path)), with_property(resource, path, to))


def _without(resource: Resource, *path: str | int) -> Iterator[Weakening]:
    """A list, each time without one of its items; the item is part of the place."""
    given = as_list(at(resource.properties, *path))
    for index, gone in enumerate(given):
        changed = with_property(resource, path, [*given[:index], *given[index + 1 :]])
        yield _one("leave out", resource, f"{'.'.join(map(str, path))} {gone}", changed)


def _delivery(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    path = ("ExtendedS3DestinationConfiguration", "ProcessingConfiguration", "Processors")
    left = [one for one in as_list(at(resource.properties, *path)) if one.get("Type") != "Lambda"]
    yield _set("let pass", resource, *path, to=left)


def _access_log(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    form = str(at(resource.properties, "AccessLogSetting", "Format", default=""))
    for word in ("authorizer.principalId", "authorizer.tenant"):
        if word in form:
            less = form.replace(f"$context.{word}", "-")
            yield _set("tell less", resource, "AccessLogSetting", "Format", to=less)


def _statements_of_shipping(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    """What streams and shippers may do, each time without one of the statements."""
    path = ("PolicyDocument", "Statement")
    given = as_list(at(resource.properties, *path))
    for one in given:
        sid = str(at(one, "Sid"))
        if "-audit" in resource.path or sid.startswith("AuditShipper"):
            left = [other for other in given if other is not one]
            yield _one("drop right", resource, sid, with_property(resource, path, left))


def _subscription(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    yield _set("tell less", resource, "FilterPattern", to='{ $.event = "request.refused" }')


def _parameter(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    if "egress" in str(resource.properties.get("Name")):
        value = resource.properties.get("Value")
        yield _set("change addresses", resource, "Value", to={"Fn::Join": [",", [value, "192.0.2.1"]]})


def _route(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    if "NatGatewayId" in resource.properties:
        direct = {name: value for name, value in resource.properties.items() if name != "NatGatewayId"}
        changed = with_property(resource, (), {**direct, "GatewayId": "igw-1"})
        yield _one("leave directly", resource, "NatGatewayId", changed)
        yield _one("drop route", resource, "", None)


def _nat(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    yield _set("drop address", resource, "AllocationId", to="eipalloc-1")


def _rule(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    if resource.path.endswith("-offboarding/Daily"):
        yield _set("seldom", resource, "ScheduleExpression", to="rate(7 days)")
    if "/Schedule" in resource.path or resource.path.endswith("-offboarding/Daily"):
        yield _set("stop calling", resource, "State", to="DISABLED")
        yield _one("drop permission", resource, "", None)
    if "ScheduleExpression" in resource.properties and '"do"' in str(resource.properties.get("Targets")):
        yield _set("put off", resource, "ScheduleExpression", to="cron(0 5 1 1 ? *)")
        yield _set("stop calling", resource, "State", to="DISABLED")
    if "aws.backup" in str(resource.properties.get("EventPattern")) or "/Findings/" in resource.path:
        yield _set("deafen", resource, "EventPattern", to={"source": ["aws.nothing"]})
    if "/Severe/" in resource.path:
        yield _set("deafen", resource, "EventPattern", "detail-type", to=["Nothing"])


def _covering(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    for name in ("Accounts", "Regions", "Scans", "TrustedServices"):
        yield from _without(resource, name)
    plans = resource.properties.get("Plans", {})
    for gone in plans:
        left = {plan: agents for plan, agents in plans.items() if plan != gone}
        yield _one("leave out", resource, f"Plans {gone}", with_property(resource, ("Plans",), left))


def _analyser(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    kind = str(resource.properties.get("Type"))
    if kind.startswith("ORGANIZATION"):
        yield _set("narrow", resource, "Type", to=kind.replace("ORGANIZATION", "ACCOUNT"))
    yield _set("put aside", resource, "ArchiveRules", to=[{"RuleName": "all", "Filter": []}])


def _standards(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    hub = ("ConfigurationPolicy", "SecurityHub")
    yield from _without(resource, *hub, "EnabledStandardIdentifiers")
    controls = (*hub, "SecurityControlsConfiguration", "DisabledSecurityControlIdentifiers")
    yield _set("leave out", resource, *controls, to=["S3.1"])


def _association(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    yield _set("narrow", resource, "TargetType", to="ACCOUNT")


def _pack(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    yield _set("judge nothing", resource, "TemplateBody", to='{"Resources":{}}')


def _patching(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    if resource.properties.get("Name") == "AWS-RunPatchBaseline":
        yield _set("run something else", resource, "Name", to="AWS-GatherSoftwareInventory")
        yield _set("only look", resource, "Parameters", "Operation", to=["Scan"])


def _aggregator(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    yield from _without(resource, "Regions")


def _alarm(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    if resource.properties.get("MetricName") == "ReviewsOverdue":
        yield _set("dull alarm", resource, "TreatMissingData", to="notBreaching")
        yield _set("dull alarm", resource, "AlarmActions", to=[])
    for index, metric in enumerate(as_list(resource.properties.get("Metrics"))):
        expression = at(metric, "Expression")
        if isinstance(expression, str) and expression.rstrip().endswith("/ 0.001"):
            yield _set(
                "widen budget", resource, "Metrics", index, "Expression", to=expression.replace("/ 0.001", "/ 0.01")
            )
            yield _set("dull alarm", resource, "ComparisonOperator", to="LessThanThreshold")


def _method(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    """A door that asks for a signature lets in whoever brings none."""
    if resource.properties.get("AuthorizationType") == "NONE" and resource.properties.get("RequestParameters"):
        changed = with_property(resource, ("RequestParameters",), {})
        yield _one("believe anybody", resource, "RequestParameters", changed)
        yield _set("believe anybody", resource, "HttpMethod", to="ANY")


def _deletion(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    """The deletions' definition, in which a store is left out, holds are not heard of, or nothing is counted again."""
    given = at(resource.properties, "DefinitionString", "Fn::Join")
    if not given or '"kind":"certify"' not in json.dumps(given).replace("\\", ""):
        return
    for kind, old, new in (
        ("forget store", r'("stores":\[)"[^"]+",', r"\1"),
        ("ignore holds", r'("Catch":\[\{"ErrorEquals":\[)"HeldError"', r'\1"Nobody"'),
        ("certify unseen", r'"Next":"Verify"', '"Next":"Certify"'),
    ):
        parts = [re.sub(old, new, part) if isinstance(part, str) else part for part in given[1]]
        yield _set(kind, resource, "DefinitionString", "Fn::Join", to=[given[0], parts])


def _permission(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    yield _one("drop permission", resource, "", None)


def _ingress(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    peerless = {n: v for n, v in resource.properties.items() if not n.startswith("Source")}
    yield _one("make public", resource, "", with_property(resource, (), {**peerless, "CidrIp": "0.0.0.0/0"}))


def _entry(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    if resource.properties.get("RuleAction") == "allow":
        yield _one("drop entry", resource, "", None)


def _function(resource: Resource, stack: Stack, _world: World) -> Iterator[Weakening]:
    others = [r for r in stack.resources.values() if r.type == resource.type and r.logical_id != resource.logical_id]
    for other in others[:1]:
        yield _set("share role", resource, "Role", to=other.properties.get("Role"))
    variables = at(resource.properties, "Environment", "Variables", default={})
    if "SECRET_ARN" in variables and "HOST" in variables:
        for kind, elsewhere in (("call by address", "10.0.0.5"), ("call another host", "database.example.com")):
            yield _set(kind, resource, "Environment", "Variables", "HOST", to=elsewhere)
    if resource.properties.get("Handler") == ANALYSIS:
        files = [{"Arn": "arn:aws:elasticfilesystem:eu-west-1:1:access-point/fsap-1", "LocalMountPath": "/mnt/a"}]
        yield _set("keep texts", resource, "FileSystemConfigs", to=files)
        yield _set("keep texts", resource, "EphemeralStorage", to={"Size": 10240})
        yield _set("keep texts", resource, "LoggingConfig", "ApplicationLogLevel", to="DEBUG")
    if resource.properties.get("Handler") == SHIPPER:
        path = ("Environment", "Variables")
        yield _set("send plainly", resource, *path, "URL", to=str(variables["URL"]).replace("https", "http"))
        yield _set("send plainly", resource, *path, "URL", to="https://elsewhere.example/audit")
        yield _set("send less", resource, *path, "FOLDERS", to=str(variables["FOLDERS"]).split()[0])
    if "USER_POOL_ID" in variables:
        rest = {name: value for name, value in variables.items() if name != "USER_POOL_ID"}
        yield _set("ask nobody", resource, "Environment", "Variables", to=rest)
        yield _set("ask nobody", resource, "Environment", "Variables", "USER_POOL_ID", to="eu-west-1_another")


def _of_reviews(world: World) -> Iterator[Weakening]:
    makers = {
        "AWS::Lambda::Function": _reviews,
        "AWS::StepFunctions::StateMachine": _review_machine,
        "AWS::IAM::Role": _reviewer,
        "AWS::IAM::ManagedPolicy": _review_policy,
    }
    for stack, resource in world.assembly.resources(*makers):
        yield from makers[resource.type](resource, stack, world)


def _reviews(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    """Functions of access reviews: fewer signers, fewer accounts, more within reach, and all the time in the world."""
    variables, place = at(resource.properties, "Environment", "Variables", default={}), ("Environment", "Variables")
    acts = str(variables.get("ACTS"))
    for name in ("ADMIN_REVIEWERS", "ACCESS_REVIEWERS") if "begin" in acts else ():
        yield _set("let one sign", resource, *place, name, to=variables[name].split()[0])
    if "begin" in acts:
        yield _set("wait for ever", resource, *place, "DUE_DAYS", to="400")
        yield _set("hide grants", resource, *place, "GRANTS_WORKFLOW", to="incidents")
    if "sign" in acts.split():
        yield _set("open the steps", resource, *place, "ACTS", to=f"{acts} told")
    if "REVIEWER" in variables:
        for account in variables["ACCOUNTS"].split():
            left = " ".join(one for one in variables["ACCOUNTS"].split() if one != account)
            yield _set("leave out", resource, *place, "ACCOUNTS", to=left)


def _review_machine(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    for kind, was, becomes in (
        ("forget the missing", '"do":"missing"', '"do":"begin"'),
        ("tell nobody", ":sns:publish", ":sqs:sendMessage"),
    ):
        parts = at(resource.properties, "DefinitionString", "Fn::Join", default=["", []])[1]
        if any("CollectAccounts" in part for part in parts if isinstance(part, str)):
            changed = [part.replace(was, becomes) if isinstance(part, str) else part for part in parts]
            yield _set(kind, resource, "DefinitionString", "Fn::Join", to=["", changed])


def _reviewer(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    statements = at(resource.properties, "AssumeRolePolicyDocument", "Statement", default=[])
    if str(resource.properties.get("RoleName")).endswith("-reviewer") and statements:
        place = ("AssumeRolePolicyDocument", "Statement", 0, "Condition", "ArnEquals", "aws:PrincipalArn")
        yield _set("let others read", resource, *place, to="arn:aws:iam::*:role/*")


def _review_policy(resource: Resource, stack: Stack, _world: World) -> Iterator[Weakening]:
    document = at(resource.properties, "PolicyDocument", "Statement", default=[])
    for index, statement in enumerate(document):
        if "reviews-deeds/sign@" in str(statement.get("Resource")) and "PutObject" in str(statement.get("Action")):
            wide = json.loads(json.dumps(statement["Resource"]).replace("${aws:userid}", "*"))
            yield _set("sign as anybody", resource, "PolicyDocument", "Statement", index, "Resource", to=wide)
    if "/Reviewer/Role/Policy" in resource.path and document:
        more = {"Effect": "Allow", "Action": "iam:DeleteUser", "Resource": f"arn:aws:iam::{stack.account}:user/*"}
        yield _set("let change", resource, "PolicyDocument", "Statement", to=[*document, more])


def _provider(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    yield _one("drop permission", resource, "", None)
    if "client_secret" in at(resource.properties, "ProviderDetails", default={}):
        yield _set(
            "tell secret", resource, "ProviderDetails", "client_secret", to="GOCSPX-abcdefghijklmnopqrstuvwxyz01"
        )


def _client(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    if len(as_list(resource.properties.get("SupportedIdentityProviders"))) > 1:
        yield _set("offer less", resource, "SupportedIdentityProviders", to=["COGNITO"])


def _group(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    yield _set("keep for ever", resource, "RetentionInDays", to=3653)


def _plan(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    for index, _ in enumerate(as_list(at(resource.properties, "BackupPlan", "BackupPlanRule"))):
        if index == 0:
            path = ("BackupPlan", "BackupPlanRule", index, "ScheduleExpression")
            yield _set("copy seldom", resource, *path, to="cron(0 5 1 * ? *)")


def _endpoint(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    subnets = as_list(resource.properties.get("SubnetIds"))
    if len(subnets) > 1:
        yield _set("one zone", resource, "SubnetIds", to=subnets[:1])


def _machines(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    subnets = as_list(resource.properties.get("VPCZoneIdentifier"))
    if len(subnets) > 1:
        yield _set("one zone", resource, "VPCZoneIdentifier", to=subnets[:1])
        yield _set("no zone", resource, "VPCZoneIdentifier", to=["subnet-1"])
        template = at(resource.properties, "LaunchTemplate")
        alone = _new(resource, "Alone", "AWS::EC2::Instance", {"LaunchTemplate": template, "SubnetId": subnets[0]})
        yield _one("single machine", resource, "", None, alone)


def _balancer(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    subnets = as_list(resource.properties.get("Subnets"))
    if len(subnets) > 1:
        yield _set("one zone", resource, "Subnets", to=subnets[:1])


def _bucket(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    yield from _locked(resource)
    if truthy(resource.properties.get("ObjectLockEnabled")):
        table = {"TableName": "beside", "Tags": [{"Key": "palisade:backup", "Value": "standard"}]}
        beside = _new(resource, "Beside", "AWS::DynamoDB::Table", table)
        yield _one("store beside evidence", resource, "", resource, beside)
    if "documents" in resource.path.split("/")[0]:
        lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 3650}}}
        changed = with_property(resource, ("ObjectLockConfiguration",), lock)
        locked = with_property(changed, ("ObjectLockEnabled",), True)
        yield _one("lock for long", resource, "ObjectLockConfiguration", locked)
        yield _one("lock beside data", resource, "ObjectLockConfiguration", locked)


def _locked(resource: Resource) -> Iterator[Weakening]:
    """Evidence hidden before its lock ends."""
    days = at(resource.properties, "ObjectLockConfiguration", "Rule", "DefaultRetention", "Days")
    for index, rule in enumerate(as_list(at(resource.properties, "LifecycleConfiguration", "Rules"))):
        if isinstance(days, int) and "ExpirationInDays" in rule:
            yield _set(
                "hide early", resource, "LifecycleConfiguration", "Rules", index, "ExpirationInDays", to=days // 2
            )


def _vault(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    if at(resource.properties, "LockConfiguration", "MinRetentionDays") is not None:
        yield _set("lock for long", resource, "LockConfiguration", "MinRetentionDays", to=3000)


def _vpc(resource: Resource, stack: Stack, world: World) -> Iterator[Weakening]:
    for other_stack, other in world.assembly.resources("AWS::EC2::VPC"):
        if other_stack.account == stack.account:
            continue
        peering = _new(
            resource,
            "Peering",
            "AWS::EC2::VPCPeeringConnection",
            {
                "VpcId": {"Ref": resource.logical_id},
                "PeerVpcId": f"<{other.stack}/{other.logical_id}>",
                "PeerOwnerId": other_stack.account,
            },
        )
        yield _one("share network", peering, "", peering)
        opened = [
            *_opened(stack, other, {"VpcPeeringConnectionId": {"Ref": peering.logical_id}}),
            *_opened(other_stack, resource, {"VpcPeeringConnectionId": f"<{stack.name}/{peering.logical_id}>"}),
        ]
        yield _one("join networks", peering, "", peering, *opened)
        hub = "tgw-0123456789abcdef0"
        mine, theirs = (
            _new(vpc, "Hub", "AWS::EC2::TransitGatewayVpcAttachment",
                 {"VpcId": {"Ref": vpc.logical_id}, "TransitGatewayId": hub})
            for vpc in (resource, other)
        )  # fmt: skip
        through = {"TransitGatewayId": hub}
        opened = [*_opened(stack, other, through), *_opened(other_stack, resource, through)]
        yield _one("carry across", mine, "", mine, theirs, *opened)
        return


def _opened(stack: Stack, other: Resource, way: Mapping[str, Any]) -> Iterator[Resource]:
    """Routes to the other network by the way, and every list and group of the stack open."""
    beyond = str(other.properties.get("CidrBlock"))
    for resource in stack.resources.values():
        itself = {"Ref": resource.logical_id}
        if resource.type == "AWS::EC2::RouteTable":
            route = {"RouteTableId": itself, "DestinationCidrBlock": beyond, **way}
            yield _new(resource, "Joined", "AWS::EC2::Route", route)
        for outbound in (True, False) if resource.type == "AWS::EC2::NetworkAcl" else ():
            entry = {
                "NetworkAclId": itself,
                "RuleNumber": 1,
                "Protocol": -1,
                "RuleAction": "allow",
                "CidrBlock": "0.0.0.0/0",
            }
            yield _new(resource, f"Open{outbound}", "AWS::EC2::NetworkAclEntry", {**entry, "Egress": outbound})
        for direction in ("Ingress", "Egress") if resource.type == "AWS::EC2::SecurityGroup" else ():
            rule = {
                "GroupId": {"Fn::GetAtt": [resource.logical_id, "GroupId"]},
                "IpProtocol": "-1",
                "CidrIp": "0.0.0.0/0",
            }
            yield _new(resource, f"Open{direction}", f"AWS::EC2::SecurityGroup{direction}", rule)


def _borrowed(resource: Resource, stack: Stack, world: World) -> Iterator[Weakening]:
    """Under the key of another account, by its alias."""
    for other, alias in world.assembly.resources("AWS::KMS::Alias"):
        name = alias.properties.get("AliasName")
        if other.account != stack.account and isinstance(name, str):
            path = ("SSESpecification", "KMSMasterKeyId") if resource.type.endswith("Table") else ("KmsKeyId",)
            arn = f"arn:aws:kms:{other.region}:{other.account}:{name}"
            yield _one("one key", resource, ".".join(path), with_property(resource, path, arn), alias)
            return


def _control_policy(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    """Each statement gone; each exemption and each list of what is allowed made wider; each condition gone; all work refused."""
    statements = as_list(at(resource.properties, "Content", "Statement"))
    for index, statement in enumerate(statements):
        path, sid = ("Content", "Statement"), str(at(statement, "Sid"))
        rest = [one for number, one in enumerate(statements) if number != index]
        yield _one("drop guardrail", resource, sid, with_property(resource, path, rest))
        tests = at(statement, "Condition", default={})
        for operator, test in tests.items():
            for key, values in test.items():
                here, place = (*path, index, "Condition", operator, key), f"{sid} {operator}.{key}"
                kept = {name: value for name, value in test.items() if name != key}
                yield _one("drop limit", resource, place, with_property(resource, here[:-1], kept))
                more = _WIDER.get((operator, key))
                if more is not None:
                    kind = "exempt everybody" if key == "aws:PrincipalArn" else "allow more"
                    yield _one(kind, resource, place, with_property(resource, here, [*as_list(values), *more]))
    if statements and at(statements[0], "Principal") is None and at(statements[0], "Effect") == "Deny":
        everything = {"Sid": "Everything", "Effect": "Deny", "Action": "*", "Resource": "*"}
        changed = with_property(resource, ("Content", "Statement"), [*statements, everything])
        yield _one("refuse work", resource, resource.path.split("/")[1], changed)


_WIDER: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("ArnNotLike", "aws:PrincipalArn"): ("arn:aws:iam::*:role/*",),
    ("NotIpAddressIfExists", "aws:SourceIp"): ("0.0.0.0/0",),
    ("StringNotEquals", "aws:RequestedRegion"): ("us-east-1", "us-west-2"),
}


def _account_settings(world: World) -> Iterator[Weakening]:
    for _, resource in world.assembly.resources():
        if "PasswordPolicy" in resource.properties:
            yield _set("weaken passwords", resource, "PasswordPolicy", "MinimumPasswordLength", to=8)
            yield _set("weaken passwords", resource, "PasswordPolicy", "RequireSymbols", to=False)
            regions = as_list(resource.properties.get("Regions"))
            yield _set("forget region", resource, "Regions", to=regions[1:])


def _placements(world: World) -> Iterator[Weakening]:
    """An account of a stage in the other stage's unit."""
    owners = {stack.account for stack in world.assembly.stacks if _holds(stack, "EC2::VPC")}
    placed = [r for _, r in world.assembly.resources(PLACEMENT) if r.properties.get("AccountId") in owners]
    for resource in placed:
        for other in placed:
            if other is not resource:
                yield _set("misplace", resource, "ParentId", to=other.properties.get("ParentId"))


def _permission_set(resource: Resource, _stack: Stack, _world: World) -> Iterator[Weakening]:
    statements = as_list(at(resource.properties, "InlinePolicy", "Statement"))
    path = ("InlinePolicy", "Statement")
    for kind, actions in (
        ("add right", ["iam:PutRolePolicy", "rds:DeleteDBCluster"]),
        ("add logs", ["logs:FilterLogEvents", "logs:StartQuery"]),
    ):
        added = {"Sid": "Added", "Effect": "Allow", "Action": actions, "Resource": "*"}
        # Whoever adds a right also takes the refusal of it away.
        allowing = [one for one in statements if at(one, "Effect") == "Allow"]
        yield _one(kind, resource, "InlinePolicy", with_property(resource, path, [*allowing, added]))
    for index, statement in enumerate(statements):
        if at(statement, "Effect") == "Allow":
            rest = [one for number, one in enumerate(statements) if number != index]
            yield _one("drop right", resource, str(at(statement, "Sid")), with_property(resource, path, rest))


def _assignment(resource: Resource, stack: Stack, world: World) -> Iterator[Weakening]:
    yield _one("unassign", resource, "", None)
    sets = {r.logical_id: r for r in stack.resources.values() if r.type == "AWS::SSO::PermissionSet"}
    stages = {
        other.account: other.tags.get("palisade:owner", "")
        for other in world.assembly.stacks
        if _holds(other, "EC2::VPC")
    }
    target = resource.properties.get("TargetId")
    for account in stages:
        if target in stages and account != target:
            yield _set("assign in live", resource, "TargetId", to=account)
    group = next((r for r in stack.resources.values() if r.type.endswith("::Group") and "Operator" in r.path), None)
    named = str(resource.properties.get("PermissionSetArn"))
    if group is not None and any("LogReader" in r.path and logical_id in named for logical_id, r in sets.items()):
        yield _set("assign logs", resource, "PrincipalId", to={"Fn::GetAtt": [group.logical_id, "GroupId"]})


def _new(beside: Resource, name: str, resource_type: str, properties: Mapping[str, Any]) -> Resource:
    return dataclasses.replace(
        beside,
        logical_id=f"{beside.logical_id}{name}",
        type=resource_type,
        properties=properties,
        path=f"{beside.path}/{name}",
        definition={"Type": resource_type, "Properties": properties},
    )


_MAKERS = {
    "AWS::SSM::Parameter": _parameter,
    "AWS::KinesisFirehose::DeliveryStream": _delivery,
    "AWS::ApiGateway::Stage": _access_log,
    "AWS::Logs::SubscriptionFilter": _subscription,
    "AWS::IAM::ManagedPolicy": _statements_of_shipping,
    "AWS::S3::BucketPolicy": _statements_of_shipping,
    "AWS::Cognito::LogDeliveryConfiguration": _permission,
    "AWS::DynamoDB::Table": _borrowed,
    "AWS::EC2::Route": _route,
    "AWS::RDS::DBCluster": _borrowed,
    "AWS::EC2::NatGateway": _nat,
    "AWS::Events::Rule": _rule,
    "Custom::CoverAccounts": _covering,
    "Custom::DelegateDetection": _covering,
    "AWS::AccessAnalyzer::Analyzer": _analyser,
    "AWS::SecurityHub::ConfigurationPolicy": _standards,
    "AWS::SecurityHub::PolicyAssociation": _association,
    "AWS::SSM::Association": _patching,
    "AWS::Config::ConformancePack": _pack,
    "AWS::SecurityHub::FindingAggregator": _aggregator,
    "AWS::ApiGateway::Method": _method,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::Lambda::Permission": _permission,
    "AWS::StepFunctions::StateMachine": _deletion,
    "AWS::EC2::SecurityGroupIngress": _ingress,
    "AWS::EC2::NetworkAclEntry": _entry,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::LogGroup": _group,
    "AWS::Backup::BackupPlan": _plan,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::AutoScaling::AutoScalingGroup": _machines,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancer,
    "AWS::S3::Bucket": _bucket,
    "AWS::Cognito::UserPoolIdentityProvider": _provider,
    "AWS::Cognito::UserPoolClient": _client,
    "AWS::Cognito::UserPoolGroup": _permission,
    "AWS::ECR::RegistryScanningConfiguration": _permission,
    "AWS::Cognito::UserPoolRiskConfigurationAttachment": _permission,
    "AWS::Backup::BackupVault": _vault,
    "AWS::EC2::VPC": _vpc,
    "AWS::Organizations::Policy": _control_policy,
    "AWS::SSO::PermissionSet": _permission_set,
    "AWS::SSO::Assignment": _assignment,
}


def _levels(world: World) -> Iterator[Weakening]:
    """A permission set of one level of staff that gets a right of another, and whose refusals are gone."""
    mixed = {"Operator": "sqs:ReceiveMessage", "Messaging": "rds:FailoverDBCluster", "Database": "sqs:ReceiveMessage"}
    for _, resource in world.assembly.resources("AWS::SSO::PermissionSet"):
        action = next((added for name, added in mixed.items() if f"/{name}/" in resource.path), None)
        if action is not None:
            path = ("InlinePolicy", "Statement")
            kept = [one for one in as_list(at(resource.properties, *path)) if at(one, "Effect") == "Allow"]
            added = {"Effect": "Allow", "Action": action, "Resource": "*"}
            yield _one("mix levels", resource, "InlinePolicy", with_property(resource, path, [*kept, added]))


def _containment(world: World) -> Iterator[Weakening]:
    """Containment that can do less than it must or more than it may, and what it needs in place, opened."""
    for _, resource in world.assembly.resources("AWS::IAM::ManagedPolicy"):
        if "-containment/Responder/" in resource.path:
            yield from _rights_of_containment(resource)
    for _, resource in world.assembly.resources("AWS::Lambda::Function"):
        if at(resource.properties, "Environment", "Variables", "GUARDED") == "yes":
            yield _set("let one stop", resource, "Environment", "Variables", "GUARDED", to="no")
    for _, resource in world.assembly.resources("AWS::EC2::SecurityGroup"):
        if "-containment/Quarantine/" in resource.path:
            anywhere = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
            yield _set("open quarantine", resource, "SecurityGroupEgress", to=[anywhere])
            yield _set("open quarantine", resource, "SecurityGroupIngress", to=[anywhere])
    for _, resource in world.assembly.resources("AWS::WAFv2::WebACL"):
        if "-chat/" in resource.path:
            continue
        rules = as_list(resource.properties.get("Rules"))
        for index, rule in enumerate(rules):
            if at(rule, "Statement", "IPSetReferenceStatement") is not None:
                left = [*rules[:index], *rules[index + 1 :]]
                yield _one(
                    "let addresses in", resource, f"Rules {rule['Name']}", with_property(resource, ("Rules",), left)
                )
                yield _set("let addresses in", resource, "Rules", index, "Action", to={"Count": {}})


def _rights_of_containment(resource: Resource) -> Iterator[Weakening]:
    path = ("PolicyDocument", "Statement")
    given = as_list(at(resource.properties, *path))
    for index, one in enumerate(given):
        sid, left = str(at(one, "Sid")), [*given[:index], *given[index + 1 :]]
        if one.get("Effect") == "Deny":
            yield _one("contain more", resource, sid, with_property(resource, path, left))
        elif sid in {"Sessions", "Keys"}:
            free = {key: value for key, value in one.items() if key != "Condition"}
            yield _one("contain more", resource, f"{sid} free", with_property(resource, (*path, index), free))
        if one.get("Effect") == "Allow" and sid in _ACTS_OF_CONTAINMENT:
            yield _one("contain less", resource, sid, with_property(resource, path, left))


_ACTS_OF_CONTAINMENT = frozenset(
    {
        "AccessKeys",
        "Addresses",
        "Copies",
        "FindAddresses",
        "FindSources",
        "Functions",
        "KeepMachines",
        "Keys",
        "Machines",
        "MarkCopies",
        "SeeKeys",
        "SeeMachines",
        "SeeNames",
        "SeeRoles",
        "Sessions",
        "Sources",
        "Users",
    }
)


def _grants(world: World) -> Iterator[Weakening]:
    """What lets people into a level for a while, opened wider, shared, or forgetful."""
    for _, resource in world.assembly.resources("AWS::IAM::ManagedPolicy"):
        yield from _of_a_grant(resource)
    for _, resource in world.assembly.resources("AWS::SSO::PermissionSet"):
        if "-gate-" in str(resource.properties.get("CustomerManagedPolicyReferences")):
            yield _set("take gate away", resource, "CustomerManagedPolicyReferences", to=[])
    for _, resource in world.assembly.resources("AWS::IAM::Role"):
        if str(resource.properties.get("RoleName")).endswith("-gatekeeper"):
            statement = ("AssumeRolePolicyDocument", "Statement", 0)
            trust = {key: one for key, one in at(resource.properties, *statement).items() if key != "Condition"}
            yield _set("trust account", resource, *statement, to=trust)
    yield from _workflow_of_grants(world)


def _workflow_of_grants(world: World) -> Iterator[Weakening]:
    for _, resource in world.assembly.resources("AWS::Events::Rule"):
        if resource.path == "security-access/Sweep":
            yield _set("sweep seldom", resource, "ScheduleExpression", to="rate(1 day)")
            yield _set("sweep never", resource, "State", to="DISABLED")
    for _, resource in world.assembly.resources("AWS::CloudWatch::Alarm"):
        if resource.path.startswith("security-access/Unsettled/"):
            yield _set("pass over silence", resource, "TreatMissingData", to="notBreaching")
    for _, resource in world.assembly.resources("AWS::StepFunctions::StateMachine"):
        if resource.path.startswith("security-access/"):
            yield from _of_the_life_of_a_grant(resource)
    for _, resource in world.assembly.resources("AWS::Lambda::Function"):
        variables = ("Environment", "Variables", "RULES")
        rules = at(resource.properties, *variables)
        if resource.path.startswith("security-access/") and isinstance(rules, str):
            yield _set(
                "ask no consent", resource, *variables, to=json.dumps({**json.loads(rules), "customer_data": []})
            )


def _of_a_grant(resource: Resource) -> Iterator[Weakening]:
    document = ("PolicyDocument", "Statement")
    given = as_list(at(resource.properties, *document))
    if "-gate-" in str(resource.properties.get("ManagedPolicyName")):
        some = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
        yield _set("open gate", resource, *document, to=[{**given[0], "Condition": some}])
    if not resource.path.startswith("security-access/"):
        return
    if "/Decider/" in resource.path:
        assign = {"Effect": "Allow", "Action": "sso:CreateAccountAssignment", "Resource": "*"}
        yield _set("share assigning", resource, *document, to=[*given, assign])
    for index, one in enumerate(given):
        if "ResourceTag" in str(at(one, "Condition")):
            free = {key: value for key, value in one.items() if key != "Condition"}
            yield _set("assign anything", resource, *document, index, to=free)
        if "${aws:userid}" in str(at(one, "Resource")):
            anybody = [str(arn).replace("${aws:userid}", "*") for arn in as_list(at(one, "Resource"))]
            yield _set("say as anybody", resource, *document, index, "Resource", to=anybody)


def _of_the_life_of_a_grant(resource: Resource) -> Iterator[Weakening]:
    for kind, state, name, to in (
        ("try once", "Close", "Retry", []),
        ("leave half open", "Open", "Catch", []),
        ("never close", "UntilItEnds", "Next", "Ended"),
    ):
        yield _in_definition(kind, resource, state, name, to)


def _in_definition(kind: str, resource: Resource, state: str, name: str, to: Any) -> Weakening:
    """A state machine whose ``state`` has another ``name``."""
    joined = ("DefinitionString", "Fn::Join", 1)
    parts = as_list(at(resource.properties, *joined))
    marks = [part if isinstance(part, str) else f"@{index}@" for index, part in enumerate(parts)]
    definition = json.loads("".join(marks))
    definition["States"][state][name] = to
    definition["States"]["Ended"] = {"Type": "Succeed"}
    texts = re.split(r"@(\d+)@", json.dumps(definition))
    changed = [parts[int(text)] if index % 2 else text for index, text in enumerate(texts)]
    return _one(kind, resource, state, with_property(resource, joined, changed))


def _incidents(world: World) -> Iterator[Weakening]:
    """What takes findings, calls people and binds what they do, deaf, forgetful or open."""
    for stack, resource in world.assembly.resources():
        if stack.name == "security-incidents" and resource.type in _OF_INCIDENTS:
            yield from _OF_INCIDENTS[resource.type](resource)


def _changes(world: World) -> Iterator[Weakening]:
    """The record of changes, open to others, shut to its own function, or without those who deploy."""
    for resource in world.of_type("AWS::Lambda::Permission"):
        if "-change-ledger/From" in resource.path:
            yield _set("record changes of others", resource, "Principal", to="999999999999")
    for resource in world.of_type("AWS::S3::BucketPolicy"):
        for index, one in enumerate(as_list(at(resource.properties, "PolicyDocument", "Statement"))):
            if one.get("Sid") == "ChangeLedgerRecordsWrite":
                where = ("PolicyDocument", "Statement", index)
                yield _set("let others record", resource, *where, "Condition", to={})
                yield _set("record nothing of changes", resource, *where, "Action", to="s3:GetObject")


def _debug_exports(world: World) -> Iterator[Weakening]:
    """Exports that stay, hold more than they should, or are given to anybody."""
    for stack, resource in world.assembly.resources():
        if stack.name.endswith("-debug-export") and resource.type in _OF_DEBUG_EXPORTS:
            yield from _OF_DEBUG_EXPORTS[resource.type](resource)


def _export_that_stays(resource: Resource) -> Iterator[Weakening]:
    for kind, state, name, to in (
        ("keep exports", "Make", "Next", "Ended"),
        ("keep exports", "Keep", "Next", "Ended"),
        ("keep exports", "Keep", "TimestampPath", "$.never"),
        ("keep exports", "Delete", "Next", "Ended"),
        ("keep exports", "Make", "Catch", []),
        ("hear nothing of exports", "Delete", "Retry", []),
    ):
        yield _in_definition(kind, resource, state, name, to)


def _policy_of_exports(resource: Resource) -> Iterator[Weakening]:
    document = ("PolicyDocument", "Statement")
    given = as_list(at(resource.properties, *document))
    for index, one in enumerate(given):
        where, left = (*document, index), [*given[:index], *given[index + 1 :]]
        bound = (*where, "Condition", "ForAllValues:StringEquals", "dynamodb:Attributes")
        if one.get("Sid") == "FieldsOfTheTenant":
            yield _set("read more", resource, *bound, to=[*as_list(at(resource.properties, *bound)), "title"])
            whole = {key: value for key, value in one["Condition"].items() if key != "StringEqualsIfExists"}
            yield _set("read more", resource, *where, "Condition", to=whole)
            yield _set("read more", resource, *where, "Action", to=["dynamodb:Query", "dynamodb:Scan"])
        if one.get("Sid") == "RefuseOldLinks":
            aged = {"NumericGreaterThan": {"s3:signatureAge": "86400000"}}
            yield _set("age links", resource, *where, "Condition", to=aged)
            yield _set("age links", resource, *where, "Action", to="s3:GetObjectVersion")
            yield _one("age links", resource, "RefuseOldLinks", with_property(resource, document, left))
        if one.get("Sid") == "Record" and "/Desk/" in resource.path:
            yield _one("record nothing", resource, "Record", with_property(resource, document, left))
        for number, arn in enumerate(as_list(at(one, "Resource"))):
            if "${aws:userid}" in str(arn):
                anybody = str(arn).replace("${aws:userid}", "*")
                yield _set("speak for others", resource, *where, "Resource", number, to=anybody)


_OF_DEBUG_EXPORTS: Mapping[str, Callable[[Resource], Iterable[Weakening]]] = {
    "AWS::StepFunctions::StateMachine": _export_that_stays,
    "AWS::IAM::ManagedPolicy": _policy_of_exports,
    "AWS::S3::BucketPolicy": _policy_of_exports,
    "AWS::S3::Bucket": lambda bucket: [_set("keep exports", bucket, "LifecycleConfiguration", to={"Rules": []})],
}


def _deaf_intake(resource: Resource) -> Iterator[Weakening]:
    kinds = as_list(at(resource.properties, "EventPattern", "detail-type"))
    for kind in kinds:
        kept = [one for one in kinds if one != kind]
        yield _set("miss findings", resource, "EventPattern", "detail-type", to=kept)


def _forgetful_function(resource: Resource) -> Iterator[Weakening]:
    variables = at(resource.properties, "Environment", "Variables") or {}
    if "ROTATION" in variables and "MACHINE_ARN" not in variables:
        rotation = json.loads(variables["ROTATION"])
        more = json.dumps({**rotation, "people": [*rotation["people"], "a-stranger"]})
        yield _set("call a stranger", resource, "Environment", "Variables", "ROTATION", to=more)
    if "OWN_ALARMS" in variables:
        yield _set("forget stages", resource, "Environment", "Variables", "STAGES", to="{}")


def _timer_that_stops(resource: Resource) -> Iterator[Weakening]:
    for kind, state, name, to in (
        ("never ask again", "Sleep", "Next", "Closed"),
        ("fall silent", "Call", "Catch", []),
        ("fall silent", "Ask", "Catch", []),
        ("call nobody", "Anything", "Choices", []),
    ):
        yield _in_definition(kind, resource, state, name, to)


def _people_of_incidents(resource: Resource) -> Iterator[Weakening]:
    document = ("PolicyDocument", "Statement")
    for index, one in enumerate(as_list(at(resource.properties, *document))):
        for number, arn in enumerate(as_list(at(one, "Resource"))):
            if "${aws:userid}" in str(arn):
                anybody = str(arn).replace("${aws:userid}", "*")
                yield _set("speak for others", resource, *document, index, "Resource", number, to=anybody)
        if "OpsItem" in str(at(one, "Action")):
            yield _set("make no items", resource, *document, index, "Action", to="ssm:GetOpsItem")


_OF_INCIDENTS: Mapping[str, Callable[[Resource], Iterable[Weakening]]] = {
    "AWS::Events::Rule": _deaf_intake,
    "AWS::Lambda::Function": _forgetful_function,
    "AWS::StepFunctions::StateMachine": _timer_that_stops,
    "AWS::IAM::ManagedPolicy": _people_of_incidents,
    "AWS::SNS::Subscription": lambda box: (
        [_set("mail nobody", box, "FilterPolicy", "to", to=["nobody"])] if "FilterPolicy" in box.properties else []
    ),
    "AWS::CloudWatch::Alarm": lambda alarm: (
        [_set("allow lateness", alarm, "Threshold", to=3600)]
        if alarm.properties.get("MetricName") == "TimeToAssign"
        else []
    ),
}


def _whole_stacks(world: World) -> Iterator[Weakening]:
    """A stack of a stage in the other stage's account, or a stack of stores out of its region."""
    owners = {
        stack.tags.get("palisade:owner"): stack.account for stack in world.assembly.stacks if _holds(stack, "EC2::VPC")
    }
    for stack in world.assembly.stacks:
        first = next(iter(stack.resources.values()), None)
        if first is None:
            continue
        owner = stack.tags.get("palisade:owner")
        elsewhere = [account for other, account in owners.items() if other != owner]
        if owner in owners and elsewhere:
            moved = dataclasses.replace(stack, account=elsewhere[0])
            yield Weakening(
                kind="share account", resource=first, place=stack.name, changes={}, stacks={stack.name: moved}
            )
        if _holds(stack, "RDS::DBCluster", "DynamoDB::Table", "Backup::BackupVault"):
            store = next(r for r in stack.resources.values() if r.type.endswith(("DBCluster", "Table", "BackupVault")))
            moved = dataclasses.replace(stack, region="us-west-2")
            yield Weakening(kind="move away", resource=store, place=stack.name, changes={}, stacks={stack.name: moved})


def _holds(stack: Stack, *types: str) -> bool:
    return any(resource.type.endswith(types) for resource in stack.resources.values())
