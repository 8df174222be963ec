"""The trail: one for the organization, or one for each stage where there is no organization."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from palisade.archive import DataEvents, Trail

from constructs import Construct
from stacks.base import PalisadeStack, StageStack
from stacks.log_archive import LogArchiveOrganization, LogArchiveStage
from stacks.names import ORGANIZATION, Log, Names
from stacks.organization import OrganizationGuardrails
from stacks.settings import EDGE_REGION, AccountId, Deployment, Stage


class ManagementTrail(PalisadeStack):
    """The organization trail, in the management account: every account of the organization, every region."""

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        management: AccountId,
        archive: LogArchiveOrganization,
        guardrails: OrganizationGuardrails,
    ) -> None:
        super().__init__(
            scope, deployment=deployment, owner="management", subject="trail", account=management, stateful=True
        )
        _add_trail(self, self.names, ORGANIZATION, deployment.account_ids)
        # CloudTrail refuses a bucket that it cannot write to, and an organization that does not trust it.
        self.add_stack_dependency(archive)
        self.add_stack_dependency(guardrails)


class StageTrail(StageStack):
    """The stage account's own trail."""

    def __init__(self, scope: Construct, *, deployment: Deployment, stage: Stage, archive: LogArchiveStage) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="trail", stateful=True)
        _add_trail(self, self.names, stage.name, [stage.account])
        self.add_stack_dependency(archive)


def _add_trail(scope: Construct, names: Names, owner: str, accounts: Sequence[AccountId]) -> None:
    deployment = names.deployment
    assets = f"cdk-{cdk.DefaultStackSynthesizer.DEFAULT_QUALIFIER}-assets-"
    Trail(
        scope,
        "Trail",
        name=names.trail(owner),
        bucket_name=names.delivery_bucket(owner, Log.TRAIL),
        key_arn=names.archive_key_arn(owner),
        data_events=DataEvents(
            buckets=[f"{names.prefix}-", *(f"{assets}{account}-" for account in accounts)],
            log_buckets=[
                beginning
                for log_owner in (ORGANIZATION, *(stage.name for stage in deployment.stages))
                for beginning in (f"{names.prefix}-{log_owner}-", f"aws-waf-logs-{names.prefix}-{log_owner}-")
            ],
            accounts=accounts,
            regions=sorted({deployment.home.name, deployment.recovery.name, EDGE_REGION}),
        ),
        of_organization=owner == ORGANIZATION,
    )
