"""What is installed on every machine."""

from __future__ import annotations

from aws_cdk import aws_ssm as ssm

from constructs import Construct

INVENTORY = "AWS-GatherSoftwareInventory"


class Inventory(Construct):
    """Collects twice a day what is installed, running and configured on every managed machine of this account and region.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/inventory-collection.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str) -> None:
        super().__init__(scope, construct_id)
        ssm.CfnAssociation(
            self,
            "Resource",
            name=INVENTORY,
            association_name=name,
            targets=[ssm.CfnAssociation.TargetProperty(key="InstanceIds", values=["*"])],
            schedule_expression="rate(12 hours)",
        )
