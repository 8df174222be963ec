"""The record of every resource's configuration, and of each change to it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_config as config

from constructs import Construct


class ConfigurationRecord(Construct):
    """Records every resource of this account and region, continuously, and delivers the history to ``bucket_name``.

    Its service-linked role must be there, and the bucket must let AWS Config of this account in. IAM and other global
    resources are recorded only where ``global_resources`` says so, or each would be recorded once in every region.
    Recorder and channel do not depend on each other: each needs the other, and CloudFormation waits for both.

    Control: archive.recorder.complete
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-config-configurationrecorder.html
    https://docs.aws.amazon.com/config/latest/developerguide/using-service-linked-roles.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, bucket_name: str, global_resources: bool) -> None:
        super().__init__(scope, construct_id)
        account = cdk.Stack.of(self).account
        self.recorder = config.CfnConfigurationRecorder(
            self,
            "Resource",
            role_arn=f"arn:aws:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
            recording_group=config.CfnConfigurationRecorder.RecordingGroupProperty(
                all_supported=True, include_global_resource_types=global_resources
            ),
        )
        self.channel = config.CfnDeliveryChannel(
            self,
            "Delivery",
            s3_bucket_name=bucket_name,
            config_snapshot_delivery_properties=config.CfnDeliveryChannel.ConfigSnapshotDeliveryPropertiesProperty(
                delivery_frequency="TwentyFour_Hours"
            ),
        )
