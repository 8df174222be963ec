"""Promises about who administers keys."""

from __future__ import annotations

from collections.abc import Mapping

from proofs.finding import Case, Finding, note, proof
from proofs.model import Node
from proofs.register.questions import Facts, facts

_ADMINISTRATION = ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey")


@proof("keys.backups-are-administered-apart")
def backup_keys_are_administered_apart(case: Case, finding: Finding) -> None:
    """Copies lie in another account under its key: whoever administers data keys can neither use nor administer backup keys.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html
    """
    known = facts(case)
    stages = known.stages
    apart = 0
    vaults: dict[str, Node] = {}
    for vault in known.model.of("AWS::Backup::BackupVault"):
        if vault.account in stages:
            continue
        key = known.model.find(vault.get("EncryptionKeyArn"), "AWS::KMS::Key", near=vault)
        if key is None:
            finding.broken.append(note(vault, "its copies are under no key of the deployment"))
            continue
        if key.account in stages:
            finding.broken.append(note(vault, f"its key {key.path} is the workload's"))
            continue
        apart += 1
        finding.missing += [note(key, doubt) for doubt in [known.unsure(key)] if doubt]
        for account in known.guests(key, stages):
            caller = f"arn:aws:iam::{account}:role/key-administrator"
            for action in ("kms:Decrypt", *_ADMINISTRATION):
                if known.may(caller, action, key):
                    finding.broken.append(note(key, f"{caller} may {action}"))
            for named in known.callers(account, key):
                for action in _ADMINISTRATION:
                    if known.may(named, action, key):
                        finding.broken.append(note(key, f"{named} may {action}"))
        vaults.setdefault(vault.account, vault)
        finding.evidence.append(note(key, f"administered by {key.account} alone"))
    for key in filter(lambda one: one.account in stages, known.model.of("AWS::KMS::Key")):
        _backup_side(known, key, vaults, finding)
    if not apart and not finding.broken:
        finding.missing.extend(
            note(v, "no vault lies in an account of its own") for v in known.model.of("AWS::Backup::BackupVault")
        )


def _backup_side(known: Facts, key: Node, vaults: Mapping[str, Node], finding: Finding) -> None:
    """Administrators of an account that keeps copies neither use nor administer a stage's key."""
    for account in known.guests(key, vaults):
        caller = f"arn:aws:iam::{account}:role/key-administrator"
        for action in ("kms:Decrypt", *_ADMINISTRATION):
            if known.may(caller, action, key):
                finding.broken.append(note(key, f"{caller} may {action}"))
