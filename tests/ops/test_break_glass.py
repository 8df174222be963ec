"""The drill tries what must work and what must be refused, for every emergency user, and reports what really happened."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from judge_drill.rules import STEPS
from palisade_runtime.records import Records

from assembly import Assembly
from ops import break_glass
from ops.access import Desk
from ops.break_glass import Drill, Hands, all_hands, main, run, said
from ops.configured import deployment_of
from ops.places import OpsError
from tests.fixture_deployment import FIXTURE

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ONE, TWO = FIXTURE.emergency_identities[:2]


@pytest.fixture
def trust(assembly: Assembly) -> dict[str, Any]:
    """The trust of a stage's emergency role, as its template deploys it."""
    (role,) = [
        one
        for one in assembly["prod-break-glass"].resources.values()
        if one.type == "AWS::IAM::Role" and one.properties.get("RoleName")
    ]
    text = json.dumps(role.properties["AssumeRolePolicyDocument"])
    assert "Ref" not in text
    assert "Fn::" not in text
    return dict(json.loads(text))


class _Sts:
    """STS of one region: gives an hour at home, as long as nobody spoils it."""

    def __init__(
        self, region: str, *, most: int = 3600, let_in: tuple[str, ...] = ("eu-central-1", "us-east-1")
    ) -> None:
        self.region, self.most, self.let_in = region, most, let_in

    def assume_role(self, *, RoleArn: str, RoleSessionName: str, DurationSeconds: int) -> dict[str, Any]:  # noqa: N803
        assert RoleArn.endswith("-break-glass")
        assert RoleSessionName
        if self.region not in self.let_in:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")
        if DurationSeconds > self.most:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "too long"}}, "AssumeRole")
        return {"Credentials": {"Expiration": NOW + timedelta(seconds=DurationSeconds)}}


def _drill(trust: Mapping[str, Any]) -> Drill:
    return Drill(
        role="arn:aws:iam::200000000002:role/acme-break-glass",
        home="eu-central-1",
        elsewhere="eu-west-1",
        trust=trust,
        clock=lambda: NOW,
    )


def _failed(drill: Drill, identity: str = ONE, **sts: Any) -> dict[str, str]:
    hands = Hands(identity=identity, sts=lambda region: _Sts(region, **sts))
    steps = list(drill.steps(hands))
    assert [one["step"] for one in steps] == list(STEPS)
    return {str(one["step"]): str(one["said"]) for one in steps if not one["ok"]}


def test_every_step_is_as_it_must_be_for_every_identity_of_the_deployed_role(trust: dict[str, Any]) -> None:
    for identity in FIXTURE.emergency_identities:
        assert _failed(_drill(trust), identity) == {}


def test_a_role_that_cannot_be_taken_is_told_as_such(trust: dict[str, Any]) -> None:
    assert {"role-taken", "ends-in-an-hour"} <= set(_failed(_drill(trust), let_in=()))


def test_a_session_of_two_hours_is_a_fault(trust: dict[str, Any]) -> None:
    assert _failed(_drill(trust), most=43200) == {"ends-in-an-hour": "it was given two hours"}


def test_a_way_in_from_another_region_is_a_fault(trust: dict[str, Any]) -> None:
    assert set(_failed(_drill(trust), let_in=("eu-central-1", "eu-west-1"))) == {"refused-elsewhere"}


def test_another_failure_elsewhere_is_no_refusal(trust: dict[str, Any]) -> None:
    class _Down(_Sts):
        def assume_role(self, **call: Any) -> dict[str, Any]:
            if self.region == "eu-west-1":
                raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "later"}}, "AssumeRole")
            return super().assume_role(**call)

    steps = list(_drill(trust).steps(Hands(identity=ONE, sts=_Down)))
    assert [one["step"] for one in steps if not one["ok"]] == ["refused-elsewhere"]


@pytest.mark.parametrize(
    ("operator", "key", "faults"),
    [
        # The age alone still refuses whoever has no MFA; without it, MFA of this morning gets in.
        ("Bool", "aws:MultiFactorAuthPresent", set()),
        ("NumericLessThan", "aws:MultiFactorAuthAge", {"only-with-mfa"}),
    ],
)
def test_a_trust_that_asks_less_of_mfa_is_a_fault_even_where_nobody_can_try(
    trust: dict[str, Any], operator: str, key: str, faults: set[str]
) -> None:
    for statement in trust["Statement"]:
        assert statement["Condition"][operator].pop(key)
        if not statement["Condition"][operator]:
            del statement["Condition"][operator]
    assert set(_failed(_drill(trust))) == faults


def test_a_trust_in_nobody_in_particular_is_a_fault(trust: dict[str, Any]) -> None:
    for statement in trust["Statement"]:
        statement["Condition"] = {}
    assert "without MFA" in _failed(_drill(trust))["only-with-mfa"]


def test_a_user_that_the_trust_does_not_name_is_a_fault(trust: dict[str, Any]) -> None:
    assert "even with MFA" in _failed(_drill(trust), "arn:aws:iam::100000000001:user/somebody")["only-with-mfa"]


def test_a_drill_is_of_every_emergency_user_and_of_nobody_else() -> None:
    hands = [Hands(identity=one, sts=_Sts) for one in FIXTURE.emergency_identities]
    assert [one.identity for one in all_hands(FIXTURE, list(reversed(hands)))] == list(FIXTURE.emergency_identities)
    with pytest.raises(OpsError, match="no profile is of"):
        all_hands(FIXTURE, hands[1:])
    with pytest.raises(OpsError, match="is no emergency user"):
        all_hands(FIXTURE, [*hands, Hands(identity="arn:aws:iam::100000000001:user/eve", sts=_Sts)])


class _Archive:
    """What is written into the archive."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def put_object(self, *, Key: str, Body: bytes, **_: object) -> None:  # noqa: N803
        self.kept[Key] = json.loads(Body)


def test_writes_what_came_of_it_under_ones_own_name_and_has_it_judged(
    trust: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, asked = _Archive(), list[Any]()

    def invoke(*, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        asked.append((FunctionName, json.loads(Payload)))
        said = {"id": asked[-1][1]["id"], "outcome": "open", "problems": []}
        return {"Payload": io.BytesIO(json.dumps(said).encode())}

    place = Desk(
        records=Records(s3=archive, bucket="acme-1", account="1", workflow="drills"),
        function="acme-drills",
        invoke=invoke,
        user_id="AROA:ada@acme",
    )
    users = iter(FIXTURE.emergency_identities)
    monkeypatch.setattr(break_glass, "_hands", lambda _profile, _deployment: Hands(identity=next(users), sts=_Sts))
    monkeypatch.setattr(break_glass, "_drill", lambda _deployment, _options: _drill(trust))
    options = break_glass._parser().parse_args(
        [
            "drill",
            "--stage",
            "prod",
            *(f"--as=p{n}" for n, _ in enumerate(FIXTURE.emergency_identities)),
            "--look-with",
            "s",
        ]
    )
    answer = run(options, FIXTURE, place)
    ((key, body),) = archive.kept.items()
    assert key.startswith("1/drills-deeds/drill@prod.")
    assert key.endswith("/AROA:ada@acme.json")
    assert len(body["steps"]) == len(STEPS) * len(FIXTURE.emergency_identities)
    assert [one["ok"] for one in body["steps"]] == [True] * len(body["steps"])
    assert asked == [("acme-drills", {"kind": "drill", "id": answer["id"]})]
    assert f"witness {answer['id']}" in said(answer, FIXTURE)


def test_a_witness_names_users_that_there_are() -> None:
    options = break_glass._parser().parse_args(["witness", "prod.20260302-0123456789", "--saw", "somebody"])
    with pytest.raises(OpsError, match="--saw somebody: choose of"):
        run(options, FIXTURE, None)  # type: ignore[arg-type]


def test_without_an_organization_there_is_nothing_to_drill(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = dataclasses.replace(deployment_of("reference"), organization=None)
    monkeypatch.setattr(break_glass, "deployment_of", lambda _name: alone)
    assert main(["list"]) == 2
    assert "no organization" in capsys.readouterr().err
