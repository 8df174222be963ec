"""Moves an account into its organizational unit, which CloudFormation does only for accounts that it made.

Idempotent: an account that is where it belongs is left alone. Deletion of the custom resource moves nothing: an account
that left its unit would leave its guardrails.

Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_MoveAccount.html
"""

from collections.abc import Mapping
from typing import Any

import boto3
from palisade_runtime.custom_resource import Context, Outcome, RefusedRequestError, Request, respond


def handle(event: Mapping[str, Any], context: Context) -> None:
    """Called by CloudFormation with ``AccountId`` and ``ParentId``, the id of a unit."""
    respond(
        event,
        context,
        service="account_placement",
        act=lambda request: place(request, boto3.client("organizations")),
    )


def place(request: Request, organizations: Any) -> Outcome:
    """Move the account if it is elsewhere, unless the resource is being deleted.

    Raises:
        RefusedRequestError: a property is missing, or the account is not in the organization.
    """
    account, unit = request.text("AccountId"), request.text("ParentId")
    if request.kind != "Delete":
        try:
            (parent,) = organizations.list_parents(ChildId=account)["Parents"]
        except organizations.exceptions.ChildNotFoundException:
            raise RefusedRequestError(
                f"account {account} is not in this organization. Invite it, or correct its id in config/."
            ) from None
        if parent["Id"] != unit:
            organizations.move_account(AccountId=account, SourceParentId=parent["Id"], DestinationParentId=unit)
    return Outcome(physical_id=f"placement-{account}")
