"""Records who talked to whom in the VPC, in an archive that the VPC's account cannot change."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2

from constructs import Construct
from palisade.archive import FLOW_LOG_FORMAT


class FlowLog(Construct):
    """Every flow of the VPC, accepted or rejected, goes to ``bucket_name`` as text, in one-minute intervals.

    Control: ``network.flow-log.all-traffic``. The bucket is in the log archive account, whose policy lets the log
    delivery service write for this account only.

    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, vpc_id: str, bucket_name: str) -> None:
        super().__init__(scope, construct_id)
        ec2.CfnFlowLog(
            self,
            "Resource",
            resource_id=vpc_id,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="s3",
            log_destination=f"arn:aws:s3:::{bucket_name}",
            log_format=FLOW_LOG_FORMAT,
            max_aggregation_interval=60,
            destination_options={
                "FileFormat": "plain-text",
                "HiveCompatiblePartitions": False,
                "PerHourPartition": False,
            },
        )
