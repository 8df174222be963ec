"""Every condition operator, row by row: operator, value in the policy, value in the request, whether it holds."""

from __future__ import annotations

# ruff: noqa: E501 - a row of a table reads best on one line
from typing import Any, Final

import pytest

from proofs.policy import lines
from proofs.policy.conditions import OPERATORS

MISSING: Final = object()
ROLE: Final = "arn:aws:iam::111122223333:role/app"

# fmt: off
ROWS: list[tuple[str, Any, Any, bool]] = [
    # Text: case matters, wildcards only in Like.
    ("StringEquals", "red", "red", True),
    ("StringEquals", "red", "Red", False),
    ("StringEquals", "red", "redder", False),
    ("StringEquals", "r*", "red", False),
    ("StringEquals", "r*", "r*", True),
    ("StringEquals", ["red", "blue"], "blue", True),
    ("StringEquals", ["red", "blue"], "green", False),
    ("StringEquals", "", "", True),
    ("StringEquals", "", "red", False),
    ("StringEquals", "red", MISSING, False),
    ("StringEquals", "red", None, False),
    ("StringEquals", "10", 10, True),
    ("StringEquals", True, "true", True),
    ("StringEquals", "true", True, True),
    ("StringNotEquals", "red", "blue", True),
    ("StringNotEquals", "red", "red", False),
    ("StringNotEquals", "red", "Red", True),
    ("StringNotEquals", ["red", "blue"], "blue", False),
    ("StringNotEquals", ["red", "blue"], "green", True),
    ("StringNotEquals", "red", MISSING, True),
    ("StringEqualsIgnoreCase", "ReD", "rEd", True),
    ("StringEqualsIgnoreCase", "red", "reds", False),
    ("StringEqualsIgnoreCase", "red", MISSING, False),
    ("StringNotEqualsIgnoreCase", "RED", "red", False),
    ("StringNotEqualsIgnoreCase", "RED", "blue", True),
    ("StringNotEqualsIgnoreCase", "RED", MISSING, True),
    ("StringLike", "r*", "red", True),
    ("StringLike", "r*", "r", True),
    ("StringLike", "r*", "Red", False),
    ("StringLike", "*e*", "red", True),
    ("StringLike", "r?d", "red", True),
    ("StringLike", "r?d", "rd", False),
    ("StringLike", "r?d", "reed", False),
    ("StringLike", "*d*d", "d", False),
    ("StringLike", "*d*d", "dd", True),
    ("StringLike", "ab*ba", "aba", False),
    ("StringLike", "ab*ba", "abba", True),
    ("StringLike", "a*b*c", "a-b-b-c", True),
    ("StringLike", "a*b*c", "a-c-b", False),
    ("StringLike", "*", "", True),
    ("StringLike", "*", "anything\nat all", True),
    ("StringLike", "a.c", "abc", False),
    ("StringLike", "[a-z]", "b", False),
    ("StringLike", ["x*", "r*"], "red", True),
    ("StringLike", "r*", MISSING, False),
    ("StringLike", ["", "home/", "home/ana/*"], "", True),
    ("StringLike", ["", "home/", "home/ana/*"], "home/bo/x", False),
    ("StringNotLike", "r*", "red", False),
    ("StringNotLike", "r*", "blue", True),
    ("StringNotLike", ["r*", "b*"], "blue", False),
    ("StringNotLike", "r*", MISSING, True),
    # Numbers: compared as numbers, several values mean any of them.
    ("NumericEquals", "10", "10", True),
    ("NumericEquals", "10", "10.0", True),
    ("NumericEquals", "10", "11", False),
    ("NumericEquals", 10, 10, True),
    ("NumericEquals", "10", "ten", False),
    ("NumericEquals", "10", MISSING, False),
    ("NumericNotEquals", "10", "11", True),
    ("NumericNotEquals", "10", "10.00", False),
    ("NumericNotEquals", ["10", "11"], "11", False),
    ("NumericNotEquals", "10", MISSING, True),
    ("NumericLessThan", "10", "9.99", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThan", ["1", "10"], "5", True),
    ("NumericLessThan", "10", "-3", True),
    ("NumericLessThan", "10", MISSING, False),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericLessThanEquals", "10", "10.01", False),
    ("NumericGreaterThan", "10", "10", False),
    ("NumericGreaterThan", "10", "100", True),
    ("NumericGreaterThan", "9", "10", True),
    ("NumericGreaterThanEquals", "10", "10", True),
    ("NumericGreaterThanEquals", "10", "9.999", False),
    ("NumericGreaterThanEquals", "12345678901234567891", "12345678901234567890", False),
    # Dates: ISO 8601 in its W3C forms, or seconds since 1970, in any zone.
    ("DateEquals", "2026-01-31T00:00:00Z", "2026-01-31T00:00:00Z", True),
    ("DateEquals", "2026-01-31T00:00:00Z", "2026-01-31T01:00:00+01:00", True),
    ("DateEquals", "2026-01-31T00:00:00Z", "2026-01-30T19:30:00-04:30", True),
    ("DateEquals", "2026-01-31T00:00:00Z", "1769817600", True),
    ("DateEquals", "2026-01-31", "2026-01-31T00:00Z", True),
    ("DateEquals", "2026-01", "2026-01-01T00:00:00Z", True),
    ("DateEquals", "2026", "2026-01-01T00:00:00Z", True),
    ("DateEquals", "2026-01-31T00:00:00.5Z", "2026-01-31T00:00:00.50Z", True),
    ("DateEquals", "2026-01-31T00:00:00Z", "2026-01-31T00:00:00.25Z", False),
    ("DateEquals", "2026-01-31T00:00:00Z", "soon", False),
    ("DateEquals", "2026-01-31T00:00:00Z", MISSING, False),
    ("DateNotEquals", "2026-01-31", "2026-02-01", True),
    ("DateNotEquals", "2026-01-31", "2026-01-31", False),
    ("DateNotEquals", "2026-01-31", MISSING, True),
    ("DateLessThan", "2026-01-31", "2026-01-30T23:59:59Z", True),
    ("DateLessThan", "2026-01-31", "2026-01-31", False),
    ("DateLessThan", "2026-01-31", MISSING, False),
    ("DateLessThanEquals", "2026-01-31", "2026-01-31", True),
    ("DateLessThanEquals", "2026-01-31", "2026-01-31T00:00:01Z", False),
    ("DateGreaterThan", "2026-01-31", "2026-01-31", False),
    ("DateGreaterThan", "2026-01-31", "2027", True),
    ("DateGreaterThan", "1769817600", "1769817601", True),
    ("DateGreaterThanEquals", "2026-01-31", "2026-01-31", True),
    ("DateGreaterThanEquals", "2026-01-31", "2025-12-31", False),
    # Truth values.
    ("Bool", "true", "true", True),
    ("Bool", "true", "TRUE", True),
    ("Bool", "True", "true", True),
    ("Bool", True, True, True),
    ("Bool", "true", "false", False),
    ("Bool", "false", "false", True),
    ("Bool", "false", MISSING, False),
    ("Bool", "true", MISSING, False),
    ("Bool", ["true", "false"], "false", True),
    ("BoolIfExists", "false", MISSING, True),
    ("BoolIfExists", "false", "true", False),
    # Bytes.
    ("BinaryEquals", "cmVk", "cmVk", True),
    ("BinaryEquals", "cmVk", "Ymx1ZQ==", False),
    ("BinaryEquals", "cmVk", "not base64", False),
    ("BinaryEquals", "cmVk", MISSING, False),
    # Addresses of both families.
    ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
    ("IpAddress", "203.0.113.0/24", "203.0.114.7", False),
    ("IpAddress", "203.0.113.7", "203.0.113.7", True),
    ("IpAddress", "203.0.113.7", "203.0.113.8", False),
    ("IpAddress", "2001:db8:1234:5678::/64", "2001:db8:1234:5678::9", True),
    ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5679::9", False),
    ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
    ("IpAddress", "::/0", "203.0.113.7", False),
    ("IpAddress", ["203.0.113.0/24", "2001:db8::/32"], "2001:db8::1", True),
    ("IpAddress", "203.0.113.0/24", "nowhere", False),
    ("IpAddress", "203.0.113.0/24", MISSING, False),
    ("NotIpAddress", "203.0.113.0/24", "203.0.113.7", False),
    ("NotIpAddress", "203.0.113.0/24", "198.51.100.1", True),
    ("NotIpAddress", ["203.0.113.0/24", "198.51.100.0/24"], "198.51.100.1", False),
    ("NotIpAddress", "203.0.113.0/24", MISSING, True),
    ("NotIpAddress", "203.0.113.0/24", "2001:db8::1", True),
    # ARNs: field by field, so that a wildcard stays between its colons.
    ("ArnEquals", ROLE, ROLE, True),
    ("ArnEquals", "arn:aws:iam::*:role/*", ROLE, True),
    ("ArnEquals", "arn:aws:iam::111122223333:role/AP*", ROLE, False),
    ("ArnLike", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:role/a/b/c", True),
    ("ArnLike", "arn:aws:iam::*:user/*", ROLE, False),
    ("ArnLike", "arn:aws:iam::11112222????:role/app", ROLE, True),
    ("ArnLike", "*", ROLE, True),
    ("ArnLike", "*", "no ARN", False),
    ("ArnLike", "*", "arn:aws:iam::x", False),
    ("ArnLike", "*", "x:aws:iam::111122223333:role/app", False),
    ("ArnLike", ROLE, "arn:aws:iam", False),
    ("ArnLike", "arn:aws:sns:*:111122223333:finance/*", "arn:aws:sns:eu-west-2:999999999999:store/abc:111122223333:finance/x", False),
    ("StringLike", "arn:aws:sns:*:111122223333:finance/*", "arn:aws:sns:eu-west-2:999999999999:store/abc:111122223333:finance/x", True),
    ("ArnLike", "arn:aws:logs:*:*:log-group:*", "arn:aws:logs:eu-west-1:1:log-group:a:log-stream:b", True),
    ("ArnLike", ROLE, MISSING, False),
    ("ArnNotEquals", ROLE, ROLE, False),
    ("ArnNotEquals", ROLE, "arn:aws:iam::111122223333:role/other", True),
    ("ArnNotEquals", ROLE, MISSING, True),
    ("ArnNotLike", "arn:aws:iam::*:role/app", ROLE, False),
    ("ArnNotLike", ["arn:aws:iam::*:role/x", "arn:aws:iam::*:role/app"], ROLE, False),
    ("ArnNotLike", "arn:aws:iam::*:role/x", MISSING, True),
    ("ArnLikeIfExists", ROLE, MISSING, True),
    # Null: true asks for absence.
    ("Null", "true", MISSING, True),
    ("Null", "true", "red", False),
    ("Null", "false", "red", True),
    ("Null", "false", MISSING, False),
    ("Null", False, "red", True),
    ("Null", "true", [], True),
    ("Null", "false", "", True),
    ("Null", ["true", "false"], "red", True),
    # IfExists: only a missing key passes.
    ("StringEqualsIfExists", "red", MISSING, True),
    ("StringEqualsIfExists", "red", "red", True),
    ("StringEqualsIfExists", "red", "blue", False),
    ("StringNotEqualsIfExists", "red", MISSING, True),
    ("StringNotEqualsIfExists", "red", "red", False),
    ("StringLikeIfExists", ["t1.*", "t2.*"], MISSING, True),
    ("StringLikeIfExists", ["t1.*", "t2.*"], "t2.micro", True),
    ("StringLikeIfExists", ["t1.*", "t2.*"], "m3.large", False),
    ("NumericLessThanIfExists", "10", MISSING, True),
    ("NumericLessThanIfExists", "10", "11", False),
    ("DateLessThanIfExists", "2026", MISSING, True),
    ("IpAddressIfExists", "10.0.0.0/8", MISSING, True),
    ("NotIpAddressIfExists", "10.0.0.0/8", "10.1.1.1", False),
    # Sets: each value of the request against the values of the policy.
    ("ForAllValues:StringEquals", ["a", "b"], ["a"], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
    ("ForAllValues:StringEquals", ["a", "b"], MISSING, True),
    ("ForAllValues:StringEquals", ["a", "b"], [], True),
    ("ForAllValues:StringEquals", ["a", "b"], "", True),
    ("ForAllValues:StringLike", ["key-*"], ["key-1", "key-2"], True),
    ("ForAllValues:StringLike", ["key-*"], ["key-1", "other"], False),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], True),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], False),
    ("ForAllValues:StringNotEquals", ["a", "b"], MISSING, True),
    ("ForAllValues:StringEqualsIfExists", ["a"], MISSING, True),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "d"], False),
    ("ForAnyValue:StringEquals", ["a", "b"], MISSING, False),
    ("ForAnyValue:StringEquals", ["a", "b"], [], False),
    ("ForAnyValue:StringEquals", ["a", ""], "", False),
    ("ForAnyValue:StringEqualsIfExists", ["a"], MISSING, True),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], True),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], False),
    ("ForAnyValue:StringNotEquals", ["a", "b"], MISSING, False),
    ("ForAnyValue:StringLike", "o-1/r-2/ou-3/*", ["o-1/r-2/ou-3/ou-4/", "x"], True),
    ("ForAllValues:NumericLessThan", "10", [1, 9], True),
    ("ForAllValues:NumericLessThan", "10", [1, 10], False),
    ("ForAnyValue:IpAddress", "10.0.0.0/8", ["192.0.2.1", "10.0.0.1"], True),
    ("ForAllValues:ArnLike", "arn:aws:iam::*:role/*", [ROLE, "arn:aws:iam::1:user/x"], False),
    ("ForAnyValue:Bool", "true", ["false", "true"], True),
    # Several values without a qualifier: one fitting value is enough, and a negation is the opposite of that.
    ("StringEquals", "a", ["b", "a"], True),
    ("StringNotEquals", "a", ["b", "a"], False),
    ("StringNotEquals", "a", ["b", "c"], True),
    # Operators' own names are matched ignoring case.
    ("stringequals", "red", "red", True),
    ("forallvalues:stringlike", "r*", ["red"], True),
]
# fmt: on


def _holds(
    operator: str, policy: Any, given: Any, *, key: str = "aws:RequestTag/x", asked: str = "aws:requesttag/X"
) -> bool:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {key: policy}}}
    context = {} if given is MISSING else {asked: given}
    request = {"principal": ROLE, "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k", "context": context}
    identity = [{"Version": "2012-10-17", "Statement": [statement]}]
    return lines.decide({"request": request, "identity_policies": identity}).decision == "Allowed"


@pytest.mark.parametrize(("operator", "policy", "given", "holds"), ROWS)
def test_operator(operator: str, policy: Any, given: Any, holds: bool) -> None:
    assert _holds(operator, policy, given) is holds


def test_every_operator_has_rows_that_hold_and_rows_that_do_not() -> None:
    for operator in OPERATORS:
        assert {holds for name, *_, holds in ROWS if name == operator} == {True, False}, operator


@pytest.mark.parametrize(
    ("blocks", "holds"),
    [
        ({"StringEquals": {"aws:RequestTag/a": "1", "aws:RequestTag/b": "2"}}, True),
        ({"StringEquals": {"aws:RequestTag/a": "1", "aws:RequestTag/b": "x"}}, False),
        ({"StringEquals": {"aws:RequestTag/a": "1"}, "StringLike": {"aws:RequestTag/b": "?"}}, True),
        ({"StringEquals": {"aws:RequestTag/a": "1"}, "StringLike": {"aws:RequestTag/b": "x*"}}, False),
        ({"StringEquals": {"aws:RequestTag/a": "x"}, "StringLike": {"aws:RequestTag/b": "?"}}, False),
        ({}, True),
    ],
)
def test_all_operators_and_all_keys_must_hold(blocks: dict[str, Any], holds: bool) -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": blocks}
    context = {"aws:RequestTag/a": "1", "aws:RequestTag/b": "2"}
    request = {"principal": ROLE, "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k", "context": context}
    entry = {"request": request, "identity_policies": [{"Version": "2012-10-17", "Statement": [statement]}]}
    assert (lines.decide(entry).decision == "Allowed") is holds
