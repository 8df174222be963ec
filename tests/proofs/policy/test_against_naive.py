"""The evaluator and a deliberately naive second one agree on generated requests and policies.

FUZZ_EXAMPLES=20000 in the environment tries that many new ones; without it the same few hundred are tried each time.
"""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import given, note, settings
from hypothesis import strategies as st

from proofs.policy import lines
from tests.proofs.policy import naive

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "400"))
FIXED = "FUZZ_EXAMPLES" not in os.environ
HERE, THERE = "111122223333", "444455556666"
PRINCIPALS: list[Any] = [
    f"arn:aws:iam::{HERE}:root",
    HERE,
    f"arn:aws:iam::{HERE}:user/ana",
    f"arn:aws:iam::{HERE}:user/team/ana",
    f"arn:aws:iam::{HERE}:role/app",
    f"arn:aws:iam::{HERE}:role/deep/path/app",
    f"arn:aws:sts::{HERE}:assumed-role/app/one",
    f"arn:aws:sts::{HERE}:assumed-role/app/two",
    f"arn:aws:sts::{HERE}:assumed-role/AWSServiceRoleForBackup/x",
    f"arn:aws:sts::{HERE}:federated-user/ana",
    f"arn:aws:sts::{THERE}:assumed-role/app/one",
    f"arn:aws:iam::{THERE}:user/ana",
    "cloudtrail.amazonaws.com",
    {"Service": "delivery.logs.amazonaws.com"},
    {"Federated": "accounts.google.com"},
    "*",
]
ACTIONS = [
    "s3:GetObject",
    "s3:PutObject",
    "kms:Decrypt",
    "kms:RetireGrant",
    "sts:AssumeRole",
    "sts:TagSession",
    "sqs:SendMessage",
]
RESOURCES = [
    "arn:aws:s3:::logs/a",
    "arn:aws:s3:::logs/ana/b",
    "arn:aws:s3:::data*/x",
    f"arn:aws:kms:eu-west-1:{HERE}:key/k",
    f"arn:aws:iam::{HERE}:role/app",
    f"arn:aws:sqs:eu-west-1:{THERE}:q",
    "*",
]
PATTERNS = [
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::logs/*",
    "arn:aws:s3:::logs/?",
    "arn:aws:s3:::*a*/*",
    "arn:aws:s3:::logs/${aws:username}/*",
    "arn:aws:s3:::${aws:PrincipalTag/team, 'logs'}/*",
    "arn:aws:s3:::data${*}/x",
    f"arn:aws:kms:*:{HERE}:key/*",
    "arn:aws:iam::*:role/app",
    "arn:aws:sqs:*:*:q",
]
ACTION_PATTERNS = [
    "*",
    "s3:*",
    "S3:getobject",
    "s3:???Object",
    "kms:*",
    "kms:Decrypt",
    "sts:*",
    "sts:Assume*",
    "sqs:SendMessage",
]
NAMES = [
    "*",
    HERE,
    THERE,
    f"arn:aws:iam::{HERE}:root",
    f"arn:aws:iam::{THERE}:root",
    f"arn:aws:iam::{HERE}:user/ana",
    f"arn:aws:iam::{HERE}:role/app",
    f"arn:aws:iam::{HERE}:role/deep/path/app",
    f"arn:aws:sts::{HERE}:assumed-role/app/one",
    f"arn:aws:sts::{HERE}:federated-user/ana",
    f"arn:aws:sts::{THERE}:assumed-role/app/one",
]
TEXTS = [
    "",
    "red",
    "Red",
    "blue",
    "r*",
    "?ed",
    "10",
    "10.0",
    "9",
    "true",
    "False",
    "2026-01-31",
    "2026-01-31T00:00:00Z",
    "1769817600",
]
VALUES: dict[str, list[str]] = {
    "String": [
        "red",
        "Red",
        "r*",
        "?e?",
        "",
        "*",
        "${aws:PrincipalTag/team}",
        "${aws:username, 'red'}",
        "${*}",
        "${aws:TagKeys}",
    ],
    "Numeric": ["10", "9.5", "-1", "1e1"],
    "Date": ["2026-01-31", "2026-01-31T01:00:00+01:00", "1769817600", "2025", "2026-02"],
    "Bool": ["true", "false", "True"],
    "Binary": ["cmVk", "Ymx1ZQ=="],
    "Ip": ["10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0"],
    "Arn": [
        "*",
        f"arn:aws:iam::{HERE}:role/*",
        "arn:aws:*:*:*:*/app*",
        f"arn:aws:iam::{HERE}:${{aws:PrincipalTag/team}}",
    ],
}
GIVEN = [
    *TEXTS,
    "cmVk",
    "10.1.2.3",
    "2001:db8::1",
    f"arn:aws:iam::{HERE}:role/app",
    f"arn:aws:iam::{HERE}:red",
    "arn:aws:x:a:b:c:d/app",
]
OPERATORS = [
    *(f"String{n}{o}" for n in ("", "Not") for o in ("Equals", "EqualsIgnoreCase", "Like")),
    *(
        f"{t}{o}"
        for t in ("Numeric", "Date")
        for o in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
    ),
    *(f"Arn{n}{o}" for n in ("", "Not") for o in ("Equals", "Like")),
    *("Bool", "BinaryEquals", "IpAddress", "NotIpAddress"),
]
KEYS = [
    "aws:PrincipalTag/team",
    "AWS:principaltag/TEAM",
    "aws:TagKeys",
    "aws:SourceArn",
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:ViaAWSService",
]


def some(values: list[Any], most: int = 3) -> st.SearchStrategy[Any]:
    """One value or a list of them, as JSON policies have it."""
    return st.one_of(st.sampled_from(values), st.lists(st.sampled_from(values), min_size=1, max_size=most))


def _values(operator: str) -> list[str]:
    return next(values for family, values in VALUES.items() if operator.removeprefix("Not").startswith(family))


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(draw(st.integers(0, 2))):
        if draw(st.integers(0, 9)) == 0:
            found["Null"] = {draw(st.sampled_from(KEYS)): draw(some(["true", "false", True]))}
            continue
        operator = draw(st.sampled_from(OPERATORS))
        written = (
            draw(st.sampled_from(["", "", "ForAllValues:", "ForAnyValue:"]))
            + operator
            + draw(st.sampled_from(["", "", "IfExists"]))
        )
        found[written] = {draw(st.sampled_from(KEYS)): draw(some(_values(operator)))}
    return found


@st.composite
def policies(draw: st.DrawFn, principals: bool = False, rcp: bool = False, most: int = 3) -> dict[str, Any]:
    statements = []
    for _ in range(draw(st.integers(1, most))):
        statement: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Allow", "Deny"]))}
        statement[draw(st.sampled_from(["Action", "Action", "Action", "NotAction"]))] = draw(some(ACTION_PATTERNS))
        statement[draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]))] = draw(some(PATTERNS))
        if principals:
            element: Any = {"AWS": draw(some(NAMES))}
            if draw(st.integers(0, 4)) == 0:
                element["Service"] = draw(some(["cloudtrail.amazonaws.com", "delivery.logs.amazonaws.com"]))
            if draw(st.integers(0, 9)) == 0:
                element = draw(st.sampled_from(["*", {"Federated": "accounts.google.com"}]))
            statement[draw(st.sampled_from(["Principal", "Principal", "Principal", "NotPrincipal"]))] = element
        elif rcp:
            statement["Principal"] = "*"
        if draw(st.booleans()):
            statement["Condition"] = draw(conditions())
        statements.append(statement)
    version = draw(st.sampled_from(["2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17", None]))
    return {
        **({"Version": version} if version else {}),
        "Statement": statements[0] if len(statements) == 1 else statements,
    }


FULL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
LEVEL = st.lists(st.one_of(st.just(FULL), policies(most=2)), max_size=2)
RCP_LEVEL = st.lists(policies(rcp=True, most=2), max_size=2)
GRANT = st.fixed_dictionaries(
    {
        "GranteePrincipal": st.sampled_from([name for name in NAMES if name.startswith("arn:")]),
        "Operations": st.lists(st.sampled_from(["Decrypt", "RetireGrant"]), min_size=1, max_size=2),
        "Constraints": st.sampled_from(
            [{}, {"EncryptionContextSubset": {"Tenant": "red"}}, {"EncryptionContextEquals": {"Tenant": "red"}}]
        ),
    }
)


@st.composite
def entries(draw: st.DrawFn) -> dict[str, Any]:
    context: dict[str, Any] = draw(
        st.dictionaries(st.sampled_from(KEYS[:4]), st.one_of(st.none(), some(GIVEN), st.just([])), max_size=4)
    )
    if len({key.lower() for key in context}) < len(context):
        context.pop("AWS:principaltag/TEAM")
    if draw(st.integers(0, 3)) == 0:
        context |= {
            "kms:EncryptionContext:tenant": "red",
            **draw(st.sampled_from([{}, {"kms:EncryptionContext:other": "x"}])),
        }
    request = {"principal": draw(st.sampled_from(PRINCIPALS)), "action": draw(st.sampled_from(ACTIONS))}
    request |= {"resource": draw(st.sampled_from(RESOURCES)), "context": context}
    if draw(st.booleans()):
        request["resource_account"] = draw(st.sampled_from([HERE, THERE]))
    entry: dict[str, Any] = {"request": request}
    optional = {
        "identity_policies": st.lists(st.one_of(st.just(FULL), policies()), max_size=2),
        "resource_policy": policies(principals=True),
        "permission_boundaries": st.lists(st.one_of(st.just(FULL), policies(most=2)), max_size=2),
        "session_policy": st.one_of(st.just(FULL), policies(most=2)),
        "service_control_policies": st.lists(LEVEL, max_size=2),
        "resource_control_policies": st.lists(RCP_LEVEL, max_size=2),
        "endpoint_policies": st.lists(policies(principals=True, most=2), max_size=1),
        "grants": st.lists(GRANT, max_size=1),
        "management_account": st.sampled_from([HERE, THERE]),
    }
    often = {"identity_policies", "resource_policy"}
    for name, strategy in optional.items():
        if draw(st.integers(0, 3)) >= (1 if name in often else 3):
            entry[name] = draw(strategy)
    return entry


@settings(max_examples=EXAMPLES, derandomize=FIXED, deadline=None)
@given(entries())
def test_agrees_with_the_naive_evaluator(entry: dict[str, Any]) -> None:
    note(json.dumps(entry))
    assert lines.decide(json.loads(json.dumps(entry))).decision == naive.decide(entry)


JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=4),
        st.sampled_from(["*", "${", "<?>", "arn:"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=4), inner, max_size=2)),
    max_leaves=4,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands inside a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in children for place in _places(child, (*path, key)))]


@settings(max_examples=EXAMPLES, derandomize=FIXED, deadline=None)
@given(entries(), JUNK, st.data())
def test_anything_in_any_place_is_answered(entry: dict[str, Any], junk: Any, data: st.DataObject) -> None:
    broken = json.loads(json.dumps(entry))
    *before, last = data.draw(st.sampled_from(_places(broken)[1:]))
    inside = broken
    for key in before:
        inside = inside[key]
    inside[last] = junk
    ((answer, good),) = lines.answers([json.dumps(broken)])
    assert ("error" not in json.loads(answer)) is good


@settings(max_examples=EXAMPLES // 8, derandomize=FIXED, deadline=None)
@given(entries(), st.sampled_from(KEYS[:4]))
def test_an_unknown_value_is_never_rounded_to_an_answer(entry: dict[str, Any], key: str) -> None:
    context = {name: value for name, value in entry["request"]["context"].items() if name.lower() != key.lower()}
    note(json.dumps(entry))

    def answer(extra: dict[str, Any]) -> str:
        return lines.decide({**entry, "request": {**entry["request"], "context": {**context, **extra}}}).decision

    unknown = answer({key: {"unknown": True}})
    known = [answer({}), *(answer({key: value}) for value in [*GIVEN, [], ["red", "blue"]])]
    if unknown == "Allowed":
        assert set(known) == {"Allowed"}
    elif unknown != "Depends":
        assert "Allowed" not in known
    if unknown == "ExplicitlyDenied":
        assert set(known) == {"ExplicitlyDenied"}
