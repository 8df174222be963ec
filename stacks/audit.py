"""Takes the audit logs of a stage's applications to the archive."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_cognito as cognito
from palisade.acknowledge import acknowledge, in_packs
from palisade.archive import REDACTOR_SECONDS, AuditStream, Carried, Destination, Records
from palisade.compute import Function, Placement
from palisade.observability import Alarm, RetainedLogGroup, count_events

from constructs import Construct
from stacks.alarms import Alarms
from stacks.base import StageStack
from stacks.keys import Keys
from stacks.log_archive import LogArchiveStage
from stacks.names import AUDIT_WRITER, SIGN_IN_WRITER, Log
from stacks.network import Network
from stacks.settings import Deployment, Stage
from stacks.users import Users

LATE_SECONDS = 1800
"""Records wait at most five minutes for company; half an hour means that they cannot be delivered."""


class Audit(StageStack):
    """One stream into the archive for every audited log group of the stage's workloads, and one for its users' sign-ins.

    A function takes secrets out of everything on the way, for functions redact what they write, but services do not.
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
        archive: LogArchiveStage,
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="audit")
        self.add_stack_dependency(archive)
        self._key = keys.logs.key
        self._destination = Destination(
            bucket_name=self.names.delivery_bucket(stage.name, Log.AUDIT), account=deployment.accounts.log_archive
        )
        self._errors = RetainedLogGroup(
            self,
            "Errors",
            name=self.names.log_group("audit", "delivery"),
            key=keys.logs.key,
            days=deployment.retention.server_log_days,
        )
        self._alarms = alarms
        self._redactor = self._make_redactor(keys, network)
        self.stream = AuditStream(
            self,
            "Stream",
            carried=Carried(name=f"{self.names.prefix}-audit", role_name=self.names.role(AUDIT_WRITER)),
            key=self._key,
            destination=self._destination,
            errors=self._errors,
            redactor=self._redactor,
        )
        self._alarm_if_late("Late", self.stream.name, "audit logs have")

    def keep(self, workload: cdk.Stack, logs: Mapping[str, tuple[RetainedLogGroup, str]]) -> None:
        """Archive the log groups ``logs`` of ``workload``: by construct id, each with the pattern of what is evidence."""
        # By name, so that the workload can be changed and deleted without this stack in its way.
        self.add_stack_dependency(workload)
        for construct_id, (log_group, pattern) in logs.items():
            self.stream.subscribe(construct_id, log_group=log_group.name, pattern=pattern)

    def keep_sign_ins(self, users: Users | None) -> None:
        """Archive what users do at sign-in, with the risk that threat protection saw in it; an issuer's own log is its.

        Through a stream, because Cognito writes to no log group that a customer's key encrypts.
        https://docs.aws.amazon.com/cognito/latest/developerguide/exporting-quotas-and-usage.html
        """
        if users is None:
            return
        sign_ins = AuditStream(
            self,
            "SignIns",
            carried=Carried(
                name=self.names.sign_in_stream, role_name=self.names.role(SIGN_IN_WRITER), records=Records.PLAIN
            ),
            key=self._key,
            destination=self._destination,
            errors=self._errors,
            redactor=self._redactor,
        )
        cognito.CfnLogDeliveryConfiguration(
            self,
            "SignInLog",
            user_pool_id=users.pool.id,
            log_configurations=[
                cognito.CfnLogDeliveryConfiguration.LogConfigurationProperty(
                    event_source="userAuthEvents",
                    log_level="INFO",
                    firehose_configuration=cognito.CfnLogDeliveryConfiguration.FirehoseConfigurationProperty(
                        stream_arn=sign_ins.stream.attr_arn
                    ),
                )
            ],
        )
        self._alarm_if_late("SignInsLate", sign_ins.name, "records of sign-ins have")

    def _make_redactor(self, keys: Keys, network: Network) -> Function:
        redactor = Function(
            self,
            "Redactor",
            source="redact_records",
            description="Takes secrets out of audit records on their way to the archive",
            # It calls nobody, and in the network it could not.
            placement=Placement(
                log_key=keys.logs.key,
                environment_key=keys.secrets.key,
                log_group_prefix=self.names.log_group("audit"),
                log_days=self.deployment.retention.server_log_days,
                vpc=network.vpc,
                subnets=network.application_subnets,
                security_group=network.application_group,
            ),
            timeout_seconds=REDACTOR_SECONDS,
            memory_mb=512,
        )
        acknowledge(
            redactor.function,
            "redact_records: Firehose waits for its answer, keeps the records and calls again, up to 300 times.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        Alarm(
            self,
            "NotRedacted",
            description=(
                f"{self.stage.name}: the function that redacts audit records fails. Firehose calls it again; what it never "
                "takes lands in the archive's folder of failures as it was written. Read its log group."
            ),
            metric=redactor.function.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum"),
            threshold=1,
            topic=self._alarms.topic,
        )
        Alarm(
            self,
            "LeftOut",
            description=(
                f"{self.stage.name}: an audit record could not be read, so that its length and digest went into the archive "
                "in its place. The log group of redact-records names them; the original is in the log group it came from."
            ),
            metric=count_events(
                self,
                "RecordsLeftOut",
                log_group=redactor.log_group,
                namespace=f"{self.names.prefix}/audit",
                event="record.left-out",
            ),
            threshold=1,
            topic=self._alarms.topic,
        )
        return redactor

    def _alarm_if_late(self, construct_id: str, stream_name: str, what: str) -> None:
        late = cloudwatch.Metric(
            namespace="AWS/Firehose",
            metric_name="DeliveryToS3.DataFreshness",
            dimensions_map={"DeliveryStreamName": stream_name},
            statistic="Maximum",
            period=cdk.Duration.minutes(5),
        ).create_alarm(
            self,
            construct_id,
            threshold=LATE_SECONDS,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{self.stage.name}: {what} not reached the archive for half an hour; after a day they are lost.",
        )
        for act in (late.add_alarm_action, late.add_ok_action):
            act(actions.SnsAction(self._alarms.topic))
