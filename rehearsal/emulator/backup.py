"""What ministack's AWS Backup lacks: vault locks and policies, the region's options, restore testing.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Operations.html
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ministack import app as ministack
from ministack.core.responses import get_account_id, get_region

Record = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]


class Place:
    """What one account keeps in one region."""

    def __init__(self) -> None:
        self.settings: Record = {"ResourceTypeOptInPreference": {}, "ResourceTypeManagementPreference": {}}
        self.locks: dict[str, Record] = {}
        self.policies: dict[str, str] = {}
        self.plans: dict[str, Record] = {}
        self.selections: dict[tuple[str, str], Record] = {}


PLACES: defaultdict[tuple[str, str], Place] = defaultdict(Place)


class UnknownError(Exception):
    """What the request names does not exist."""


def _arn(resource: str) -> str:
    return f"arn:aws:backup:{get_region()}:{get_account_id()}:{resource}"


def _set_options(place: Place, _names: list[str], given: Record) -> Record:
    for name, values in given.items():
        place.settings[name].update(values)
    return {}


def _lock(place: Place, names: list[str], given: Record) -> Record:
    _vault(names[0])
    place.locks[names[0]] = given
    return {}


def _set_policy(place: Place, names: list[str], given: Record) -> Record:
    _vault(names[0])
    place.policies[names[0]] = given["Policy"]
    return {}


def _get_policy(place: Place, names: list[str], _given: Record) -> Record:
    vault = _vault(names[0])
    if names[0] not in place.policies:
        raise UnknownError(f"access policy of {names[0]}")
    return {
        "BackupVaultName": names[0],
        "BackupVaultArn": vault["BackupVaultArn"],
        "Policy": place.policies[names[0]],
    }


def _vault(name: str) -> Record:
    from ministack.services import backup

    vault = backup._vaults.get(name)
    if vault is None:
        raise UnknownError(f"vault {name}")
    return dict(vault)


def _describe_vault(place: Place, names: list[str], _given: Record) -> Record:
    vault = _vault(names[0])
    lock = place.locks.get(names[0])
    vault["Locked"] = lock is not None
    if lock:
        vault.update({name: lock[name] for name in ("MinRetentionDays", "MaxRetentionDays") if name in lock})
        if "ChangeableForDays" in lock:
            vault["LockDate"] = int(time.time()) + 86400 * int(lock["ChangeableForDays"])
    return vault


def _put_plan(place: Place, names: list[str], given: Record) -> Record:
    plan = given["RestoreTestingPlan"]
    name = names[0] if names else plan["RestoreTestingPlanName"]
    if names and name not in place.plans:
        raise UnknownError(f"restore testing plan {name}")
    arn = _arn(f"restore-testing-plan:{name}")
    place.plans[name] = {
        **plan,
        "RestoreTestingPlanName": name,
        "RestoreTestingPlanArn": arn,
        "CreationTime": int(time.time()),
    }
    return {"RestoreTestingPlanName": name, "RestoreTestingPlanArn": arn, "CreationTime": int(time.time())}


def _get_plan(place: Place, names: list[str], _given: Record) -> Record:
    if names[0] not in place.plans:
        raise UnknownError(f"restore testing plan {names[0]}")
    return {"RestoreTestingPlan": place.plans[names[0]]}


def _delete_plan(place: Place, names: list[str], _given: Record) -> Record:
    _get_plan(place, names, {})
    del place.plans[names[0]]
    return {}


def _put_selection(place: Place, names: list[str], given: Record) -> Record:
    _get_plan(place, names, {})
    selection = given["RestoreTestingSelection"]
    name = names[1] if len(names) > 1 else selection["RestoreTestingSelectionName"]
    made = {"RestoreTestingPlanName": names[0], "RestoreTestingSelectionName": name, "CreationTime": int(time.time())}
    place.selections[names[0], name] = {**selection, **made}
    return {**made, "RestoreTestingPlanArn": _arn(f"restore-testing-plan:{names[0]}")}


def _get_selection(place: Place, names: list[str], _given: Record) -> Record:
    if (names[0], names[1]) not in place.selections:
        raise UnknownError(f"restore testing selection {names[1]}")
    return {"RestoreTestingSelection": place.selections[names[0], names[1]]}


def _delete_selection(place: Place, names: list[str], _given: Record) -> Record:
    _get_selection(place, names, {})
    del place.selections[names[0], names[1]]
    return {}


ROUTES: tuple[tuple[str, str, Callable[[Place, list[str], Record], Record]], ...] = (
    ("PUT", "/account-settings", _set_options),
    ("GET", "/account-settings", lambda place, _names, _given: place.settings),
    ("GET", "/backup-vaults/{}", _describe_vault),
    ("PUT", "/backup-vaults/{}/vault-lock", _lock),
    ("PUT", "/backup-vaults/{}/access-policy", _set_policy),
    ("GET", "/backup-vaults/{}/access-policy", _get_policy),
    ("PUT", "/restore-testing/plans", _put_plan),
    ("PUT", "/restore-testing/plans/{}", _put_plan),
    ("GET", "/restore-testing/plans/{}", _get_plan),
    ("DELETE", "/restore-testing/plans/{}", _delete_plan),
    ("PUT", "/restore-testing/plans/{}/selections", _put_selection),
    ("PUT", "/restore-testing/plans/{}/selections/{}", _put_selection),
    ("GET", "/restore-testing/plans/{}/selections/{}", _get_selection),
    ("DELETE", "/restore-testing/plans/{}/selections/{}", _delete_selection),
)


def install() -> None:
    """Answer the routes above; the rest stays with ministack."""
    own = ministack.SERVICE_HANDLERS["backup"]
    routes = [
        (method, re.compile(re.escape(route).replace(r"\{\}", "([^/]+)") + "/?"), act) for method, route, act in ROUTES
    ]

    async def handler(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        for wanted, pattern, act in routes:
            found = pattern.fullmatch(path) if method == wanted else None
            if found:
                return _serve(act, list(found.groups()), body)
        answer: Answer = await own(method, path, headers, body, query)
        return answer

    ministack.SERVICE_HANDLERS["backup"] = handler


def _serve(act: Callable[[Place, list[str], Record], Record], names: list[str], body: bytes) -> Answer:
    try:
        status, content = 200, act(PLACES[get_account_id(), get_region()], names, json.loads(body or b"{}"))
    except UnknownError as error:
        status, content = 400, {"__type": "ResourceNotFoundException", "Message": f"{error} not found"}
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()
