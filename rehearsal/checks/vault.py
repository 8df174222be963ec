"""The credential vault: sealed in the stage, opened by a key of another account, one tenant and purpose at a time."""

from __future__ import annotations

import contextlib
import io
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import botocore.session
from botocore.config import Config
from palisade_runtime.records import Records

from ops.vault import Desk, _parser, run
from rehearsal.checks import Resource, View, refused, scenario

PERSON = "AROAEXAMPLE:keeper@example.com"
PURPOSE = "payments-api"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage's vault, asked as its people and its functions ask it."""

    view: View
    functions: dict[str, Resource]

    @cached_property
    def settings(self) -> dict[str, str]:
        """What its functions are told."""
        settings: dict[str, str] = self.functions["keep"].properties["Environment"]["Variables"]
        return settings

    def ask(self, function: str, **event: object) -> dict[str, Any]:
        """The answer of a function."""
        name = self.functions[function].id
        client = self.view.client("lambda", self.functions[function])
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return said

    def do(self, deed: str, **what: str) -> dict[str, Any]:
        """Say ``deed`` as a person, then have it done."""
        request = _version()
        self.say(deed, request, {name: value for name, value in what.items() if name != "value"})
        return self.ask("keep", kind=deed, request=request, **what)

    def say(self, deed: str, request: str, what: dict[str, str]) -> None:
        self.desk.say(deed, request, what)

    @property
    def desk(self) -> Desk:
        """Where a person's commands work."""
        keeper, bucket = self.functions["keep"], self.settings["RECORD_BUCKET"]
        archive = next(one for one in self.view.of("AWS::S3::Bucket") if one.id == bucket)
        records = Records(s3=self.view.client("s3", archive), bucket=bucket, account=keeper.account, workflow="vault")
        return Desk(
            functions=self.view.client("lambda", keeper),
            records=records,
            names={task: function.id for task, function in self.functions.items()},
            user_id=PERSON,
        )

    def command(self, *arguments: str) -> str:
        """What ``./palisade vault`` prints; the stage is the one at hand."""
        with contextlib.redirect_stdout(io.StringIO()) as said:
            assert run(_parser().parse_args([*arguments, "--stage", "this"]), self.desk) == 0, said.getvalue()
        return said.getvalue()

    def session(self, function: str, tenant: str, service: str) -> Any:
        """A client with the session that a function opens for a tenant."""
        resource = self.functions[function]
        role = next(
            role
            for role in self.view.of("AWS::IAM::Role")
            if role.account == resource.account and role.attributes.get("Arn") == resource.properties["Role"]
        )
        own = self.view.client("sts", resource).assume_role(RoleArn=role.attributes["Arn"], RoleSessionName="function")
        sts = self._client("sts", own["Credentials"])
        opened = sts.assume_role(
            RoleArn=resource.properties["Environment"]["Variables"]["VAULT_ROLE_ARN"],
            RoleSessionName="rehearsal",
            SourceIdentity="rehearsal",
            Tags=[{"Key": "tenant", "Value": tenant}],
            TransitiveTagKeys=["tenant"],
        )
        return self._client(service, opened["Credentials"])

    def _client(self, service: str, credentials: Any) -> Any:
        aws = self.view.aws
        return botocore.session.Session().create_client(
            service,
            endpoint_url=aws.tls_endpoint,
            verify=str(aws.authority.bundle),
            region_name=self.functions["keep"].region,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            config=Config(retries={"max_attempts": 0}),
        )


def _version() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def _stages(view: View) -> list[Stage]:
    vaults: dict[str, dict[str, Resource]] = {}
    for function in view.of("AWS::Lambda::Function"):
        package = str(function.properties.get("Handler")).partition(".")[0]
        if package in {"keep_credential", "check_credential", "reencrypt_credentials"}:
            vaults.setdefault(function.stack, {})[package.partition("_")[0]] = function
    return [Stage(view=view, functions=functions) for _, functions in sorted(vaults.items())]


@scenario("a credential is kept, read, rotated, taken back and sealed anew, and what it says is in no table and no log")
def credentials_go_round(view: View) -> None:
    for stage in _stages(view):
        tenant, value = f"vault-{secrets.token_hex(4)}", f"value-{secrets.token_hex(16)}"
        place = {"tenant": tenant, "purpose": PURPOSE}
        first, second = _version(), _version()
        unsaid = stage.ask("keep", kind="put", request=first, **place, version=first, value=value)
        assert "nobody said" in unsaid["refused"], unsaid
        assert stage.do("put", **place, version=first, value=value) == {"state": "current"}
        assert stage.ask("check", **place) == {"version": first}
        assert stage.do("put", **place, version=second, value=f"{value}-2") == {"state": "staged"}
        assert stage.ask("check", **place) == {"version": first}, "a staged version is in use"
        assert stage.do("rotate", **place, version=second) == {"state": "current"}
        assert stage.ask("check", **place) == {"version": second}
        assert stage.do("take-back", **place, version=first) == {"state": "current"}
        assert stage.ask("check", **place) == {"version": first}
        _sealed_anew(stage, place)
        assert _opened(stage, place, first) == value
        assert f"{tenant:<24} {PURPOSE:<20} {first:<26} current" in stage.command("list", "--tenant", tenant)
        assert stage.command("rotate", "--tenant", tenant, "--purpose", PURPOSE, "--back").startswith(
            f"in use: {second}"
        )
        assert "under former keys  0" in stage.command("status")
        assert "sealed anew" in stage.command("reencrypt")
        _tells_nothing(stage, tenant, value)
        _reads_are_recorded(stage, tenant)


def _sealed_anew(stage: Stage, place: dict[str, str]) -> None:
    before = {one["version"]: one["sealed_at"] for one in stage.ask("keep", kind="list", **place)["entries"]}
    request = _version()
    assert "nobody said" in stage.ask("reencrypt", request=request)["refused"]
    stage.say("reencrypt", request, {})
    done = stage.ask("reencrypt", request=request)
    assert done["done"], done
    assert done["moved"] >= len(before), done
    again = stage.ask("reencrypt", request=request)
    assert (again["done"], again["moved"]) == (True, 0), f"sealed anew twice: {again}"
    after = {one["version"]: one["sealed_at"] for one in stage.ask("keep", kind="list", **place)["entries"]}
    assert before.keys() == after.keys()
    assert all(after[version] > before[version] for version in before), "something was not sealed anew"
    assert "version" in stage.ask("check", **place)


def _item(stage: Stage, place: dict[str, str], version: str) -> dict[str, Any]:
    reader = stage.session("check", place["tenant"], "dynamodb")
    key = {"tenant": {"S": place["tenant"]}, "entry": {"S": f"{place['purpose']}#{version}"}}
    item: dict[str, Any] = reader.get_item(TableName=stage.settings["VAULT_TABLE_NAME"], Key=key)["Item"]
    return item


def _opened(stage: Stage, place: dict[str, str], version: str) -> str:
    """What a workload's session reads."""
    from palisade_runtime.vault import Place, Sealer

    item = _item(stage, place, version)
    key = item["key"]["S"]
    sealer = Sealer(kms=stage.session("check", place["tenant"], "kms"), keys=[key])
    return sealer.open(Place(**place), version, item["sealed"]["B"], key=key).reveal()


def _tells_nothing(stage: Stage, tenant: str, value: str) -> None:
    keeper = stage.functions["keep"]
    table = stage.view.client("dynamodb", keeper)
    items = table.scan(TableName=stage.settings["VAULT_TABLE_NAME"])["Items"]
    assert any(item["tenant"]["S"] == tenant for item in items)
    assert value not in str(items), "a credential lies in the table as it is"
    logs = stage.view.client("logs", keeper)
    for function in stage.functions.values():
        group = function.properties["LoggingConfig"]["LogGroup"]
        events = str(logs.filter_log_events(logGroupName=group)["events"])
        assert "vault." in events, f"{group} says nothing of what was done"
        assert value not in events, f"a credential lies in {group}"


def _reads_are_recorded(stage: Stage, tenant: str) -> None:
    bucket = stage.settings["RECORD_BUCKET"]
    archive = next(one for one in stage.view.of("AWS::S3::Bucket") if one.id == bucket)
    prefix = f"{stage.functions['keep'].account}/vault/{tenant}/"
    found = stage.view.client("s3", archive).list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    names = [one["Key"].removeprefix(prefix) for one in found]
    assert sum(name.startswith(f"read.{PURPOSE}.") for name in names) >= 5, names
    for deed in ("kept", "rotated", "taken-back"):
        assert any(name.startswith(f"{deed}.") for name in names), names


@scenario(
    "a credential is refused to another tenant, purpose and stage; who keeps it cannot read it, who reads it not write"
)
def credentials_are_refused(view: View) -> None:
    stages = _stages(view)
    for stage in stages:
        _refusals(stage, [other for other in stages if other is not stage])


def _refusals(stage: Stage, others: list[Stage]) -> None:
    ours, theirs = (f"vault-{secrets.token_hex(4)}" for _ in range(2))
    place, version, denied = {"tenant": ours, "purpose": PURPOSE}, _version(), "AccessDenied"
    assert stage.do("put", **place, version=version, value="their-key") == {"state": "current"}
    key = _item(stage, place, version)["key"]["S"]
    assert key.split(":")[4] != stage.functions["keep"].account, "the key lies beside what it opens"
    writer, reader, stranger = (
        stage.session(function, tenant, "kms")
        for function, tenant in (("keep", ours), ("check", ours), ("check", theirs))
    )
    new = {"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": place}
    sealed = writer.generate_data_key(**new)["CiphertextBlob"]

    def opened(kms: Any, **context: str) -> Callable[[], Any]:
        return lambda: kms.decrypt(KeyId=key, CiphertextBlob=sealed, EncryptionContext=context)

    opened(reader, **place)()
    refused(opened(reader, tenant=ours, purpose="another"), because="InvalidCiphertext")
    refused(opened(reader, tenant=ours), because=denied)
    refused(opened(reader, **place, more="than-that"), because=denied)
    refused(opened(stranger, **place), because=denied)
    refused(opened(stranger, tenant=theirs, purpose=PURPOSE), because="InvalidCiphertext")
    refused(opened(writer, **place), because=denied)
    refused(lambda: reader.generate_data_key(**new), because=denied)
    for other in others:
        refused(opened(other.session("check", ours, "kms"), **place), because=denied)
    table = stage.settings["VAULT_TABLE_NAME"]
    entry = {"tenant": {"S": ours}, "entry": {"S": f"{PURPOSE}#{version}"}}
    items = {tenant: stage.session("check", tenant, "dynamodb") for tenant in (ours, theirs)}
    refused(lambda: items[theirs].get_item(TableName=table, Key=entry), because=denied)
    refused(lambda: items[ours].put_item(TableName=table, Item=entry), because=denied)
