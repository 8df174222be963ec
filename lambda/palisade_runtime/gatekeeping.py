"""The policy that stands before a level of a stage: it refuses every session that no live grant explains.

It is attached to the level's permission set and only ever denies, so whatever fails, it fails closed: addresses, expiry and
the time when a session began are in it, and hold without anybody doing anything.
Source: https://docs.aws.amazon.com/singlesignon/latest/userguide/prereqs-revoking-user-permissions.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-tokenissuetime
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from palisade_runtime.grants import Passage

LONGEST = 6144
"""Characters of a managed policy, spaces not counted.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
_WHO = "identitystore:UserId"


def document(passages: Sequence[Passage]) -> dict[str, Any]:
    """The policy that lets ``passages`` through and nothing else."""
    users = sorted({one.user for one in passages})
    if not users:
        return {"Version": "2012-10-17", "Statement": [_deny("NobodyIsGranted", {})]}
    statements = [_deny("OnlyWhoIsGranted", {"StringNotEquals": {_WHO: users}})]
    for number, user in enumerate(users, start=1):
        mine = [one for one in passages if one.user == user]
        statements += _of_one(str(number), {"StringEquals": {_WHO: user}}, mine)
    return {"Version": "2012-10-17", "Statement": statements}


def size(policy: Mapping[str, Any]) -> int:
    """Characters as IAM counts them."""
    return len(json.dumps(policy, separators=(",", ":")))


def _of_one(number: str, who: Mapping[str, Any], mine: Sequence[Passage]) -> Iterator[dict[str, Any]]:
    # What AWS does on a session's behalf comes from AWS's own addresses.
    yield _deny(
        f"Address{number}",
        {
            **who,
            "NotIpAddress": {"aws:SourceIp": sorted(one.address for one in mine)},
            "BoolIfExists": {"aws:ViaAWSService": "false"},
        },
    )
    yield _deny(f"Expired{number}", {**who, **_after(max(one.until for one in mine))})
    yield _deny(f"Older{number}", {**who, **_issued_before(min(one.since for one in mine))})
    if len(mine) > 1:
        for door, one in enumerate(mine, start=1):
            here = {**who, "IpAddress": {"aws:SourceIp": one.address}}
            yield _deny(f"Expired{number}At{door}", {**here, **_after(one.until)})
            yield _deny(f"Older{number}At{door}", {**here, **_issued_before(one.since)})


def _after(moment: datetime) -> dict[str, Any]:
    return {"DateGreaterThanEquals": {"aws:CurrentTime": _text(moment)}}


def _issued_before(moment: datetime) -> dict[str, Any]:
    return {"DateLessThan": {"aws:TokenIssueTime": _text(moment)}}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _deny(sid: str, condition: Mapping[str, Any]) -> dict[str, Any]:
    refusal: dict[str, Any] = {"Sid": sid, "Effect": "Deny", "Action": "*", "Resource": "*"}
    return {**refusal, "Condition": dict(condition)} if condition else refusal
