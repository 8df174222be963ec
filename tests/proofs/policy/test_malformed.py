"""What AWS would refuse is refused with the place, the rule and the fix, all problems at once."""

from __future__ import annotations

# ruff: noqa: E501 - a row of a table reads best on one line
from typing import Any

import pytest

from proofs.policy import PolicyError, PolicySet, Request, RequestError, Sourced, evaluate, lines

OK = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
REQUEST: dict[str, Any] = {
    "principal": "arn:aws:iam::111122223333:role/app",
    "action": "s3:GetObject",
    "resource": "arn:aws:s3:::b/k",
}


def _without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in OK.items() if name not in names}


# fmt: off
IDENTITY: list[tuple[Any, str]] = [
    ([], "identity_policies[0]: must be a policy document"),
    ("{", "identity_policies[0]: is no JSON"),
    ({}, "identity_policies[0].Statement: is missing"),
    ({"Statement": "all"}, ".Statement: must be a statement or a list"),
    ({"Statement": ["all"]}, ".Statement[0]: must be an object"),
    ({"Statement": [OK], "Version": "2012-10-18"}, ".Version: must be 2012-10-17 or 2008-10-17, not '2012-10-18'"),
    ({"Statement": [OK], "Statements": []}, ".Statements: unknown element"),
    ({"Statement": [{**OK, "Actions": "s3:*"}]}, ".Statement[0].Actions: unknown element"),
    ({"Statement": [{**OK, "Sid": 1}]}, ".Statement[0].Sid: must be text"),
    ({"Statement": [OK, {**OK, "Effect": "allow"}]}, ".Statement[1].Effect: must be Allow or Deny, not 'allow'"),
    ({"Statement": [_without("Effect")]}, ".Statement[0].Effect: must be Allow or Deny, not None"),
    ({"Statement": [_without("Action")]}, ".Statement[0]: has neither Action nor NotAction"),
    ({"Statement": [{**OK, "NotAction": "iam:*"}]}, ".Statement[0]: has both Action and NotAction"),
    ({"Statement": [{**OK, "Action": []}]}, ".Statement[0].Action: is empty"),
    ({"Statement": [{**OK, "Action": {"s3": 1}}]}, ".Statement[0].Action: must be text or a list of texts"),
    ({"Statement": [{**OK, "Action": "GetObject"}]}, ".Statement[0].Action: 'GetObject' is no action"),
    ({"Statement": [{**OK, "Action": ["s3:Get Object"]}]}, "'s3:Get Object' is no action"),
    ({"Statement": [_without("Resource")]}, ".Statement[0]: has neither Resource nor NotResource"),
    ({"Statement": [{**OK, "NotResource": "*"}]}, ".Statement[0]: has both Resource and NotResource"),
    ({"Statement": [{**OK, "Resource": "my-bucket"}]}, ".Statement[0].Resource: 'my-bucket' is no ARN"),
    ({"Statement": [{**OK, "Resource": "arn:aws:s3:::b/\x00"}]}, "has a control character"),
    ({"Statement": [{**OK, "Condition": {"StringLike": {"a:b": "\x01"}}}]}, ".StringLike.a:b: must be text"),
    ({"Statement": [{**OK, "Resource": "arn:aws:s3:bucket"}]}, "'arn:aws:s3:bucket' is no ARN: it has fewer than six fields"),
    ({"Statement": [{**OK, "Resource": "arn:aws:s3:::b/${aws:username"}], "Version": "2012-10-17"}, "has a ${ that begins no policy variable"),
    ({"Statement": [{**OK, "Resource": "arn:aws:s3:::b/${}"}], "Version": "2012-10-17"}, "has a ${ that begins no policy variable"),
    ({"Statement": [{**OK, "Resource": "arn:aws:s3::${aws:PrincipalAccount}:b"}], "Version": "2012-10-17"}, "has a policy variable before the fifth colon"),
    ({"Statement": [{**OK, "Principal": "*"}]}, ".Statement[0].Principal: not allowed here, because the identity policy"),
    ({"Statement": [{**OK, "NotPrincipal": "*"}]}, ".Statement[0].NotPrincipal: not allowed here"),
    ({"Statement": [{**OK, "Condition": []}]}, ".Statement[0].Condition: must be an object of operators"),
    ({"Statement": [{**OK, "Condition": {"StringEqual": {"a:b": "c"}}}]}, ".Condition.StringEqual: unknown operator; did you mean StringEquals?"),
    ({"Statement": [{**OK, "Condition": {"Xyz": {"a:b": "c"}}}]}, ".Condition.Xyz: unknown operator; operators are StringEquals"),
    ({"Statement": [{**OK, "Condition": {"NullIfExists": {"a:b": "true"}}}]}, ".Condition.NullIfExists: unknown operator; did you mean Null?"),
    ({"Statement": [{**OK, "Condition": {"ForSomeValues:StringEquals": {"a:b": "c"}}}]}, ".Condition.ForSomeValues:StringEquals: unknown operator"),
    ({"Statement": [{**OK, "Condition": {"StringEquals": "x"}}]}, ".Condition.StringEquals: must be an object of keys and values"),
    ({"Statement": [{**OK, "Condition": {"StringEquals": {"a:b": {"c": 1}}}}]}, ".Condition.StringEquals.a:b: must be text, a number"),
    ({"Statement": [{**OK, "Condition": {"StringEquals": {"a:b": [None]}}}]}, ".Condition.StringEquals.a:b: must be text, a number"),
    ({"Statement": [{**OK, "Condition": {"NumericLessThan": {"a:b": "ten"}}}]}, ".NumericLessThan.a:b: 'ten' is no number"),
    ({"Statement": [{**OK, "Condition": {"NumericEquals": {"a:b": "Infinity"}}}]}, "'Infinity' is no number"),
    ({"Statement": [{**OK, "Condition": {"DateLessThan": {"a:b": "tomorrow"}}}]}, ".DateLessThan.a:b: 'tomorrow' is no date"),
    ({"Statement": [{**OK, "Condition": {"DateLessThan": {"a:b": "2026-02-30"}}}]}, "'2026-02-30' is no date"),
    ({"Statement": [{**OK, "Condition": {"Bool": {"a:b": "yes"}}}]}, ".Bool.a:b: 'yes' is neither true nor false"),
    ({"Statement": [{**OK, "Condition": {"Null": {"a:b": "yes"}}}]}, ".Null.a:b: 'yes' is neither true nor false"),
    ({"Statement": [{**OK, "Condition": {"IpAddress": {"a:b": "10.0.0.0/33"}}}]}, "'10.0.0.0/33' is no address or CIDR range"),
    ({"Statement": [{**OK, "Condition": {"BinaryEquals": {"a:b": "?"}}}]}, ".BinaryEquals.a:b: '?' is not base64"),
    ({"Statement": [{**OK, "Condition": {"ArnLike": {"a:b": "role/app"}}}]}, ".ArnLike.a:b: 'role/app' is no ARN"),
]

RESOURCE: list[tuple[Any, str]] = [
    ({}, ".Statement[0]: has neither Principal nor NotPrincipal"),
    ({"Principal": "*", "NotPrincipal": "*"}, ".Statement[0]: has both Principal and NotPrincipal"),
    ({"Principal": "arn:aws:iam::111122223333:root"}, '.Principal: must be "*" or an object'),
    ({"Principal": {}}, '.Principal: must be "*" or an object'),
    ({"Principal": {"Aws": "*"}}, ".Principal.Aws: unknown type; use AWS, Service, Federated or CanonicalUser"),
    ({"Principal": {"AWS": []}}, ".Principal.AWS: is empty"),
    ({"Principal": {"AWS": [1]}}, ".Principal.AWS: must be text or a list of texts"),
    ({"Principal": {"AWS": "app"}}, ".Principal.AWS: 'app' is no account id"),
    ({"Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}}, ".Principal.AWS: 'arn:aws:iam::111122223333:role/*' has a wildcard"),
    ({"Principal": {"AWS": "arn:aws:iam::1:role/x"}}, "is no principal's ARN"),
    ({"Principal": {"AWS": "arn:aws:s3:::bucket"}}, "is no principal's ARN"),
    ({"Principal": {"AWS": "arn:aws:iam::111122223333:group/x"}}, "is no user, role, role session, federated user or account root"),
    ({"Principal": {"Service": "lambda"}}, ".Principal.Service: 'lambda' is no service's name"),
]

REQUESTS: list[tuple[dict[str, Any], str]] = [
    ({"principal": "arn:aws:iam::111122223333:group/x"}, "request.principal: 'arn:aws:iam::111122223333:group/x' is not a user"),
    ({"principal": "arn:aws:s3:::b"}, "request.principal: 'arn:aws:s3:::b' is no principal's ARN"),
    ({"principal": "arn:aws:sts::111122223333:assumed-role/app"}, "request.principal: "),
    ({"principal": "some body"}, "request.principal: 'some body' is no ARN"),
    ({"principal": 7}, "request.principal: must be an ARN"),
    ({"principal": {"AWS": "*", "Service": "x"}}, "request.principal: must name one principal"),
    ({"principal": {"Robot": "x"}}, "request.principal: type must be AWS, Service or Federated"),
    ({"principal": None}, "request.principal: is missing"),
    ({"session_issuer": []}, "request.session_issuer: must be text"),
    ({"canonical_user": 7}, "request.canonical_user: must be text"),
    ({"action": "GetObject"}, "request.action: must be service:Operation"),
    ({"action": "s3:"}, "request.action: must be service:Operation"),
    ({"resource": "bucket"}, "request.resource: must be an ARN or '*'"),
    ({"resource_account": "1"}, "request.resource_account: must be the 12 digits"),
    ({"resource_account": 111122223333}, "request.resource_account: must be the 12 digits"),
    ({"context": {"a:b": {"c": 1}}}, "request.context.a:b: the only object allowed is"),
    ({"context": {"a:b": [[1]]}}, "request.context.a:b: must be text"),
    ({"context": []}, "request.context: must be an object of condition keys"),
    ({"ressource": "*"}, "request.ressource: unknown field; did you mean resource?"),
]
# fmt: on


@pytest.mark.parametrize(("document", "problem"), IDENTITY)
def test_refuses_a_malformed_policy(document: Any, problem: str) -> None:
    with pytest.raises(RequestError) as caught:
        lines.decide({"request": REQUEST, "identity_policies": [document]})
    assert problem in str(caught.value)
    assert str(caught.value).startswith("identity_policies[0]")


@pytest.mark.parametrize(("principal", "problem"), RESOURCE)
def test_refuses_a_malformed_principal(principal: dict[str, Any], problem: str) -> None:
    with pytest.raises(PolicyError) as caught:
        PolicySet.of(resource_policy={"Statement": [{**OK, **principal}]})
    assert problem in str(caught.value)
    assert str(caught.value).startswith("resource_policy.Statement[0]")


@pytest.mark.parametrize(("change", "problem"), REQUESTS)
def test_refuses_a_malformed_request(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(RequestError) as caught:
        lines.decide({"request": {**REQUEST, **change}})
    assert problem in str(caught.value)


@pytest.mark.parametrize("field", ["principal", "action", "resource"])
def test_refuses_an_incomplete_request(field: str) -> None:
    with pytest.raises(RequestError, match=f"request.{field}: is missing"):
        lines.decide({"request": {name: value for name, value in REQUEST.items() if name != field}})


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ([], "must be an object with request and policies, not list"),
        ({}, "request: is missing"),
        ({"request": REQUEST, "identity_policy": []}, "identity_policy: unknown field; did you mean identity_policies?"),
        ({"request": REQUEST, "identity_policies": {"Statement": [OK]}}, "identity_policies: must be a list of policy documents"),
        ({"request": REQUEST, "identity_policies": [None]}, "identity_policies[0]: must be a policy document, not null"),
        ({"request": REQUEST, "service_control_policies": {}}, "service_control_policies: must be a list of levels"),
        ({"request": REQUEST, "service_control_policies": [{"Statement": [OK]}]}, "service_control_policies[0]: must be a list"),
        ({"request": REQUEST, "session_policy": 3}, "session_policy: must be a policy document, not 3"),
        ({"request": REQUEST, "resource_policy": 3}, "resource_policy: must be a policy document, not 3"),
        ({"request": REQUEST, "management_account": "1"}, "management_account: must be the 12 digits"),
        ({"request": REQUEST, "grants": {}}, "grants: must be a list"),
        ({"request": REQUEST, "grants": [7]}, "grants[0]: must be an object"),
        ({"request": REQUEST, "grants": [{"GranteePrincipal": "x", "Operations": ["Eat"]}]}, "grants[0].Operations: must be a list of"),
        ({"request": REQUEST, "grants": [{"GranteePrincipal": "x", "Operations": ["Decrypt"]}]}, "'x' is no service's name"),
        ({"request": REQUEST, "grants": [{"GranteePrincipal": "x", "Operations": "Decrypt"}]}, "grants[0].Operations: must be a list of"),
        ({"request": REQUEST, "grants": [{"GranteePrincipal": "x", "Operations": []}]}, "grants[0].Operations: must be a list of"),
        ({"request": REQUEST, "grants": [{"GranteePrincipal": "x", "Operations": ["Decrypt"], "Constraints": [1]}]}, "grants[0].Constraints: must be an object"),
        ({"request": REQUEST, "grants": [{"GranteePrincipal": "x", "Operations": ["Decrypt"], "Constraints": {"Context": {}}}]}, "grants[0].Constraints.Context: use"),
    ],
)  # fmt: skip
def test_refuses_a_malformed_entry(entry: Any, problem: str) -> None:
    with pytest.raises(RequestError) as caught:
        lines.decide(entry)
    assert problem in str(caught.value)


def test_a_resource_control_policy_is_for_everyone() -> None:
    statement = {**OK, "Effect": "Deny", "Principal": {"AWS": "111122223333"}}
    with pytest.raises(PolicyError, match=r'Principal: a resource control policy must have "Principal": "\*"'):
        PolicySet.of(resource_control_policies=[[{"Statement": [statement]}]])


def test_an_endpoint_policy_needs_a_principal() -> None:
    with pytest.raises(PolicyError, match="has neither Principal nor NotPrincipal"):
        PolicySet.of(endpoint_policies=[{"Statement": [OK]}])


def test_every_problem_of_every_document_is_listed() -> None:
    bad = {"Statement": [{"Effect": "Maybe", "Action": "x", "Resource": "y"}]}
    with pytest.raises(PolicyError) as caught:
        PolicySet.of(identity_policies=[bad], permission_boundaries=[{"Statement": [OK]}, bad])
    places = [problem.split(":")[0] for problem in caught.value.problems]
    assert places == [
        f"{document}.Statement[0].{element}"
        for document in ("identity_policies[0]", "permission_boundaries[1]")
        for element in ("Effect", "Action", "Resource")
    ]


def test_a_problem_is_placed_where_the_document_comes_from() -> None:
    with pytest.raises(PolicyError, match=r"^sandbox-data/Documents/Policy\.Statement"):
        PolicySet.of(resource_policy=Sourced({"Statement": [OK]}, "sandbox-data/Documents/Policy"))


def test_a_decision_names_where_the_document_comes_from() -> None:
    policies = PolicySet.of(identity_policies=[Sourced({"Statement": [OK]}, "sandbox-app/Role/Policy")])
    decision = evaluate(Request(**REQUEST), policies)
    assert [reason.source for reason in decision.decided_by] == ["sandbox-app/Role/Policy"]
