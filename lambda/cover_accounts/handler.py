"""Brings accounts under GuardDuty, Inspector and Macie, in every region: those that exist and those that join.

CloudFormation has no type for the organization's side of the three, nor for Inspector at all. Idempotent; deletion of
the custom resource leaves everything on.

Source: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_organizations.html
https://docs.aws.amazon.com/inspector/latest/user/managing-multiple-accounts.html
https://docs.aws.amazon.com/macie/latest/user/accounts-mgmt-ao-integrate.html
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import boto3
from palisade_runtime.custom_resource import Context, Outcome, RefusedRequestError, Request, respond

Clients = Callable[[str, str | None], Any]
"""A client by service and region (None for services without regions)."""

_STATE = {"EC2": "ec2", "ECR": "ecr", "LAMBDA": "lambda", "LAMBDA_CODE": "lambdaCode"}
"""What Inspector calls each kind of scan in its answers."""
_ON = frozenset({"ENABLED", "ENABLING"})
_UNDER_WAY = frozenset({"ALREADY_ENABLED", "ENABLE_IN_PROGRESS"})


def handle(event: Mapping[str, Any], context: Context) -> None:
    """Called by CloudFormation with ``Accounts``, ``DataAccounts``, ``Regions``, ``MacieRegions``, ``Scans``,
    ``OfOrganization`` and ``Plans``."""
    respond(event, context, service="cover_accounts", act=lambda request: cover(request, _client))


def _client(service: str, region: str | None) -> Any:
    return boto3.client(service, region_name=region)


def cover(request: Request, clients: Clients) -> Outcome:
    """Cover the accounts in every region, unless the resource is being deleted.

    Raises:
        RefusedRequestError: a property is malformed, GuardDuty has no detector, or a service left an account out.
    """
    outcome = Outcome(physical_id="covered-accounts")
    if request.kind == "Delete":
        return outcome
    accounts, regions, scans = (request.texts(name) for name in ("Accounts", "Regions", "Scans"))
    if unknown := [scan for scan in scans if scan not in _STATE]:
        raise RefusedRequestError(f"Scans names {', '.join(unknown)}; known are {', '.join(_STATE)}")
    of_organization = request.text("OfOrganization") == "true"
    # The administrator is no member of its own.
    administrator = clients("sts", None).get_caller_identity()["Account"]
    others = [account for account in accounts if account != administrator]
    for region in regions:
        inspector = clients("inspector2", region)
        if of_organization:
            plans = request.properties.get("Plans")
            if not isinstance(plans, Mapping) or not plans:
                raise RefusedRequestError("property Plans must say what GuardDuty is to watch")
            _watch(clients("guardduty", region), plans, region)
            if region in request.texts("MacieRegions"):
                _sample(clients, others, request.texts("DataAccounts"), region)
            _join(inspector, others, scans)
        _scan(inspector, accounts, scans, region)
    return outcome


def _watch(guardduty: Any, plans: Mapping[str, Sequence[str]], region: str) -> None:
    found = guardduty.list_detectors()["DetectorIds"]
    if not found:
        raise RefusedRequestError(f"GuardDuty is not on in {region}: deploy this account's detection stack there first")
    guardduty.update_organization_configuration(
        DetectorId=found[0],
        AutoEnableOrganizationMembers="ALL",
        Features=[
            {
                "Name": plan,
                "AutoEnable": "ALL",
                **({"AdditionalConfiguration": [{"Name": a, "AutoEnable": "ALL"} for a in agents]} if agents else {}),
            }
            for plan, agents in plans.items()
        ],
    )
    shown = guardduty.describe_organization_configuration(DetectorId=found[0])
    on = {feature["Name"] for feature in shown.get("Features", []) if feature.get("AutoEnable") == "ALL"}
    if shown.get("AutoEnableOrganizationMembers") != "ALL" or not set(plans) <= on:
        raise RefusedRequestError(
            f"GuardDuty in {region} still leaves out {', '.join(sorted(set(plans) - on)) or 'members'}"
        )


def _join(inspector: Any, accounts: Sequence[str], scans: Sequence[str]) -> None:
    inspector.update_organization_configuration(autoEnable={_STATE[scan]: True for scan in scans})
    pages = inspector.get_paginator("list_members").paginate(onlyAssociated=True)
    members = {member["accountId"] for page in pages for member in page["members"]}
    for account in accounts:
        if account not in members:
            inspector.associate_member(accountId=account)


def _scan(inspector: Any, accounts: Sequence[str], scans: Sequence[str], region: str) -> None:
    lacking = [
        state["accountId"]
        for state in inspector.batch_get_account_status(accountIds=list(accounts))["accounts"]
        if any(state["resourceState"].get(_STATE[scan], {}).get("status") not in _ON for scan in scans)
    ]
    if lacking:
        answer = inspector.enable(accountIds=lacking, resourceTypes=list(scans))
        failed = [one for one in answer.get("failedAccounts", []) if one["errorCode"] not in _UNDER_WAY]
        if failed:
            left_out = ", ".join(f"{one['accountId']} ({one['errorCode']})" for one in failed)
            raise RefusedRequestError(f"Inspector in {region} does not scan {left_out}")


def _sample(clients: Clients, accounts: Sequence[str], data_accounts: Sequence[str], region: str) -> None:
    macie, organizations = clients("macie2", region), clients("organizations", None)
    macie.update_organization_configuration(autoEnable=True)
    pages = macie.get_paginator("list_members").paginate(onlyAssociated="true")
    members = {member["accountId"] for page in pages for member in page["members"]}
    for account in accounts:
        if account not in members:
            # Macie asks for the address although the organization knows it.
            email = organizations.describe_account(AccountId=account)["Account"]["Email"]
            macie.create_member(account={"accountId": account, "email": email})
    # Evidence and backups are sampled by nobody: only buckets of customers' data are worth the price.
    macie.update_automated_discovery_configuration(status="ENABLED", autoEnableOrganizationMembers="NONE")
    answer = macie.batch_update_automated_discovery_accounts(
        accounts=[{"accountId": account, "status": "ENABLED"} for account in data_accounts]
    )
    if failed := [f"{one['accountId']} ({one['errorCode']})" for one in answer.get("errors", [])]:
        raise RefusedRequestError(f"Macie in {region} does not look into buckets of {', '.join(failed)}")
