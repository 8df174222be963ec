"""The fields of VPC flow logs, agreed between the flow log that writes them and the table that reads them."""

from __future__ import annotations

FLOW_LOG_FIELDS = (
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
    "vpc-id",
    "subnet-id",
    "instance-id",
    "tcp-flags",
    "type",
    "pkt-srcaddr",
    "pkt-dstaddr",
    "region",
    "az-id",
    "pkt-src-aws-service",
    "pkt-dst-aws-service",
    "flow-direction",
    "traffic-path",
)
"""In the order of the line. Add new ones at the end only: the table reads by position.
https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html"""

FLOW_LOG_FORMAT = " ".join(f"${{{field}}}" for field in FLOW_LOG_FIELDS)
"""What ``AWS::EC2::FlowLog`` wants as ``LogFormat``."""
