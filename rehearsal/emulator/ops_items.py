"""Items of Systems Manager OpsCenter, which neither ministack nor moto knows: made, changed, read, and one for each
deduplication string while it is not resolved.

https://docs.aws.amazon.com/systems-manager/latest/userguide/OpsCenter-working-deduplication.html
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from ministack import app as ministack
from ministack.core.responses import get_account_id, get_region

Answer = tuple[int, dict[str, str], bytes]

_items: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}


def install() -> None:
    """Answer the operations on items; the rest of the service stays as it is."""
    own = ministack.SERVICE_HANDLERS["ssm"]

    async def either(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        act = _ACTS.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if act is None:
            answer: Answer = await own(method, path, headers, body, query)
            return answer
        status, said = act(_items.setdefault((get_account_id(), get_region()), {}), json.loads(body))
        return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(said).encode()

    ministack.SERVICE_HANDLERS["ssm"] = either


def _create(items: dict[str, dict[str, Any]], given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    dedup = given.get("OperationalData", {}).get("/aws/dedup", {}).get("Value")
    for known, item in items.items():
        if dedup and item["Status"] != "Resolved" and item.get("dedup") == dedup:
            return 400, {"__type": "OpsItemAlreadyExistsException", "Message": "it exists", "OpsItemId": known}
    name = f"oi-{uuid.uuid4().hex[:12]}"
    items[name] = {**given, "OpsItemId": name, "Status": "Open", "dedup": dedup}
    return 200, {"OpsItemId": name}


def _update(items: dict[str, dict[str, Any]], given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if given["OpsItemId"] not in items:
        return 400, {"__type": "OpsItemNotFoundException", "Message": "there is no such item"}
    items[given["OpsItemId"]] |= given
    return 200, {}


def _get(items: dict[str, dict[str, Any]], given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if given["OpsItemId"] not in items:
        return 400, {"__type": "OpsItemNotFoundException", "Message": "there is no such item"}
    names = ("OpsItemId", "Title", "Severity", "Source", "Status", "RelatedOpsItems", "Category")
    item = items[given["OpsItemId"]]
    return 200, {"OpsItem": {name: item[name] for name in names if name in item}}


_ACTS = {"CreateOpsItem": _create, "UpdateOpsItem": _update, "GetOpsItem": _get}
