"""Where a machine is put that must talk to nobody."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from constructs import Construct


class QuarantineGroup(Construct):
    """A security group that admits nothing and lets nothing out; nothing refers to it until a machine is quarantined.

    Control: containment.quarantine.closed
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, vpc_id: str) -> None:
        super().__init__(scope, construct_id)
        self.resource = ec2.CfnSecurityGroup(
            self,
            "Resource",
            vpc_id=vpc_id,
            group_description="Quarantine: nothing in, nothing out",
            # A group without any outbound rule would get one from AWS that allows everything.
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="icmp",
                    from_port=252,
                    to_port=86,
                    cidr_ip="255.255.255.255/32",
                    description="Disallow all traffic",
                )
            ],
            tags=[cdk.CfnTag(key="Name", value=name)],
        )

    @property
    def id(self) -> str:
        """The group's id."""
        return self.resource.attr_group_id
