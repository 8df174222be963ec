"""Lets people into the levels of live stages for a while: asked for, approved by another, ended by itself."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function, Placement, StateMachine
from palisade.grants import Gate, Gatekeeper, grant_definition
from palisade.identity import Ground
from palisade.keys import CustomerKey
from palisade.messaging import DeadLetterQueue, EncryptedTopic
from palisade.observability import Alarm, watch_dead_letters

from constructs import Construct
from stacks.base import PalisadeStack, StageStack
from stacks.levels import TAG, entering_customer_data
from stacks.log_archive import LogArchiveOrganization
from stacks.names import Workflow
from stacks.settings import ON_REQUEST, Deployment, Job, Organization, Stage, Standing

NAMESPACE = "Palisade/Access"
"""Of the metrics ``Unexplained`` and ``Unsettled``."""
SWEEP_MINUTES = 5
_DEEDS = {
    Job.REQUESTER: ("request", "revoke", "consent", "withdraw"),
    Job.APPROVER: ("approve", "deny", "revoke", "consent", "withdraw"),
}


class Gates(StageStack):
    """What stands before each level of one stage, and the one role that opens it."""

    def __init__(self, scope: Construct, *, deployment: Deployment, stage: Stage) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="gates")
        for level in ON_REQUEST:
            Gate(self, _pascal(level.value), name=self.names.gate(level.value), level=level.value)
        Gatekeeper(
            self,
            "Gatekeeper",
            name=self.names.gatekeeper,
            enforcer=f"arn:aws:iam::{deployment.accounts.security}:role/{self.names.access_enforcer}",
            gates=[self.names.gate(level.value) for level in ON_REQUEST],
        )


class AccessRequests(PalisadeStack):
    """A function that decides about requests, one that carries grants out, a state machine for the life of each, and a sweep.

    The first is all that people may call, in their own name; it can change nothing. The second assigns and takes away in
    Identity Center, as its delegated administrator, and enters stages as their gatekeeper; only the machine and the clock
    call it. What both record, nobody alters.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/delegated-admin.html
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        organization: Organization,
        archive: LogArchiveOrganization,
    ) -> None:
        super().__init__(
            scope,
            deployment=deployment,
            owner="security",
            subject="access",
            account=deployment.accounts.security,
            stateful=True,
        )
        self.add_stack_dependency(archive)
        self._center = organization.identity_center
        self._stages = {
            stage.name: stage.account for stage in deployment.stages if stage.standing is Standing.READ_ONLY
        }
        self._ground = Ground(prefix=self.names.prefix, region=self.names.home, stages=self._stages)
        self._log = self.decision_log(Workflow.ACCESS)
        key = CustomerKey(
            self,
            "Key",
            alias=self.names.key_alias(Workflow.ACCESS),
            description="requests for access: messages, logs and executions",
            used_through=["lambda", "logs", "sns", "sqs", "states"],
        )
        key.allow_log_groups()
        key.allow_alarms_and_events()
        key.allow_state_machines()
        self._placement = Placement(
            log_key=key.key,
            environment_key=key.key,
            log_group_prefix=self.names.log_group(Workflow.ACCESS),
            log_days=deployment.retention.audit_log_days,
        )
        undelivered = DeadLetterQueue(self, "Undelivered", key=key.key).queue
        topic = EncryptedTopic(
            self,
            "Team",
            key=key.key,
            name=f"{self.names.prefix}-access",
            mailboxes=[deployment.contacts.security, deployment.contacts.operations],
            undelivered=undelivered,
        ).topic
        watch_dead_letters(
            self,
            "Lost",
            queue=undelivered,
            topic=topic,
            meaning="A message about access reached nobody, or a sweep did not take place.",
        )
        self._enforcer = self._make_enforcer(topic)
        machine = StateMachine(
            self,
            "Grants",
            name=self.names.access_grants,
            definition=grant_definition(self, enforcer=self._enforcer.function),
            key=key.key,
            placement=self._placement,
            topic=topic,
            longest=cdk.Duration.hours(deployment.access_requests.longest_hours + 12),
        )
        machine.allow_invoke(self._enforcer.function)
        self._decider = self._make_decider(topic, machine, key)
        for job, deeds in _DEEDS.items():
            self._log.people(
                self,
                _pascal(job.value),
                name=self.names.access_policy(job),
                deeds=deeds,
                to=self._decider.function.function_arn,
            )
        self._sweep(undelivered)
        self._watch(topic)

    # ------------------------------------------------------------------------------------------------------- functions

    def _make_decider(self, topic: sns.ITopic, machine: StateMachine, key: CustomerKey) -> Function:
        decider = Function(
            self,
            "Decider",
            source="decide_access",
            description="Decides about access requests",
            placement=self._placement,
            environment={
                **self._log.environment,
                "RULES": json.dumps(self._rules(), sort_keys=True, separators=(",", ":")),
                "MACHINE_ARN": machine.machine.state_machine_arn,
                "TOPIC_ARN": topic.topic_arn,
                "STORE_ID": self._center.store_id,
                "CENTER_REGION": self._center.region,
            },
            timeout_seconds=60,
            name=self.names.access_requests,
            role_name=self.names.recorder(Workflow.ACCESS, "decider"),
        )
        self._log.allow_writing(decider.component)
        self._log.allow_reading(decider.component)
        store = f"arn:aws:identitystore::{self.deployment.accounts.management}:identitystore/{self._center.store_id}"
        kinds = ("user", "group", "membership")
        decider.component.allow(
            iam.PolicyStatement(
                sid="WhoIsWho",
                actions=["identitystore:GetGroupId", "identitystore:GetUserId", "identitystore:IsMemberInGroups"],
                resources=[store, *(f"arn:aws:identitystore:::{kind}/*" for kind in kinds)],
            ),
            iam.PolicyStatement(
                sid="SetOff", actions=["states:StartExecution"], resources=[machine.machine.state_machine_arn]
            ),
            iam.PolicyStatement(
                sid="SetOffUnderKey",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[key.arn],
                conditions={
                    "StringEquals": {"kms:ViaService": f"states.{self.region}.amazonaws.com"},
                },
            ),
        )
        topic.grant_publish(decider.grantee)
        acknowledge(
            decider.component.policy,
            "decide_access: these are the calls of KMS that a publisher to the encrypted topic makes, on its one key.",
            "AwsSolutions-IAM5[Action::kms:GenerateDataKey*]",
        )
        acknowledge(
            decider.component.policy,
            "decide_access: whose membership is asked for, the directory tells only when it is asked.",
            *(f"AwsSolutions-IAM5[Resource::arn:aws:identitystore:::{kind}/*]" for kind in kinds),
        )
        acknowledge(
            decider.function,
            "decide_access: people and the chat's function wait for its answer, and ask again without one.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        acknowledge(
            decider.function,
            "decide_access: it reaches the archive and the directory, from an account without a network of its own.",
            *in_packs("LambdaInsideVPC"),
        )
        return decider

    def _rules(self) -> dict[str, object]:
        chosen = self.deployment.access_requests
        made_elsewhere = {group.job: group.id for group in self._center.groups}
        return {
            "stages": list(self._stages),
            "groups": {
                level.value: made_elsewhere.get(level, self.names.permission_set(level)) for level in ON_REQUEST
            },
            "on_call": chosen.on_call_group or "",
            "customer_data": entering_customer_data(self._ground),
            "networks": [str(network) for network in self.deployment.allowed_networks],
            "shortest_minutes": chosen.shortest_minutes,
            "longest_minutes": chosen.longest_hours * 60,
            "waiting_hours": chosen.waiting_hours,
            "consent_days": chosen.consent_days,
        }

    def _make_enforcer(self, topic: sns.ITopic) -> Function:
        policy = f"arn:aws:iam::{{account}}:policy/{self.names.gate('{level}')}"
        places = {
            "stages": self._stages,
            "sets": {level.value: self.names.permission_set(level) for level in ON_REQUEST},
            "accounts": list(self.deployment.members.values()),
            "role": f"arn:aws:iam::{{account}}:role/{self.names.gatekeeper}",
            "policy": policy,
        }
        enforcer = Function(
            self,
            "Enforcer",
            source="enforce_access",
            description="Opens and closes levels as grants say",
            placement=self._placement,
            environment={
                **self._log.environment,
                "PLACES": json.dumps(places, sort_keys=True, separators=(",", ":")),
                "TOPIC_ARN": topic.topic_arn,
                "INSTANCE_ARN": self._center.instance_arn,
                "CENTER_REGION": self._center.region,
                "NAMESPACE": NAMESPACE,
            },
            timeout_seconds=300,
            role_name=self.names.access_enforcer,
        )
        self._log.allow_writing(enforcer.component)
        self._log.allow_reading(enforcer.component)
        topic.grant_publish(enforcer.grantee)
        instance = self._center.instance_arn
        sets = f"arn:aws:sso:::permissionSet/{instance.rpartition('/')[2]}/*"
        accounts = [f"arn:aws:sso:::account/{account}" for account in self.deployment.members.values()]
        enforcer.component.allow(
            iam.PolicyStatement(
                sid="EnterStages",
                actions=["sts:AssumeRole"],
                resources=[f"arn:aws:iam::{account}:role/{self.names.gatekeeper}" for account in self._stages.values()],
            ),
            iam.PolicyStatement(
                sid="Assign",
                actions=["sso:CreateAccountAssignment", "sso:DeleteAccountAssignment"],
                resources=[instance, *accounts],
            ),
            # Of the permission sets, only those that carry the tag: what stands for good is out of its reach.
            iam.PolicyStatement(
                sid="AssignLevels",
                actions=["sso:CreateAccountAssignment", "sso:DeleteAccountAssignment"],
                resources=[sets],
                conditions={"StringEquals": {f"aws:ResourceTag/{TAG[0]}": TAG[1]}},
            ),
            iam.PolicyStatement(
                sid="LookAtAssignments",
                actions=[
                    "sso:DescribePermissionSet",
                    "sso:ListAccountAssignments",
                    "sso:ListAccountsForProvisionedPermissionSet",
                    "sso:ListPermissionSets",
                ],
                resources=[instance, sets, "arn:aws:sso:::account/*"],
            ),
            iam.PolicyStatement(
                sid="Count",
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
            ),
        )
        acknowledge(
            enforcer.component.policy,
            "enforce_access: these are the calls of KMS that a publisher to the encrypted topic makes, on its one key.",
            "AwsSolutions-IAM5[Action::kms:GenerateDataKey*]",
        )
        acknowledge(
            enforcer.component.policy,
            "enforce_access: Identity Center invents the ids of permission sets, the tag binds which of them it assigns, and it "
            "looks for strangers in every account.",
            f"AwsSolutions-IAM5[Resource::{sets}]",
            "AwsSolutions-IAM5[Resource::arn:aws:sso:::account/*]",
        )
        acknowledge(
            enforcer.function,
            "enforce_access: a sweep that failed is nothing to keep, since the next one minutes later does the same, and a "
            "quarter of an hour without a whole one alarms; the state machine waits for its answer and tries again.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        acknowledge(
            enforcer.function,
            "enforce_access: it reaches Identity Center and the IAM of other accounts, which no network of this one leads to.",
            *in_packs("LambdaInsideVPC"),
        )
        return enforcer

    # ----------------------------------------------------------------------------------------------------------- sweep

    def _sweep(self, undelivered: sqs.IQueue) -> None:
        rule = events.CfnRule(
            self,
            "Sweep",
            description="Take away every level that no live grant explains",
            schedule_expression=f"rate({SWEEP_MINUTES} minutes)",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Function",
                    arn=self._enforcer.function.function_arn,
                    input=json.dumps({"step": "sweep"}),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "RuleMayCall",
            action="lambda:InvokeFunction",
            function_name=self._enforcer.function.function_arn,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )

    def _watch(self, topic: sns.ITopic) -> None:
        every = cdk.Duration.minutes(SWEEP_MINUTES)

        def count(name: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(namespace=NAMESPACE, metric_name=name, statistic="Maximum", period=every)

        Alarm(
            self,
            "Unexplained",
            description=(
                "Somebody held a level that no grant explains; it was taken away. Find out in the trail who assigned it "
                "(CreateAccountAssignment), and treat it as an incident."
            ),
            metric=count("Unexplained"),
            threshold=1,
            topic=topic,
        )
        Alarm(
            self,
            "Unsettled",
            description=(
                "For a quarter of an hour some level has not been as its grants say, or no sweep took place. The gate before it "
                "refuses whoever has expired all the same. Read the log of enforce-access."
            ),
            metric=count("Unsettled"),
            threshold=1,
            periods=3,
            topic=topic,
            silence=cloudwatch.TreatMissingData.BREACHING,
        )
        # Nothing counts errors of the enforcer: it raises one whenever it has to look again, which is not to be heard. What it
        # never finishes fails its execution, or leaves a sweep unsettled.
        Alarm(
            self._decider,
            "Failing",
            description="Deciding about access failed. Read the function's log; whoever asked may ask again.",
            metric=self._decider.function.metric_errors(period=every, statistic="Sum"),
            threshold=3,
            topic=topic,
        )


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))
