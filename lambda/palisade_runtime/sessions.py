"""Credentials that reach one tenant's data and no other's, for as long as one request needs them.

The session's `tenant` tag is what the tenant role's policies compare with the DynamoDB leading key, the S3 prefix
and the KMS encryption context, so a mistake in a function cannot cross from one tenant to another: AWS refuses.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config

from palisade_runtime.clock import Clock
from palisade_runtime.identifiers import tenant_id, user_reference

# Role chaining ends a session after an hour at the latest, whatever is asked for.
SESSION_SECONDS = 3600
# A presigned URL dies with the session that signed it, so a session is not handed out near its end.
SHORTEST_REMAINING = timedelta(minutes=20)
CAPACITY = 64

MakeClient = Callable[[str, Mapping[str, str]], Any]


@dataclass(frozen=True, kw_only=True)
class TenantClients:
    """The clients of one session: they carry one tenant's tag."""

    tenant: str
    s3: Any
    dynamodb: Any
    expires_at: datetime


class TenantSessions:
    """Assumes the tenant role with the tenant as transitive session tag and the user as source identity.

    At most `CAPACITY` sessions are kept, one for each tenant and user, the longest unused leaves first.
    """

    def __init__(self, *, sts: Any, role_arn: str, make_client: MakeClient, clock: Clock) -> None:
        self._sts = sts
        self._role_arn = role_arn
        self._make_client = make_client
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], TenantClients] = OrderedDict()

    def open(self, *, tenant: str, user: str) -> TenantClients:
        """Clients for `tenant` on behalf of `user`; refuses identifiers outside their alphabet."""
        key = (tenant_id(tenant), user_reference(user))
        kept = self._kept.pop(key, None)
        if kept is None or kept.expires_at - self._clock() < SHORTEST_REMAINING:
            kept = self._clients(key[0], self._assume(*key))
        self._kept[key] = kept
        while len(self._kept) > CAPACITY:
            self._kept.popitem(last=False)
        return kept

    def _assume(self, tenant: str, user: str) -> Mapping[str, Any]:
        answer = self._sts.assume_role(
            RoleArn=self._role_arn,
            RoleSessionName=user,
            SourceIdentity=user,
            DurationSeconds=SESSION_SECONDS,
            Tags=[{"Key": "tenant", "Value": tenant}],
            TransitiveTagKeys=["tenant"],
        )
        credentials: Mapping[str, Any] = answer["Credentials"]
        return credentials

    def _clients(self, tenant: str, credentials: Mapping[str, Any]) -> TenantClients:
        return TenantClients(
            tenant=tenant,
            s3=self._make_client("s3", credentials),
            dynamodb=self._make_client("dynamodb", credentials),
            expires_at=credentials["Expiration"],
        )


def make_client(service: str, credentials: Mapping[str, str] | None = None) -> Any:
    """An AWS client of the function's own region, with the function's or a session's credentials.

    Virtual-hosted addressing makes S3 sign URLs for the bucket's regional name; the global name would redirect,
    which breaks the signature.
    """
    session = (
        {}
        if credentials is None
        else {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }
    )
    config = Config(
        signature_version="s3v4" if service == "s3" else None,
        s3={"addressing_style": "virtual"},
        request_checksum_calculation="when_required",
        connect_timeout=3,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 4},
    )
    return boto3.client(service, config=config, **session)
