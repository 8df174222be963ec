"""Replicas of multi-region keys."""

from __future__ import annotations

from rehearsal.emulator.spec import spec, text

spec(
    "AWS::KMS::ReplicaKey",
    "kms",
    "replicate_key",
    "ReplicaKeyMetadata.KeyId",
    rename={"PrimaryKeyArn": "KeyId", "KeyPolicy": "Policy"},
    drop=("KeyPolicy", "Enabled", "PendingWindowInDays"),
    extra=lambda p, c: {"ReplicaRegion": c.region, "Policy": text(dict(p["KeyPolicy"]))},
    attributes={"Arn": "ReplicaKeyMetadata.Arn", "KeyId": "ReplicaKeyMetadata.KeyId"},
    delete="schedule_key_deletion",
    delete_with=lambda i, p, _a: {"KeyId": i, "PendingWindowInDays": int(p.get("PendingWindowInDays", 30))},
)
