"""Keys."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.checks import Resource, View, check, described


def _key(kms: Any, resource: Resource, _view: View) -> Any:
    found = kms.describe_key(KeyId=resource.id)["KeyMetadata"]
    if found["KeyState"] == "PendingDeletion":
        return None
    policy = kms.get_key_policy(KeyId=resource.id, PolicyName="default")["Policy"]
    tags = [
        {"Key": tag["TagKey"], "Value": tag["TagValue"]} for tag in kms.list_resource_tags(KeyId=resource.id)["Tags"]
    ]
    rotation = kms.get_key_rotation_status(KeyId=resource.id) if resource.type == "AWS::KMS::Key" else {}
    return {
        **found,
        "KeyPolicy": json.loads(policy),
        "EnableKeyRotation": rotation.get("KeyRotationEnabled"),
        "RotationPeriodInDays": rotation.get("RotationPeriodInDays"),
        "Tags": tags,
    }


def _alias(kms: Any, resource: Resource, _view: View) -> Any:
    for alias in kms.list_aliases()["Aliases"]:
        if alias["AliasName"] == resource.id:
            return alias
    raise LookupError(resource.id)


described("AWS::KMS::Key", "kms", _key)
described("AWS::KMS::ReplicaKey", "kms", _key)
described("AWS::KMS::Alias", "kms", _alias)


@check("AWS::KMS::Key", says="encrypts and decrypts")
def works(resource: Resource, view: View) -> None:
    kms = view.client("kms", resource)
    if resource.properties.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT":
        sealed = kms.encrypt(KeyId=resource.id, Plaintext=b"rehearsal", EncryptionContext={"tenant": "one"})
        opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"tenant": "one"})
        assert opened["Plaintext"] == b"rehearsal", "a round trip changed the text"
        try:
            kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"tenant": "two"})
        except kms.exceptions.InvalidCiphertextException:
            return
        raise AssertionError("decrypts under another encryption context")


@check("AWS::KMS::Key", says="rotates every year")
def rotates(resource: Resource, view: View) -> None:
    spec = resource.properties.get("KeySpec", "SYMMETRIC_DEFAULT")
    if spec == "SYMMETRIC_DEFAULT":
        status = view.client("kms", resource).get_key_rotation_status(KeyId=resource.id)
        assert status["KeyRotationEnabled"], "rotation is off"
