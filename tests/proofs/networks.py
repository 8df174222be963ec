"""Small networks as templates, for asking the model of reachability what AWS documents."""

from __future__ import annotations

from typing import Any

from assembly import of_templates
from proofs.model import Model
from proofs.reachability import Flow, Reachability

Resources = dict[str, dict[str, Any]]


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def vpc(name: str, cidr: str) -> Resources:
    """A VPC with one subnet that fills it, a route table of its own, and a machine with a group of its own."""
    return {
        f"{name}Vpc": resource("EC2::VPC", CidrBlock=cidr),
        f"{name}Subnet": resource(
            "EC2::Subnet", VpcId={"Ref": f"{name}Vpc"}, CidrBlock=cidr, AvailabilityZone="eu-west-1a"
        ),
        f"{name}Table": resource("EC2::RouteTable", VpcId={"Ref": f"{name}Vpc"}),
        f"{name}InTable": resource(
            "EC2::SubnetRouteTableAssociation",
            SubnetId={"Ref": f"{name}Subnet"},
            RouteTableId={"Ref": f"{name}Table"},
        ),
        f"{name}Group": resource(
            "EC2::SecurityGroup",
            VpcId={"Ref": f"{name}Vpc"},
            SecurityGroupIngress=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 23, "CidrIp": "0.0.0.0/0"}],
        ),
        name: resource(
            "EC2::Instance",
            SubnetId={"Ref": f"{name}Subnet"},
            SecurityGroupIds=[{"Fn::GetAtt": [f"{name}Group", "GroupId"]}],
        ),
    }


def route(table: str, cidr: str, **target: Any) -> dict[str, Any]:
    return resource("EC2::Route", RouteTableId={"Ref": f"{table}Table"}, DestinationCidrBlock=cidr, **target)


def gateway(name: str) -> Resources:
    """An internet gateway for the VPC, with the default route to it."""
    return {
        "Gateway": resource("EC2::InternetGateway"),
        "Attached": resource(
            "EC2::VPCGatewayAttachment", VpcId={"Ref": f"{name}Vpc"}, InternetGatewayId={"Ref": "Gateway"}
        ),
        "Out": route(name, "0.0.0.0/0", GatewayId={"Ref": "Gateway"}),
    }


def reach(*parts: Resources, **more: dict[str, Any]) -> Reachability:
    resources: Resources = {}
    for part in parts:
        resources.update(part)
    resources.update(more)
    return Reachability(
        Model(of_templates({"net": {"Resources": resources}}, account="123456789012", region="eu-west-1"))
    )


def flows(found: Reachability, source: str, target: str) -> list[Flow]:
    def place(name: str) -> Any:
        return found.places.get(f"net/{name}") or found.places[name]

    return found.flows(place(source), place(target))


def joined(found: Reachability, source: str, target: str) -> bool:
    return bool(flows(found, source, target))
