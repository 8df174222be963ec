"""The end of a tenant: what is deleted when, who may hold it, and the certificate of it."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import DatabaseLayer, Function, Placement
from palisade.observability.alarm import Alarm
from palisade.storage import BackupClass
from palisade.workloads import EraserRole, TenantDeletion

from constructs import Construct
from stacks.alarms import Alarms
from stacks.backup import Backup
from stacks.base import StageStack
from stacks.data import Data
from stacks.keys import Keys
from stacks.log_archive import LogArchiveStage, retention_days
from stacks.names import Log, Workflow
from stacks.network import DATABASE_PORT, Network
from stacks.settings import Deployment, Stage, Standing
from stacks.users import Users
from stacks.vault import Vault
from stacks.workloads.document_service import DocumentService

DATABASE_USER = "eraser"
"""The role of the database that deletes; its migrations install it."""

UNDELIVERED_DAYS = 14
"""How long a message that nobody could handle waits in its dead-letter queue."""


class Offboarding(StageStack):
    """Deletes a tenant thirty days after its contract's end, or on demand, from every store that holds tenants' data.

    ``deleter`` works through a session of one tenant and can reach neither the archive nor any key's administration;
    ``clerk`` alone certifies, and only the state machine calls the two. People call ``desk``, after they said under their own
    name in the archive what they want; in a stage with read-only standing another person approves a deletion on demand.
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
        data: Data,
        users: Users | None,
        documents: DocumentService,
        vault: Vault,
        backup: Backup,
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="offboarding")
        self.add_stack_dependency(archive)
        self._keys, self._alarms, self._data = keys, alarms, data
        self._users, self._documents, self._vault = users, documents, vault
        self._log = self.decision_log(Workflow.OFFBOARDING)
        inside = network.placement("offboarding")
        outside = Placement(
            log_key=keys.logs.key,
            environment_key=keys.secrets.key,
            log_group_prefix=self.names.log_group("offboarding"),
            log_days=deployment.retention.server_log_days,
        )
        deletion = TenantDeletion(
            self,
            "Deletion",
            name=self.names.offboarding,
            deleter=self._deleter(inside),
            clerk=self._clerk(inside, backup),
            stores=list(self._stores()),
            key=keys.messaging.key,
            placement=outside,
            topic=alarms.topic,
        )
        desk = self._desk(outside, deletion)
        self._log.people(
            self,
            "People",
            name=self.names.offboarding,
            deeds=["offboard", "hold", "release", "delete", "approve"],
            to=desk.function.function_arn,
        )
        self._every_day(desk)

    def _stores(self) -> dict[str, list[str]]:
        """Every store of tenants' data: its kind, and what the deleter must know of it. Users go first, they write."""
        documents = self._documents
        return {
            **({} if self._users is None else {"users": ["users"]}),
            "document items": ["table", documents.table.table_name, "document"],
            "document objects": ["objects", self._documents_bucket],
            "credentials": ["table", self._vault.table.table_name, "entry"],
            "database rows": ["database"],
        }

    @property
    def _documents_bucket(self) -> str:
        return self.names.bucket("documents", self.stage.account, self.region)

    def _deleter(self, placement: Placement) -> Function:
        cluster, users = self._data.cluster, self._users
        providers = {} if users is None else {saml.name: saml.tenant for saml in self.stage.directory.saml}
        deleter = Function(
            self,
            "Deleter",
            source="delete_tenant",
            description="Counts and deletes what one tenant has in one store",
            placement=placement,
            environment={
                "REGISTER": self._data.register.table_name,
                "STORES": self.to_json_string(self._stores()),
                "HOST": cluster.resource.cluster_endpoint.hostname,
                "PORT": str(DATABASE_PORT),
                "DATABASE": cluster.database,
                "USER_POOL_ID": "-" if users is None else users.pool.id,
                "PROVIDER_TENANTS": json.dumps(providers),
            },
            timeout_seconds=900,
            memory_mb=512,
            layers=[DatabaseLayer(self, "DatabaseLayer").layer],
        )
        role = EraserRole(
            self,
            "Eraser",
            assumed_by=deleter,
            tables=[self._documents.table, self._vault.table],
            buckets=[s3.Bucket.from_bucket_name(self, "DocumentObjects", self._documents_bucket)],
            register=self._data.register,
            key=self._keys.data.key,
        )
        deleter.function.add_environment("TENANT_ROLE_ARN", role.role.role_arn)
        number = cluster.resource.cluster_resource_identifier
        user = f"arn:aws:rds-db:{self.region}:{self.account}:dbuser:{number}/{DATABASE_USER}"
        deleter.component.allow(
            iam.PolicyStatement(sid="ConnectAsEraser", actions=["rds-db:connect"], resources=[user])
        )
        if users is not None:
            deleter.component.allow(
                iam.PolicyStatement(
                    sid="DeleteUsers",
                    actions=["cognito-idp:AdminDeleteUser", "cognito-idp:ListUsers"],
                    resources=[users.pool.arn],
                )
            )
        self._only_the_machine_waits(deleter, "delete_tenant")
        return deleter

    def _clerk(self, placement: Placement, backup: Backup) -> Function:
        clerk = Function(
            self,
            "Clerk",
            source="certify_deletion",
            description="Opens, counts and certifies deletions",
            placement=placement,
            environment={
                **self._log.environment,
                "REGISTER": self._data.register.table_name,
                "DEPLOYMENT": self.deployment.name,
                "STAGE": self.stage.name,
                "BACKUPS": json.dumps(self._backups(backup)),
                "LOGS": json.dumps(self._logs()),
            },
            timeout_seconds=60,
            role_name=self.names.recorder(Workflow.OFFBOARDING, "clerk"),
        )
        self._log.allow_writing(clerk.component)
        self._log.allow_reading(clerk.component)
        self._allow_register(clerk, "dynamodb:GetItem", "dynamodb:UpdateItem")
        self._only_the_machine_waits(clerk, "certify_deletion")
        return clerk

    def _desk(self, placement: Placement, deletion: TenantDeletion) -> Function:
        topic, machine = self._alarms.topic, deletion.machine.machine
        desk = Function(
            self,
            "Desk",
            source="offboard_tenant",
            description="Decides what people and the calendar ask for",
            placement=placement,
            environment={
                **self._log.environment,
                "REGISTER": self._data.register.table_name,
                "MACHINE": machine.state_machine_arn,
                "TOPIC": topic.topic_arn,
                "STAGE": self.stage.name,
                "TWO_PEOPLE": "yes" if self.stage.standing is Standing.READ_ONLY else "no",
            },
            timeout_seconds=300,
            dead_letters=self._alarms.undelivered,
            name=self.names.offboarding,
            role_name=self.names.recorder(Workflow.OFFBOARDING, "desk"),
        )
        self._log.allow_writing(desk.component)
        self._log.allow_reading(desk.component)
        self._allow_register(desk, "dynamodb:GetItem", "dynamodb:Scan", "dynamodb:UpdateItem")
        messaging = self._keys.messaging
        desk.component.allow(
            iam.PolicyStatement(
                sid="BeginDeletions", actions=["states:StartExecution"], resources=[machine.state_machine_arn]
            ),
            iam.PolicyStatement(
                sid="DataOfDeletions",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[messaging.arn],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": f"states.{self.region}.amazonaws.com",
                        "kms:EncryptionContext:aws:states:stateMachineArn": (
                            f"arn:aws:states:{self.region}:{self.account}:stateMachine:{self.names.offboarding}"
                        ),
                    }
                },
            ),
            iam.PolicyStatement(sid="Remind", actions=["sns:Publish"], resources=[topic.topic_arn]),
            iam.PolicyStatement(
                sid="EncryptReminders",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[messaging.arn],
                conditions={"StringEquals": {"kms:ViaService": f"sns.{self.region}.amazonaws.com"}},
            ),
        )
        acknowledge(
            desk.component.policy,
            "offboard_tenant: a sweep that failed waits in an encrypted queue; each pattern is one KMS call's variants.",
            "AwsSolutions-IAM5[Action::kms:GenerateDataKey*]",
            "AwsSolutions-IAM5[Action::kms:ReEncrypt*]",
        )
        acknowledge(
            desk.function,
            f"{self.stage.name}: offboard_tenant speaks to Step Functions and SNS, to which the network has no private way.",
            *in_packs("LambdaInsideVPC"),
        )
        Alarm(
            self,
            "DeskFailing",
            description=f"{self.stage.name}: the daily look at contracts, holds and deletions failed. Read the function's log; "
            "deletions wait until it works.",
            metric=desk.function.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum"),
            threshold=1,
            topic=topic,
        )
        return desk

    def _every_day(self, desk: Function) -> None:
        rule = events.CfnRule(
            self,
            "Daily",
            description="Contracts that ended, deletions that were stopped, reminders",
            schedule_expression="cron(15 2 * * ? *)",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Desk",
                    arn=desk.function.function_arn,
                    input=json.dumps({"kind": "sweep"}),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self._alarms.undelivered.queue_arn),
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "DailyMayCall",
            action="lambda:InvokeFunction",
            function_name=desk.function.function_arn,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )

    def _allow_register(self, function: Function, *actions: str) -> None:
        register = self._data.register
        function.component.allow(
            iam.PolicyStatement(sid="Register", actions=list(actions), resources=[register.table_arn]),
            iam.PolicyStatement(
                sid="KeyOfTheRegister",
                actions=["kms:Decrypt"],
                resources=[self._keys.data.arn],
                conditions={
                    "StringEquals": {
                        "kms:ViaService": f"dynamodb.{self.region}.amazonaws.com",
                        "kms:EncryptionContext:aws:dynamodb:tableName": register.table_name,
                    }
                },
            ),
        )

    def _only_the_machine_waits(self, function: Function, source: str) -> None:
        acknowledge(
            function.function,
            f"{self.stage.name}: {source} is called by the deletions' state machine alone, which waits, tries again and alarms.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )

    def _backups(self, backup: Backup) -> list[tuple[str, int, str]]:
        """What backups hold for how many days after a deletion."""
        locked = "recovery points cannot be changed, only end"
        of = {BackupClass.DOCUMENTS: "documents", BackupClass.STANDARD: "database and sealed credentials"}
        return [(of[kind], days, locked) for kind, days in backup.longest.items()]

    def _logs(self) -> list[tuple[str, int, str]]:
        """What logs hold for how many days after a deletion."""
        retention = self.deployment.retention
        whole, locked = "log groups cannot lose single events", "the archive is locked"
        kept = {
            "server logs": (retention.server_log_days, whole),
            "database audit log": (retention.audit_log_days, whole),
            "application audit log": (retention_days(self.deployment, Log.AUDIT), locked),
            "trail": (retention_days(self.deployment, Log.TRAIL), locked),
            "access logs": (retention_days(self.deployment, Log.ACCESS), locked),
            "flow and resolver logs": (retention_days(self.deployment, Log.FLOW), locked),
            "decisions and this certificate": (retention_days(self.deployment, Log.DECISION), locked),
            "names in undeliverable messages": (UNDELIVERED_DAYS, "queues cannot be searched"),
        }
        return [(what, days, why) for what, (days, why) in kept.items()]
