"""What every stack has in common: place, name, tags, boundary and protection."""

from __future__ import annotations

import aws_cdk as cdk
from palisade.archive import DecisionLog

from constructs import Construct
from stacks.names import ORGANIZATION, STAGE_WORKFLOWS, Log, Names, Workflow
from stacks.settings import AccountId, Deployment, Stage


class PalisadeStack(cdk.Stack):
    """A stack of one account and region, named ``<owner>-<subject>``.

    Every role in it carries the account's permissions boundary, and a stateful stack refuses deletion until its
    termination protection is lifted by hand.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        owner: str,
        subject: str,
        account: AccountId,
        region: str | None = None,
        stateful: bool = False,
    ) -> None:
        self.names = Names(deployment)
        self.deployment = deployment
        self.owner = owner
        region = region or deployment.home.name
        super().__init__(
            scope,
            self.names.stack(owner, subject),
            env=cdk.Environment(account=account, region=region),
            description=f"Palisade {deployment.name}: {subject} of {owner}",
            termination_protection=stateful,
            permissions_boundary=cdk.PermissionsBoundary.from_name(self.names.boundary),
            tags={"palisade:deployment": deployment.name, "palisade:owner": owner, "palisade:subject": subject},
            analytics_reporting=False,
        )

    def decision_log(self, workflow: Workflow) -> DecisionLog:
        """Where ``workflow``, which runs in this stack, keeps its records."""
        owner = self.owner if workflow in STAGE_WORKFLOWS else ORGANIZATION
        return DecisionLog(
            workflow=workflow,
            bucket_name=self.names.archive_bucket(owner, Log.DECISION),
            key_alias=self.names.archive_key_alias(owner),
        )


class StageStack(PalisadeStack):
    """A stack of one stage, in the home region unless another is given."""

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        subject: str,
        region: str | None = None,
        stateful: bool = False,
    ) -> None:
        self.stage = stage
        super().__init__(
            scope,
            deployment=deployment,
            owner=stage.name,
            subject=subject,
            account=stage.account,
            region=region,
            stateful=stateful,
        )
