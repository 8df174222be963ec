"""Answers of ministack that differ from AWS where a hardened environment would notice: corrected here, one by one."""

from __future__ import annotations

import json
import os
from typing import Any
from xml.sax.saxutils import escape

from ministack.core import iam_evaluator
from ministack.services import ec2
from ministack.services.cloudformation import provisioners


def install() -> None:
    """Apply every correction."""
    _acl_entries_keep_ports()
    _subnets_have_one_acl()
    _networks_tell_their_block()
    _endpoints_tell_their_groups()
    _callers_belong_to_the_organization()


def _acl_entries_keep_ports() -> None:
    """ministack drops the port range and ICMP type of network ACL entries."""
    create, replace, xml = (
        ec2._create_network_acl_entry,
        ec2._replace_network_acl_entry,
        ec2._network_acl_entry_xml,
    )

    def keeping(original: Any) -> Any:
        def change(params: Any) -> Any:
            answer = original(params)
            entries = ec2._network_acls.get(ec2._p(params, "NetworkAclId"), {}).get("Entries") or [{}]
            if ec2._p(params, "PortRange.From"):
                entries[-1]["PortRange"] = (ec2._p(params, "PortRange.From"), ec2._p(params, "PortRange.To"))
            if ec2._p(params, "Icmp.Type"):
                entries[-1]["Icmp"] = (ec2._p(params, "Icmp.Type"), ec2._p(params, "Icmp.Code"))
            return answer

        return change

    def shown(entry: dict[str, Any]) -> str:
        more = ""
        if entry.get("PortRange"):
            more += "<portRange><from>{}</from><to>{}</to></portRange>".format(*entry["PortRange"])
        if entry.get("Icmp"):
            more += "<icmpTypeCode><type>{}</type><code>{}</code></icmpTypeCode>".format(*entry["Icmp"])
        return str(xml(entry).replace("</item>", more + "</item>"))

    ec2._network_acl_entry_xml = shown
    for name, original in (("CreateNetworkAclEntry", create), ("ReplaceNetworkAclEntry", replace)):
        ec2._ACTION_MAP[name] = keeping(original)


def _subnets_have_one_acl() -> None:
    """ministack's subnets begin without a network ACL, so there is no association to replace."""

    def leave(subnet: str) -> None:
        for acl in ec2._network_acls.values():
            acl["Associations"] = [item for item in acl.get("Associations", []) if item.get("SubnetId") != subnet]

    def create(_logical_id: str, props: dict[str, Any], _stack: str) -> tuple[str, dict[str, Any]]:
        subnet, acl = props["SubnetId"], props["NetworkAclId"]
        leave(subnet)
        identity = "aclassoc-" + os.urandom(8).hex() + "0"
        ec2._network_acls[acl].setdefault("Associations", []).append(
            {"NetworkAclAssociationId": identity, "NetworkAclId": acl, "SubnetId": subnet}
        )
        return identity, {"AssociationId": identity}

    provisioners._RESOURCE_HANDLERS["AWS::EC2::SubnetNetworkAclAssociation"] = {
        "create": create,
        "delete": lambda _identity, props: leave(props["SubnetId"]),
    }


def _networks_tell_their_block() -> None:
    """ministack has no GetAtt CidrBlock of a VPC."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::EC2::VPC"]
    make = handlers["create"]

    def create(logical_id: str, props: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        identity, attributes = make(logical_id, props, stack)
        return identity, {**attributes, "CidrBlock": props.get("CidrBlock")}

    provisioners._RESOURCE_HANDLERS["AWS::EC2::VPC"] = {**handlers, "create": create}


def _endpoints_tell_their_groups() -> None:
    """ministack keeps security groups, private names and policy of an endpoint, and does not show them."""
    original = ec2._vpce_fields_xml

    def shown(endpoint: dict[str, Any], tag: str = "item") -> str:
        groups = "".join(f"<item><groupId>{name}</groupId></item>" for name in endpoint.get("SecurityGroupIds", []))
        private = str(endpoint.get("PrivateDnsEnabled", False)).lower()
        policy = endpoint.get("PolicyDocument") or ""
        text = escape(policy if isinstance(policy, str) else json.dumps(policy))
        more = (
            f"<groupSet>{groups}</groupSet><privateDnsEnabled>{private}</privateDnsEnabled>"
            f"<policyDocument>{text}</policyDocument>"
        )
        end = f"</{tag}>"
        return str(original(endpoint, tag).removesuffix(end) + more + end)

    ec2._vpce_fields_xml = shown


def _callers_belong_to_the_organization() -> None:
    """Every account of the assembly is in the organization its templates name, and no caller is an AWS service."""
    resolve = iam_evaluator._resolve_condition_key
    organization = os.environ.get("REHEARSAL_ORGANIZATION") or None
    fixed = {"aws:principalorgid": organization, "aws:principalisawsservice": "false", "aws:viaawsservice": "false"}

    def answer(key: str, context: Any) -> Any:
        return fixed[key.lower()] if key.lower() in fixed else resolve(key, context)

    iam_evaluator._resolve_condition_key = answer
