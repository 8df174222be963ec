"""Updates of a stage's machines, and what is known of them."""

from __future__ import annotations

from palisade.maintenance import Inventory, Patching

from constructs import Construct
from stacks.alarms import Alarms
from stacks.base import StageStack
from stacks.settings import Deployment, Stage


class Maintenance(StageStack):
    """Every machine is listed, looked over each day and patched each week; the security topic hears of one that is not."""

    def __init__(self, scope: Construct, *, deployment: Deployment, stage: Stage, alarms: Alarms) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="maintenance")
        name = f"{self.names.prefix}-{stage.name}"
        Inventory(self, "Inventory", name=f"{name}-inventory")
        Patching(self, "Patching", name=name, topic=alarms.security, undelivered=alarms.undelivered)
