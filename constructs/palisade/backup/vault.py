"""A backup vault under a customer key, out of which nobody deletes by hand."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_backup as backup
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs import Construct


class Vault(Construct):
    """Keeps recovery points under ``key`` until their time; refuses to delete them or to shorten it.

    ``copies_from`` are the accounts whose backups may be copied in; with ``organization_id`` only while they belong to
    it. The stack never deletes the vault. To empty a vault its policy must be changed first, which is an event that
    raises an alarm.
    Control: backup.vault.no-deletion

    https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html
    https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        key: kms.IKey,
        copies_from: Sequence[str],
        organization_id: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        self.resource = backup.CfnBackupVault(
            self,
            "Resource",
            backup_vault_name=name,
            encryption_key_arn=key.key_arn,
            access_policy=_policy(copies_from, organization_id),
        )
        self.resource.apply_removal_policy(cdk.RemovalPolicy.RETAIN)


def _policy(copies_from: Sequence[str], organization_id: str | None) -> iam.PolicyDocument:
    statements = [
        iam.PolicyStatement(
            sid="NobodyDeletes",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"],
            resources=["*"],
        )
    ]
    if copies_from:
        statements.append(
            iam.PolicyStatement(
                sid="CopiesComeIn",
                principals=[iam.AccountPrincipal(account) for account in copies_from],
                actions=["backup:CopyIntoBackupVault"],
                resources=["*"],
                conditions=(
                    {"StringEquals": {"aws:PrincipalOrgID": organization_id}} if organization_id is not None else None
                ),
            )
        )
    return iam.PolicyDocument(statements=statements)
