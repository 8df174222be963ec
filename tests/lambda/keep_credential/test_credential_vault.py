"""The credential vault: what is kept can be read by whom it is for, whatever dies on the way, and is told to nobody else."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import check_credential.handler as checking
import keep_credential.handler as keeping
import pytest
import reencrypt_credentials.handler as reencrypting
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from keep_credential.keeping import GRACE_DAYS, Keeper
from moto import mock_aws
from palisade_runtime.identifiers import InvalidIdentifierError
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records
from palisade_runtime.vault import (
    CACHED_MESSAGES,
    CACHED_SECONDS,
    LARGEST_VALUE,
    Place,
    Sealer,
    Secret,
    Vault,
    VaultError,
    VaultSessions,
    plain,
)

REGION = "eu-west-1"
ACCOUNT = "100000000005"
BUCKET = "acme-dev-decision-100000000002"
TABLE = "acme-vault"
ACME = Place(tenant="acme", purpose="payments-api")
V1, V2, V3 = (f"2026010{day}T000000-0000000{day}" for day in (1, 2, 3))
ADA = "AROAEXAMPLE:Ada@example.com"


class KilledError(BaseException):
    """The function ended here."""


@dataclass
class Death:
    """Kills after the n-th request to AWS was done, which is before the next one."""

    at: int = 0
    seen: int = 0

    def after_request(self, **_: Any) -> None:
        self.seen += 1
        if self.seen == self.at:
            raise KilledError


@dataclass
class World:
    """A stage and its key in memory."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    lines: io.StringIO = field(default_factory=io.StringIO)
    death: Death = field(default_factory=Death)
    requests: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kms, self.s3, self.dynamodb = (
            boto3.client(name, region_name=REGION) for name in ("kms", "s3", "dynamodb")
        )
        self.new_key()
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[
                {"AttributeName": "tenant", "KeyType": "HASH"},
                {"AttributeName": "entry", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("tenant", "entry")],
            BillingMode="PAY_PER_REQUEST",
        )

    def clock(self) -> datetime:
        return self.now

    def new_key(self) -> str:
        """Make a key that is the first to seal under; those before still open."""
        key: str = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.aliases.insert(0, key)
        return key

    def client(self, service: str, _credentials: Any = None) -> Any:
        client = boto3.client(service, region_name=REGION)
        client.meta.events.register("before-send", self._seen)
        client.meta.events.register_last("after-call", self.death.after_request)
        return client

    def _seen(self, request: Any, **_: Any) -> None:
        target = request.headers.get("X-Amz-Target", b"")
        self.requests.append(target.decode() if isinstance(target, bytes) else str(target))

    @property
    def sessions(self) -> VaultSessions:
        return VaultSessions(
            sts=self.client("sts"),
            role_arn=f"arn:aws:iam::{ACCOUNT}:role/vault",
            make_client=self.client,
            clock=self.clock,
            key_aliases=self.aliases,
        )

    @property
    def logger(self) -> Logger:
        return Logger(service="test", clock=self.clock, output=self.lines)

    @property
    def records(self) -> Records:
        return Records(s3=self.client("s3"), bucket=BUCKET, account=ACCOUNT, workflow="vault")

    @property
    def keeper(self) -> keeping.Services:
        keeper = Keeper(sessions=self.sessions, table=TABLE, clock=self.clock)
        return keeping.Services(keeper=keeper, records=self.records, clock=self.clock, logger=self.logger)

    @property
    def vault(self) -> Vault:
        return Vault(
            sessions=self.sessions,
            table=TABLE,
            bucket=BUCKET,
            account=ACCOUNT,
            workflow="vault",
            clock=self.clock,
            logger=self.logger,
        )

    def say(self, deed: str, request: str, body: dict[str, str], who: str = ADA) -> None:
        """A person's word; written as they do, with credentials that nobody kills."""
        records = Records(s3=self.s3, bucket=BUCKET, account=ACCOUNT, workflow="vault")
        records.say(deed, request, who, body)

    def do(self, kind: str, version: str, place: Place = ACME, *, request: str | None = None, **more: str) -> Any:
        what = {**place.context, "version": version}
        self.say(kind, request or version, what)
        return keeping.keep({"kind": kind, "request": request or version, **what, **more}, self.keeper)

    def reencrypt(self, request: str, *, time_left: Callable[[], bool] = lambda: True, after: str | None = None) -> Any:
        self.say("reencrypt", request, {})
        services = reencrypting.Services(
            sessions=self.sessions, table=TABLE, records=self.records, clock=self.clock, logger=self.logger
        )
        return reencrypting.reencrypt({"request": request, "after": after}, services, time_left)

    def read(self, place: Place = ACME) -> str:
        return self.vault.read(place, user="jane").value.reveal()

    def items(self) -> dict[str, dict[str, Any]]:
        found = self.dynamodb.scan(TableName=TABLE)["Items"]
        return {f"{item['tenant']['S']}/{item['entry']['S']}": plain(item) for item in found}

    def recorded(self) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{ACCOUNT}/vault/").get("Contents", [])
        return [one["Key"].removeprefix(f"{ACCOUNT}/vault/") for one in found]


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


# --------------------------------------------------------------------------------------------------------- round trip


def test_gives_back_what_was_kept_and_records_who_read_it(world: World) -> None:
    assert world.do("put", V1, value="sk-live-1") == {"state": "current"}
    assert world.read() == "sk-live-1"
    (read,) = [name for name in world.recorded() if "/read." in name]
    assert read.startswith("acme/read.payments-api.")
    body = json.loads(world.s3.get_object(Bucket=BUCKET, Key=f"{ACCOUNT}/vault/{read}")["Body"].read())
    assert (body["who"], body["tenant"], body["purpose"], body["version"]) == ("jane", "acme", "payments-api", V1)
    assert [json.loads(line)["event"] for line in world.lines.getvalue().splitlines()] == ["vault.kept", "vault.read"]


def test_stages_a_new_version_until_it_is_rotated_in_and_takes_the_one_before_back(world: World) -> None:
    world.do("put", V1, value="one")
    assert world.do("put", V2, value="two") == {"state": "staged"}
    assert world.read() == "one"
    world.do("rotate", V2)
    assert world.read() == "two"
    ends = int(world.items()[f"acme/payments-api#{V1}"]["expires_at"])
    assert ends == int((world.now + timedelta(days=GRACE_DAYS)).timestamp())
    world.do("take-back", V1)
    assert world.read() == "one"
    assert "expires_at" not in world.items()[f"acme/payments-api#{V1}"]
    assert "expires_at" in world.items()[f"acme/payments-api#{V2}"]


def test_lets_what_nobody_refers_to_end(world: World) -> None:
    world.now -= timedelta(days=2)
    world.do("put", V1, value="one")
    world.do("put", V2, value="replaced before it was used")
    world.now += timedelta(days=2)
    world.do("put", V3, value="three")
    assert "expires_at" in world.items()[f"acme/payments-api#{V2}"]
    assert "expires_at" not in world.items()[f"acme/payments-api#{V3}"]


def test_lists_versions_without_what_they_say(world: World) -> None:
    world.do("put", V1, value="the-value")
    world.do("put", V2, Place(tenant="beta", purpose="mail"), value="the-value")
    listed = keeping.keep({"kind": "list"}, world.keeper)
    assert [(one["tenant"], one["purpose"], one["version"], one["state"]) for one in listed["entries"]] == [
        ("acme", "payments-api", V1, "current"),
        ("beta", "mail", V2, "current"),
    ]
    assert all(set(one).isdisjoint({"sealed", "value"}) for one in listed["entries"])
    assert listed["key"] == world.aliases[0]


# ----------------------------------------------------------------------------------------------------------- refusals


def test_refuses_what_nobody_said_just_now_for_exactly_this(world: World) -> None:
    event = {"kind": "put", "request": V1, **ACME.context, "version": V1, "value": "x"}
    assert "nobody said" in keeping.keep(event, world.keeper)["refused"]
    world.say("put", V1, {**ACME.context, "version": V2})
    assert "nobody said" in keeping.keep(event, world.keeper)["refused"], "it was said of another version"
    world.say("put", V1, {**ACME.context, "version": V1}, "AROAOTHER:ben@example.com")
    late = copy.copy(world)
    late.now = world.now + timedelta(minutes=16)
    assert "nobody said" in keeping.keep(event, late.keeper)["refused"], "it was said too long ago"
    assert keeping.keep(event, world.keeper) == {"state": "current"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "read"},
        {"tenant": "_directory"},
        {"tenant": "a*"},
        {"purpose": "Payments API"},
        {"purpose": "x#y"},
        {"version": "latest"},
        {"value": None},
        {"value": ""},
        {"value": "x" * (LARGEST_VALUE + 1)},
    ],
)
def test_refuses_what_is_malformed_before_anything_is_kept(world: World, wrong: dict[str, Any]) -> None:
    what = {**ACME.context, "version": V1}
    world.say("put", V1, what)
    answer = keeping.keep({"kind": "put", "request": V1, **what, "value": "x", **wrong}, world.keeper)
    assert set(answer) == {"refused"}
    assert not [name for name in world.items() if "#" in name]


def test_refuses_another_tenants_purposes_and_versions_ciphertext(world: World) -> None:
    sealer = Sealer(kms=world.kms, keys=world.aliases)
    sealed = sealer.seal(ACME, V1, Secret("x"))
    key = sealer.key
    assert sealer.open(ACME, V1, sealed, key=key) == Secret("x")
    for place, version in (
        (Place(tenant="beta", purpose=ACME.purpose), V1),
        (Place(tenant="acme", purpose="mail"), V1),
        (ACME, V2),
    ):
        with pytest.raises(VaultError, match="another"):
            sealer.open(place, version, sealed, key=key)


def test_refuses_altered_ciphertext_and_keys_that_are_not_the_vaults(world: World) -> None:
    sealer = Sealer(kms=world.kms, keys=world.aliases)
    sealed = sealer.seal(ACME, V1, Secret("x"))
    with pytest.raises(VaultError, match="not opened"):
        sealer.open(ACME, V1, sealed[:-1] + bytes([sealed[-1] ^ 1]), key=sealer.key)
    foreign = world.kms.create_key()["KeyMetadata"]["Arn"]
    elsewhere = Sealer(kms=world.kms, keys=[foreign]).seal(ACME, V1, Secret("x"))
    with pytest.raises(VaultError, match="not the vault's"):
        sealer.open(ACME, V1, elsewhere, key=foreign)
    with pytest.raises(VaultError, match="not opened"):
        sealer.open(ACME, V1, elsewhere, key=sealer.key)


def test_does_not_read_what_it_cannot_record(world: World) -> None:
    world.do("put", V1, value="one")
    vault = dataclasses.replace(world.vault, bucket="acme-dev-gone-100000000002")
    world.requests.clear()
    with pytest.raises(ClientError):
        vault.read(ACME, user="jane")
    assert not [one for one in world.requests if one.endswith("Decrypt")], "it was opened before it was recorded"


def test_says_that_there_is_none(world: World) -> None:
    checker = checking.Services(vault=world.vault, logger=world.logger)
    assert checking.check(ACME.context, checker) == {"refused": "there is no such credential"}
    world.do("put", V1, value="one")
    assert checking.check(ACME.context, checker) == {"version": V1}


# --------------------------------------------------------------------------------------------------- bounds of a cache


def test_uses_a_data_key_again_but_not_for_long_nor_for_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [0.0]
    monkeypatch.setattr("aws_encryption_sdk.caches.time.time", lambda: moment[0])
    sealer = Sealer(kms=world.client("kms"), keys=world.aliases)

    def asked(place: Place, times: int = 1) -> int:
        world.requests.clear()
        for _ in range(times):
            sealer.seal(place, V1, Secret("x"))
        return sum(one.endswith("GenerateDataKey") for one in world.requests)

    assert asked(ACME) == 1
    assert asked(ACME, 5) == 0
    assert asked(Place(tenant="beta", purpose=ACME.purpose)) == 1
    assert asked(Place(tenant="acme", purpose="mail")) == 1
    moment[0] += CACHED_SECONDS + 1
    assert asked(ACME) == 1
    assert asked(ACME, 2 * CACHED_MESSAGES) == 2


# ------------------------------------------------------------------------------------------------------- re-encryption


def test_seals_everything_anew_once_and_under_the_key_in_use(world: World) -> None:
    beta = Place(tenant="beta", purpose="mail")
    world.do("put", V1, value="one")
    world.do("put", V2, beta, value="two")
    before = world.items()
    key = world.new_key()
    assert world.reencrypt(V3) == {"done": True, "moved": 2, "after": "beta"}
    assert world.reencrypt(V3)["moved"] == 0
    after = world.items()
    for name in (f"acme/payments-api#{V1}", f"beta/mail#{V2}"):
        assert after[name]["key"] == key
        assert after[name]["sealed"] != before[name]["sealed"]
    world.aliases.pop()
    assert (world.read(), world.read(beta)) == ("one", "two"), "the key before is needed no more"


def test_goes_on_where_its_time_ended(world: World) -> None:
    for tenant in ("a", "b", "c"):
        world.do(
            "put",
            V1,
            Place(tenant=tenant, purpose="mail"),
            request=f"2026010{ord(tenant) % 10}T000000-00000000",
            value=tenant,
        )
    left = iter([True, False])
    first = world.reencrypt(V3, time_left=lambda: next(left))
    assert first == {"done": False, "moved": 1, "after": "a"}
    assert world.reencrypt(V3, after=first["after"]) == {"done": True, "moved": 2, "after": "c"}


def test_refuses_to_seal_anew_what_nobody_asked_for(world: World) -> None:
    services = reencrypting.Services(
        sessions=world.sessions, table=TABLE, records=world.records, clock=world.clock, logger=world.logger
    )
    assert "nobody said" in reencrypting.reencrypt({"request": V1}, services, lambda: True)["refused"]


# ---------------------------------------------------------------------------------------------- death at every request


def _shape(world: World) -> Any:
    """What must be the same whoever died: states, expiries, and that each version still opens."""
    items = world.items()
    sealer = Sealer(kms=world.kms, keys=world.aliases)
    opened = {
        name: sealer.open(ACME, name.partition("#")[2], item["sealed"], key=item["key"]).reveal()
        for name, item in items.items()
        if "#" in name
    }
    return (
        {
            name: {k: v for k, v in item.items() if k in ("current", "staged", "previous")}
            for name, item in items.items()
        },
        {name: "expires_at" in item for name, item in items.items()},
        opened,
        sorted(name for name in world.recorded()),
    )


_DEEDS: dict[str, Callable[[World], Any]] = {
    "first": lambda world: world.do("put", V1, value="one"),
    "staged": lambda world: world.do("put", V2, value="two"),
    "rotate": lambda world: world.do("rotate", V2),
    "take-back": lambda world: world.do("take-back", V1),
    "reencrypt": lambda world: world.reencrypt(V3),
}


@pytest.mark.parametrize("deed", _DEEDS)
def test_ends_the_same_wherever_it_was_killed(deed: str) -> None:
    before = list(_DEEDS.values())[: list(_DEEDS).index(deed)]

    def run(at: int) -> tuple[Any, bool]:
        with mock_aws():
            world = World()
            for step in before:
                step(world)
            world.death.at, world.death.seen = at, 0
            try:
                _DEEDS[deed](world)
                killed = False
            except KilledError:
                killed = True
            world.death.at = 0
            _DEEDS[deed](world)
            return _shape(world), killed

    whole, _ = run(0)
    at = 1
    while True:
        found, killed = run(at)
        assert found == whole, f"killed at request {at}"
        if not killed:
            break
        at += 1
    assert at > 4, "it was never killed"


# --------------------------------------------------------------------------------------------------------- told nobody


def test_a_secret_shows_itself_to_nobody_who_did_not_ask() -> None:
    secret = Secret("the-value")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>20}", f"{[secret]}", f"{secret!r}"]
    assert "the-value" not in "".join(shown)
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(secret)
    assert not hasattr(secret, "__dict__")
    assert secret == Secret("the-value")
    assert secret != Secret("another")


@given(value=st.text(st.characters(exclude_categories=["Cs"]), min_size=12, max_size=60))
@settings(max_examples=8, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_line_and_no_error_says_what_a_credential_says(value: str, caplog: pytest.LogCaptureFixture) -> None:
    said = io.StringIO()
    with mock_aws(), caplog.at_level(logging.WARNING):
        world = World(lines=said)
        answers = [
            world.do("put", V1, value=value),
            world.do("put", V2, value=value * 1000),
            world.do("rotate", V3),
            keeping.keep({"kind": "list"}, world.keeper),
            world.reencrypt(V3),
        ]
        sealer = Sealer(kms=world.kms, keys=world.aliases)
        item = world.items()[f"acme/payments-api#{V1}"]
        said.write(repr(world.vault.read(ACME, user="jane")))
        said.write(str(item))
        for place, version, change in ((ACME, V2, b""), (Place(tenant="beta", purpose="x"), V1, b""), (ACME, V1, b"x")):
            try:
                sealer.open(place, version, item["sealed"] + change, key=item["key"])
            except VaultError as error:
                said.writelines(traceback.format_exception(error))
                said.write(repr(vars(error)))
        gone = Sealer(kms=world.kms, keys=[f"{world.aliases[0][:-4]}0000"])
        with pytest.raises(VaultError, match="not sealed") as caught:
            gone.seal(ACME, V1, Secret(value))
        said.writelines(traceback.format_exception(caught.value))
        said.write(str(answers))
    assert value not in said.getvalue()
    assert value not in caplog.text


def test_a_place_is_named_by_nothing_that_a_policy_reads_otherwise() -> None:
    for purpose in ("", "-x", "x-", "X", "x_y", "x" * 33, "x/y", "${aws:userid}"):
        with pytest.raises(InvalidIdentifierError):
            Place(tenant="acme", purpose=purpose)
