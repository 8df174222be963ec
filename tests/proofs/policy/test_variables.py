"""Policy variables in resources and conditions, in both versions of the policy language."""

from __future__ import annotations

# ruff: noqa: E501 - a row of a table reads best on one line
from typing import Any

import pytest

from proofs.policy import lines

ROLE = "arn:aws:iam::111122223333:role/app"
ANA = "arn:aws:iam::111122223333:user/staff/ana"
TEAM = {"aws:PrincipalTag/team": "red"}


def _allowed(
    statement: dict[str, Any], resource: str, context: dict[str, Any], principal: str, version: str | None
) -> bool:
    policy = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", **statement}]}
    if version:
        policy["Version"] = version  # type: ignore[assignment]
    request = {"principal": principal, "action": "s3:GetObject", "resource": resource, "context": context}
    return lines.decide({"request": request, "identity_policies": [policy]}).decision == "Allowed"


# fmt: off
RESOURCES: list[tuple[str, str, dict[str, Any], str, bool]] = [
    ("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/ana/x", {}, ANA, True),
    ("arn:aws:s3:::b/${AWS:UserName}/*", "arn:aws:s3:::b/ana/x", {}, ANA, True),
    ("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/bo/x", {}, ANA, False),
    ("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/ana/x", {}, ROLE, False),
    ("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/${aws:username}/x", {}, ROLE, False),
    ("arn:aws:s3:::b/${aws:PrincipalTag/team}/*", "arn:aws:s3:::b/red/x", TEAM, ROLE, True),
    ("arn:aws:s3:::b/${aws:PrincipalTag/team}/*", "arn:aws:s3:::b/blue/x", TEAM, ROLE, False),
    ("arn:aws:s3:::b/${aws:PrincipalTag/team, 'company-wide'}/*", "arn:aws:s3:::b/company-wide/x", {}, ROLE, True),
    ("arn:aws:s3:::b/${aws:PrincipalTag/team, 'company-wide'}/*", "arn:aws:s3:::b/company-wide/x", TEAM, ROLE, False),
    ("arn:aws:s3:::b/${aws:PrincipalTag/team, 'company-wide'}/*", "arn:aws:s3:::b/red/x", TEAM, ROLE, True),
    ("arn:aws:s3:::b/${aws:PrincipalTag/team,'x y'}", "arn:aws:s3:::b/x y", {}, ROLE, True),
    ("arn:aws:s3:::b/${aws:PrincipalTag/team, ''}x", "arn:aws:s3:::b/x", {}, ROLE, True),
    ("arn:aws:s3:::b/${aws:PrincipalTag/team}", "arn:aws:s3:::b/anything", {"aws:PrincipalTag/team": "*"}, ROLE, False),
    ("arn:aws:s3:::b/${aws:PrincipalTag/team}", "arn:aws:s3:::b/*", {"aws:PrincipalTag/team": "*"}, ROLE, True),
    ("arn:aws:s3:::b/${aws:TagKeys}", "arn:aws:s3:::b/x", {"aws:TagKeys": ["x", "y"]}, ROLE, False),
    ("arn:aws:s3:::b/${aws:TagKeys}", "arn:aws:s3:::b/x", {"aws:TagKeys": ["x"]}, ROLE, True),
    ("arn:aws:s3:::b/${aws:TagKeys, 'none'}", "arn:aws:s3:::b/none", {"aws:TagKeys": ["x", "y"]}, ROLE, False),
    ("arn:aws:s3:::b/${aws:PrincipalTag/team}", "arn:aws:s3:::b/x", {"aws:PrincipalTag/team": "\x00"}, ROLE, False),
    ("arn:aws:s3:::b/${aws:PrincipalTag/team}", "arn:aws:s3:::b/x", {"aws:PrincipalTag/team": "\x01"}, ROLE, False),
    ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", {}, ROLE, True),
    ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", {}, ROLE, False),
    ("arn:aws:s3:::b/${?}", "arn:aws:s3:::b/?", {}, ROLE, True),
    ("arn:aws:s3:::b/${?}", "arn:aws:s3:::b/x", {}, ROLE, False),
    ("arn:aws:s3:::b/${$}{x}", "arn:aws:s3:::b/${x}", {}, ROLE, True),
    ("arn:aws:s3:::${aws:PrincipalTag/team}-${aws:PrincipalTag/role}", "arn:aws:s3:::red-dev", {**TEAM, "aws:PrincipalTag/role": "dev"}, ROLE, True),
]
# fmt: on


@pytest.mark.parametrize(("pattern", "resource", "context", "principal", "allowed"), RESOURCES)
def test_variable_in_a_resource(
    pattern: str, resource: str, context: dict[str, Any], principal: str, allowed: bool
) -> None:
    assert _allowed({"Resource": pattern}, resource, context, principal, "2012-10-17") is allowed


@pytest.mark.parametrize("version", ["2008-10-17", None])
@pytest.mark.parametrize(
    ("resource", "allowed"), [("arn:aws:s3:::b/ana/x", False), ("arn:aws:s3:::b/${aws:username}/x", True)]
)
def test_the_old_version_takes_a_variable_literally(version: str | None, resource: str, allowed: bool) -> None:
    assert _allowed({"Resource": "arn:aws:s3:::b/${aws:username}/*"}, resource, {}, ANA, version) is allowed


def test_a_wildcard_inside_dollar_braces_is_a_wildcard_in_the_old_version() -> None:
    assert _allowed({"Resource": "arn:aws:s3:::b/${*}"}, "arn:aws:s3:::b/${abc}", {}, ANA, "2008-10-17")


# fmt: off
CONDITIONS: list[tuple[str, str, dict[str, Any], bool]] = [
    ("StringEquals", "${aws:PrincipalTag/team}", {**TEAM, "aws:ResourceTag/team": "red"}, True),
    ("StringEquals", "${aws:PrincipalTag/team}", {**TEAM, "aws:ResourceTag/team": "blue"}, False),
    ("StringEquals", "${aws:PrincipalTag/team}", {"aws:ResourceTag/team": "red"}, False),
    ("StringNotEquals", "${aws:PrincipalTag/team}", {**TEAM, "aws:ResourceTag/team": "red"}, False),
    ("StringNotEquals", "${aws:PrincipalTag/team}", {**TEAM, "aws:ResourceTag/team": "blue"}, True),
    ("StringNotEquals", "${aws:PrincipalTag/team}", {"aws:ResourceTag/team": "red"}, True),
    ("StringEqualsIgnoreCase", "X-${aws:PrincipalTag/team}", {"aws:PrincipalTag/team": "RED", "aws:ResourceTag/team": "x-red"}, True),
    ("StringEquals", "${aws:PrincipalTag/team, 'all'}", {"aws:ResourceTag/team": "all"}, True),
    ("StringLike", "${aws:PrincipalTag/team}-*", {**TEAM, "aws:ResourceTag/team": "red-1"}, True),
    ("StringLike", "${aws:PrincipalTag/team}", {"aws:PrincipalTag/team": "r*", "aws:ResourceTag/team": "red"}, False),
    ("StringNotLike", "${aws:PrincipalTag/team}-*", {**TEAM, "aws:ResourceTag/team": "red-1"}, False),
    ("StringEquals", "${$}5", {"aws:ResourceTag/team": "$5"}, True),
    ("StringEquals", "${*}", {"aws:ResourceTag/team": "*"}, True),
    ("StringLike", "${*}", {"aws:ResourceTag/team": "red"}, False),
    ("ArnLike", "arn:aws:iam::111122223333:role/${aws:PrincipalTag/team}", {**TEAM, "aws:ResourceTag/team": "arn:aws:iam::111122223333:role/red"}, True),
    ("ArnLike", "arn:${aws:PrincipalTag/team}", {**TEAM, "aws:ResourceTag/team": "arn:aws:iam::111122223333:role/red"}, False),
    ("ArnNotLike", "arn:aws:iam::111122223333:role/${aws:PrincipalTag/team}", {"aws:ResourceTag/team": "arn:aws:iam::111122223333:role/red"}, True),
    ("Bool", "${aws:PrincipalTag/team}", {"aws:PrincipalTag/team": "True", "aws:ResourceTag/team": "true"}, True),
    ("Bool", "${aws:PrincipalTag/team}", {"aws:PrincipalTag/team": "false", "aws:ResourceTag/team": "true"}, False),
]
# fmt: on


@pytest.mark.parametrize(("operator", "value", "context", "holds"), CONDITIONS)
def test_variable_in_a_condition(operator: str, value: str, context: dict[str, Any], holds: bool) -> None:
    statement = {"Condition": {operator: {"aws:ResourceTag/team": value}}}
    assert _allowed(statement, "arn:aws:s3:::b/k", context, ROLE, "2012-10-17") is holds


def test_a_resource_without_value_is_matched_by_nothing_so_notresource_covers_it() -> None:
    statement = {"NotResource": "arn:aws:s3:::b/${aws:username}/*"}
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", **statement}]}
    request = {"principal": ROLE, "action": "s3:GetObject", "resource": "arn:aws:s3:::b/ana/x"}
    assert lines.decide({"request": request, "identity_policies": [policy]}).decision == "Allowed"
