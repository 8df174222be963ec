"""Which unit an account is in."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.compute import Placement, ResourceProvider


class AccountPlacements(Construct):
    """Moves accounts that exist into their organizational units, and leaves them there when the stack goes.

    In the management account. ``accounts`` and ``units`` map each owner to its account's and its unit's id. An account that
    is there already is not touched. ``placement`` is outside any VPC; the
    permissions boundary lets roles called ``role_name`` govern.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_MoveAccount.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        organization_id: str,
        accounts: Mapping[str, str],
        units: Mapping[str, str],
        placement: Placement,
        role_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        here = f"arn:aws:organizations::{cdk.Stack.of(self).account}"
        members = [f"{here}:account/{organization_id}/{account}" for account in sorted(accounts.values())]
        parents = [f"{here}:{kind}/{organization_id}/*" for kind in ("ou", "root")]
        provider = ResourceProvider(
            self,
            "Provider",
            source="account_placement",
            description="Moves accounts into their organizational units",
            placement=placement,
            role_name=role_name,
            statements=[
                iam.PolicyStatement(sid="Where", actions=["organizations:ListParents"], resources=members),
                iam.PolicyStatement(sid="Move", actions=["organizations:MoveAccount"], resources=[*members, *parents]),
            ],
        )
        acknowledge(
            provider.function.component.policy.node.find_child("Resource"),
            "account_placement: where an account comes from is known only when it moves, so any unit or the root may be left.",
            *(f"AwsSolutions-IAM5[Resource::{parent}]" for parent in parents),
        )
        for owner, account in accounts.items():
            provider.make(owner.title().replace("-", ""), {"AccountId": account, "ParentId": units[owner]})
