"""Immutable buckets in the log archive account: one stack for what is everybody's, one for each stage's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from aws_cdk import aws_s3 as s3
from palisade.archive import CdnLogDestination, Destination, EvidenceBucket, LandingBucket, Records, plan, writer
from palisade.archive.writer import Writer
from palisade.keys import CustomerKey

from constructs import Construct
from stacks.base import PalisadeStack
from stacks.names import (
    ACCESS_LOG_REPLICATOR,
    AUDIT_SHIPPER,
    AUDIT_WRITER,
    CHAT,
    ORGANIZATION,
    ORGANIZATION_WORKFLOWS,
    READ_BESIDE,
    SESSION_WRITER,
    SIGN_IN_WRITER,
    STAGE_WORKFLOWS,
    WRITTEN_INTO_THE_ARCHIVE,
    Log,
    Workflow,
)
from stacks.settings import EDGE_REGION, Deployment, Egress, LockMode, Stage

LOG_ARCHIVE = "log-archive"

_SSE_S3 = frozenset({Log.BALANCER, Log.ACCESS})
"""Logs whose services deliver only into buckets under SSE-S3."""

_RETENTION = {
    Log.TRAIL: "audit_archive_days",
    Log.CONFIG: "audit_archive_days",
    Log.SESSION: "audit_archive_days",
    Log.AUDIT: "audit_archive_days",
    Log.DECISION: "audit_archive_days",
    Log.FLOW: "network_archive_days",
    Log.RESOLVER: "network_archive_days",
    Log.FIREWALL: "network_archive_days",
    Log.BALANCER: "access_archive_days",
    Log.CDN: "access_archive_days",
    Log.WAF: "access_archive_days",
    Log.ACCESS: "access_archive_days",
}


def retention_days(deployment: Deployment, log: Log) -> int:
    """How long ``log`` is locked and kept."""
    days: int = getattr(deployment.retention, _RETENTION[log])
    return days


class _LogArchive(PalisadeStack):
    """Buckets of one owner, all under one key of that owner."""

    def __init__(self, scope: Construct, *, deployment: Deployment, owner: str, lock_mode: LockMode) -> None:
        super().__init__(
            scope,
            deployment=deployment,
            owner=LOG_ARCHIVE,
            subject=owner,
            account=deployment.accounts.log_archive,
            stateful=True,
        )
        self._evidence_of = owner
        self._lock_mode = s3.ObjectLockMode[lock_mode.name]
        self._requests_to = self.names.landing_bucket(ORGANIZATION, Log.ACCESS)
        self._requests_landing: LandingBucket | None = None
        self.key = CustomerKey(
            self,
            "Key",
            alias=self.names.archive_key_alias(owner),
            description=f"evidence of {owner}",
            used_through=["s3"],
        )

    def _keep(self, log: Log, writers: Sequence[Writer], *, readers: Sequence[str] = ()) -> EvidenceBucket:
        """Make the locked bucket of ``log`` and, where its writers cannot write under a lock, the one they land in."""
        key = None if log in _SSE_S3 else self.key
        own_requests = log is Log.ACCESS and self._evidence_of == ORGANIZATION
        requests_to = None if own_requests else self._requests_to
        evidence = EvidenceBucket(
            self,
            log.name.capitalize(),
            name=self.names.archive_bucket(self._evidence_of, log),
            key=key,
            plan=plan(
                retention_days=retention_days(self.deployment, log),
                glacier_after_days=self.deployment.retention.glacier_after_days,
            ),
            lock_mode=self._lock_mode,
            requests_to=requests_to,
            readers=readers,
        )
        if log in WRITTEN_INTO_THE_ARCHIVE:
            evidence.accept(*writers)
        elif writers:
            landing = LandingBucket(
                self,
                f"{log.name.capitalize()}Landing",
                name=self.names.landing_bucket(self._evidence_of, log),
                key=key,
                destination=Destination(
                    bucket_name=evidence.name,
                    account=self.account,
                    key_arn=None if key is None else key.arn,
                ),
                requests_to=requests_to,
            )
            landing.accept(*writers)
            # S3 refuses to replicate, or to log requests, into a bucket that does not exist or admits nobody.
            landing.resource.node.add_dependency(evidence.resource)
            if own_requests:
                self._requests_landing = landing
            elif self._requests_landing is not None:
                landing.resource.node.add_dependency(self._requests_landing)
        if self._requests_landing is not None and not own_requests:
            evidence.resource.node.add_dependency(self._requests_landing)
        return evidence

    def _decisions(self, workflows: Mapping[str, Sequence[Workflow]]) -> None:
        """Keep what ``workflows``, by the account they run in, decide and what people say to them."""
        self._keep(
            Log.DECISION,
            [
                *(decider for owner in workflows for decider in self._deciders(owner, workflows[owner])),
                *((self._chat(),) if Workflow.CHAT in workflows.get("security", ()) and self.deployment.chat else ()),
            ],
            readers=[self._recorder(owner, workflow) for owner in workflows for workflow in workflows[owner]],
        )

    def _chat(self) -> Writer:
        """What people of the chat do, under names that say so; a session's id never begins like that."""
        security = self.deployment.accounts.security
        return writer.role(
            sid="ChatPeople",
            role_arn=f"arn:aws:iam::{security}:role/{self.names.chat_speaker}",
            key_region=self.names.home,
            object_actions=["s3:PutObject"],
            bucket_actions=[],
            prefixes=[f"{security}/{Workflow.ACCESS}-deeds/*/{CHAT}:*.json"],
        )

    def _recorder(self, owner: str, workflow: Workflow) -> str:
        return f"arn:aws:iam::{self.deployment.owners[owner]}:role/{self.names.recorder(workflow)}*"

    def _deciders(self, owner: str, workflows: Sequence[Workflow]) -> Iterator[Writer]:
        """The roles of each workflow keep and read its records, and read what people say under their own session's id."""
        account, region = self.deployment.owners[owner], self.names.home
        for workflow in workflows:
            sid = "".join(part.capitalize() for part in workflow.split("-"))
            yield writer.role(
                sid=f"{sid}Records",
                role_arn=self._recorder(owner, workflow),
                key_region=region,
                object_actions=["s3:GetObject", "s3:PutObject"],
                bucket_actions=["s3:ListBucket"],
                prefixes=[f"{account}/{workflow}/"],
            )
            for other in READ_BESIDE.get(workflow, ()):
                yield writer.role(
                    sid=f"{sid}Reads{other.capitalize()}Records",
                    role_arn=self._recorder(owner, workflow),
                    key_region=region,
                    object_actions=["s3:GetObject"],
                    bucket_actions=[],
                    prefixes=[f"{account}/{other}/"],
                )
            yield writer.role(
                sid=f"{sid}Deeds",
                role_arn=self._recorder(owner, workflow),
                key_region=region,
                object_actions=["s3:GetObject"],
                bucket_actions=[],
                prefixes=[f"{account}/{workflow}-deeds/"],
            )
        yield writer.role(
            sid=f"{owner.capitalize()}People",
            role_arn=f"arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/*",
            key_region=region,
            object_actions=["s3:PutObject"],
            bucket_actions=[],
            prefixes=[f"{account}/{workflow}-deeds/*/${{aws:userid}}.json" for workflow in workflows],
        )


class LogArchiveOrganization(_LogArchive):
    """The organization trail, AWS Config of every account, what workflows decide, and requests to the archive itself."""

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(scope, deployment=deployment, owner=ORGANIZATION, lock_mode=deployment.evidence_lock_mode)
        own_buckets = [f"arn:aws:s3:::{self.names.prefix}-*", f"arn:aws:s3:::aws-waf-logs-{self.names.prefix}-*"]
        self._keep(Log.ACCESS, [writer.server_access_logs(account=self.account, source_buckets=own_buckets)])
        self._keep(Log.CONFIG, [writer.config(accounts=deployment.account_ids)])
        self._decisions(ORGANIZATION_WORKFLOWS)
        if deployment.chat is not None:
            security = deployment.accounts.security
            self._keep(Log.WAF, [writer.vended_logs(sid="LogDelivery", account=security, region=self.names.home)])
        management, organization = deployment.accounts.management, deployment.organization
        if management is not None and organization is not None:
            self._keep(
                Log.TRAIL,
                [
                    writer.cloudtrail(
                        trail_arn=self.names.trail_arn(ORGANIZATION, management),
                        prefixes=[f"AWSLogs/{management}/", f"AWSLogs/{organization.id}/"],
                    )
                ],
            )


class LogArchiveStage(_LogArchive):
    """Everything that one stage's account leaves behind."""

    def __init__(
        self, scope: Construct, *, deployment: Deployment, stage: Stage, organization: LogArchiveOrganization
    ) -> None:
        super().__init__(scope, deployment=deployment, owner=stage.name, lock_mode=stage.lock_mode)
        # Its landing bucket receives this stack's server access logs.
        self.add_stack_dependency(organization)
        home, account = self.names.home, stage.account
        here = writer.vended_logs(sid="LogDelivery", account=account, region=home)
        edge = writer.vended_logs(sid="EdgeLogDelivery", account=account, region=EDGE_REGION)
        self._keep(Log.FLOW, [here])
        self._keep(Log.RESOLVER, [here])
        self._keep(Log.WAF, [here, edge])
        self._keep(Log.CDN, [edge])
        self._keep(Log.BALANCER, [writer.load_balancer(account=account, region=home)])
        if stage.shape.egress is Egress.NETWORK_FIREWALL:
            self._keep(Log.FIREWALL, [here])
        self._keep(Log.SESSION, [self._sessions(stage)])
        audit = [self._stream_writer(stage, "AuditStream", AUDIT_WRITER)]
        if stage.issuer is None:
            audit.append(self._stream_writer(stage, "SignInStream", SIGN_IN_WRITER))
        if stage.log_service is None:
            self._keep(Log.AUDIT, audit)
        else:
            shipper = self.names.role_arn(AUDIT_SHIPPER, account)
            self._keep(Log.AUDIT, audit, readers=[shipper]).accept(self._shipper(stage, shipper))
        self._decisions({stage.name: STAGE_WORKFLOWS})
        access = self._keep(Log.ACCESS, [])
        access.accept_replicas_from(self.names.role_arn(ACCESS_LOG_REPLICATOR, account))
        if deployment.organization is None:
            trail_arn = self.names.trail_arn(stage.name, account)
            self._keep(Log.TRAIL, [writer.cloudtrail(trail_arn=trail_arn, prefixes=[f"AWSLogs/{account}/"])])

    def _sessions(self, stage: Stage) -> Writer:
        # https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
        return writer.role(
            sid="Sessions",
            role_arn=self.names.role_arn(SESSION_WRITER, stage.account),
            key_region=self.names.home,
            object_actions=["s3:PutObject", "s3:PutObjectAcl"],
            bucket_actions=["s3:GetEncryptionConfiguration"],
        )

    def _shipper(self, stage: Stage, role_arn: str) -> Writer:
        """The one role of the stage that reads what its streams delivered; what they could not make out stays here."""
        shipper = writer.role(
            sid="AuditShipper",
            role_arn=role_arn,
            key_region=self.names.home,
            object_actions=["s3:GetObject"],
            prefixes=[f"AWSLogs/{stage.account}/{records.value}/" for records in Records],
            bucket_actions=["s3:ListBucket"],
        )
        return replace(shipper, key_actions=["kms:Decrypt"])

    def _stream_writer(self, stage: Stage, sid: str, role: str) -> Writer:
        # https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#cross-account-delivery-s3
        return writer.role(
            sid=sid,
            role_arn=self.names.role_arn(role, stage.account),
            key_region=self.names.home,
            object_actions=["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"],
            prefixes=[f"AWSLogs/{stage.account}/"],
            bucket_actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
        )


class LogArchiveEdge(PalisadeStack):
    """The door for one stage's CloudFront logs, in the only region where CloudFront knows such doors."""

    def __init__(self, scope: Construct, *, deployment: Deployment, stage: Stage, archive: LogArchiveStage) -> None:
        super().__init__(
            scope,
            deployment=deployment,
            owner=LOG_ARCHIVE,
            subject=f"{stage.name}-edge",
            account=deployment.accounts.log_archive,
            region=EDGE_REGION,
        )
        CdnLogDestination(
            self,
            "Cdn",
            name=self.names.cdn_log_destination(stage.name),
            bucket_name=self.names.delivery_bucket(stage.name, Log.CDN),
            source_account=stage.account,
        )
        self.add_stack_dependency(archive)
