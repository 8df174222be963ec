"""Keys: who administers, who uses."""

from __future__ import annotations

from assembly import Assembly


def test_every_key_rotates_and_is_retained(assembly: Assembly) -> None:
    keys = [resource for _, resource in assembly.resources("AWS::KMS::Key")]
    assert keys
    for key in keys:
        assert key.properties["EnableKeyRotation"] is True, key
        assert key.definition["DeletionPolicy"] == "Retain", key
        assert key.properties["PendingWindowInDays"] == 30, key


def test_no_service_uses_a_key_without_a_condition(assembly: Assembly) -> None:
    for _, key in assembly.resources("AWS::KMS::Key"):
        for statement in key.properties["KeyPolicy"]["Statement"]:
            if statement["Effect"] == "Allow" and "Service" in statement["Principal"]:
                assert statement.get("Condition"), f"{key}: {statement.get('Sid')}"


def test_grants_are_made_by_services_only(assembly: Assembly) -> None:
    for _, key in assembly.resources("AWS::KMS::Key"):
        for statement in key.properties["KeyPolicy"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if statement["Effect"] == "Allow" and {"kms:*", "kms:Create*", "kms:CreateGrant"} & set(actions):
                condition = statement.get("Condition", {})
                assert condition.get("Bool", {}).get("kms:GrantIsForAWSResource") == "true", f"{key}: {statement}"
