"""Default security group and ACL: closed whatever was in them, and only they."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from close_defaults.handler import close
from moto import mock_aws
from palisade_runtime.custom_resource import RefusedRequestError, Request


@pytest.fixture
def ec2() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("ec2", region_name="eu-west-1")


def defaults(ec2: Any) -> tuple[str, str]:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    group = ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"][0]["GroupId"]
    acl = ec2.describe_network_acls(Filters=of_vpc)["NetworkAcls"][0]["NetworkAclId"]
    return group, acl


def request(group: str, acl: str, kind: str = "Create") -> Request:
    return Request(kind=kind, properties={"SecurityGroupId": group, "NetworkAclId": acl}, physical_id=None)


def rules(ec2: Any, group: str, acl: str) -> tuple[list[Any], list[Any], list[int]]:
    found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    entries = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
    return found["IpPermissions"], found["IpPermissionsEgress"], sorted({entry["RuleNumber"] for entry in entries})


def test_takes_every_rule_and_leaves_the_denials(ec2: Any) -> None:
    group, acl = defaults(ec2)
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]},
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        ],
    )
    assert rules(ec2, group, acl)[1]
    outcome = close(request(group, acl), ec2)
    assert rules(ec2, group, acl) == ([], [], [32767])
    assert outcome.physical_id == f"{group}/{acl}"


def test_closing_what_is_closed_changes_nothing(ec2: Any) -> None:
    group, acl = defaults(ec2)
    assert close(request(group, acl), ec2) == close(request(group, acl, "Update"), ec2)
    assert rules(ec2, group, acl) == ([], [], [32767])


def test_refuses_a_group_that_somebody_wrote(ec2: Any) -> None:
    group, acl = defaults(ec2)
    vpc = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["VpcId"]
    own = ec2.create_security_group(GroupName="own", Description="own", VpcId=vpc)["GroupId"]
    with pytest.raises(RefusedRequestError, match="default"):
        close(request(own, acl), ec2)
    assert rules(ec2, own, acl)[1]


def test_refuses_an_acl_that_somebody_wrote(ec2: Any) -> None:
    group, acl = defaults(ec2)
    vpc = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["VpcId"]
    own = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    with pytest.raises(RefusedRequestError, match="default"):
        close(request(group, own), ec2)
    assert rules(ec2, group, acl)[1]


def test_deletion_leaves_them_closed(ec2: Any) -> None:
    group, acl = defaults(ec2)
    close(request(group, acl), ec2)
    close(request(group, acl, "Delete"), ec2)
    assert rules(ec2, group, acl) == ([], [], [32767])


def test_refuses_a_request_without_ids(ec2: Any) -> None:
    with pytest.raises(RefusedRequestError, match="SecurityGroupId"):
        close(Request(kind="Create", properties={}, physical_id=None), ec2)
