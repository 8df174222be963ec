"""The document service from the outside: two tenants and a stranger, through its API alone."""

from __future__ import annotations

import functools
import http.client
import json
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError

from rehearsal.checks import Resource, View, scenario

ANALYSIS_SECONDS = 40
TEXT = "The contract was signed by both parties. It is valid for two years, and it can be renewed.\n"


@dataclass(frozen=True, kw_only=True)
class Service:
    """One stage's document service as a client sees it: a host name, a base path and an issuer."""

    view: View
    api: Resource
    host: str
    base: str
    issuer: str
    audience: str
    pool: str

    def only(self, cfn_type: str) -> Resource:
        """The service's one resource of a type."""
        (found,) = (item for item in self.view.of(cfn_type) if item.stack == self.api.stack)
        return found

    def token(self, of: str, *, forged: bool = False, **claims: Any) -> str:
        """A token of a user of the tenant `of`; `claims` change what it says."""
        usual = {"iss": self.issuer, "aud": self.audience, "sub": f"auth0|{of}", "tenant": of, "role": "editor"}
        if self.pool:
            name, subject = self.user(of)
            usual |= {"sub": subject, "username": name, "client_id": self.audience, "token_use": "access"}
            del usual["aud"]
        return self.view.aws.issuer.token({**usual, **claims}, forged=forged)

    @functools.cached_property
    def directory(self) -> Any:
        """A client of the stage's own user pool."""
        return self.view.client("cognito-idp", self.api)

    def user(self, tenant: str) -> tuple[str, str]:
        """Name and subject of the one user of `tenant` whose tokens are made to order; made when first asked for."""
        email = f"jane@{tenant}.example"
        try:
            found = self.directory.admin_get_user(UserPoolId=self.pool, Username=email)
        except self.directory.exceptions.UserNotFoundException:
            where, password = {"UserPoolId": self.pool, "Username": email}, secrets.token_urlsafe(18) + "aA1!"
            self.directory.admin_create_user(**where, TemporaryPassword=password, MessageAction="SUPPRESS")
            self.directory.admin_set_user_password(**where, Password=password, Permanent=True)
            found = self.directory.admin_get_user(UserPoolId=self.pool, Username=email)
        subjects = [item["Value"] for item in found["UserAttributes"] if item["Name"] == "sub"]
        return str(found["Username"]), str(subjects[0])

    def call(self, method: str, path: str, token: str | None, body: object = None) -> tuple[int, Any]:
        headers = {"Host": self.host, "Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        text = None if body is None else json.dumps(body).encode()
        status, answer = self.send(method, f"{self.view.aws.endpoint}/{self.base}{path}", headers, text)
        try:
            return status, json.loads(answer) if answer else None
        except ValueError:
            return status, answer

    def create(self, tenant: str, title: str) -> dict[str, Any]:
        wanted = {"title": title, "content_type": "text/plain", "size": len(TEXT)}
        status, created = self.call("POST", "/documents", self.token(tenant), wanted)
        assert status == 201, f"creating a document answered {status}: {created}"
        assert isinstance(created, dict)
        return created

    def upload(self, created: Mapping[str, Any], **headers: str) -> int:
        """PUT to the presigned URL, as a client outside AWS does; gives the status."""
        upload = created["upload"]
        return self.send(upload["method"], upload["url"], {**upload["headers"], **headers}, TEXT.encode())[0]

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        """One request on loopback; gives status and body."""
        parts = urlsplit(url)
        if parts.scheme == "https":
            trust = ssl.create_default_context(cafile=str(self.view.aws.authority.bundle))
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.netloc, context=trust, timeout=60
            )
        else:
            connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        try:
            connection.request(method, target, body=body, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def services(view: View) -> list[Service]:
    """The document service of every stage that has one."""
    services = []
    for api in view.of("AWS::ApiGateway::RestApi"):
        if not api.stack.endswith("-documents"):
            continue
        (mapping,) = (item for item in view.of("AWS::ApiGateway::BasePathMapping") if item.stack == api.stack)
        (authorizer,) = (
            item
            for item in view.of("AWS::Lambda::Function")
            if item.stack == api.stack and "ISSUER" in item.properties.get("Environment", {}).get("Variables", {})
        )
        variables = authorizer.properties["Environment"]["Variables"]
        services.append(
            Service(
                view=view,
                api=api,
                host=str(mapping.properties["DomainName"]),
                base=str(mapping.properties["BasePath"]),
                issuer=variables["ISSUER"],
                audience=variables["AUDIENCE"],
                pool=variables.get("USER_POOL_ID", ""),
            )
        )
    return services


def _analysed(service: Service, tenant: str, document: str) -> dict[str, Any]:
    deadline = time.monotonic() + ANALYSIS_SECONDS
    while True:
        status, found = service.call("GET", f"/documents/{document}", service.token(tenant))
        assert status == 200, f"reading a document answered {status}: {found}"
        assert isinstance(found, dict)
        if found["status"] == "analysed":
            return found
        assert time.monotonic() < deadline, f"a document was not analysed in {ANALYSIS_SECONDS} s: {found}"
        time.sleep(0.25)


@scenario("two tenants upload, analyse, read and delete documents through the API")
def documents_live_and_die(view: View) -> None:
    for service in services(view):
        created = {tenant: service.create(tenant, f"Minutes of {tenant}") for tenant in ("initech", "umbrella")}
        for tenant, document in created.items():
            assert service.upload(document) == 200, f"{tenant}'s upload was refused"
            assert service.upload(document) == 412, f"{tenant}'s upload URL worked twice"
        for tenant, document in created.items():
            found = _analysed(service, tenant, document["id"])
            assert found["statistics"]["words"] == 18, found
            assert found["statistics"]["language"] == "en", found
            status, listed = service.call("GET", "/documents", service.token(tenant))
            assert (status, [item["id"] for item in listed["documents"]]) == (200, [document["id"]])
        for tenant, document in created.items():
            assert service.call("DELETE", f"/documents/{document['id']}", service.token(tenant))[0] == 204
            assert service.call("GET", f"/documents/{document['id']}", service.token(tenant))[0] == 404
        assert not _left(service), f"after deletion there is still {_left(service)}"


def _left(service: Service) -> list[str]:
    """Names of whatever the service's table and bucket still hold."""
    bucket, table = service.only("AWS::S3::Bucket"), service.only("AWS::DynamoDB::Table")
    versions = service.view.client("s3", bucket).list_object_versions(Bucket=bucket.id)
    items = service.view.client("dynamodb", table).scan(TableName=table.id)["Items"]
    return [
        *(entry["Key"] for kind in ("Versions", "DeleteMarkers") for entry in versions.get(kind, [])),
        *(item["document"]["S"] for item in items),
    ]


@scenario("a tenant can neither read, list nor delete another tenant's document")
def tenants_are_apart_through_the_api(view: View) -> None:
    for service in services(view):
        theirs = service.create("umbrella", "Not for Initech")
        intruder = service.token("initech")
        assert service.call("GET", f"/documents/{theirs['id']}", intruder)[0] == 404
        assert service.call("DELETE", f"/documents/{theirs['id']}", intruder)[0] == 204
        assert service.call("GET", "/documents", intruder)[1]["documents"] == []
        assert service.call("GET", f"/documents/{theirs['id']}", service.token("umbrella"))[0] == 200
        for hostile in ("umbrella%2F" + theirs["id"], "..%2Fumbrella%2F" + theirs["id"], theirs["id"] + "%00"):
            assert service.call("GET", f"/documents/{hostile}", intruder)[0] in (400, 403, 404), hostile
        assert service.call("DELETE", f"/documents/{theirs['id']}", service.token("umbrella"))[0] == 204


@scenario("a session with one tenant's tag is denied every other tenant's items and objects by IAM itself")
def tenants_are_apart_below_the_application(view: View) -> None:
    for service in services(view):
        document = service.create("umbrella", "Not for Initech")
        assert service.upload(document) == 200
        _reach_across(service, document["id"])
        assert service.call("DELETE", f"/documents/{document['id']}", service.token("umbrella"))[0] == 204


def _reach_across(service: Service, document: str) -> None:
    """Try with a session of Initech whatever a function could try on a document of Umbrella."""
    bucket, table = service.only("AWS::S3::Bucket").id, service.only("AWS::DynamoDB::Table").id
    item = {"TableName": table, "Key": {"tenant": {"S": "umbrella"}, "document": {"S": document}}}
    stored = {"Bucket": bucket, "Key": f"umbrella/{document}"}
    query = {
        "TableName": table,
        "KeyConditionExpression": "tenant = :tenant",
        "ExpressionAttributeValues": {":tenant": {"S": "umbrella"}},
    }
    session = _session(service, "initech")
    attempts: list[tuple[str, str, dict[str, Any]]] = [
        ("dynamodb", "get_item", item),
        ("dynamodb", "update_item", item),
        ("dynamodb", "delete_item", item),
        ("dynamodb", "put_item", {"TableName": table, "Item": item["Key"]}),
        ("dynamodb", "query", query),
        ("dynamodb", "scan", {"TableName": table}),
        ("s3", "get_object", stored),
        ("s3", "put_object", {**stored, "Body": b"x"}),
        ("s3", "delete_object", stored),
        ("s3", "list_object_versions", {"Bucket": bucket, "Prefix": "umbrella/"}),
        ("s3", "list_objects_v2", {"Bucket": bucket, "Prefix": "initech/"}),
    ]
    for name, operation, parameters in attempts:
        _denied(operation, functools.partial(getattr(session(name), operation), **parameters))
    # The same session does reach its own, so that a denial above is not just a session without rights.
    own = {"tenant": {"S": "initech"}, "document": {"S": document}}
    session("dynamodb").get_item(TableName=table, Key=own)
    session("s3").list_object_versions(Bucket=bucket, Prefix=f"initech/{document}")


def _session(service: Service, tenant: str) -> Callable[[str], Any]:
    """Makes clients of the tenant role's session, opened as the documents function opens it: over TLS, with the tag."""
    view = service.view
    (function,) = (
        item
        for item in view.of("AWS::Lambda::Function")
        if item.stack == service.api.stack and "RETENTION_DAYS" in item.properties["Environment"]["Variables"]
    )

    def client(name: str, credentials: Mapping[str, str]) -> Any:
        return boto3.client(
            name,
            endpoint_url=view.aws.tls_endpoint,
            verify=str(view.aws.authority.bundle),
            region_name=function.region,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )

    # The account's root opens the function's role for a moment, as Lambda would.
    own = view.client("sts", function).assume_role(
        RoleArn=str(function.properties["Role"]), RoleSessionName=function.id[:64]
    )["Credentials"]
    request = {
        "RoleArn": function.properties["Environment"]["Variables"]["TENANT_ROLE_ARN"],
        "RoleSessionName": "rehearsal",
        "SourceIdentity": "rehearsal",
    }
    sts = client("sts", own)
    _denied("AssumeRole without a tag", lambda: sts.assume_role(**request))
    tags = [{"Key": "tenant", "Value": tenant}]
    _denied(
        "AssumeRole with a second tag", lambda: sts.assume_role(**request, Tags=[*tags, {"Key": "a", "Value": "b"}])
    )
    opened = sts.assume_role(**request, Tags=tags, TransitiveTagKeys=["tenant"])["Credentials"]
    return lambda name: client(name, opened)


def _denied(name: str, attempt: Callable[[], Any]) -> None:
    try:
        attempt()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert code in ("AccessDenied", "AccessDeniedException"), f"{name} failed with {code} and not by IAM's denial"
        return
    raise AssertionError(f"{name} on another tenant was allowed")


@scenario("the API refuses strangers: no token, a forged, expired, foreign or half one, and readers who want to write")
def strangers_are_refused(view: View) -> None:
    for service in services(view):
        hostile = {
            "none": None,
            "nonsense": "a.b.c",
            "forged": service.token("initech", forged=True),
            "expired": service.token("initech", iat=int(time.time()) - 900, exp=int(time.time()) - 600),
            "of another issuer": service.token("initech", iss="https://evil.example.com/"),
            "for another audience": service.token("initech", aud="something-else", client_id="something-else"),
            "without a tenant": service.token("initech", tenant=None),
            "for a hostile tenant": service.token("initech", tenant="*"),
            "of an unknown role": service.token("initech", role="owner"),
        }
        for kind, token in hostile.items():
            status, _ = service.call("GET", "/documents", token)
            assert status in (401, 403), f"a token {kind} was answered {status}"
        reader = service.token("initech", role="reader")
        assert service.call("GET", "/documents", reader)[0] == 200
        wanted = {"title": "Minutes", "content_type": "text/plain", "size": 5}
        assert service.call("POST", "/documents", reader, wanted)[0] == 403
        assert service.call("DELETE", f"/documents/{'0' * 32}", reader)[0] == 403


@scenario("an upload URL stores what it was signed for, and nothing else")
def uploads_are_bound(view: View) -> None:
    for service in services(view):
        created = service.create("initech", "Minutes")
        changed = {
            "x-amz-server-side-encryption-context": "eyJ0ZW5hbnQiOiJ1bWJyZWxsYSJ9",
            "x-amz-server-side-encryption": "AES256",
            "Content-Type": "text/html",
        }
        for name, value in changed.items():
            status = service.upload(created, **{name: value})
            assert status in (400, 403), f"an upload with another {name} was answered {status}"
        url = created["upload"]["url"].replace("/initech/", "/umbrella/")
        moved = {**created, "upload": {**created["upload"], "url": url}}
        assert service.upload(moved) == 403, "an upload URL worked for another tenant's prefix"
        assert service.call("DELETE", f"/documents/{created['id']}", service.token("initech"))[0] == 204
