"""A past for identities of the embedded AWS: when they were made, and who signed in. Reviews look at nothing else, and
ministack neither lets time go by nor keeps a history of events.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from ministack import app as ministack
from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

EVENTS: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)


def install() -> None:
    """Answer LookupEvents, and begin with no event."""
    own = ministack.SERVICE_HANDLERS["cloudtrail"]

    async def handler(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        if not headers.get("x-amz-target", "").endswith(".LookupEvents"):
            return await own(method, path, headers, body, query)
        wanted = {one["AttributeValue"] for one in json.loads(body).get("LookupAttributes", [])}
        found = [one for one in EVENTS[get_account_id(), get_region()] if not wanted or one["EventName"] in wanted]
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps({"Events": found}).encode()

    ministack.SERVICE_HANDLERS["cloudtrail"] = handler
    _reports_name_whom_they_are_about()


def _reports_name_whom_they_are_about() -> None:
    """ministack takes a request for what an identity used for one about everything, so a policy on identities refuses it."""
    original = iam_actions.extract_resource_arn

    def resource(service: str, *rest: Any) -> Any:
        found = original(service, *rest)
        if service == "iam" and found == "*":
            asked = rest[-3].get("Arn")
            return (asked[0] if isinstance(asked, list) else asked) or found
        return found

    iam_actions.extract_resource_arn = resource


def sign_in(account: str, region: str, person: str, role: str) -> None:
    """Somebody signed in just now, through Identity Center, as the role of a permission set."""
    said = {
        "eventTime": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "requestParameters": {"roleArn": f"arn:aws:iam::{account}:role/{role}", "roleSessionName": person},
    }
    event = {"EventName": "AssumeRoleWithSAML", "CloudTrailEvent": json.dumps(said)}
    EVENTS[account, region].append(event)


def age(account: str, user: str, days: int) -> None:
    """A user and their keys were made so many days ago."""
    made = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    iam._users._data[account, user]["CreateDate"] = made
    for (owner, _), key in iam._access_keys._data.items():
        if owner == account and key["UserName"] == user:
            key["CreateDate"] = made
