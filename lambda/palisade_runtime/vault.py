"""The vault of third-party credentials: sealed in the stage under a key of the security account, opened one tenant at a time.

A function that imports this carries the vault layer, which holds the AWS Encryption SDK. A credential is sealed under a data
key of its own tenant and purpose; both are its encryption context, so that AWS KMS hands that data key out for them alone.
What a credential says never enters a log line, an exception or the text of an object.

Source: https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/best-practices.html
"""

import hmac
import json
import logging
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import aws_encryption_sdk
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import Algorithm, CommitmentPolicy
from aws_encryption_sdk.key_providers.kms import KMSMasterKey
from aws_encryption_sdk.materials_managers.caching import CachingCryptoMaterialsManager
from cryptography.exceptions import InvalidTag

from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.identifiers import InvalidIdentifierError, tenant_id
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records
from palisade_runtime.sessions import TenantClients, TenantSessions, make_client

LARGEST_VALUE = 8192
"""Bytes of a credential: a private key with its certificates fits."""
CACHED_SECONDS = 300.0
CACHED_MESSAGES = 100
CACHED_BYTES = 1024 * 1024
CACHED_KEYS = 16
"""A data key is used again within one tenant's session for so long and so much, then KMS is asked for another."""
DIRECTORY = "_directory"
"""Leading key of the list of tenants; no tenant can be named so."""

SETTINGS = ("KEY_ALIASES", "RECORD_BUCKET", "RECORD_WORKFLOW", "VAULT_ROLE_ARN", "VAULT_TABLE_NAME")
"""What a function that uses the vault finds in its environment."""

_ALGORITHM = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
# Signed messages would add a key to the encryption context, and nobody who opens credentials can write any.
_PURPOSE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_VERSION = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")

# The library logs what KMS answered with a traceback; what callers need is in the exception.
logging.getLogger("aws_encryption_sdk").setLevel(logging.CRITICAL)


class VaultError(Exception):
    """Something that the vault refuses. The message is safe to show and to log; it never holds a credential."""


class Secret:
    """A value that shows itself only to who asks for it by :meth:`reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def __format__(self, _: str, /) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is neither copied nor pickled")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Whose credential, and for what. Purposes are 1 to 32 of a-z, 0-9 and inner hyphens, such as ``stripe-api``."""

    tenant: str
    purpose: str

    def __post_init__(self) -> None:
        tenant_id(self.tenant)
        if not isinstance(self.purpose, str) or not _PURPOSE.fullmatch(self.purpose):
            raise InvalidIdentifierError(f"purpose: expected {_PURPOSE.pattern}")

    @property
    def context(self) -> dict[str, str]:
        """The encryption context, all of it."""
        return {"tenant": self.tenant, "purpose": self.purpose}

    @property
    def head(self) -> dict[str, str]:
        """Key of the item that says which version is current."""
        return {"tenant": self.tenant, "entry": self.purpose}

    def key(self, version: str) -> dict[str, str]:
        """Key of the item that holds one version."""
        return {"tenant": self.tenant, "entry": f"{self.purpose}#{version_id(version)}"}


def version_id(value: object) -> str:
    """A version: when it was made and something random, so that versions sort by age and a retry bears the same."""
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        raise InvalidIdentifierError(f"version: expected {_VERSION.pattern}")
    return value


def new_version(now: datetime) -> str:
    """A version made now."""
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


class Sealer:
    """Seals under the first of ``keys`` (ARNs) and opens under any of them, never under a key that a message names by itself.

    Algorithm suites without key commitment and messages with more than one encrypted data key are refused.
    https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/concepts.html#key-commitment
    """

    def __init__(self, *, kms: Any, keys: Sequence[str]) -> None:
        self.key = keys[0]
        self._library = aws_encryption_sdk.EncryptionSDKClient(
            commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=1
        )
        self._materials = {
            key: CachingCryptoMaterialsManager(
                master_key_provider=KMSMasterKey(key_id=key, client=kms),
                cache=aws_encryption_sdk.LocalCryptoMaterialsCache(CACHED_KEYS),
                max_age=CACHED_SECONDS,
                max_messages_encrypted=CACHED_MESSAGES,
                max_bytes_encrypted=CACHED_BYTES,
            )
            for key in keys
        }

    def seal(self, place: Place, version: str, secret: Secret) -> bytes:
        """The ciphertext of one version.

        Raises:
            VaultError: KMS gave no data key, or the value is empty or too long.
        """
        value = secret.reveal()
        if not 1 <= len(value.encode()) <= LARGEST_VALUE:
            raise VaultError(f"a credential has 1 to {LARGEST_VALUE} bytes")
        try:
            sealed, _ = self._library.encrypt(
                source=json.dumps({"version": version, "value": value}).encode(),
                materials_manager=self._materials[self.key],
                encryption_context=place.context,
                algorithm=_ALGORITHM,
            )
        except AWSEncryptionSDKClientError as error:
            raise VaultError(f"not sealed: {_why(error)}") from None
        return bytes(sealed)

    def open(self, place: Place, version: str, sealed: bytes, *, key: str) -> Secret:
        """What was sealed for this very place and version under ``key``.

        Raises:
            VaultError: the key is not one of the vault's, KMS refuses, or the ciphertext is another's or altered.
        """
        if key not in self._materials:
            raise VaultError("the item names a key that is not the vault's")
        try:
            opened, header = self._library.decrypt(source=sealed, materials_manager=self._materials[key])
        except (AWSEncryptionSDKClientError, InvalidTag) as error:
            raise VaultError(f"not opened: {_why(error)}") from None
        if dict(header.encryption_context) != place.context:
            raise VaultError("the ciphertext belongs to another tenant or purpose")
        try:
            content = json.loads(opened)
            found, value = content["version"], content["value"]
        except (ValueError, KeyError, TypeError):
            # Its text would quote what it could not read.
            raise VaultError("the ciphertext holds no credential") from None
        if found != version:
            raise VaultError("the ciphertext belongs to another version")
        return Secret(value)


def _why(error: BaseException) -> str:
    """Kind of the failure, with the code that AWS gave; a library's text may quote what it was given."""
    response = getattr(error.__cause__, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, Mapping) else None
    return f"{type(error).__name__}({code})" if isinstance(code, str) else type(error).__name__


@dataclass(frozen=True, kw_only=True)
class VaultClients(TenantClients):
    """The clients of one tenant's session in the vault."""

    sealer: Sealer


class VaultSessions(TenantSessions):
    """Sessions of one of the vault's roles, each with data keys of its own; ``key_aliases`` are ARNs, the one in use first."""

    def __init__(
        self,
        *,
        sts: Any,
        role_arn: str,
        make_client: Callable[[str, Mapping[str, str]], Any],
        clock: Clock,
        key_aliases: Sequence[str],
    ) -> None:
        super().__init__(sts=sts, role_arn=role_arn, make_client=make_client, clock=clock)
        self._key_aliases = tuple(key_aliases)

    def of(self, tenant: str, user: str) -> VaultClients:
        """Clients for ``tenant`` on behalf of ``user``."""
        clients = self.open(tenant=tenant, user=user)
        assert isinstance(clients, VaultClients)
        return clients

    def directory(self, user: str) -> Any:
        """A DynamoDB client that reaches the list of tenants, and nothing of theirs."""
        return self._make_client("dynamodb", self._assume(DIRECTORY, user))

    def current_key(self, user: str) -> str:
        """ARN of the key that is sealed under from now on."""
        return self._keys(self._make_client("kms", self._assume(DIRECTORY, user)))[0]

    def _clients(self, tenant: str, credentials: Mapping[str, Any]) -> VaultClients:
        clients = super()._clients(tenant, credentials)
        kms = self._make_client("kms", credentials)
        return VaultClients(
            tenant=tenant,
            s3=clients.s3,
            dynamodb=clients.dynamodb,
            expires_at=clients.expires_at,
            sealer=Sealer(kms=kms, keys=self._keys(kms)),
        )

    def _keys(self, kms: Any) -> list[str]:
        """Messages name keys by their own ARN, so aliases are resolved, once a session."""
        return [kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"] for alias in self._key_aliases]


@dataclass(frozen=True, kw_only=True)
class Credential:
    """One version of a credential."""

    version: str
    value: Secret


@dataclass(frozen=True, kw_only=True)
class Vault:
    """Reads credentials; a read that cannot be recorded in the archive does not happen."""

    sessions: VaultSessions
    table: str
    bucket: str
    account: str
    workflow: str
    clock: Clock
    logger: Logger

    def read(self, place: Place, *, user: str) -> Credential:
        """The current version, on behalf of ``user``, who is named in the record and in CloudTrail.

        Raises:
            VaultError: there is none, or it cannot be opened.
            ClientError: it could not be recorded or fetched.
        """
        clients = self.sessions.of(place.tenant, user)
        head = clients.dynamodb.get_item(TableName=self.table, Key=typed(place.head), ConsistentRead=True)
        version = plain(head.get("Item", {})).get("current")
        if version is None:
            raise VaultError("there is no such credential")
        found = clients.dynamodb.get_item(TableName=self.table, Key=typed(place.key(version)), ConsistentRead=True)
        item = plain(found["Item"])
        now = self.clock()
        records = Records(s3=clients.s3, bucket=self.bucket, account=self.account, workflow=self.workflow)
        said = {
            "at": now.isoformat(),
            "tenant": place.tenant,
            "purpose": place.purpose,
            "version": version,
            "who": user,
        }
        event = f"read.{place.purpose}.{now:%Y%m%dT%H%M%S}.{secrets.token_hex(4)}"
        if not records.keep(place.tenant, event, said):
            raise VaultError("the read was not recorded")
        value = clients.sealer.open(place, version, item["sealed"], key=item["key"])
        self.logger.info("vault.read", tenant=place.tenant, purpose=place.purpose, version=version, user=user)
        return Credential(version=version, value=value)


def vault_sessions(settings: Mapping[str, str]) -> VaultSessions:
    """Sessions of the role in ``VAULT_ROLE_ARN`` of a function's settings, under the keys in ``KEY_ALIASES``."""
    return VaultSessions(
        sts=make_client("sts"),
        role_arn=settings["VAULT_ROLE_ARN"],
        make_client=make_client,
        clock=utc_now,
        key_aliases=settings["KEY_ALIASES"].split(),
    )


def lent_vault(account: str, logger: Logger) -> Vault:
    """The vault as it is lent to this function, which runs in ``account``: one for as long as the function lives."""
    settings = read_environment(text=SETTINGS)
    return Vault(
        sessions=vault_sessions(settings),
        table=settings["VAULT_TABLE_NAME"],
        bucket=settings["RECORD_BUCKET"],
        account=account,
        workflow=settings["RECORD_WORKFLOW"],
        clock=utc_now,
        logger=logger,
    )


def typed(values: Mapping[str, str | bytes]) -> dict[str, dict[str, str | bytes]]:
    """As DynamoDB's own client takes them."""
    return {name: {"B" if isinstance(value, bytes) else "S": value} for name, value in values.items()}


def plain(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What DynamoDB's own client gives, without the types."""
    return {name: next(iter(value.values())) for name, value in item.items()}


def query(dynamodb: Any, table: str, leading: str, beginning: str = "") -> Iterator[dict[str, Any]]:
    """Every item of one leading key, whole; of those whose entry has a ``beginning``, if given."""
    condition, values = "tenant = :tenant", {":tenant": leading}
    if beginning:
        condition, values = f"{condition} AND begins_with(entry, :beginning)", {**values, ":beginning": beginning}
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression=condition,
        ExpressionAttributeValues=typed(values),
        ConsistentRead=True,
    )
    for page in pages:
        for item in page["Items"]:
            yield plain(item)
