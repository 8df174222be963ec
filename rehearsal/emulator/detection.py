"""The organization's side of GuardDuty, Inspector and Macie, and central root access, which neither ministack nor moto has.

An administrator is appointed by one account for another, and only the administrator may then configure: so the order
in which stacks are deployed is rehearsed, too.

https://docs.aws.amazon.com/guardduty/latest/APIReference/API_EnableOrganizationAdminAccount.html
https://docs.aws.amazon.com/inspector/v2/APIReference/API_EnableDelegatedAdminAccount.html
https://docs.aws.amazon.com/macie/latest/APIReference/admin.html
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from ministack import app as ministack
from ministack.core.responses import get_account_id, get_region

Record = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
_STATES = {"EC2": "ec2", "ECR": "ecr", "LAMBDA": "lambda", "LAMBDA_CODE": "lambdaCode"}


class RefusedError(Exception):
    """The caller may not do this, or not yet."""


class Place:
    """What one service's administrator has set in one region."""

    def __init__(self) -> None:
        self.administrator = ""
        self.settings: Record = {}
        self.members: set[str] = set()
        self.sampled: set[str] = set()
        self.scans: defaultdict[str, set[str]] = defaultdict(set)


PLACES: defaultdict[tuple[str, str], Place] = defaultdict(Place)
ORGANIZATION: dict[str, Any] = {"management": "", "trusted": set(), "administrators": defaultdict(set), "root": set()}


def _appoint(name: str) -> Callable[[Place, list[str], Record], Record]:
    def act(place: Place, _names: list[str], given: Record) -> Record:
        if get_account_id() == given[name]:
            raise RefusedError("the management account cannot be its own administrator")
        if place.administrator not in {"", given[name]}:
            raise RefusedError(f"{place.administrator} is administrator already")
        place.administrator = given[name]
        return {name: given[name]}

    return act


def _administered(act: Callable[[Place, list[str], Record], Record]) -> Callable[[Place, list[str], Record], Record]:
    def checked(place: Place, names: list[str], given: Record) -> Record:
        if get_account_id() != place.administrator:
            raise RefusedError(f"{get_account_id()} is not the administrator")
        return act(place, names, given)

    return checked


def _configure(place: Place, _names: list[str], given: Record) -> Record:
    place.settings.update(given)
    return {}


def _join(place: Place, _names: list[str], given: Record) -> Record:
    account = given.get("accountId") or given["account"]["accountId"]
    place.members.add(account)
    return {"accountId": account, "arn": f"arn:aws:macie2:{get_region()}:{get_account_id()}:member/{account}"}


def _sample(place: Place, _names: list[str], given: Record) -> Record:
    wanted = [one["accountId"] for one in given["accounts"]]
    strangers = [account for account in wanted if account not in place.members | {place.administrator}]
    place.sampled |= set(wanted) - set(strangers)
    return {"errors": [{"accountId": account, "errorCode": "ACCOUNT_NOT_FOUND"} for account in strangers]}


def _scan(place: Place, _names: list[str], given: Record) -> Record:
    failed: list[Record] = []
    for account in given.get("accountIds") or [get_account_id()]:
        if account == get_account_id() or (account in place.members and place.administrator == get_account_id()):
            place.scans[account] |= set(given["resourceTypes"])
        else:
            failed.append({"accountId": account, "errorCode": "ACCESS_DENIED", "errorMessage": "not a member"})
    return {"accounts": [], "failedAccounts": failed}


def _scans(place: Place, _names: list[str], given: Record) -> Record:
    def state(on: bool) -> Record:
        return {"status": "ENABLED" if on else "DISABLED", "errorCode": "ALREADY_ENABLED", "errorMessage": ""}

    return {
        "accounts": [
            {
                "accountId": account,
                "state": state(bool(place.scans[account])),
                "resourceState": {name: state(scan in place.scans[account]) for scan, name in _STATES.items()},
            }
            for account in given.get("accountIds") or [get_account_id()]
        ],
        "failedAccounts": [],
    }


def _administrators(list_name: str, account: str, status: str) -> Callable[[Place, list[str], Record], Record]:
    return lambda place, _names, _given: {
        list_name: [{account: place.administrator, status: "ENABLED"}] if place.administrator else []
    }


def _members(place: Place, _names: list[str], _given: Record) -> Record:
    return {"members": [{"accountId": account, "relationshipStatus": "Enabled"} for account in sorted(place.members)]}


ROUTES: dict[str, tuple[tuple[str, str, Callable[[Place, list[str], Record], Record]], ...]] = {
    "guardduty": (
        ("GET", "/admin", _administrators("adminAccounts", "adminAccountId", "adminStatus")),
        ("POST", "/admin/enable", _appoint("adminAccountId")),
        ("POST", "/detector/{}/admin", _administered(_configure)),
        ("GET", "/detector/{}/admin", lambda place, _n, _g: {"memberAccountLimitReached": False, **place.settings}),
    ),
    "macie2": (
        ("GET", "/admin", _administrators("adminAccounts", "accountId", "status")),
        ("POST", "/admin", _appoint("adminAccountId")),
        ("PATCH", "/admin/configuration", _administered(_configure)),
        ("GET", "/members", _members),
        ("POST", "/members", _administered(_join)),
        ("PUT", "/automated-discovery/configuration", _administered(_configure)),
        ("PATCH", "/automated-discovery/accounts", _administered(_sample)),
    ),
    "inspector2": (
        ("POST", "/delegatedadminaccounts/list", _administrators("delegatedAdminAccounts", "accountId", "status")),
        ("POST", "/delegatedadminaccounts/enable", _appoint("delegatedAdminAccountId")),
        ("POST", "/organizationconfiguration/update", _administered(_configure)),
        ("POST", "/members/list", _members),
        ("POST", "/members/associate", _administered(_join)),
        ("POST", "/enable", _scan),
        ("POST", "/status/batch/get", _scans),
    ),
}


def install() -> None:
    """Answer the routes above, trusted access, and central root access; the rest stays with who answered before."""
    for service, routes in ROUTES.items():
        _route(service, routes)
    _organizations()
    _root_access()


def _route(service: str, routes: tuple[tuple[str, str, Callable[[Place, list[str], Record], Record]], ...]) -> None:
    own = ministack.SERVICE_HANDLERS[service]
    known = [
        (method, re.compile(re.escape(route).replace(r"\{\}", "([^/]+)") + "/?"), act) for method, route, act in routes
    ]

    async def handler(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        for wanted, pattern, act in known:
            found = pattern.fullmatch(path) if method == wanted else None
            if found:
                return _serve(act, PLACES[service, get_region()], list(found.groups()), body)
        answer: Answer = await own(method, path, headers, body, query)
        return answer

    ministack.SERVICE_HANDLERS[service] = handler


def _serve(act: Callable[[Place, list[str], Record], Record], place: Place, names: list[str], body: bytes) -> Answer:
    try:
        status, content = 200, act(place, names, json.loads(body or b"{}"))
    except RefusedError as error:
        status, content = 400, {"__type": "BadRequestException", "message": str(error)}
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()


def _organizations() -> None:
    own = ministack.SERVICE_HANDLERS["organizations"]

    def act(operation: str, given: Record) -> Record | None:
        trusted, administrators = ORGANIZATION["trusted"], ORGANIZATION["administrators"]
        service = given.get("ServicePrincipal", "")
        if operation == "ListAWSServiceAccessForOrganization":
            return {"EnabledServicePrincipals": [{"ServicePrincipal": name} for name in sorted(trusted)]}
        if operation == "EnableAWSServiceAccess":
            ORGANIZATION["management"] = get_account_id()
            trusted.add(service)
            return {}
        if operation == "ListDelegatedAdministrators":
            return {"DelegatedAdministrators": [{"Id": account} for account in sorted(administrators[service])]}
        if operation == "RegisterDelegatedAdministrator":
            ORGANIZATION["management"] = get_account_id()
            administrators[service].add(given["AccountId"])
            return {}
        if operation == "DescribeAccount":
            return {"Account": {"Id": given["AccountId"], "Email": f"aws+{given['AccountId']}@example.com"}}
        return None

    async def handler(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        found = act(headers.get("x-amz-target", "").rpartition(".")[2], json.loads(body or b"{}"))
        if found is not None:
            return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(found).encode()
        answer: Answer = await own(method, path, headers, body, query)
        return answer

    ministack.SERVICE_HANDLERS["organizations"] = handler


def _root_access() -> None:
    own = ministack.SERVICE_HANDLERS["iam"]
    on = {
        "EnableOrganizationsRootCredentialsManagement": "RootCredentialsManagement",
        "EnableOrganizationsRootSessions": "RootSessions",
    }

    async def handler(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        operation = parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
        if operation != "ListOrganizationsFeatures" and operation not in on:
            answer: Answer = await own(method, path, headers, body, query)
            return answer
        if operation in on:
            ORGANIZATION["root"].add(on[operation])
        members = "".join(f"<member>{name}</member>" for name in sorted(ORGANIZATION["root"]))
        return (
            200,
            {"Content-Type": "text/xml"},
            f'<{operation}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><{operation}Result>'
            f"<EnabledFeatures>{members}</EnabledFeatures></{operation}Result></{operation}Response>".encode(),
        )

    ministack.SERVICE_HANDLERS["iam"] = handler
