"""Takes a machine off the network, after its volumes were copied."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from contain.action import Action, RefusedError, State

PROTECTION = "protected from scale-in"
MARK = "containment"
"""The tag of copies; its value is the containment's id."""


@dataclass(frozen=True, kw_only=True)
class QuarantineInstance(Action):
    """Snapshots every volume at one moment, then puts every network interface into the quarantine group alone.

    Connections that are open and tracked go on until they are idle, which the warning says.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-create-snapshot.html
    """

    name: str = "quarantine-instance"
    warning: str = (
        "Connections that are open go on until they fall idle: stop what they lead to, or block it at the network ACL "
        "(docs/howto/containment.md)."
    )
    ec2: Any
    scaling: Any
    vpc: str
    group: str

    def check(self, target: str) -> None:
        if not re.fullmatch(r"i-[0-9a-f]{8,17}", target):
            raise RefusedError(f"{target} is no instance id. It looks like i-0123456789abcdef0.")
        instance = self._instance(target)
        if instance.get("VpcId") != self.vpc:
            raise RefusedError(
                f"{target} is not in the stage's network {self.vpc}, whose quarantine group it would need."
            )

    def look(self, target: str) -> dict[str, Any]:
        parts: dict[str, Any] = {
            one["NetworkInterfaceId"]: sorted(group["GroupId"] for group in one["Groups"])
            for one in self._instance(target).get("NetworkInterfaces", ())
        }
        scaled = self.scaling.describe_auto_scaling_instances(InstanceIds=[target])["AutoScalingInstances"]
        if scaled:
            parts[PROTECTION] = bool(scaled[0].get("ProtectedFromScaleIn"))
        return parts

    def wanted(self, before: State, at: datetime) -> dict[str, Any]:
        return {part: True if part == PROTECTION else [self.group] for part in before}

    def apply(self, target: str, part: str, value: Any) -> None:
        if part != PROTECTION:
            self.ec2.modify_network_interface_attribute(NetworkInterfaceId=part, Groups=value)
            return
        scaled = self.scaling.describe_auto_scaling_instances(InstanceIds=[target])["AutoScalingInstances"]
        for one in scaled:
            self.scaling.set_instance_protection(
                InstanceIds=[target], AutoScalingGroupName=one["AutoScalingGroupName"], ProtectedFromScaleIn=value
            )

    def to_preserve(self, target: str) -> Sequence[str]:
        volumes = [one["Ebs"]["VolumeId"] for one in self._instance(target).get("BlockDeviceMappings", ())]
        return [f"snapshot of volume {volume}, which undoing keeps" for volume in volumes]

    def preserve(self, target: str, mark: str) -> list[str]:
        marked = [{"Name": f"tag:{MARK}", "Values": [mark]}]
        found = self.ec2.describe_snapshots(OwnerIds=["self"], Filters=marked)["Snapshots"]
        if not found and self.to_preserve(target):
            found = self.ec2.create_snapshots(
                InstanceSpecification={"InstanceId": target},
                Description=f"{target} before containment {mark}",
                TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": MARK, "Value": mark}]}],
            )["Snapshots"]
        return sorted(one["SnapshotId"] for one in found)

    def _instance(self, target: str) -> dict[str, Any]:
        try:
            answer = self.ec2.describe_instances(InstanceIds=[target])
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidInstanceID.NotFound":
                raise
            answer = {"Reservations": []}
        for reservation in answer["Reservations"]:
            for instance in reservation["Instances"]:
                if instance["State"]["Name"] not in {"shutting-down", "terminated"}:
                    found: dict[str, Any] = instance
                    return found
        raise RefusedError(f"there is no instance {target}, or it is terminated.")
