"""A sample workload to copy: a document service whose tenants are kept apart below the application."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function, TokenLayer
from palisade.edge import RestApi
from palisade.storage import BackupClass, PrivateTable, TenantBucket
from palisade.workloads import QueuedUploads, TenantRole

from constructs import Construct
from stacks.access_logs import AccessLogs
from stacks.alarms import Alarms
from stacks.base import StageStack
from stacks.data import Data
from stacks.entry import Entry
from stacks.keys import Keys
from stacks.network import Network
from stacks.settings import Deployment, Stage
from stacks.users import Users, trusted_tokens

TENANT_CLAIM = "tenant"
ROLE_CLAIM = "role"
"""Claims of the issuer's tokens: whose data the user works on, and ``reader`` (if absent), ``editor`` or ``administrator``."""

LARGEST_DOCUMENT_BYTES = 2 * 1024 * 1024
ANALYSIS_SECONDS = 60


class DocumentService(StageStack):
    """Upload a document, have it analysed, read the result, delete it; after the promised time nothing of it is left.

    Items and objects live for :attr:`~stacks.settings.Retention.document_live_days`, so that deletion's lag and the last
    backup end within the promise. ``https://<api host>/documents/...`` is its address.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        keys: Keys,
        alarms: Alarms,
        network: Network,
        entry: Entry,
        access_logs: AccessLogs,
        users: Users | None,
        data: Data,
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="documents", stateful=True)
        self._alarms = alarms
        retention = deployment.retention
        placement = network.placement("documents")
        bucket = TenantBucket(
            self,
            "Objects",
            name=self.names.bucket("documents", stage.account, self.region),
            key=keys.data.key,
            access_logs=access_logs.bucket,
            backup=BackupClass.DOCUMENTS,
            expire_days=retention.document_live_days,
            noncurrent_days=1,
        ).bucket
        table = PrivateTable(
            self,
            "Items",
            name=f"{self.names.prefix}-documents",
            key=keys.data.key,
            partition_key="tenant",
            sort_key="document",
            backup=BackupClass.DOCUMENTS,
            recovery_days=retention.document_backup_days,
        ).table
        self.bucket, self.table = bucket, table
        stores = {
            "REGISTER": data.register.table_name,
            "TABLE_NAME": table.table_name,
            "BUCKET_NAME": bucket.bucket_name,
            "LARGEST_DOCUMENT_BYTES": str(LARGEST_DOCUMENT_BYTES),
        }
        authorizer = Function(
            self,
            "Authorizer",
            source="authorize_request",
            description="Verifies the caller's token",
            placement=placement,
            environment={
                **trusted_tokens(stage, users),
                "TENANT_CLAIM": TENANT_CLAIM,
                "ROLE_CLAIM": ROLE_CLAIM,
            },
            layers=[TokenLayer(self, "TokenLayer").layer],
        )
        if users is not None:
            users.admit(authorizer)
        service = Function(
            self,
            "Service",
            source="document_api",
            description="Creates, lists, reads and deletes documents",
            placement=placement,
            environment={
                **stores,
                "KEY_ARN": keys.data.arn,
                "RETENTION_DAYS": str(retention.document_live_days),
            },
            timeout_seconds=25,
        )
        analysis = Function(
            self,
            "Analysis",
            source="analyse_document",
            description="Analyses uploaded documents in memory",
            placement=placement,
            environment=stores,
            timeout_seconds=ANALYSIS_SECONDS,
            memory_mb=1024,
        )
        tenant = TenantRole(
            self,
            "Tenant",
            assumed_by=[service, analysis],
            table=table,
            table_key=keys.data.key,
            bucket=bucket,
            bucket_key=keys.data.key,
            register=data.register,
        )
        for function, caller in (
            (authorizer, "API Gateway waits for the authorizer's answer"),
            (service, "API Gateway waits for the documents function's answer"),
            (analysis, "the queue keeps what the analysis could not finish, and has a dead-letter queue of its own"),
        ):
            acknowledge(
                function.function,
                f"Nothing invokes it asynchronously, which is all that this setting is about: {caller}.",
                *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
            )
        for function in (service, analysis):
            function.function.add_environment("TENANT_ROLE_ARN", tenant.role.role_arn)
        uploads = QueuedUploads(
            self,
            "Uploads",
            bucket=bucket,
            function=analysis,
            timeout_seconds=ANALYSIS_SECONDS,
            key=keys.messaging.key,
            undelivered=alarms.undelivered,
        )
        self.api = RestApi(
            self,
            "Api",
            name=f"{self.names.prefix}-documents",
            description="Documents of one tenant",
            base_path="v1",
            front=entry.api_front,
            authorizer=authorizer.function,
        )
        # What this service writes about deeds, as against the platform's lines about starts and durations.
        deeds = '{ $.event = "*" }'
        self.audited = {
            "Requests": (self.api.access_log, ""),
            "Authorizer": (authorizer.log_group, deeds),
            "Service": (service.log_group, deeds),
            "Analysis": (analysis.log_group, deeds),
        }
        self.api.route("POST", "/documents", service.function, body=_announcement())
        self.api.route("GET", "/documents", service.function)
        self.api.route("GET", "/documents/{id}", service.function)
        self.api.route("DELETE", "/documents/{id}", service.function)

        self._alarm_above(
            "FailedUploads",
            uploads.dead_letters.metric_approximate_number_of_messages_visible(statistic="Maximum"),
            0,
            "Uploads that could not be analysed wait in the dead-letter queue",
        )
        self._alarm_above(
            "LateUploads",
            uploads.queue.metric_approximate_age_of_oldest_message(statistic="Maximum"),
            900,
            "An upload has waited for more than 15 minutes",
        )
        for name, function in (("Authorizer", authorizer), ("Service", service), ("Analysis", analysis)):
            self._alarm_above(
                f"{name}Errors",
                function.function.metric_errors(statistic="Sum"),
                0,
                f"{name}: the function failed or timed out",
            )

    def _alarm_above(self, construct_id: str, metric: cloudwatch.Metric, threshold: float, description: str) -> None:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric.with_(period=cdk.Duration.minutes(5)),
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{self.stage.name} documents: {description}.",
        )
        alarm.add_alarm_action(actions.SnsAction(self._alarms.topic))
        alarm.add_ok_action(actions.SnsAction(self._alarms.topic))


def _announcement() -> apigateway.JsonSchema:
    text, whole = apigateway.JsonSchemaType.STRING, apigateway.JsonSchemaType.INTEGER
    return apigateway.JsonSchema(
        schema=apigateway.JsonSchemaVersion.DRAFT4,
        type=apigateway.JsonSchemaType.OBJECT,
        required=["title", "content_type", "size"],
        additional_properties=False,
        properties={
            "title": apigateway.JsonSchema(type=text, min_length=1, max_length=200),
            "content_type": apigateway.JsonSchema(type=text, enum=["text/plain", "text/markdown", "text/csv"]),
            "size": apigateway.JsonSchema(type=whole, minimum=1, maximum=LARGEST_DOCUMENT_BYTES),
        },
    )
