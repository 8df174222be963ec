"""Which updates machines get, when, and who hears of a machine that lacks one."""

from __future__ import annotations

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm

from constructs import Construct
from palisade.observability import EventNotice

PATCH = "AWS-RunPatchBaseline"
PATCH_TAG = "PatchGroup"
"""Machines with this tag are patched in the window; the library tags all of its own."""

_SECURITY_DAYS, _BUGFIX_DAYS = 0, 7


class Patching(Construct):
    """Installs what the baseline approves on every machine with the tag ``PatchGroup``, on Sundays from 01:00 UTC; looks
    every day on every machine for what is missing, and tells ``topic`` of a machine that is not compliant.

    The baseline is this account's and region's own for Amazon Linux 2023 wherever no patch group names another: security
    updates on the day they appear, bug fixes after a week. Nothing starts in the window's last hour.

    Controls: maintenance.machine.patched, maintenance.window.works, maintenance.baseline.approves
    https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-predefined-and-custom-patch-baselines.html
    https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-systems-manager-event-examples.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, topic: sns.ITopic, undelivered: sqs.IQueue
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        self._baseline()
        self._window()
        ssm.CfnAssociation(
            self,
            "Scan",
            name=PATCH,
            association_name=f"{name}-scan",
            targets=[ssm.CfnAssociation.TargetProperty(key="InstanceIds", values=["*"])],
            parameters={"Operation": ["Scan"]},
            schedule_expression="rate(1 day)",
            compliance_severity="HIGH",
        )
        EventNotice(
            self,
            "NotCompliant",
            description="A machine lacks an update, or an association failed on it",
            pattern={
                "source": ["aws.ssm"],
                "detail-type": ["Configuration Compliance State Change"],
                "detail": {"compliance-status": ["non_compliant"]},
            },
            lines=[
                f"{name}: machine <$.detail.resource-id> is not compliant (<$.detail.compliance-type>), at <$.time>.",
                "Systems Manager, Compliance names the updates. Patch it, or replace it by one from the newest image.",
            ],
            topic=topic,
            undelivered=undelivered,
        )

    def _baseline(self) -> None:
        def approve(classification: str, days: int, level: str) -> ssm.CfnPatchBaseline.RuleProperty:
            return ssm.CfnPatchBaseline.RuleProperty(
                approve_after_days=days,
                compliance_level=level,
                enable_non_security=False,
                patch_filter_group=ssm.CfnPatchBaseline.PatchFilterGroupProperty(
                    patch_filters=[
                        ssm.CfnPatchBaseline.PatchFilterProperty(key="CLASSIFICATION", values=[classification]),
                        ssm.CfnPatchBaseline.PatchFilterProperty(key="SEVERITY", values=["*"]),
                    ]
                ),
            )

        ssm.CfnPatchBaseline(
            self,
            "Baseline",
            name=self._name,
            description="Amazon Linux: security updates at once, bug fixes after a week",
            operating_system="AMAZON_LINUX_2023",
            default_baseline=True,
            approval_rules=ssm.CfnPatchBaseline.RuleGroupProperty(
                patch_rules=[
                    approve("Security", _SECURITY_DAYS, "CRITICAL"),
                    approve("Bugfix", _BUGFIX_DAYS, "MEDIUM"),
                ]
            ),
        )

    def _window(self) -> None:
        window = ssm.CfnMaintenanceWindow(
            self,
            "Window",
            name=self._name,
            description="Updates of machines",
            schedule="cron(0 1 ? * SUN *)",
            schedule_timezone="Etc/UTC",
            duration=3,
            cutoff=1,
            allow_unassociated_targets=False,
        )
        machines = ssm.CfnMaintenanceWindowTarget(
            self,
            "Machines",
            window_id=window.ref,
            name=self._name,
            resource_type="INSTANCE",
            targets=[ssm.CfnMaintenanceWindowTarget.TargetsProperty(key="tag-key", values=[PATCH_TAG])],
        )
        ssm.CfnMaintenanceWindowTask(
            self,
            "Install",
            window_id=window.ref,
            name=self._name,
            priority=1,
            task_type="RUN_COMMAND",
            task_arn=PATCH,
            targets=[ssm.CfnMaintenanceWindowTask.TargetProperty(key="WindowTargetIds", values=[machines.ref])],
            max_concurrency="50%",
            max_errors="1",
            cutoff_behavior="CONTINUE_TASK",
            task_invocation_parameters=ssm.CfnMaintenanceWindowTask.TaskInvocationParametersProperty(
                maintenance_window_run_command_parameters=(
                    ssm.CfnMaintenanceWindowTask.MaintenanceWindowRunCommandParametersProperty(
                        parameters={"Operation": ["Install"], "RebootOption": ["RebootIfNeeded"]}, timeout_seconds=3600
                    )
                )
            ),
        )
