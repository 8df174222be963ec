"""Switches keys off: encryption keys, and access keys of users that somebody left behind."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contain.action import Action, RefusedError, State

ENABLED = "enabled"


@dataclass(frozen=True, kw_only=True)
class DisableKey(Action):
    """Disables an encryption key, so that nothing it encrypts can be read or written.

    Only keys all of whose names are among ``aliases``: never one of evidence, backups, logs or of the messages that alarms
    are, and none without a name.
    https://docs.aws.amazon.com/kms/latest/developerguide/enabling-keys.html
    """

    name: str = "disable-key"
    warning: str = (
        "Everything it encrypts stops within minutes. A database that loses its key stops for good after seven days; enable "
        "the key before, then start the cluster by hand (docs/howto/containment.md)."
    )
    stops_product: bool = True
    kms: Any
    aliases: frozenset[str]

    def check(self, target: str) -> None:
        if not re.fullmatch(r"alias/[\w/-]{1,250}|[0-9a-f-]{36}", target):
            raise RefusedError(f"{target} is neither a key's alias nor its id.")
        allowed = " or ".join(sorted(self.aliases))
        try:
            key = self.kms.describe_key(KeyId=target)["KeyMetadata"]
        except self.kms.exceptions.NotFoundException:
            raise RefusedError(f"there is no key {target}. Those that may be disabled are {allowed}.") from None
        pages = self.kms.get_paginator("list_aliases").paginate(KeyId=key["KeyId"])
        names = {alias["AliasName"] for page in pages for alias in page["Aliases"]}
        if not names or not names <= self.aliases:
            raise RefusedError(
                f"{target} ({', '.join(sorted(names)) or 'without alias'}) may not be disabled, because evidence, backups or "
                f"alarms may depend on it. Only {allowed} may."
            )
        if key["KeyState"] not in {"Enabled", "Disabled"}:
            raise RefusedError(f"{target} is {key['KeyState']}; only a key in use can be disabled.")

    def look(self, target: str) -> dict[str, Any]:
        return {ENABLED: self.kms.describe_key(KeyId=target)["KeyMetadata"]["KeyState"] == "Enabled"}

    def wanted(self, before: State, at: datetime) -> dict[str, Any]:
        return {ENABLED: False}

    def apply(self, target: str, part: str, value: Any) -> None:
        key = self.kms.describe_key(KeyId=target)["KeyMetadata"]["KeyId"]
        (self.kms.enable_key if value else self.kms.disable_key)(KeyId=key)


@dataclass(frozen=True, kw_only=True)
class DisableAccessKey(Action):
    """Deactivates an access key: ``target`` is ``user/AKIA...``.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html
    """

    name: str = "disable-access-key"
    warning: str = "Sessions that were opened with the key go on until they end, at most 36 hours."
    iam: Any

    def check(self, target: str) -> None:
        if not re.fullmatch(r"[\w+=,.@-]{1,64}/AKIA[A-Z0-9]{12,16}", target):
            raise RefusedError(
                f"{target} is not a user's name and access key id, such as somebody/AKIAIOSFODNN7EXAMPLE."
            )
        self.look(target)

    def look(self, target: str) -> dict[str, Any]:
        user, _, key = target.partition("/")
        try:
            pages = self.iam.get_paginator("list_access_keys").paginate(UserName=user)
            found = {one["AccessKeyId"]: one["Status"] for page in pages for one in page["AccessKeyMetadata"]}
        except self.iam.exceptions.NoSuchEntityException:
            raise RefusedError(f"there is no user {user}.") from None
        if key not in found:
            raise RefusedError(f"user {user} has no access key {key}.")
        return {ENABLED: found[key] == "Active"}

    def wanted(self, before: State, at: datetime) -> dict[str, Any]:
        return {ENABLED: False}

    def apply(self, target: str, part: str, value: Any) -> None:
        user, _, key = target.partition("/")
        self.iam.update_access_key(UserName=user, AccessKeyId=key, Status="Active" if value else "Inactive")
