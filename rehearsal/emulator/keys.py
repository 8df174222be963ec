"""What ministack lacks where a key of one account serves another: finding it, its policy's owner, and the context of a request.

https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_actions
from ministack.services import kms


def install() -> None:
    """Apply both."""
    _keys_of_other_accounts()
    _requests_name_contexts()


def _keys_of_other_accounts() -> None:
    resolve, policy = kms._resolve_key, kms.key_policy_for_arn

    def resolve_key(name: str) -> Any:
        return resolve(name) or (_elsewhere(name) if name and name.startswith("arn:aws:kms:") else None)

    def key_policy_for_arn(arn: str) -> Any:
        key = resolve_key(arn)
        return policy(arn) if key is None else (key.get("Policy") or "", key["Arn"].split(":")[4])

    kms._resolve_key, kms.key_policy_for_arn = resolve_key, key_policy_for_arn


def _elsewhere(arn: str) -> Any:
    _, _, _, region, account, name = arn.split(":", 5)
    key_id = kms._aliases.get_scoped(account, region, arn) if name.startswith("alias/") else name.removeprefix("key/")
    return kms._keys.get_scoped(account, region, key_id)


def _requests_name_contexts() -> None:
    """The key itself as the resource, and the encryption context as condition keys."""
    arn_of, context_of = iam_actions.extract_resource_arn, iam_actions.request_tag_context

    def resource_arn(service: str, *arguments: Any) -> Any:
        found = arn_of(service, *arguments)
        key = kms._resolve_key(found) if service == "kms" and found != "*" else None
        return found if key is None else key["Arn"]

    def context(service: str, action: str, body: bytes, parameters: Any) -> dict[str, Any]:
        found = context_of(service, action, body, parameters)
        return {**found, **_context(json.loads(body or b"{}"))} if service == "kms" else found

    iam_actions.extract_resource_arn, iam_actions.request_tag_context = resource_arn, context


def _context(request: dict[str, Any]) -> dict[str, Any]:
    said = request.get("EncryptionContext") or {}
    return {
        **{f"kms:encryptioncontext:{name}".lower(): value for name, value in said.items()},
        **({"kms:encryptioncontextkeys": list(said)} if said else {}),
    }
