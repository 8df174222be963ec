"""The one machine that people can open a session on: off unless somebody needs it, and new each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm

from constructs import Construct
from palisade.access.session_recording import SessionRecording
from palisade.acknowledge import acknowledge
from palisade.identity import ComponentRole
from palisade.maintenance.inventory import INVENTORY
from palisade.maintenance.patching import PATCH, PATCH_TAG
from palisade.network import update_buckets

IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
"""Newest Amazon Linux 2023 for Arm, with the Systems Manager agent; read by EC2 at each launch, never at synthesis.
https://docs.aws.amazon.com/linux/al2023/ug/ec2.html#launch-via-aws-cli"""

IDLE_BYTES_PER_5_MINUTES = 100_000
"""The agent's own heartbeat stays well below this; a shell that is typed in or a query through the tunnel does not."""

_HARDENING = """\
#!/bin/bash
set -euo pipefail
# Nobody logs in over the network: Session Manager's agent dials out.
systemctl disable --now sshd.service sshd.socket 2>/dev/null || true
systemctl mask sshd.service
passwd --lock root
passwd --lock ec2-user
rm -f /etc/sudoers.d/90-cloud-init-users
cat > /etc/sysctl.d/90-palisade.conf <<'CONF'
fs.suid_dumpable = 0
kernel.dmesg_restrict = 1
kernel.kptr_restrict = 2
kernel.yama.ptrace_scope = 2
net.ipv4.conf.all.accept_redirects = 0
net.ipv4.conf.all.accept_source_route = 0
net.ipv4.conf.all.log_martians = 1
net.ipv4.conf.all.rp_filter = 1
net.ipv4.conf.all.send_redirects = 0
net.ipv4.tcp_syncookies = 1
net.ipv6.conf.all.accept_redirects = 0
CONF
sysctl --system >/dev/null
sed -i 's/^SELINUX=.*/SELINUX=enforcing/' /etc/selinux/config
setenforce 1 || true
# Whoever opens a session is ssm-user and stays that.
mkdir -p /etc/sudoers.d
echo '# ssm-user has no rights beyond its own' > /etc/sudoers.d/ssm-agent-users
chmod 0440 /etc/sudoers.d/ssm-agent-users
"""


@dataclass(frozen=True, kw_only=True)
class BastionPlacement:
    """Private subnets that the machine may start in, and its security group, which lets nobody in."""

    subnet_ids: Sequence[str]
    security_group: ec2.ISecurityGroup


class Bastion(Construct):
    """A group of none or one Arm machine without key pair, public address or inbound rule.

    Somebody starts it by asking for a capacity of one. An hour without traffic, or 02:00 UTC, takes it to none again.
    Each start launches the newest image, installs what security updates it lacks, and leaves no disk behind: nothing
    to patch lives on, and nothing that a person left there does. Metadata needs a token and answers one hop away only.

    ``name`` names the group; ``role_name`` the role, which the archive's policies know. ``key`` must let EC2 Auto Scaling
    use it (:meth:`~palisade.keys.CustomerKey.allow_auto_scaling`).

    Control: access.bastion.hardened
    https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager.html
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/using-systems-manager-parameters.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        role_name: str,
        placement: BastionPlacement,
        key: kms.IKey,
        recording: SessionRecording,
        archive_account: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        self._stack = cdk.Stack.of(self)
        self.role = ComponentRole(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            description="Bastion: take sessions, record them, install updates",
            name=role_name,
        )
        self._allow_sessions(recording, archive_account)
        self._allow_updates()
        template = self._launch_template(placement, key)
        self._group = autoscaling.CfnAutoScalingGroup(
            self,
            "Resource",
            auto_scaling_group_name=name,
            min_size="0",
            max_size="1",
            # No desired capacity: a deployment neither starts the bastion nor ends a session on it.
            vpc_zone_identifier=list(placement.subnet_ids),
            launch_template=autoscaling.CfnAutoScalingGroup.LaunchTemplateSpecificationProperty(
                launch_template_id=template.launch_template_id, version=template.latest_version_number
            ),
            health_check_type="EC2",
            tags=[
                autoscaling.CfnAutoScalingGroup.TagPropertyProperty(key=tag, value=name, propagate_at_launch=True)
                for tag in ("Name", PATCH_TAG)
            ],
        )
        self._stop_when_idle()
        self._patch_at_start()
        acknowledge(
            self._group,
            f"{name}: launches and terminations reach the security topic as EventBridge events, which an encrypted topic "
            "takes; the group serves no load balancer, so there is no health check of one to use.",
            "AwsSolutions-AS3",
        )

    @property
    def group_name(self) -> str:
        """Name of the Auto Scaling group."""
        return self._group.ref

    def _launch_template(self, placement: BastionPlacement, key: kms.IKey) -> ec2.LaunchTemplate:
        return ec2.LaunchTemplate(
            self,
            "Template",
            machine_image=ec2.MachineImage.resolve_ssm_parameter_at_launch(IMAGE),
            instance_type=ec2.InstanceType("t4g.micro"),
            role=self.role.role.without_policy_updates(),
            security_group=placement.security_group,
            associate_public_ip_address=False,
            block_devices=[
                ec2.BlockDevice(
                    device_name="/dev/xvda",
                    volume=ec2.BlockDeviceVolume.ebs(
                        8,
                        encrypted=True,
                        kms_key=key,
                        volume_type=ec2.EbsDeviceVolumeType.GP3,
                        delete_on_termination=True,
                    ),
                )
            ],
            require_imdsv2=True,
            http_endpoint=True,
            http_put_response_hop_limit=1,
            instance_metadata_tags=False,
            detailed_monitoring=True,
            instance_initiated_shutdown_behavior=ec2.InstanceInitiatedShutdownBehavior.TERMINATE,
            user_data=ec2.UserData.custom(_HARDENING),
        )

    def _stop_when_idle(self) -> None:
        policy = autoscaling.CfnScalingPolicy(
            self,
            "Stop",
            auto_scaling_group_name=self.group_name,
            policy_type="StepScaling",
            adjustment_type="ExactCapacity",
            step_adjustments=[
                autoscaling.CfnScalingPolicy.StepAdjustmentProperty(metric_interval_upper_bound=0, scaling_adjustment=0)
            ],
        )
        cloudwatch.CfnAlarm(
            self,
            "Idle",
            alarm_description="The bastion has been idle for an hour and is stopped.",
            namespace="AWS/EC2",
            metric_name="NetworkOut",
            dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="AutoScalingGroupName", value=self.group_name)],
            statistic="Sum",
            period=300,
            evaluation_periods=12,
            datapoints_to_alarm=12,
            threshold=IDLE_BYTES_PER_5_MINUTES,
            comparison_operator="LessThanThreshold",
            # No machine, no data: that is the state to be in.
            treat_missing_data="notBreaching",
            alarm_actions=[policy.ref],
        )
        autoscaling.CfnScheduledAction(
            self,
            "Nightly",
            auto_scaling_group_name=self.group_name,
            recurrence="0 2 * * *",
            time_zone="Etc/UTC",
            desired_capacity=0,
        )

    def _patch_at_start(self) -> None:
        ssm.CfnPatchBaseline(
            self,
            "Baseline",
            name=self._name,
            description="Every security update of Amazon Linux, on the day it appears",
            operating_system="AMAZON_LINUX_2023",
            patch_groups=[self._name],
            approval_rules=ssm.CfnPatchBaseline.RuleGroupProperty(
                patch_rules=[
                    ssm.CfnPatchBaseline.RuleProperty(
                        approve_after_days=0,
                        compliance_level="CRITICAL",
                        enable_non_security=False,
                        patch_filter_group=ssm.CfnPatchBaseline.PatchFilterGroupProperty(
                            patch_filters=[
                                ssm.CfnPatchBaseline.PatchFilterProperty(key="CLASSIFICATION", values=["Security"]),
                                ssm.CfnPatchBaseline.PatchFilterProperty(key="SEVERITY", values=["*"]),
                            ]
                        ),
                    )
                ]
            ),
        )
        ssm.CfnAssociation(
            self,
            "Patch",
            name=PATCH,
            association_name=self._name,
            # Without a schedule it runs once on each machine, when the machine first reports.
            targets=[ssm.CfnAssociation.TargetProperty(key=f"tag:{PATCH_TAG}", values=[self._name])],
            parameters={"Operation": ["Install"], "RebootOption": ["RebootIfNeeded"]},
            compliance_severity="HIGH",
        )

    def _allow_sessions(self, recording: SessionRecording, archive_account: str) -> None:
        region, account = self._stack.region, self._stack.account
        bucket = f"arn:aws:s3:::{recording.bucket_name}"
        log_groups = f"arn:aws:logs:{region}:{account}:log-group:"
        self.role.allow(
            iam.PolicyStatement(
                sid="TakeSessions",
                actions=[
                    "ssmmessages:CreateControlChannel",
                    "ssmmessages:CreateDataChannel",
                    "ssmmessages:OpenControlChannel",
                    "ssmmessages:OpenDataChannel",
                ],
                resources=["*"],
            ),
            iam.PolicyStatement(
                sid="DecryptSessions",
                actions=["kms:Decrypt"],
                resources=[recording.key.key_arn],
                conditions={"Null": {"kms:EncryptionContext:aws:ssm:SessionId": "false"}},
            ),
            iam.PolicyStatement(
                sid="RecordToArchive", actions=["s3:PutObject", "s3:PutObjectAcl"], resources=[f"{bucket}/*"]
            ),
            iam.PolicyStatement(
                sid="SeeThatArchiveEncrypts", actions=["s3:GetEncryptionConfiguration"], resources=[bucket]
            ),
            iam.PolicyStatement(
                sid="EncryptForArchive",
                # S3 decrypts with the writer's rights to join the parts of a large upload; objects stay unreadable.
                # https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[f"arn:aws:kms:{region}:{archive_account}:key/*"],
                conditions={"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
            ),
            iam.PolicyStatement(
                sid="RecordToLogs",
                actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                resources=[f"{log_groups}{recording.log_group.name}:*"],
            ),
            iam.PolicyStatement(
                sid="SeeThatLogsEncrypt",
                actions=["logs:DescribeLogGroups"],
                resources=[f"{log_groups}*"],
            ),
        )
        acknowledge(
            self.role.policy,
            f"{self._name}: the message services of Systems Manager define no resource type; the archive's key has an id "
            "that AWS invents in another account and serves S3 alone; a recording's object name is the session's id.",
            "AwsSolutions-IAM5[Resource::*]",
            f"AwsSolutions-IAM5[Resource::{bucket}/*]",
            f"AwsSolutions-IAM5[Resource::arn:aws:kms:{region}:{archive_account}:key/*]",
            f"AwsSolutions-IAM5[Resource::{log_groups}*]",
            f"AwsSolutions-IAM5[Resource::{log_groups}{recording.log_group.name}:*]",
        )

    def _allow_updates(self) -> None:
        region, account = self._stack.region, self._stack.account
        documents = [f"arn:aws:ssm:{region}::document/{name}" for name in (PATCH, INVENTORY)]
        self.role.allow(
            iam.PolicyStatement(
                sid="ReportToSystemsManager",
                actions=[
                    "ssm:GetDeployablePatchSnapshotForInstance",
                    "ssm:ListInstanceAssociations",
                    "ssm:PutComplianceItems",
                    "ssm:PutInventory",
                    "ssm:UpdateInstanceInformation",
                ],
                resources=["*"],
            ),
            iam.PolicyStatement(
                sid="FollowAssociations",
                actions=[
                    "ssm:DescribeAssociation",
                    "ssm:UpdateAssociationStatus",
                    "ssm:UpdateInstanceAssociationStatus",
                ],
                resources=[
                    f"arn:aws:ec2:{region}:{account}:instance/*",
                    f"arn:aws:ssm:{region}:{account}:association/*",
                    *documents,
                ],
            ),
            iam.PolicyStatement(
                sid="ReadDocuments",
                actions=["ssm:DescribeDocument", "ssm:GetDocument"],
                resources=documents,
            ),
            iam.PolicyStatement(
                sid="ReadUpdates",
                actions=["s3:GetObject"],
                resources=[f"arn:aws:s3:::{bucket}/*" for bucket in update_buckets(region)],
            ),
        )
        acknowledge(
            self.role.policy,
            f"{self._name}: machines and associations get their ids when they start; the buckets belong to AWS and hold "
            "public updates, whose object names change with every release.",
            f"AwsSolutions-IAM5[Resource::arn:aws:ec2:{region}:{account}:instance/*]",
            f"AwsSolutions-IAM5[Resource::arn:aws:ssm:{region}:{account}:association/*]",
            *(f"AwsSolutions-IAM5[Resource::arn:aws:s3:::{bucket}/*]" for bucket in update_buckets(region)),
        )
