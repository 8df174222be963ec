"""What is backed up, when, for how long, and where the copies go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_backup as backup

from constructs import Construct
from palisade.backup.roles import BackupRole
from palisade.backup.vault import Vault
from palisade.storage import BACKUP_TAG, BackupClass


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A copy of each recovery point in the vault ``vault_arn``, kept for ``days`` from the original's creation."""

    vault_arn: str
    days: int


@dataclass(frozen=True, kw_only=True)
class BackupRule:
    """One schedule. A backup starts within ``start_minutes`` (at least 60) after ``schedule`` (a cron of AWS, in UTC) and
    is complete ``completion_minutes`` later, or fails and raises an alarm; it is kept for ``days``.

    ``continuous`` adds recovery to any second of the last ``days`` (at most 35), for buckets.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRule.html
    """

    name: str
    schedule: str
    days: int
    copies: Sequence[Copy]
    continuous: bool = False
    start_minutes: int = 60
    completion_minutes: int = 180


class BackupPlan(Construct):
    """Backs up every resource that matches ``resources`` (ARNs, ``*`` at their end) and carries ``backup``'s tag.

    A new store is in the plan as soon as it has the tag; nobody lists stores by hand.
    Control: backup.plan.every-store

    https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        vault: Vault,
        role: BackupRole,
        resources: Sequence[str],
        backup_class: BackupClass,
        rules: Sequence[BackupRule],
    ) -> None:
        super().__init__(scope, construct_id)
        self.resource = backup.CfnBackupPlan(
            self,
            "Resource",
            backup_plan=backup.CfnBackupPlan.BackupPlanResourceTypeProperty(
                backup_plan_name=name, backup_plan_rule=[_rule(rule, vault) for rule in rules]
            ),
        )
        self.resource.add_resource_dependency(vault.resource)
        selection = backup.CfnBackupSelection(
            self,
            "Selection",
            backup_plan_id=self.resource.ref,
            backup_selection=backup.CfnBackupSelection.BackupSelectionResourceTypeProperty(
                selection_name=name,
                iam_role_arn=role.role.role_arn,
                resources=list(resources),
                conditions={
                    "StringEquals": [
                        {"ConditionKey": f"aws:ResourceTag/{BACKUP_TAG}", "ConditionValue": backup_class.value}
                    ]
                },
            ),
        )
        # With its policy: AWS Backup tries at once whether the role may look for tags.
        selection.node.add_dependency(role)


def _rule(rule: BackupRule, vault: Vault) -> backup.CfnBackupPlan.BackupRuleResourceTypeProperty:
    return backup.CfnBackupPlan.BackupRuleResourceTypeProperty(
        rule_name=rule.name,
        target_backup_vault=vault.name,
        schedule_expression=rule.schedule,
        start_window_minutes=rule.start_minutes,
        completion_window_minutes=rule.completion_minutes,
        enable_continuous_backup=rule.continuous,
        lifecycle=_kept(rule.days),
        copy_actions=[
            backup.CfnBackupPlan.CopyActionResourceTypeProperty(
                destination_backup_vault_arn=copy.vault_arn, lifecycle=_kept(copy.days)
            )
            for copy in rule.copies
        ],
    )


def _kept(days: int) -> backup.CfnBackupPlan.LifecycleResourceTypeProperty:
    return backup.CfnBackupPlan.LifecycleResourceTypeProperty(delete_after_days=days)
