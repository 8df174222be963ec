"""Takes every rule from a VPC's default security group and default network ACL.

CloudFormation can neither edit nor delete these two, and both are open as AWS makes them. Idempotent; deletion of the
custom resource leaves them closed.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html
"""

from collections.abc import Mapping
from typing import Any

import boto3
from palisade_runtime.custom_resource import Context, Outcome, RefusedRequestError, Request, respond

LAST_RULE = 32767
"""The entry that denies what no other entry matches; AWS keeps it and it cannot be deleted."""


def handle(event: Mapping[str, Any], context: Context) -> None:
    """Called by CloudFormation with ``SecurityGroupId`` and ``NetworkAclId``."""
    respond(event, context, service="close_defaults", act=lambda request: close(request, boto3.client("ec2")))


def close(request: Request, ec2: Any) -> Outcome:
    """Close both, unless they are being deleted.

    Raises:
        RefusedRequestError: a group or ACL that is not its VPC's default, whose rules somebody wrote on purpose.
    """
    group_id, acl_id = request.text("SecurityGroupId"), request.text("NetworkAclId")
    if request.kind != "Delete":
        group = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
        acl = ec2.describe_network_acls(NetworkAclIds=[acl_id])["NetworkAcls"][0]
        if group["GroupName"] != "default" or not acl["IsDefault"]:
            raise RefusedRequestError(f"{group_id} and {acl_id} must both be the default of their VPC")
        if group["IpPermissions"]:
            ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=group["IpPermissions"])
        if group["IpPermissionsEgress"]:
            ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=group["IpPermissionsEgress"])
        for number, egress in entries_to_delete(acl["Entries"]):
            ec2.delete_network_acl_entry(NetworkAclId=acl_id, RuleNumber=number, Egress=egress)
    return Outcome(physical_id=f"{group_id}/{acl_id}")


def entries_to_delete(entries: list[Mapping[str, Any]]) -> list[tuple[int, bool]]:
    """Number and direction of every entry but the two last ones, which deny."""
    return [(entry["RuleNumber"], entry["Egress"]) for entry in entries if entry["RuleNumber"] < LAST_RULE]
