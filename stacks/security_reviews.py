"""Reviews of access, in the security account: who can do what, signed by people every month and every quarter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function, Placement
from palisade.identity.review_machine import ReviewMachine
from palisade.keys import CustomerKey
from palisade.messaging import DeadLetterQueue, EncryptedTopic
from palisade.observability import Alarm, watch_dead_letters

from constructs import Construct
from stacks.base import PalisadeStack
from stacks.identity import standing
from stacks.log_archive import LogArchiveOrganization
from stacks.names import Workflow
from stacks.settings import Deployment, Job, Organization

REVIEWS = Workflow.REVIEWS
NAMESPACE = "Palisade/Reviews"
"""Of the metrics ``ReviewsOverdue`` and ``AccountsNotSeen``."""

_SCHEDULES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "Monthly": ("cron(0 5 1 * ? *)", {"do": "begin", "kind": "admin"}),
    "Quarterly": ("cron(0 5 1 1,4,7,10 ? *)", {"do": "begin", "kind": "access"}),
    "Watch": ("rate(6 hours)", {"do": "watch"}),
}
_STEPS = ("begin", "watch", "open", "weigh", "look", "told")
_FOR_PEOPLE = ("list", "status", "show", "sign", "run")


class SecurityReviews(PalisadeStack):
    """Every month a review of administrators' rights, every quarter one of all rights; both are open until two people have
    signed them, and until what they revoked is gone.

    What was collected, found and signed lies in the archive alone. A reviewer signs under their own session's id and no
    other, with ``<prefix>-review-signer``. Whoever looks four times a day from outside counts what is overdue.

    https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_permissions_continuous_reduction.html
    """

    def __init__(
        self, scope: Construct, *, deployment: Deployment, organization: Organization, archive: LogArchiveOrganization
    ) -> None:
        super().__init__(
            scope,
            deployment=deployment,
            owner="security",
            subject=REVIEWS,
            account=deployment.accounts.security,
            stateful=True,
        )
        self.add_stack_dependency(archive)
        self._organization = organization
        key = CustomerKey(
            self,
            "Key",
            alias=self.names.key_alias(REVIEWS),
            description="logs, messages and executions of access reviews",
            used_through=["lambda", "logs", "sns", "sqs", "states"],
        )
        key.allow_log_groups()
        key.allow_alarms_and_events()
        key.allow_state_machines()
        self._key = key
        self._log = self.decision_log(REVIEWS)
        self._undelivered = DeadLetterQueue(self, "Undelivered", key=key.key).queue
        contacts = deployment.contacts
        reviewers = self._topic("Reviewers", "", [contacts.security])
        escalations = self._topic("Escalations", "-escalations", [contacts.security, contacts.operations])
        steps = self._function("Steps", "steps", "Takes access reviews from step to step", _STEPS)
        collector = self._collector()
        ReviewMachine(
            self,
            "Review",
            name=self.names.reviews,
            collector=collector.function,
            steps=steps.function,
            reviewers=reviewers.topic,
            escalations=escalations.topic,
            key=key.key,
            placement=self._placement(""),
        )
        door = self._function("Door", "door", "Answers reviewers", _FOR_PEOPLE, name=self.names.reviews)
        for function in (steps, door):
            self._allow_machine(function)
        self._log.people(self, "Signer", name=self.names.review_signer, deeds=["sign"], to=door.function.function_arn)
        self._schedule(steps)
        self._alarms(escalations, [steps, door, collector])

    def _topic(self, construct_id: str, suffix: str, mailboxes: Sequence[str]) -> EncryptedTopic:
        return EncryptedTopic(
            self,
            construct_id,
            key=self._key.key,
            name=f"{self.names.reviews}{suffix}",
            mailboxes=mailboxes,
            undelivered=self._undelivered,
            alarms_only=True,
        )

    def _placement(self, part: str) -> Placement:
        return Placement(
            log_key=self._key.key,
            environment_key=self._key.key,
            log_group_prefix=self.names.log_group(REVIEWS, *([part] if part else [])),
            log_days=self.deployment.retention.audit_log_days,
        )

    @property
    def _standing(self) -> str:
        """``<group>:<permission set>:<owner>,<owner>``: a function's environment holds 4 KB."""
        owners: dict[str, list[str]] = {}
        for group, job, owner in standing(self.deployment):
            owners.setdefault(f"{self._group(group)}:{self.names.permission_set(job)}", []).append(owner)
        return " ".join(f"{what}:{','.join(where)}" for what, where in owners.items())

    def _group(self, job: Job) -> str:
        """What the directory knows a job's group by: an id where it was there before, the name where it is made here."""
        brought = {group.job: group.id for group in self._organization.identity_center.groups}
        return brought.get(job, self.names.permission_set(job))

    @property
    def _accounts(self) -> str:
        return " ".join(f"{owner}={account}" for owner, account in self.deployment.owners.items())

    @property
    def _machine_arn(self) -> str:
        return f"arn:aws:states:{self.region}:{self.account}:stateMachine:{self.names.reviews}"

    def _function(
        self, construct_id: str, part: str, description: str, acts: Sequence[str], *, name: str | None = None
    ) -> Function:
        deployment, reviews, granted = self.deployment, self.deployment.reviews, self.decision_log(Workflow.ACCESS)
        function = Function(
            self,
            construct_id,
            source="review_access",
            description=description,
            placement=self._placement(part),
            environment={
                **self._log.environment,
                "GRANTS_WORKFLOW": granted.workflow,
                "ACCOUNTS": self._accounts,
                "PREFIX": self.names.prefix,
                "STANDING": self._standing,
                "EMERGENCY": " ".join(deployment.emergency_identities) or "-",
                "DIRECTORY_ACCOUNT": deployment.owners["management"],
                "ADMIN_REVIEWERS": " ".join(reviews.admin),
                "ACCESS_REVIEWERS": " ".join(reviews.access),
                "UNUSED_DAYS": str(reviews.unused_days),
                "KEY_DAYS": str(reviews.key_days),
                "DUE_DAYS": str(reviews.due_days),
                "REMIND_DAYS": " ".join(str(day) for day in reviews.remind_days),
                "MACHINE": self._machine_arn,
                "NAMESPACE": NAMESPACE,
                "ACTS": " ".join(acts),
            },
            timeout_seconds=300,
            memory_mb=512,
            name=name,
            role_name=self.names.recorder(REVIEWS, part),
        )
        self._log.allow_writing(function.component)
        self._log.allow_reading(function.component)
        grants = f"{self.account}/{granted.workflow}/*"
        function.component.allow(
            iam.PolicyStatement(
                sid="FindGrants",
                actions=["s3:ListBucket"],
                resources=[f"arn:aws:s3:::{self._log.bucket_name}"],
                conditions={"StringLike": {"s3:prefix": grants}},
            ),
            iam.PolicyStatement(
                sid="ReadGrants", actions=["s3:GetObject"], resources=[f"arn:aws:s3:::{self._log.bucket_name}/{grants}"]
            ),
        )
        acknowledge(
            function.component.policy,
            f"review_access ({part}): grants are read as the workflow that grants has named them.",
            f"AwsSolutions-IAM5[Resource::arn:aws:s3:::{self._log.bucket_name}/{grants}]",
        )
        self._outside_networks(function, f"review_access ({part})")
        acknowledge(
            function.function,
            f"review_access ({part}): whoever calls it does so again: people, the state machine, and the watch four times a day.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        if name is None:
            function.component.allow(
                iam.PolicyStatement(
                    sid="Count",
                    actions=["cloudwatch:PutMetricData"],
                    resources=["*"],
                    conditions={"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
                )
            )
        return function

    def _collector(self) -> Function:
        center = self._organization.identity_center
        management = self.deployment.owners["management"]
        collector = Function(
            self,
            "Collector",
            source="collect_access",
            description="Reads the identities of every account",
            placement=self._placement(""),
            environment={
                **self._log.environment,
                "ACCOUNTS": self._accounts,
                "REGIONS": " ".join(self.deployment.regions),
                "REVIEWER": self.names.reviewer,
                "EXTERNAL_ID": self.names.reviews,
                "CENTER_ACCOUNT": management,
                "CENTER_REGION": center.region,
                "CENTER_INSTANCE": center.instance_arn,
                "CENTER_STORE": center.store_id,
            },
            timeout_seconds=900,
            memory_mb=512,
            role_name=self.names.review_collector,
        )
        self._log.allow_writing(collector.component)
        self._log.allow_reading(collector.component)
        collector.component.allow(
            iam.PolicyStatement(
                sid="ReadAccounts",
                actions=["sts:AssumeRole"],
                resources=[
                    f"arn:aws:iam::{account}:role/{self.names.reviewer}" for account in self.deployment.account_ids
                ],
            )
        )
        acknowledge(
            collector.function,
            "collect_access: the state machine, its only caller, tries again and then records the account as missing.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        self._outside_networks(collector, "collect_access")
        return collector

    def _outside_networks(self, function: Function, what: str) -> None:
        acknowledge(
            function.function,
            f"{what}: it asks AWS of other accounts only, from an account without a network of its own.",
            *in_packs("LambdaInsideVPC"),
        )

    def _allow_machine(self, function: Function) -> None:
        function.component.allow(
            iam.PolicyStatement(
                sid="Begin",
                actions=["states:ListExecutions", "states:StartExecution"],
                resources=[self._machine_arn],
            ),
            iam.PolicyStatement(
                sid="UseMachinesKey",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[self._key.arn],
                conditions={"StringEquals": {"kms:EncryptionContext:aws:states:stateMachineArn": self._machine_arn}},
            ),
        )

    def _schedule(self, steps: Function) -> None:
        for name, (when, given) in _SCHEDULES.items():
            rule = events.CfnRule(
                self,
                name,
                description=f"Access reviews: {' '.join(given.values())}",
                schedule_expression=when,
                targets=[
                    events.CfnRule.TargetProperty(
                        id="Steps",
                        arn=steps.function.function_arn,
                        input=self.to_json_string(given),
                        dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self._undelivered.queue_arn),
                    )
                ],
            )
            lambda_.CfnPermission(
                self,
                f"{name}MayCall",
                action="lambda:InvokeFunction",
                function_name=steps.function.function_arn,
                principal="events.amazonaws.com",
                source_arn=rule.attr_arn,
            )

    def _alarms(self, escalations: EncryptedTopic, functions: Sequence[Function]) -> None:
        def count(name: str, period: cdk.Duration) -> cloudwatch.Metric:
            return cloudwatch.Metric(namespace=NAMESPACE, metric_name=name, statistic="Maximum", period=period)

        Alarm(
            self,
            "Overdue",
            description=(
                "An access review is not signed in time, has not come about, or nobody counted for half a day. "
                '"./palisade review list" names it; two reviewers sign it.'
            ),
            metric=count("ReviewsOverdue", cdk.Duration.hours(12)),
            threshold=1,
            topic=escalations.topic,
            silence=cloudwatch.TreatMissingData.BREACHING,
        )
        Alarm(
            self,
            "NotSeen",
            description=(
                "An account did not answer an access review, so its rights are not in it. The log group of collect-access "
                "says why: mend that, and it is read again within a week."
            ),
            metric=count("AccountsNotSeen", cdk.Duration.minutes(5)),
            threshold=1,
            topic=escalations.topic,
        )
        for function in functions:
            name = function.node.id
            Alarm(
                self,
                f"{name}Failing",
                description=f"A function of access reviews fails ({name}). Read its log; what it was at is tried again.",
                metric=function.function.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum"),
                threshold=1,
                topic=escalations.topic,
            )
        watch_dead_letters(
            self,
            "Lost",
            queue=self._undelivered,
            topic=escalations.topic,
            meaning="A schedule of access reviews called in vain, or a message about them reached nobody.",
        )
