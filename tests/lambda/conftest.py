"""A stage in memory: moto behind sessions that refuse, as the tenant role does, to cross from tenant to tenant."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws
from palisade_runtime.logs import Logger
from palisade_runtime.sessions import TenantSessions, make_client

from rehearsal.state_machine import MovedClock

REGION = "eu-west-1"
TABLE = "documents"
BUCKET = "documents-bucket"
REGISTER = "tenants"
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/0d1f2a3b-0000-4000-8000-000000000000"
ROLE_ARN = "arn:aws:iam::123456789012:role/tenant"


class CrossedTenantsError(Exception):
    """A session reached for what its tag does not open."""


@dataclass
class Lines:
    """Log lines as they were written."""

    written: list[str] = field(default_factory=list)

    def write(self, text: str, /) -> None:
        self.written.append(text)

    @property
    def parsed(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.written]

    @property
    def text(self) -> str:
        return "".join(self.written)


class SessionService:
    """moto's STS, remembering which tag each set of credentials carries and when it ends by the movable clock."""

    def __init__(self, clock: MovedClock) -> None:
        self.tenant_of: dict[str, str] = {}
        self.calls: list[dict[str, Any]] = []
        self._clock = clock
        self._sts = boto3.client("sts", region_name=REGION)

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.calls.append(request)
        answer: dict[str, Any] = self._sts.assume_role(**request)
        credentials = answer["Credentials"]
        self.tenant_of[credentials["AccessKeyId"]] = {tag["Key"]: tag["Value"] for tag in request["Tags"]}["tenant"]
        credentials["Expiration"] = self._clock() + timedelta(seconds=request["DurationSeconds"])
        return answer


@dataclass
class Stage:
    """Everything a function reaches, and an administrator's clients to look behind it."""

    clock: MovedClock
    lines: Lines
    logger: Logger
    sts: SessionService
    sessions: TenantSessions
    s3: Any
    dynamodb: Any
    crossings: list[str]
    failing: set[str]
    table: str = TABLE
    bucket: str = BUCKET
    register: str = REGISTER
    key_arn: str = KEY_ARN

    def upload(self, created: Mapping[str, Any], tenant: str, content: bytes) -> str:
        """Stores content as the holder of the upload URL would, and gives the version."""
        headers = created["upload"]["headers"]
        return str(
            self.s3.put_object(
                Bucket=BUCKET,
                Key=f"{tenant}/{created['id']}",
                Body=content,
                ServerSideEncryption="aws:kms",
                SSEKMSKeyId=KEY_ARN,
                SSEKMSEncryptionContext=headers["x-amz-server-side-encryption-context"],
            )["VersionId"]
        )

    def versions(self, prefix: str = "") -> list[str]:
        answer = self.s3.list_object_versions(Bucket=BUCKET, Prefix=prefix)
        return [version["Key"] for version in (*answer.get("Versions", []), *answer.get("DeleteMarkers", []))]

    def items(self) -> list[dict[str, Any]]:
        return list(self.dynamodb.scan(TableName=TABLE)["Items"])


def _refuse_crossing(tenant: str, operation: str, params: Mapping[str, Any]) -> str | None:
    """What the tenant role's policies would refuse of a request made with `tenant`'s session, or None."""
    prefix = f"{tenant}/"
    match operation:
        case "GetItem" | "UpdateItem" | "DeleteItem":
            reached = [params["Key"]["tenant"]["S"] == tenant]
        case "PutItem":
            reached = [params["Item"]["tenant"]["S"] == tenant]
        case "Query":
            reached = [
                params["KeyConditionExpression"] == "#tenant = :tenant",
                params["ExpressionAttributeNames"]["#tenant"] == "tenant",
                params["ExpressionAttributeValues"][":tenant"] == {"S": tenant},
                params.get("ExclusiveStartKey", {}).get("tenant", {"S": tenant}) == {"S": tenant},
            ]
        case "GetObject" | "DeleteObject":
            reached = [params["Key"].startswith(prefix)]
        case "PutObject":
            context = json.loads(base64.b64decode(params["SSEKMSEncryptionContext"]))
            reached = [params["Key"].startswith(prefix), context == {"tenant": tenant}]
        case "ListObjectVersions":
            reached = [params["Prefix"].startswith(prefix)]
        case "DeleteObjects":
            reached = [entry["Key"].startswith(prefix) for entry in params["Delete"]["Objects"]]
        case _:
            return f"{operation} is not among the tenant role's actions"
    return None if all(reached) else f"{tenant}: {operation} {sorted(params)}"


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A stage with its table and its versioned bucket."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        s3, dynamodb = boto3.client("s3", region_name=REGION), boto3.client("dynamodb", region_name=REGION)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("tenant", "document")],
            KeySchema=[
                {"AttributeName": "tenant", "KeyType": "HASH"},
                {"AttributeName": "document", "KeyType": "RANGE"},
            ],
        )
        dynamodb.create_table(
            TableName=REGISTER,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "tenant", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "tenant", "KeyType": "HASH"}],
        )
        clock, lines = MovedClock(), Lines()
        sts = SessionService(clock)
        crossings: list[str] = []
        failing: set[str] = set()

        def guarded(service: str, credentials: Mapping[str, str] | None = None) -> Any:
            assert credentials is not None
            client = make_client(service, credentials)
            tenant = sts.tenant_of[credentials["AccessKeyId"]]

            def check(params: Mapping[str, Any], model: Any, **_: object) -> None:
                if model.name in failing:
                    raise ConnectionError(f"{model.name} is out of order")
                if refused := _refuse_crossing(tenant, model.name, params):
                    crossings.append(refused)
                    raise CrossedTenantsError(refused)

            client.meta.events.register("provide-client-params", check)
            return client

        yield Stage(
            clock=clock,
            lines=lines,
            logger=Logger(service="test", clock=clock, output=lines),
            sts=sts,
            sessions=TenantSessions(sts=sts, role_arn=ROLE_ARN, make_client=guarded, clock=clock),
            s3=s3,
            dynamodb=dynamodb,
            crossings=crossings,
            failing=failing,
        )
        assert not crossings


@pytest.fixture
def clock() -> MovedClock:
    """A clock at a set moment."""
    return MovedClock()


@pytest.fixture
def lines() -> Lines:
    """An output that keeps its lines."""
    return Lines()


@pytest.fixture
def upload_message() -> Callable[..., dict[str, str]]:
    """Builds the queue message of one upload."""

    def build(key: str, *, size: int = 10, version: str | None = "v1", **changes: Any) -> dict[str, str]:
        found = {"key": key, "size": size, "etag": "e", "sequencer": changes.pop("sequencer", "0064D3901D00059242")}
        detail = {
            "version": "0",
            "bucket": {"name": changes.pop("bucket", BUCKET)},
            "object": found | ({"version-id": version} if version else {}),
            "reason": "PutObject",
        }
        event = {"version": "0", "source": "aws.s3", "detail-type": "Object Created", "detail": detail, **changes}
        return {"messageId": f"message-{key[-4:]}-{found['sequencer'][-4:]}", "body": json.dumps(event)}

    return build
