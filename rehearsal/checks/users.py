"""The product's users: the directory as its service describes it, and a person from the invitation to the removal."""

from __future__ import annotations

import functools
import secrets
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.checks import Resource, View, described, scenario
from rehearsal.checks.workloads import Service, services
from rehearsal.sign_in import Person


def _pool(cognito: Any, resource: Resource, _view: View) -> Any:
    found = cognito.describe_user_pool(UserPoolId=resource.id)["UserPool"]
    factors = cognito.get_user_pool_mfa_config(UserPoolId=resource.id)
    enabled = factors.get("SoftwareTokenMfaConfiguration", {}).get("Enabled")
    return {
        **found,
        "UserPoolName": found.get("Name"),
        "EnabledMfas": ["SOFTWARE_TOKEN_MFA"] if enabled else [],
        "Schema": [
            {**item, "Name": item["Name"].removeprefix("custom:")} for item in found.get("SchemaAttributes", [])
        ],
    }


def _client(cognito: Any, resource: Resource, _view: View) -> Any:
    pool = resource.properties["UserPoolId"]
    found = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=resource.id)["UserPoolClient"]
    return {**found, "GenerateSecret": "ClientSecret" in found}


def _group(cognito: Any, resource: Resource, _view: View) -> Any:
    return cognito.get_group(UserPoolId=resource.properties["UserPoolId"], GroupName=resource.properties["GroupName"])[
        "Group"
    ]


def _provider(cognito: Any, resource: Resource, _view: View) -> Any:
    return cognito.describe_identity_provider(
        UserPoolId=resource.properties["UserPoolId"], ProviderName=resource.properties["ProviderName"]
    )["IdentityProvider"]


def _domain(cognito: Any, resource: Resource, _view: View) -> Any:
    found = cognito.describe_user_pool_domain(Domain=resource.properties["Domain"])["DomainDescription"]
    if not found:
        raise LookupError(resource.id)
    return found


described("AWS::Cognito::UserPool", "cognito-idp", _pool)
described("AWS::Cognito::UserPoolClient", "cognito-idp", _client)
described("AWS::Cognito::UserPoolGroup", "cognito-idp", _group)
described("AWS::Cognito::UserPoolIdentityProvider", "cognito-idp", _provider)
described("AWS::Cognito::UserPoolDomain", "cognito-idp", _domain)


def _invite(service: Service, name: str, *, tenant: str | None, group: str | None) -> Person:
    email, first = f"{name}@initech.example", secrets.token_urlsafe(18) + "aA1!"
    attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
    if tenant is not None:
        attributes.append({"Name": "custom:tenant", "Value": tenant})
    where = {"UserPoolId": service.pool, "Username": email}
    service.directory.admin_create_user(
        **where, UserAttributes=attributes, TemporaryPassword=first, MessageAction="SUPPRESS"
    )
    if group is not None:
        service.directory.admin_add_user_to_group(**where, GroupName=group)
    person = Person(service.directory, pool=service.pool, app=service.audience, email=email, password=first)
    person.accept(secrets.token_urlsafe(18) + "aA1!")
    return person


@scenario("an invited user signs in with password and authenticator, works, and is refused once removed")
def users_come_and_go(view: View) -> None:
    for service in services(view):
        if not service.pool:
            continue
        staying = _invite(service, "anne", tenant="initech", group="editor").sign_in()
        assert service.call("GET", "/documents", staying["AccessToken"])[0] == 200
        wanted = {"title": "Minutes", "content_type": "text/plain", "size": 5}
        status, created = service.call("POST", "/documents", staying["AccessToken"], wanted)
        assert status == 201, f"an editor who signed in could not write: {status} {created}"
        assert service.call("DELETE", f"/documents/{created['id']}", staying["AccessToken"])[0] == 204
        assert service.call("GET", "/documents", staying["IdToken"])[0] in (401, 403), "an id token opened the API"

        reading = _invite(service, "bob", tenant="initech", group=None).sign_in()
        assert service.call("POST", "/documents", reading["AccessToken"], wanted)[0] == 403

        leaving = _invite(service, "carl", tenant="initech", group="editor").sign_in()
        where = {"UserPoolId": service.pool, "Username": "carl@initech.example"}
        service.directory.admin_delete_user(**where)
        assert service.call("GET", "/documents", leaving["AccessToken"])[0] == 403, "a removed user was let in"

        barred = _invite(service, "dora", tenant="initech", group="editor").sign_in()
        service.directory.admin_disable_user(UserPoolId=service.pool, Username="dora@initech.example")
        assert service.call("GET", "/documents", barred["AccessToken"])[0] == 403, "a disabled user was let in"

        _refused("a user of no tenant", functools.partial(_invite, service, "eve", tenant=None, group="editor"))
        for name in ("anne", "bob", "dora", "eve"):
            service.directory.admin_delete_user(UserPoolId=service.pool, Username=f"{name}@initech.example")


@scenario("a password without the authenticator's code signs nobody in")
def passwords_are_not_enough(view: View) -> None:
    for service in services(view):
        if service.pool:
            person = _invite(service, "frank", tenant="initech", group="reader")
            _refused("a wrong code", functools.partial(person.sign_in, wrong_code=True))
            service.directory.admin_delete_user(UserPoolId=service.pool, Username="frank@initech.example")


def _refused(what: str, attempt: Any) -> None:
    try:
        attempt()
    except ClientError:
        return
    raise AssertionError(f"{what} was accepted")
