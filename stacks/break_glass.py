"""The way of people into a stage when nobody can sign in as usual."""

from __future__ import annotations

from palisade.identity import BreakGlassRole, Ground, work

from constructs import Construct
from stacks.base import StageStack
from stacks.settings import EDGE_REGION, Deployment, Stage


class BreakGlass(StageStack):
    """The emergency role, which only the deployment's emergency identities can take, and which is heard when they do.

    It needs nothing else of the stage, so that it is there before, and after, everything it is for.
    """

    def __init__(self, scope: Construct, *, deployment: Deployment, stage: Stage) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="break-glass")
        BreakGlassRole(
            self,
            "BreakGlass",
            name=self.names.break_glass,
            identities=deployment.emergency_identities,
            # Where notices of deeds listen: for STS of the home region, and for its global endpoint.
            regions=list(dict.fromkeys((self.names.home, EDGE_REGION))),
            rights=work.in_an_emergency(
                Ground(prefix=self.names.prefix, region=self.names.home, stages={stage.name: stage.account})
            ),
        )
