"""Takes every finding, calls people until somebody answers, and keeps the clocks that were promised to customers."""

from __future__ import annotations

import json
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function, Placement, StateMachine
from palisade.identity import ComponentRole
from palisade.incident import FindingsIntake, Pages, incident_timer
from palisade.keys import CustomerKey
from palisade.messaging import DeadLetterQueue, EncryptedTopic
from palisade.observability import Alarm, watch_dead_letters

from constructs import Construct
from stacks.base import PalisadeStack
from stacks.findings import SECURITY, Findings
from stacks.log_archive import LogArchiveOrganization
from stacks.names import Workflow
from stacks.settings import Deployment, Standing

DEEDS = ("ack", "assign", "note", "told", "resolve", "postmortem", "close", "report")
DRILL = "palisade.drill"
"""The source of a drill's events (``palisade_runtime.incidents.finding.DRILL``)."""
_INTAKE_SECONDS = 60
_FIVE_MINUTES = cdk.Duration.minutes(5)


class Incidents(PalisadeStack):
    """One intake for findings, alarms and people's reports; one timer for each incident; one desk for those who handle it.

    Nothing is stored here but messages on their way: the records lie in the log archive, and a running execution is what is
    open. What goes wrong here is told directly to operations and security, never through the intake.
    """

    def __init__(
        self, scope: Construct, *, deployment: Deployment, findings: Sequence[Findings], archive: LogArchiveOrganization
    ) -> None:
        super().__init__(
            scope,
            deployment=deployment,
            owner=SECURITY,
            subject=Workflow.INCIDENTS,
            account=deployment.accounts.security,
            stateful=True,
        )
        for stack in (*findings, archive):
            self.add_stack_dependency(stack)
        self._log = self.decision_log(Workflow.INCIDENTS)
        self._key = self._made_key()
        self._undelivered = DeadLetterQueue(self, "Undelivered", key=self._key.key).queue
        self._operations = EncryptedTopic(
            self,
            "Operations",
            key=self._key.key,
            name=self.names.incident_alarms,
            mailboxes=[deployment.contacts.operations, deployment.contacts.security],
            undelivered=self._undelivered,
            alarms_only=True,
        ).topic
        self._placement = Placement(
            log_key=self._key.key,
            environment_key=self._key.key,
            log_group_prefix=self.names.log_group(Workflow.INCIDENTS),
            log_days=deployment.retention.audit_log_days,
        )
        on_call = deployment.on_call
        self.pages = Pages(
            self,
            "Pages",
            name=self.names.incident_pages,
            people={person.name: person.email for person in (*on_call.people, *on_call.management)},
            secret_name=self.names.incident_channels,
            key=self._key.key,
            undelivered=self._undelivered,
        )
        lead, caller = self._lead(), self._caller()
        self.timer = StateMachine(
            self,
            "Timer",
            name=self.names.incident_timer,
            definition=incident_timer(self, lead=lead.function, page=caller.function),
            key=self._key.key,
            placement=self._placement,
            topic=self._operations,
            longest=cdk.Duration.days(365),
        )
        self.timer.allow_invoke(lead.function, caller.function)
        taker, self.desk = self._taker(), self._desk()
        intake = FindingsIntake(
            self,
            "Intake",
            bus=self.names.findings_bus,
            function=taker,
            timeout_seconds=_INTAKE_SECONDS,
            key=self._key.key,
            undelivered=self._undelivered,
        )
        responder = self._log.people(
            self, "Responder", name=self.names.responder, deeds=DEEDS, to=self.desk.function.function_arn
        )
        # What a drill puts on the bus says that it is one: no other source is theirs to name.
        responder.add_statements(
            iam.PolicyStatement(
                sid="Drill",
                actions=["events:PutEvents"],
                resources=[self.names.findings_bus_arn],
                conditions={"StringEquals": {"events:source": DRILL}},
            )
        )
        self._watch([lead, caller, taker, self.desk], intake)

    def _made_key(self) -> CustomerKey:
        key = CustomerKey(
            self,
            "Key",
            alias=self.names.key_alias(Workflow.INCIDENTS),
            description="messages, timers, addresses and logs about incidents",
            used_through=["lambda", "logs", "secretsmanager", "sns", "sqs", "states"],
        )
        key.allow_log_groups()
        key.allow_alarms_and_events()
        key.allow_state_machines()
        return key

    def _lead(self) -> Function:
        """Decides what an incident needs; reads and writes records, keeps the item and the metrics in step."""
        lead = self._function("Lead", "lead_incident", "Says what an incident needs next", {**self._goes_by()})
        self._log.allow_reading(lead.component)
        self._allow_following(lead.component)
        return lead

    def _caller(self) -> Function:
        """Calls people; the only one that knows their channels, and it reads no record."""
        caller = self._function(
            "Caller",
            "page_people",
            "Calls people about incidents",
            {
                "TOPIC_ARN": self.pages.topic.topic_arn,
                "CHANNELS_NAME": self.names.incident_channels,
                "NAMESPACE": self._namespace,
            },
        )
        self.pages.allow_calling(caller)
        self._allow_measuring(caller.component)
        return caller

    def _taker(self) -> Function:
        """Makes incidents of findings."""
        taker = self._function(
            "Taker",
            "take_finding",
            "Makes incidents of findings",
            {**self._opens(), "OWN_ALARMS": f"{self.stack_name}-"},
        )
        self._log.allow_reading(taker.component)
        self._allow_starting(taker.component)
        return taker

    def _desk(self) -> Function:
        """Answers people."""
        desk = self._function(
            "Desk",
            "answer_responder",
            "Answers people who handle incidents",
            {**self._opens(), **self._goes_by()},
            name=self.names.incident_desk,
        )
        self._log.allow_reading(desk.component)
        self._allow_starting(desk.component)
        self._allow_following(desk.component)
        desk.component.allow(
            iam.PolicyStatement(
                sid="FindOpen", actions=["states:ListExecutions"], resources=[self.timer.machine.state_machine_arn]
            )
        )
        return desk

    def _function(
        self, construct_id: str, source: str, description: str, environment: dict[str, str], name: str | None = None
    ) -> Function:
        function = Function(
            self,
            construct_id,
            source=source,
            description=description,
            placement=self._placement,
            environment={**self._log.environment, **environment},
            timeout_seconds=_INTAKE_SECONDS,
            name=name,
            role_name=self.names.recorder(Workflow.INCIDENTS, source.replace("_", "-")),
        )
        self._log.allow_writing(function.component)
        acknowledge(
            function.function,
            f"{source}: whoever calls it (a queue, a timer, a person) waits for the answer and calls again without one.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        acknowledge(
            function.function,
            f"{source}: it reaches AWS's own services and, to call people, their channels, from an account without a network.",
            *in_packs("LambdaInsideVPC"),
        )
        return function

    @property
    def _namespace(self) -> str:
        return f"{self.names.prefix}/{Workflow.INCIDENTS}"

    def _goes_by(self) -> dict[str, str]:
        return {"ROTATION": self.deployment.on_call.written, "NAMESPACE": self._namespace}

    def _opens(self) -> dict[str, str]:
        stages, home = self.deployment.stages, self.deployment.home.name
        quiet = [stage.account for stage in stages if stage.standing is Standing.ENGINEER]
        return {
            "MACHINE_ARN": self.timer.machine.state_machine_arn,
            "STAGES": json.dumps({stage.account: stage.name for stage in stages}),
            "QUIET": " ".join(quiet) or "-",
            "TENANT_BUCKETS": " ".join(self.names.bucket("documents", stage.account, home) for stage in stages),
        }

    def _allow_starting(self, component: ComponentRole) -> None:
        machine = self.timer.machine.state_machine_arn
        component.allow(
            iam.PolicyStatement(sid="StartTimers", actions=["states:StartExecution"], resources=[machine]),
            iam.PolicyStatement(
                sid="TimersKey",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[self._key.arn],
                conditions={"StringEquals": {"kms:EncryptionContext:aws:states:stateMachineArn": machine}},
            ),
        )

    def _allow_following(self, component: ComponentRole) -> None:
        items = f"arn:aws:ssm:{self.region}:{self.account}:opsitem/*"
        component.allow(
            iam.PolicyStatement(sid="MakeItems", actions=["ssm:CreateOpsItem"], resources=["*"]),
            iam.PolicyStatement(sid="ChangeItems", actions=["ssm:UpdateOpsItem"], resources=[items]),
        )
        acknowledge(
            component.policy,
            f"{component.node.path}: Systems Manager invents the ids of items, and defines no resource type for making one.",
            f"AwsSolutions-IAM5[Resource::{items}]",
        )
        self._allow_measuring(component)

    def _allow_measuring(self, component: ComponentRole) -> None:
        component.allow(
            iam.PolicyStatement(
                sid="Measure",
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": self._namespace}},
            )
        )

    def _watch(self, functions: Sequence[Function], intake: FindingsIntake) -> None:
        for function in functions:
            Alarm(
                self,
                f"{function.node.id}Failing",
                description=f"Incidents are not handled as they should be: {function.node.id} fails. Read its log; it is "
                "tried again by itself.",
                metric=function.function.metric_errors(period=_FIVE_MINUTES, statistic="Sum"),
                threshold=1,
                topic=self._operations,
            )
        for name, metric, meaning in (
            (
                "PromiseMissed",
                "PromisesMissed",
                "An incident was not acknowledged, told or written up in time. List them",
            ),
            (
                "ChannelFailing",
                "ChannelsFailed",
                "A channel to people does not work; the others did. Look at its address",
            ),
        ):
            Alarm(
                self,
                name,
                description=f"{meaning}: ./palisade incident list.",
                metric=cloudwatch.Metric(
                    namespace=self._namespace, metric_name=metric, statistic="Sum", period=_FIVE_MINUTES
                ),
                threshold=1,
                topic=self._operations,
            )
        Alarm(
            self,
            "AssignedLate",
            description="From detection to assignment took longer than the five minutes that were promised.",
            metric=cloudwatch.Metric(
                namespace=self._namespace, metric_name="TimeToAssign", statistic="Maximum", period=_FIVE_MINUTES
            ),
            threshold=300,
            comparison=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            topic=self._operations,
        )
        Alarm(
            self,
            "IntakeWaiting",
            description="A finding has waited two minutes for the intake. Read its function's log.",
            metric=intake.queue.metric_approximate_age_of_oldest_message(
                statistic="Maximum", period=cdk.Duration.minutes(1)
            ),
            threshold=120,
            topic=self._operations,
        )
        for name, queue, meaning in (
            ("Unreadable", intake.dead_letters, "The intake cannot read a finding."),
            ("Lost", self._undelivered, "A finding did not reach the intake, or a message about one nobody."),
        ):
            watch_dead_letters(self, name, queue=queue, topic=self._operations, meaning=meaning)
