"""Who of the organization's people may do what, where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_identitystore as identitystore
from aws_cdk import aws_ssm as ssm
from palisade.identity import Ground, PermissionSet, SessionTags, sight, work

from constructs import Construct
from stacks.base import PalisadeStack
from stacks.log_archive_analysis import LogArchiveAnalysis
from stacks.settings import AccountId, Deployment, Job, Organization, Standing


@dataclass(frozen=True, kw_only=True)
class Position:
    """What a job is for, for how many hours a session lasts, and what it may do."""

    purpose: str
    hours: int
    rights: Sequence[iam.PolicyStatement] = ()
    policies: Sequence[str] = ()


class Identity(PalisadeStack):
    """A permission set and a group for each job, and the few assignments that stand.

    Engineers work in stages of that standing; elsewhere people look at what holds no customer data, the security team
    audits and reads logs, and billing sees bills. Everything above is assigned to nobody: whoever needs it is granted it for
    a while, and the job's group says who may ask. Other stacks find the permission sets by parameter.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        organization: Organization,
        management: AccountId,
        analysis: LogArchiveAnalysis,
    ) -> None:
        center = organization.identity_center
        super().__init__(
            scope,
            deployment=deployment,
            owner="management",
            subject="identity",
            account=management,
            region=center.region,
        )
        # Identity Center refuses an assignment before the account holds the policies that the permission set names.
        self.add_stack_dependency(analysis)
        self._center = center
        self._sandbox = self._ground(Standing.ENGINEER)
        self._live = self._ground(Standing.READ_ONLY)
        tags = SessionTags(self, "SessionTags", instance_arn=center.instance_arn)
        self.sets = {job: self._permission_set(job, position) for job, position in self._positions().items()}
        for permission_set in self.sets.values():
            permission_set.node.add_dependency(tags)
        self._latest: Construct | None = None
        self._groups = {job: self._group(job) for job in self.sets}
        self._assign()

    def _ground(self, standing: Standing) -> Ground:
        return Ground(
            prefix=self.names.prefix,
            region=self.names.home,
            stages={stage.name: stage.account for stage in self.deployment.stages if stage.standing is standing},
        )

    def _positions(self) -> Mapping[Job, Position]:
        sandbox, live = self._sandbox, self._live
        everywhere = {
            Job.EVIDENCE: Position(
                purpose="Reads the log archive and asks it questions", hours=4, policies=[self.names.log_reader]
            ),
            Job.SECURITY: Position(
                purpose="Audits every account: findings, configuration, who did what",
                hours=4,
                rights=[*sight.configuration(), *sight.findings(), *sight.never_customer_data()],
            ),
            Job.BILLING: Position(
                purpose="Sees and pays bills, keeps budgets; nothing else",
                hours=4,
                rights=[*sight.billing(), *sight.never_customer_data()],
            ),
        }
        in_sandbox = {
            Job.ENGINEER: Position(
                purpose="Everyday work where there are no customers",
                hours=8,
                rights=[
                    *sight.configuration(),
                    *sight.server_logs(sandbox),
                    *work.deployment(sandbox),
                    *work.lab(sandbox),
                    *work.database(sandbox),
                    sandbox.never_elsewhere(),
                ],
            )
        }
        in_live = {
            Job.READ_ONLY: Position(
                purpose="Sees how a stage is set up and fares, and no customer data",
                hours=8,
                rights=[*sight.configuration(), *sight.never_customer_data()],
            ),
            Job.LOG_READER: Position(
                purpose="Reads server logs: the CTO and the security team", hours=4, rights=sight.server_logs(live)
            ),
            Job.OPERATOR: Position(
                purpose="Level settings: turns the knobs of a running stage",
                hours=1,
                rights=[*sight.configuration(), *work.settings(live), live.never_elsewhere()],
            ),
            Job.MESSAGING: Position(
                purpose="Level messaging: looks into queues and sends messages on",
                hours=1,
                rights=[*sight.configuration(), *work.messages(live), live.never_elsewhere()],
            ),
            Job.DATABASE: Position(
                purpose="Level user data: connects to the database as oneself",
                hours=1,
                rights=[*work.database(live), live.never_elsewhere()],
            ),
            Job.KEY_ADMINISTRATOR: Position(
                purpose="Switches keys off and on, and never uses one",
                hours=1,
                rights=[*work.keys(live), live.never_elsewhere()],
            ),
            Job.BREAK_GLASS: Position(
                purpose="Emergencies; every use is announced", hours=1, rights=work.in_an_emergency(live)
            ),
        }
        return {**everywhere, **(in_sandbox if sandbox.stages else {}), **(in_live if live.stages else {})}

    def _permission_set(self, job: Job, position: Position) -> PermissionSet:
        permission_set = PermissionSet(
            self,
            _pascal(job.value),
            name=self.names.permission_set(job),
            description=position.purpose,
            instance_arn=self._center.instance_arn,
            hours=position.hours,
            statements=position.rights,
            policies=position.policies,
        )
        ssm.StringParameter(
            permission_set,
            "Arn",
            parameter_name=self.names.permission_set_parameter(job),
            string_value=permission_set.arn,
            description=f"Permission set {self.names.permission_set(job)}",
        )
        return permission_set

    def _group(self, job: Job) -> str:
        for group in self._center.groups:
            if group.job is job:
                return group.id
        return identitystore.CfnGroup(
            self,
            f"{_pascal(job.value)}Group",
            identity_store_id=self._center.store_id,
            display_name=self.names.permission_set(job),
            description=f"People who do the job, or may ask to: {job.value}",
        ).attr_group_id

    def _assign(self) -> None:
        deployment = self.deployment
        for stage in deployment.stages:
            if stage.standing is Standing.ENGINEER:
                self._let(Job.ENGINEER, do=Job.ENGINEER, where=stage.name)
            else:
                self._let(Job.READ_ONLY, do=Job.READ_ONLY, where=stage.name)
                self._let(Job.LOG_READER, do=Job.LOG_READER, where=stage.name)
                self._let(Job.SECURITY, do=Job.LOG_READER, where=stage.name)
        for job in (Job.EVIDENCE, Job.LOG_READER, Job.SECURITY):
            if job in self.sets:
                self._let(job, do=Job.EVIDENCE, where="log-archive")
        for owner in deployment.owners:
            self._let(Job.SECURITY, do=Job.SECURITY, where=owner)
        self._let(Job.BILLING, do=Job.BILLING, where="management")

    def _let(self, group: Job, *, do: Job, where: str) -> None:
        # The id says who and where, not which in the list: replacing one assignment by an equal one fails.
        assignment = self.sets[do].assign(
            f"{_pascal(group.value)}In{_pascal(where)}",
            group_id=self._groups[group],
            account=self.deployment.owners[where],
        )
        # One after the other: Identity Center refuses an assignment while it works on another of the same permission set.
        # https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreateAccountAssignment.html
        if self._latest is not None:
            assignment.node.add_dependency(self._latest)
        self._latest = assignment


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))
