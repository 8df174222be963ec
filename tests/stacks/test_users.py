"""The stage's own users: federated, guarded, and known to the authorizer; a stage with an issuer has none of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assembly import Assembly, Resource, Stack
from stacks.names import SIGN_IN_WRITER, Names
from tests.fixture_deployment import FIXTURE

OWN, OUTSIDE = FIXTURE.stage("prod"), FIXTURE.stage("dev")


@pytest.fixture
def stack(assembly: Assembly) -> Stack:
    return assembly[f"{OWN.name}-users"]


def _of(stack: Stack, kind: str) -> list[Resource]:
    return [item for item in stack.resources.values() if item.type == f"AWS::{kind}"]


def _only(stack: Stack, kind: str) -> Resource:
    (found,) = _of(stack, kind)
    return found


def test_a_stage_with_an_issuer_has_no_directory(assembly: Assembly) -> None:
    assert f"{OUTSIDE.name}-users" not in assembly
    assert not _of(assembly[f"{OUTSIDE.name}-audit"], "Cognito::LogDeliveryConfiguration")
    archive = json.dumps(assembly[f"log-archive-{OUTSIDE.name}"].template)
    assert SIGN_IN_WRITER not in archive, "nobody may write what nobody sends"


def test_every_provider_of_the_configuration_is_offered(stack: Stack) -> None:
    providers = {
        item.properties["ProviderName"]: item.properties for item in _of(stack, "Cognito::UserPoolIdentityProvider")
    }
    assert set(providers) == {"Initech", "Umbrella", "Google"}
    for saml in OWN.directory.saml:
        assert providers[saml.name]["ProviderDetails"]["MetadataURL"] == saml.metadata_url
    offered = _only(stack, "Cognito::UserPoolClient").properties["SupportedIdentityProviders"]
    assert offered == ["COGNITO", "Initech", "Umbrella", "Google"]


def test_providers_map_an_address_and_never_a_tenant(stack: Stack) -> None:
    for provider in _of(stack, "Cognito::UserPoolIdentityProvider"):
        assert set(provider.properties["AttributeMapping"]) <= {"email", "username"}, provider
    client = _only(stack, "Cognito::UserPoolClient").properties
    assert client["WriteAttributes"] == ["email"]


def test_googles_secret_is_named_and_never_told(stack: Stack) -> None:
    (google,) = (i for i in _of(stack, "Cognito::UserPoolIdentityProvider") if i.properties["ProviderType"] == "Google")
    secret = Names(FIXTURE).google_secret(OWN)
    assert google.properties["ProviderDetails"]["client_secret"].startswith(f"{{{{resolve:secretsmanager:{secret}:")


def test_the_token_shaper_knows_each_providers_tenant(stack: Stack) -> None:
    variables = _only(stack, "Lambda::Function").properties["Environment"]["Variables"]
    assert json.loads(variables["PROVIDER_TENANTS"]) == {"Initech": "initech", "Umbrella": "umbrella"}


def test_only_this_pool_calls_the_token_shaper(stack: Stack) -> None:
    pool = _only(stack, "Cognito::UserPool")
    permission = _only(stack, "Lambda::Permission").properties
    assert permission["Principal"] == "cognito-idp.amazonaws.com"
    assert permission["SourceArn"] == {"Fn::GetAtt": [pool.logical_id, "Arn"]}
    assert permission["SourceAccount"] == OWN.account


def test_users_come_back_to_the_stages_own_site(stack: Stack) -> None:
    client = _only(stack, "Cognito::UserPoolClient").properties
    for url in (*client["CallbackURLs"], *client["LogoutURLs"]):
        assert url.startswith(f"https://{OWN.domain.name}/")


def test_the_site_may_fetch_tokens_where_users_sign_in(assembly: Assembly, stack: Stack) -> None:
    domain = _only(stack, "Cognito::UserPoolDomain").properties["Domain"]
    host = f"{domain}.auth.{FIXTURE.home.name}.amazoncognito.com"
    assert Names(FIXTURE).sign_in_host(OWN) == host
    assert f"https://{host} " in json.dumps(assembly[f"{OWN.name}-edge"].template)


def test_the_authorizer_may_ask_for_users_and_do_nothing_else_to_them(assembly: Assembly) -> None:
    documents = assembly[f"{OWN.name}-documents"]
    asked: list[dict[str, Any]] = [
        statement
        for policy in _of(documents, "IAM::ManagedPolicy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "cognito" in json.dumps(statement["Action"])
    ]
    assert [statement["Action"] for statement in asked] == ["cognito-idp:AdminGetUser"]
    assert asked[0]["Resource"] != "*"


def test_sign_ins_are_recorded_out_of_reach(assembly: Assembly) -> None:
    audit = assembly[f"{OWN.name}-audit"]
    (log,) = _only(audit, "Cognito::LogDeliveryConfiguration").properties["LogConfigurations"]
    stream = audit.resources[log["FirehoseConfiguration"]["StreamArn"]["Fn::GetAtt"][0]]
    assert (log["EventSource"], log["LogLevel"]) == ("userAuthEvents", "INFO")
    assert {"Key": "LogDeliveryEnabled", "Value": "true"} in stream.properties["Tags"]
    processors = stream.properties["ExtendedS3DestinationConfiguration"]["ProcessingConfiguration"]["Processors"]
    assert "Decompression" not in {item["Type"] for item in processors}, "its records are not compressed"
    writer = Names(FIXTURE).role_arn(SIGN_IN_WRITER, OWN.account)
    assert writer in json.dumps(assembly[f"log-archive-{OWN.name}"].template)
