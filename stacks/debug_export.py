"""A small, pseudonymised part of one tenant's data for whoever debugs, for hours, with another person's approval."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function, Placement
from palisade.observability import Alarm
from palisade.storage import BackupClass, PrivateBucket
from palisade.workloads import BriefExport, ExcerptRole

from constructs import Construct
from stacks.access_logs import AccessLogs
from stacks.alarms import Alarms
from stacks.base import StageStack
from stacks.keys import Keys
from stacks.log_archive import LogArchiveStage
from stacks.names import Workflow
from stacks.network import Network
from stacks.settings import Deployment, Stage
from stacks.workloads.document_service import DocumentService

FIELDS = (
    "tenant",
    "document",
    "created_by",
    "status",
    "content_type",
    "size",
    "created_at",
    "expires_at",
)
"""All that the maker may read of an item (``make_debug_export.pseudonyms.FIELDS``)."""

LINK_SECONDS = 15 * 60
"""The bucket refuses older signatures, whoever made them."""

DEEDS = ("request", "approve", "fetch")


class DebugExport(StageStack):
    """People ask ``desk`` for an export and another person approves it; the state machine has it made, waits, deletes it.

    ``maker`` reads through a session of one tenant, and of that listed fields alone; ``desk`` may read nothing but exports, for
    which it signs links of at most :data:`LINK_SECONDS`. Backups hold none of them, and what the machine should leave, the
    bucket's lifecycle deletes.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        keys: Keys,
        network: Network,
        alarms: Alarms,
        archive: LogArchiveStage,
        access_logs: AccessLogs,
        documents: DocumentService,
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject=Workflow.DEBUG_EXPORT, stateful=True)
        self.add_stack_dependency(archive)
        self._keys, self._alarms, self._documents = keys, alarms, documents
        self._log = self.decision_log(Workflow.DEBUG_EXPORT)
        self._bucket = PrivateBucket(
            self,
            "Exports",
            name=self.names.bucket("debug-exports", stage.account, self.region),
            key=keys.data.key,
            access_logs=access_logs.bucket,
            backup=BackupClass.ARCHIVED,
            expire_days=2,
            noncurrent_days=1,
        ).bucket
        self._refuse_old_and_distant_readers()
        outside = Placement(
            log_key=keys.logs.key,
            environment_key=keys.secrets.key,
            log_group_prefix=self.names.log_group(Workflow.DEBUG_EXPORT),
            log_days=deployment.retention.audit_log_days,
        )
        export = BriefExport(
            self,
            "Export",
            name=self.names.debug_export,
            maker=self._maker(network.placement(Workflow.DEBUG_EXPORT)),
            key=keys.messaging.key,
            placement=outside,
            topic=alarms.topic,
        )
        desk = self._desk(outside, export)
        self._log.people(self, "People", name=self.names.debug_export, deeds=DEEDS, to=desk.function.function_arn)

    def _refuse_old_and_distant_readers(self) -> None:
        objects = [self._bucket.arn_for_objects("*")]
        # https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
        self._bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="RefuseOldLinks",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:GetObject", "s3:GetObjectVersion"],
                resources=objects,
                conditions={"NumericGreaterThan": {"s3:signatureAge": str(LINK_SECONDS * 1000)}},
            )
        )
        networks = [str(one) for one in self.deployment.allowed_networks]
        if networks:
            self._bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="RefuseOtherNetworks",
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["s3:GetObject", "s3:GetObjectVersion"],
                    resources=objects,
                    conditions={"NotIpAddress": {"aws:SourceIp": networks}},
                )
            )

    def _maker(self, placement: Placement) -> Function:
        documents = self._documents
        maker = Function(
            self,
            "Maker",
            source="make_debug_export",
            description="Makes pseudonymised exports, and deletes them",
            placement=placement,
            environment={
                **self._log.environment,
                "TABLE_NAME": documents.table.table_name,
                "BUCKET_NAME": self._bucket.bucket_name,
            },
            timeout_seconds=120,
            role_name=self.names.recorder(Workflow.DEBUG_EXPORT, "maker"),
        )
        self._log.allow_writing(maker.component)
        self._log.allow_reading(maker.component)
        role = ExcerptRole(
            self,
            "Excerpt",
            assumed_by=maker,
            table=documents.table,
            table_key=self._keys.data.key,
            fields=FIELDS,
        )
        maker.function.add_environment("TENANT_ROLE_ARN", role.role.role_arn)
        maker.component.allow(
            iam.PolicyStatement(
                sid="KeepAndDeleteExports",
                actions=["s3:DeleteObjectVersion", "s3:PutObject"],
                resources=[self._bucket.arn_for_objects("*")],
            ),
            iam.PolicyStatement(
                sid="FindVersions", actions=["s3:ListBucketVersions"], resources=[self._bucket.bucket_arn]
            ),
            self._key_of_exports("kms:Decrypt", "kms:GenerateDataKey"),
        )
        self._any_export(maker, "keeps")
        acknowledge(
            maker.function,
            f"{self.stage.name}: make_debug_export is called by its state machine alone, which waits, tries again and alarms.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        return maker

    def _desk(self, placement: Placement, export: BriefExport) -> Function:
        machine = export.machine.machine
        desk = Function(
            self,
            "Desk",
            source="export_debug_data",
            description="Decides who exports what, and gives out links",
            placement=placement,
            environment={
                **self._log.environment,
                "MACHINE": machine.state_machine_arn,
                "BUCKET_NAME": self._bucket.bucket_name,
            },
            timeout_seconds=60,
            name=self.names.debug_export,
            role_name=self.names.recorder(Workflow.DEBUG_EXPORT, "desk"),
        )
        self._log.allow_writing(desk.component)
        self._log.allow_reading(desk.component)
        desk.component.allow(
            iam.PolicyStatement(
                sid="BeginExports", actions=["states:StartExecution"], resources=[machine.state_machine_arn]
            ),
            iam.PolicyStatement(
                sid="DataOfExecutions",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[self._keys.messaging.arn],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": f"states.{self.region}.amazonaws.com",
                        "kms:EncryptionContext:aws:states:stateMachineArn": (
                            f"arn:aws:states:{self.region}:{self.account}:stateMachine:{self.names.debug_export}"
                        ),
                    }
                },
            ),
            iam.PolicyStatement(
                sid="SignLinks", actions=["s3:GetObject"], resources=[self._bucket.arn_for_objects("*")]
            ),
            self._key_of_exports("kms:Decrypt"),
        )
        self._any_export(desk, "signs links to")
        acknowledge(
            desk.function,
            f"{self.stage.name}: people call export_debug_data and wait for its answer; the same call again goes on.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        acknowledge(
            desk.function,
            f"{self.stage.name}: export_debug_data speaks to Step Functions, to which the network has no private way.",
            *in_packs("LambdaInsideVPC"),
        )
        Alarm(
            self,
            "DeskFailing",
            description=f"{self.stage.name}: a debug export was asked for, approved or fetched, and it failed. Read the "
            "function's log, then give the same command again.",
            metric=desk.function.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum"),
            threshold=1,
            topic=self._alarms.topic,
        )
        return desk

    def _key_of_exports(self, *actions: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="KeyOfExports",
            actions=list(actions),
            resources=[self._keys.data.arn],
            conditions={
                "StringEquals": {
                    "kms:ViaService": f"s3.{self.region}.amazonaws.com",
                    "kms:EncryptionContext:aws:s3:arn": self._bucket.bucket_arn,
                }
            },
        )

    def _any_export(self, function: Function, what: str) -> None:
        resource = self.resolve(self._bucket.bucket_arn)["Fn::GetAtt"][0]
        acknowledge(
            function.component.policy,
            f"{self.stage.name}: it {what} every object of a bucket that holds nothing but exports.",
            f"AwsSolutions-IAM5[Resource::<{resource}.Arn>/*]",
        )
