"""Who of the organization's people may do what, where."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import aws_cdk as cdk
from aws_cdk import aws_identitystore as identitystore
from aws_cdk import aws_ssm as ssm
from palisade.identity import Ground, PermissionSet, SessionTags, sight, work

from constructs import Construct
from stacks.access_requests import AccessRequests
from stacks.base import PalisadeStack
from stacks.incidents import Incidents
from stacks.levels import TAG, Position, levels
from stacks.log_archive_analysis import LogArchiveAnalysis
from stacks.settings import ON_REQUEST, AccountId, Deployment, Job, Organization, Standing


class Identity(PalisadeStack):
    """A permission set and a group for each job, and the few assignments that stand.

    Engineers work in stages of that standing; elsewhere people look at what holds no customer data, the security team
    audits and reads logs, responders handle incidents, and billing sees bills. Everything above is assigned to nobody:
    whoever needs it is granted it for a while, and the job's group says who may ask. Before each of those levels stands a
    gate that refuses whatever no grant explains (stacks/access_requests.py). Other stacks find the permission sets by
    parameter.

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
        incidents: Incidents,
        requests: AccessRequests,
        reviews: PalisadeStack,
        drills: PalisadeStack,
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
        for stack in (analysis, incidents, requests, reviews, drills):
            self.add_stack_dependency(stack)
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
            Job.RESPONDER: Position(
                purpose="Handles incidents: acknowledges, assigns, contains, resolves, closes",
                hours=8,
                policies=[self.names.responder],
            ),
            Job.BILLING: Position(
                purpose="Sees and pays bills, keeps budgets; nothing else",
                hours=4,
                rights=[*sight.billing(), *sight.never_customer_data()],
            ),
            Job.DRILLER: Position(
                purpose="Drills the break-glass path and witnesses drills", hours=1, policies=[self.names.driller]
            ),
            Job.REVIEWER: Position(
                purpose="Reads access reviews and signs them", hours=4, policies=[self.names.review_signer]
            ),
        }
        asking = {
            Job.REQUESTER: Position(
                purpose="Asks for a level of a live stage, and records customers' consent",
                hours=4,
                policies=[self.names.access_policy(Job.REQUESTER)],
            ),
            Job.APPROVER: Position(
                purpose="Decides about others' requests for access",
                hours=4,
                policies=[self.names.access_policy(Job.APPROVER)],
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
            **{
                level: dataclasses.replace(position, policies=[self.names.gate(level.value)])
                for level, position in levels(live).items()
            },
        }
        return {
            **everywhere,
            **(in_sandbox if sandbox.stages else {}),
            **({**in_live, **asking} if live.stages else {}),
        }

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
        if job in ON_REQUEST:
            cdk.Tags.of(permission_set.resource).add(*TAG)
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
        for group, job, where in standing(self.deployment):
            self._let(group, do=job, where=where)

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


def standing(deployment: Deployment) -> Iterator[tuple[Job, Job, str]]:
    """The assignments that stand: whose group, which permission set, whose account."""
    live = [stage.name for stage in deployment.stages if stage.standing is not Standing.ENGINEER]
    for stage in deployment.stages:
        if stage.name not in live:
            yield Job.ENGINEER, Job.ENGINEER, stage.name
        else:
            yield Job.READ_ONLY, Job.READ_ONLY, stage.name
            yield Job.LOG_READER, Job.LOG_READER, stage.name
            yield Job.SECURITY, Job.LOG_READER, stage.name
    for job in (Job.EVIDENCE, *([Job.LOG_READER] if live else []), Job.SECURITY):
        yield job, Job.EVIDENCE, "log-archive"
    for owner in deployment.owners:
        yield Job.SECURITY, Job.SECURITY, owner
    for job in (Job.RESPONDER, Job.SECURITY):
        yield job, Job.RESPONDER, "security"
        for stage in deployment.stages:
            yield job, Job.RESPONDER, stage.name
    yield Job.BILLING, Job.BILLING, "management"
    yield Job.REVIEWER, Job.REVIEWER, "security"
    for job in (Job.DRILLER, Job.SECURITY):
        yield job, Job.DRILLER, "security"
    if live:
        for job in (Job.REQUESTER, *ON_REQUEST):
            yield job, Job.REQUESTER, "security"
        yield Job.APPROVER, Job.APPROVER, "security"


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))
