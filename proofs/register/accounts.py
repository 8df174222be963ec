"""Promises about what is set for a whole account, by the custom resource that sets what CloudFormation has no type for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Node, as_list, at, truthy

PASSWORDS: Final[Mapping[str, int]] = {"MinimumPasswordLength": 14, "PasswordReusePrevention": 24}
"""The least; CIS AWS Foundations 3.0.0, 1.8 and 1.9. https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html"""
CHARACTERS: Final = ("RequireLowercaseCharacters", "RequireUppercaseCharacters", "RequireNumbers", "RequireSymbols")
OLDEST_PASSWORD_DAYS: Final = 90


def _settings(case: Case, finding: Finding) -> dict[str, Node]:
    """The resource that sets an account up, by account."""
    name = "PasswordPolicy"
    found = {
        node.account: node for node in case.model if node.type.startswith("Custom::") and node.get(name) is not None
    }
    for account in sorted({stack.account for stack in case.assembly.stacks} - set(found)):
        finding.broken.append(Note(account, "nothing sets it up", "account"))
    return found


@proof("accounts.passwords-are-strong")
def passwords_are_strong(case: Case, finding: Finding) -> None:
    """Every account asks long passwords of every kind of character, that end and do not come again.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
    """
    for node in _settings(case, finding).values():
        policy = node.get("PasswordPolicy")
        weak = [name for name, least in PASSWORDS.items() if _number(at(policy, name), 0) < least]
        weak += [name for name in CHARACTERS if not truthy(at(policy, name))]
        if not 0 < _number(at(policy, "MaxPasswordAge"), 0) <= OLDEST_PASSWORD_DAYS:
            weak.append("MaxPasswordAge")
        finding.broken += [note(node, f"{name} is {at(policy, name)} for account {node.account}") for name in weak]
        if not weak:
            finding.evidence.append(note(node, f"strong passwords in account {node.account}"))


@proof("accounts.volumes-are-encrypted-by-default")
def volumes_are_encrypted_by_default(case: Case, finding: Finding) -> None:
    """Every account encrypts each new volume under a key of its own, in every region that the deployment uses.

    https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html
    """
    regions = {(stack.account, stack.region) for stack in case.assembly.stacks}
    for account, node in _settings(case, finding).items():
        keys = {str(at(one, "Region")): at(one, "VolumeKey") for one in as_list(node.get("Regions"))}
        for region in sorted(region for owner, region in regions if owner == account):
            key = case.model.find(keys.get(region), "AWS::KMS::Key")
            if key is None or (key.account, key.region) != (account, region):
                finding.broken.append(
                    note(node, f"names no key of {account} for volumes in {region}: {keys.get(region)}")
                )
            else:
                finding.evidence.append(note(key, f"encrypts new volumes of {account} in {region}"))


def _number(value: Any, otherwise: int) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return otherwise
