"""Keeps the record of changes, in the deployment account: who wrote, reviewed and approved what went where."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function, Placement
from palisade.keys import CustomerKey
from palisade.messaging import DeadLetterQueue, EncryptedTopic
from palisade.observability import Alarm, watch_dead_letters

from constructs import Construct
from stacks.base import PalisadeStack
from stacks.log_archive import LogArchiveOrganization
from stacks.names import Workflow
from stacks.settings import Deployment, Standing

CHANGE_LEDGER = Workflow.CHANGE_LEDGER


class ChangeLedger(PalisadeStack):
    """A function that authorises and records changes; the records and the approvals lie in the archive alone.

    Whoever deploys to an account of this deployment may call it, as far as their own policies let them. A person with
    ``<prefix>-change-approver`` approves under their own session's id and no other.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """

    def __init__(self, scope: Construct, *, deployment: Deployment, archive: LogArchiveOrganization) -> None:
        super().__init__(
            scope,
            deployment=deployment,
            owner="deployment",
            subject=CHANGE_LEDGER,
            account=deployment.accounts.deployment,
            stateful=True,
        )
        self.add_stack_dependency(archive)
        key = CustomerKey(
            self,
            "Key",
            alias=self.names.key_alias(CHANGE_LEDGER),
            description="messages and logs about the record of changes",
            used_through=["lambda", "logs", "sns", "sqs"],
        )
        key.allow_log_groups()
        key.allow_alarms_and_events()
        self._log = self.decision_log(CHANGE_LEDGER)
        undelivered = DeadLetterQueue(self, "Undelivered", key=key.key, topics_only=True).queue
        topic = EncryptedTopic(
            self,
            "Operations",
            key=key.key,
            name=f"{self.names.prefix}-{CHANGE_LEDGER}",
            mailboxes=[deployment.contacts.operations],
            undelivered=undelivered,
            alarms_only=True,
        ).topic
        self.recorder = self._recorder(key)
        self._log.people(
            self, "Approver", name=self.names.change_approver, deeds=["approve"], to=self.recorder.function.function_arn
        )
        Alarm(
            self,
            "Failing",
            description="The record of changes could not be written, so nothing can be deployed. Read the function's log.",
            metric=self.recorder.function.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum"),
            threshold=1,
            topic=topic,
        )
        watch_dead_letters(
            self,
            "Lost",
            queue=undelivered,
            topic=topic,
            meaning="A message about the record of changes reached nobody.",
        )

    def _recorder(self, key: CustomerKey) -> Function:
        deployment = self.deployment
        guarded = [stage.name for stage in deployment.stages if stage.standing is Standing.READ_ONLY]
        recorder = Function(
            self,
            "Recorder",
            source="record_change",
            description="Authorises and records changes",
            placement=Placement(
                log_key=key.key,
                environment_key=key.key,
                log_group_prefix=self.names.log_group(CHANGE_LEDGER),
                log_days=deployment.retention.audit_log_days,
            ),
            environment={
                **self._log.environment,
                "OWNERS": " ".join(deployment.owners),
                "GUARDED": " ".join(guarded) or "-",
            },
            timeout_seconds=60,
            name=self.names.change_ledger,
            role_name=self.names.recorder(CHANGE_LEDGER),
        )
        self._log.allow_writing(recorder.component)
        self._log.allow_reading(recorder.component)
        for owner, account in deployment.owners.items():
            if owner != "deployment":
                lambda_.CfnPermission(
                    self,
                    f"From{''.join(part.capitalize() for part in owner.split('-'))}",
                    action="lambda:InvokeFunction",
                    function_name=recorder.function.function_arn,
                    principal=account,
                )
        acknowledge(
            recorder.function,
            "record_change: its callers wait for the answer, and stop the deployment without one.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        acknowledge(
            recorder.function,
            "record_change: it reaches S3 only, from an account without a network of its own.",
            *in_packs("LambdaInsideVPC"),
        )
        return recorder
