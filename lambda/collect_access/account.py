"""The identities of one account: users with their passwords, devices and keys, roles, and who signed in as what.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html
"""

import csv
import functools
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from collect_access.powers import powers

PEOPLE = "/aws-reserved/sso.amazonaws.com/"
_SERVICES = "/aws-service-role/"
_TEMPLATE = "palisade:deployment"
_EVENT_DAYS = 90
"""How far CloudTrail's event history reaches.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html"""
_EVENT_PAGES = 400
_SESSIONS_KEPT = 500
_NOT_READY = frozenset({"ReportInProgress", "ReportNotPresent", "ReportExpired"})

Facts = dict[str, Any]


def begin(iam: Any) -> dict[str, str]:
    """Ask for the reports that take a while; the job of each identity by its ARN."""
    iam.generate_credential_report()
    return {arn: iam.generate_service_last_accessed_details(Arn=arn)["JobId"] for arn in _asked(_authorizations(iam))}


def ready(iam: Any, jobs: Mapping[str, str]) -> bool:
    """Whether all of them are there."""
    try:
        iam.get_credential_report()
    except ClientError as error:
        if _code(error) not in _NOT_READY:
            raise
        iam.generate_credential_report()
        return False
    return all(iam.get_service_last_accessed_details(JobId=job)["JobStatus"] != "IN_PROGRESS" for job in jobs.values())


def read(iam: Any, trails: Sequence[Any], jobs: Mapping[str, str], now: datetime) -> Facts:
    """Everything that a review wants to know of the account."""
    found = _authorizations(iam)
    documents = _documents(iam, found)
    rows = {row["user"]: row for row in csv.DictReader(io.StringIO(_report(iam)))}
    summary = iam.get_account_summary()["SummaryMap"]
    roles = [
        _role(role, documents, _services(iam, jobs.get(role["Arn"])))
        for role in found["RoleDetailList"]
        if not role["Path"].startswith(_SERVICES)
    ]
    people = any(role["path"].startswith(PEOPLE) for role in roles)
    sessions, limits = _sessions(trails, now) if people else ([], [])
    return {
        "root": _root(rows.get("<root_account>", {}), summary),
        "users": [_user(user, rows.get(user["UserName"], {}), found, documents) for user in found["UserDetailList"]],
        "roles": roles,
        "sessions": sessions,
        "limits": limits,
    }


def _authorizations(iam: Any) -> Facts:
    found: Facts = {name: [] for name in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")}
    pages = iam.get_paginator("get_account_authorization_details")
    for page in pages.paginate(Filter=["User", "Group", "Role", "LocalManagedPolicy"]):
        for name in found:
            found[name] += page.get(name, [])
    return found


def _asked(found: Facts) -> list[str]:
    """Identities of people, and those that no template made: what the others use is a matter of code."""
    roles = [
        role["Arn"]
        for role in found["RoleDetailList"]
        if not role["Path"].startswith(_SERVICES) and not _of_template(role)
    ]
    return [*(user["Arn"] for user in found["UserDetailList"]), *roles]


def _documents(iam: Any, found: Facts) -> Callable[[str], Mapping[str, Any]]:
    local = {
        policy["Arn"]: version["Document"]
        for policy in found["Policies"]
        for version in policy["PolicyVersionList"]
        if version["IsDefaultVersion"]
    }

    @functools.cache
    def document(arn: str) -> Mapping[str, Any]:
        if arn in local:
            return _plain(local[arn])
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return _plain(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])

    return document


def _policies(holder: Facts, inline: str, documents: Callable[[str], Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [
        *(_plain(one["PolicyDocument"]) for one in holder.get(inline, ())),
        *(documents(one["PolicyArn"]) for one in holder.get("AttachedManagedPolicies", ())),
    ]


def _boundary(holder: Facts, documents: Callable[[str], Mapping[str, Any]]) -> Mapping[str, Any] | None:
    arn = (holder.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    return documents(arn) if arn else None


def _role(role: Facts, documents: Callable[[str], Mapping[str, Any]], services: Facts) -> Facts:
    held = _policies(role, "RolePolicyList", documents)
    return {
        "name": role["RoleName"],
        "path": role["Path"],
        "created": _text(role["CreateDate"]),
        "used": _text((role.get("RoleLastUsed") or {}).get("LastUsedDate")),
        "template": _of_template(role),
        "powers": powers(held, _boundary(role, documents)),
        "services": services,
    }


def _user(user: Facts, row: Mapping[str, str], found: Facts, documents: Callable[[str], Mapping[str, Any]]) -> Facts:
    groups = [group for group in found["GroupDetailList"] if group["GroupName"] in user.get("GroupList", ())]
    held = _policies(user, "UserPolicyList", documents)
    held += [one for group in groups for one in _policies(group, "GroupPolicyList", documents)]
    return {
        "name": user["UserName"],
        "arn": user["Arn"],
        "created": _text(user["CreateDate"]),
        "password": row.get("password_enabled") == "true",
        "password_used": _moment(row.get("password_last_used")),
        "mfa": row.get("mfa_active") == "true",
        "keys": [
            {
                "created": _moment(row.get(f"access_key_{number}_last_rotated")),
                "used": _moment(row.get(f"access_key_{number}_last_used_date")),
            }
            for number in (1, 2)
            if row.get(f"access_key_{number}_active") == "true"
        ],
        "powers": powers(held, _boundary(user, documents)),
    }


def _root(row: Mapping[str, str], summary: Mapping[str, int]) -> Facts:
    return {
        # A member whose root credentials were taken away has neither; an answer without the fact counts as having one.
        "password": bool(summary.get("AccountPasswordPresent", 1)),
        "keys": bool(summary.get("AccountAccessKeysPresent", 0)),
        "mfa": bool(summary.get("AccountMFAEnabled", 0)),
        "used": _moment(row.get("password_last_used")),
    }


def _services(iam: Any, job: str | None) -> Facts:
    """How many services an identity may use, and which it did."""
    if job is None:
        return {}
    granted = 0
    used: list[str] = []
    marker: dict[str, str] = {}
    while True:
        answer = iam.get_service_last_accessed_details(JobId=job, **marker)
        if answer["JobStatus"] != "COMPLETED":
            return {}
        for one in answer.get("ServicesLastAccessed", ()):
            granted += 1
            used += [one["ServiceNamespace"]] if one.get("LastAuthenticated") else []
        if not answer.get("IsTruncated"):
            return {"granted": granted, "used": sorted(used)}
        marker = {"Marker": answer["Marker"]}


def _sessions(trails: Sequence[Any], now: datetime) -> tuple[list[Facts], list[str]]:
    """Who signed in with which permission set, and when; and what of it could not be seen."""
    times: dict[tuple[str, str], set[str]] = {}
    limits = []
    for trail in trails:
        pages = trail.get_paginator("lookup_events").paginate(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleWithSAML"}],
            StartTime=now - timedelta(days=_EVENT_DAYS),
            EndTime=now,
        )
        for number, page in enumerate(pages):
            if number == _EVENT_PAGES:
                limits.append("more sign-ins than could be read: the oldest are not counted as use")
                break
            for person, role, at in _signed_in(page.get("Events", ())):
                times.setdefault((person, role), set()).add(at)
    found = [
        {"person": person, "role": role, "times": sorted(at)[-_SESSIONS_KEPT:]}
        for (person, role), at in sorted(times.items())
    ]
    return found, limits


def _signed_in(events: Sequence[Facts]) -> Iterator[tuple[str, str, str]]:
    for event in events:
        said = json.loads(event.get("CloudTrailEvent") or "{}")
        asked = said.get("requestParameters") or {}
        if said.get("errorCode") or not asked.get("roleArn"):
            continue
        yield str(asked.get("roleSessionName", "")).casefold(), asked["roleArn"].rpartition("/")[2], said["eventTime"]


def _report(iam: Any) -> str:
    content = iam.get_credential_report()["Content"]
    return str(content.decode() if isinstance(content, bytes) else content)


def _of_template(role: Facts) -> bool:
    return any(tag["Key"] == _TEMPLATE for tag in role.get("Tags", ()))


def _plain(document: Any) -> Mapping[str, Any]:
    """As an object; botocore decodes most of them itself."""
    found = json.loads(unquote(document)) if isinstance(document, str) else document
    return found if isinstance(found, Mapping) else {}


def _moment(text: str | None) -> str | None:
    """A date of the credential report, which has words where there is none."""
    try:
        return _text(datetime.fromisoformat((text or "").replace("Z", "+00:00")))
    except ValueError:
        return None


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code")).removeprefix("CredentialReport").removesuffix("Exception")
