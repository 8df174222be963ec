"""Answers of ministack that differ from AWS where a hardened environment would notice: corrected here, one by one."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from contextvars import ContextVar
from typing import Any
from xml.sax.saxutils import escape

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id
from ministack.core.router import extract_access_key_id
from ministack.services import cloudwatch, cloudwatch_logs, ec2, iam, kms, lambda_svc, rds, s3, secretsmanager, sts
from ministack.services.cloudformation import provisioners

from rehearsal.emulator import detection

_service_principal: ContextVar[str | None] = ContextVar("service_principal", default=None)
"""The service that a request to Organizations is about, for conditions on it."""


_asking: ContextVar[tuple[str, str]] = ContextVar("asking", default=("", ""))
"""Who asks for a bucket of another account: the ARN, and the id of the session."""


def install() -> None:
    """Apply every correction."""
    _acl_entries_keep_ports()
    _subnets_have_one_acl()
    _networks_tell_their_block()
    _endpoints_tell_their_groups()
    _flow_logs_keep_their_format()
    _gateways_tell_their_address()
    _databases_tell_their_hardening()
    _rules_keep_prefix_lists()
    _deliveries_cross_accounts()
    _alarms_keep_their_expressions()
    _requests_name_their_resource()
    _metrics_name_their_namespace()
    _requests_name_their_service_principal()
    _callers_belong_to_the_organization()
    _buckets_of_others_see_who_asks()
    _secrets_are_referred_to_by_arn()
    _resources_tell_what_they_are()


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


def _flow_logs_keep_their_format() -> None:
    """ministack drops format, interval, role and file options of a flow log."""
    create, describe = ec2._create_flow_logs, ec2._describe_flow_logs
    kept = {
        "LogFormat": "logFormat",
        "MaxAggregationInterval": "maxAggregationInterval",
        "DeliverLogsPermissionArn": "deliverLogsPermissionArn",
        "LogGroupName": "logGroupName",
    }
    options = {
        "DestinationOptions.FileFormat": "fileFormat",
        "DestinationOptions.HiveCompatiblePartitions": "hiveCompatiblePartitions",
        "DestinationOptions.PerHourPartition": "perHourPartition",
    }

    def creating(params: Any) -> Any:
        before = set(ec2._flow_logs)
        answer = create(params)
        for identity in set(ec2._flow_logs) - before:
            ec2._flow_logs[identity]["Rehearsal"] = {
                name: ec2._p(params, name) for name in (*kept, *options) if ec2._p(params, name)
            }
            ec2._parse_tag_specs(params, "vpc-flow-log", identity)
        return answer

    def more(record: dict[str, Any]) -> str:
        values = record.get("Rehearsal", {})
        text = "".join(f"<{tag}>{escape(values[name])}</{tag}>" for name, tag in kept.items() if name in values)
        inner = "".join(f"<{tag}>{values[name]}</{tag}>" for name, tag in options.items() if name in values)
        return text + (f"<destinationOptions>{inner}</destinationOptions>" if inner else "")

    ec2._ACTION_MAP["CreateFlowLogs"] = creating
    ec2._ACTION_MAP["DescribeFlowLogs"] = _telling(describe, "flowLogId", lambda: ec2._flow_logs, more)


def _gateways_tell_their_address() -> None:
    """ministack keeps the allocation of a NAT gateway and does not show it."""

    def more(record: dict[str, Any]) -> str:
        allocation = f"<item><allocationId>{record.get('AllocationId', '')}</allocationId></item>"
        return f"<natGatewayAddressSet>{allocation}</natGatewayAddressSet>"

    ec2._ACTION_MAP["DescribeNatGateways"] = _telling(
        ec2._describe_nat_gateways, "natGatewayId", lambda: ec2._nat_gateways, more
    )


def _telling(describe: Any, tag: str, store: Any, more: Any) -> Any:
    """An EC2 answer with more elements after the id of each of its items."""

    def describing(params: Any) -> Any:
        status, headers, body = describe(params)
        text = (body.decode() if isinstance(body, bytes) else body).replace("<natGatewayAddressSet/>", "")
        for identity, record in store().items():
            mark = f"<{tag}>{identity}</{tag}>"
            text = text.replace(mark, mark + more(record))
        return status, headers, text.encode() if isinstance(body, bytes) else text

    return describing


def _databases_tell_their_hardening() -> None:
    """ministack's answers about clusters and instances leave out log exports and insights."""

    def telling(original: Any, names: tuple[str, ...]) -> Any:
        def shown(record: dict[str, Any], *rest: Any) -> str:
            more = "".join(f"<{name}>{_shown(record[name])}</{name}>" for name in names if record.get(name))
            exports = "".join(f"<member>{name}</member>" for name in record.get("EnabledCloudwatchLogsExports") or [])
            text = str(original(record, *rest)).replace("<EnabledCloudwatchLogsExports/>", "")
            return text + more + f"<EnabledCloudwatchLogsExports>{exports}</EnabledCloudwatchLogsExports>"

        return shown

    insights = ("PerformanceInsightsKMSKeyId", "DatabaseInsightsMode")
    rds._cluster_xml = telling(
        rds._cluster_xml, (*insights, "PerformanceInsightsEnabled", "PerformanceInsightsRetentionPeriod")
    )
    rds._instance_xml = telling(rds._instance_xml, insights)


def _rules_keep_prefix_lists() -> None:
    """ministack drops the prefix lists of security group rules."""
    original = ec2._parse_ip_permissions

    def parse(params: Any, prefix: str) -> Any:
        rules = original(params, prefix)
        for number, rule in enumerate(rules, start=1):
            place = f"{prefix}.{number}.PrefixListIds.1"
            identity, text = ec2._p(params, f"{place}.PrefixListId"), ec2._p(params, f"{place}.Description")
            if identity and not rule["PrefixListIds"]:
                entry = {"PrefixListId": identity, **({"Description": text} if text else {})}
                rule["PrefixListIds"].append(entry)
        return rules

    ec2._parse_ip_permissions = parse


def _deliveries_cross_accounts() -> None:
    """ministack refuses every delivery to another account; AWS asks the policy of the destination.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
    """
    create = cloudwatch_logs._create_delivery
    spec_of = cloudwatch_logs._delivery_destination_spec

    def allowed(arn: str) -> dict[str, Any] | None:
        _, _, _, region, account, _, name = arn.split(":", 6)
        record = cloudwatch_logs._delivery_destinations.get_scoped(account, region, name)
        policy = json.loads((record or {}).get("policy") or "{}")
        for statement in policy.get("Statement", []):
            principals = statement.get("Principal", {}).get("AWS", [])
            names = principals if isinstance(principals, list) else [principals]
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if (
                statement["Effect"] == "Allow"
                and "logs:CreateDelivery" in actions
                and any(name in (get_account_id(), f"arn:aws:iam::{get_account_id()}:root") for name in names)
            ):
                return dict(record)
        return None

    def spec(arn: str) -> Any:
        found, error = spec_of(arn)
        return (None, None) if error and f":{get_account_id()}:" not in arn and allowed(arn) else (found, error)

    def creating(data: dict[str, Any]) -> Any:
        arn = str(data.get("deliveryDestinationArn", ""))
        foreign = allowed(arn) if arn.count(":") >= 6 and arn.split(":")[4] != get_account_id() else None
        if foreign is None:
            return create(data)
        cloudwatch_logs._delivery_destinations[arn] = foreign
        try:
            return create(data)
        finally:
            cloudwatch_logs._delivery_destinations.pop(arn, None)

    cloudwatch_logs._delivery_destination_spec = spec
    cloudwatch_logs._create_delivery = creating


def _alarms_keep_their_expressions() -> None:
    """ministack drops the metrics and expressions of a metric-math alarm."""
    put = cloudwatch._put_metric_alarm

    def putting(params: Any, data: Any, is_cbor: bool, is_json: bool = False) -> Any:
        answer = put(params, data, is_cbor, is_json)
        alarm = cloudwatch._alarms.get((data or {}).get("AlarmName", ""))
        if alarm is not None and data.get("Metrics"):
            alarm["Metrics"] = data["Metrics"]
        return answer

    cloudwatch._put_metric_alarm = putting


_EC2_RESOURCES = {
    "GroupId": "security-group",
    "NetworkAclId": "network-acl",
    "InstanceId.1": "instance",
    "InstanceId": "instance",
    "RouteTableId": "route-table",
    "SubnetId": "subnet",
    "VpcId": "vpc",
}


def _requests_name_their_resource() -> None:
    """ministack takes requests of some services for requests about everything, so policies on one would refuse them."""
    original = iam_actions.extract_resource_arn

    def resource(service: str, *rest: Any) -> Any:
        found = original(service, *rest)
        if service == "account":
            return f"arn:aws:account::{rest[-1]}:account"
        if service in {"organizations", "macie2"}:
            _, _, _, body, _, region, account = rest
            given = json.loads(body or b"{}")
            _service_principal.set(given.get("ServicePrincipal"))
            if service == "organizations" and given.get("AccountId"):
                organization = os.environ.get("REHEARSAL_ORGANIZATION") or "*"
                manager = detection.ORGANIZATION["management"] or account
                return f"arn:aws:organizations::{manager}:account/{organization}/{given['AccountId']}"
            if service == "macie2" and isinstance(given.get("account"), dict):
                return f"arn:aws:macie2:{region}:{account}:member/{given['account']['accountId']}"
        if service == "ec2" and found == "*":
            *_, params, region, account = rest
            for name, kind in _EC2_RESOURCES.items():
                identity = params.get(name)
                if identity:
                    text = identity[0] if isinstance(identity, list) else identity
                    return f"arn:aws:ec2:{region}:{account}:{kind}/{text}"
        if service == "organizations":
            *_, body, _params, _region, account = rest
            return _in_the_organization(json.loads(body or b"{}"), account)
        return _key_or_address_set(found, service, *rest)

    iam_actions.extract_resource_arn = resource


def _key_or_address_set(found: str, service: str, *rest: Any) -> str:
    """What a request to KMS or WAF is about, where ministack takes the name of it or nothing."""
    if service not in {"kms", "wafv2"}:
        return found
    _, _, headers, body, _, region, account = rest
    given = json.loads(body or b"{}")
    if service == "kms" and found.partition(f":{account}:")[2].startswith("alias/"):
        return f"arn:aws:kms:{region}:{account}:key/{kms._aliases.get(found)}"
    if service == "wafv2" and "IPSet" in headers.get("x-amz-target", "") and given.get("Id"):
        scope = "regional" if given.get("Scope") == "REGIONAL" else "global"
        return f"arn:aws:wafv2:{region}:{account}:{scope}/ipset/{given['Name']}/{given['Id']}"
    return found


def _in_the_organization(request: dict[str, Any], account: str) -> str:
    """The root or account that a request to AWS Organizations is about; everything if it is about none."""
    own = f"arn:aws:organizations::{account}"
    organization = os.environ.get("REHEARSAL_ORGANIZATION", "")
    member = str(request.get("AccountId") or request.get("ChildId") or "")
    if "RootId" in request:
        return f"{own}:root/{organization}/{request['RootId']}"
    return f"{own}:account/{organization}/{member}" if member.isdecimal() else "*"


def _requests_name_their_service_principal() -> None:
    """ministack does not tell policies which service a request to AWS Organizations is about."""
    original = iam_actions.request_tag_context

    def context(service: str, action: str, body: bytes, params: Any) -> Any:
        more = original(service, action, body, params)
        principal = json.loads(body or b"{}").get("ServicePrincipal") if service == "organizations" else None
        return {**more, **({"organizations:ServicePrincipal": principal} if principal else {})}

    iam_actions.request_tag_context = context


_SESSION = re.compile(r"^arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.*$")


def _metrics_name_their_namespace() -> None:
    """ministack keeps the namespace of metrics from policies.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
    """
    original = iam_actions.request_tag_context

    def context(service: str, action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        found = dict(original(service, action, body, params))
        if action == "cloudwatch:PutMetricData":
            named = re.search(rb'"Namespace"\s*:\s*"([^"]+)"', body)
            found["cloudwatch:namespace"] = named[1].decode() if named else params.get("Namespace")
        return found

    iam_actions.request_tag_context = context


def _role(session: re.Match[str]) -> str:
    """The role of a session, with its path."""
    known = iam._roles.get_scoped(session[1], None, session[2]) or {}
    return str(known.get("Arn") or f"arn:aws:iam::{session[1]}:role/{session[2]}")


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _callers_belong_to_the_organization() -> None:
    """Every account of the assembly is in the organization its templates name, and no caller is an AWS service; whoever
    took on a role is known to policies by the role, not by the session.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    resolve = iam_evaluator._resolve_condition_key
    organization = os.environ.get("REHEARSAL_ORGANIZATION") or None
    fixed = {"aws:principalorgid": organization, "aws:principalisawsservice": "false", "aws:viaawsservice": "false"}

    def answer(key: str, context: Any) -> Any:
        if key.lower() == "organizations:serviceprincipal":
            return _service_principal.get()
        if key.lower() in fixed:
            return fixed[key.lower()]
        value = resolve(key, context)
        return _SESSION.sub(_role, value) if key.lower() == "aws:principalarn" else value

    iam_evaluator._resolve_condition_key = answer


def _resources_tell_what_they_are() -> None:
    """ministack keeps from policies the boundary of a role, the names of a key and the function behind an event source mapping.

    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """
    resolve = iam_evaluator._resolve_condition_key

    def answer(key: str, context: Any) -> Any:
        name = re.split(r"[:/]", context.resource_arn)[-1]
        if key.lower() == "iam:permissionsboundary" and ":role/" in context.resource_arn:
            return (iam._roles.get(name) or {}).get("PermissionsBoundary")
        if key.lower() == "kms:resourcealiases" and ":key/" in context.resource_arn:
            # Of every account, because a key may serve another than its own.
            aliases = [alias for (*_, alias), of in kms._aliases._data.items() if of == name]
            return [f"alias/{alias.partition(':alias/')[2]}" for alias in aliases]
        if key.lower() == "lambda:functionarn" and ":event-source-mapping:" in context.resource_arn:
            return (lambda_svc._esms.get(name) or {}).get("FunctionArn")
        return resolve(key, context)

    iam_evaluator._resolve_condition_key = answer


def _buckets_of_others_see_who_asks() -> None:
    """ministack shows the policy of another account's bucket only the caller's account, never the role that asks."""
    allows, evaluate = s3._foreign_bucket_allows, iam_evaluator.evaluate_resource_policy

    def allowed(*request: Any) -> Any:
        *_, query, caller, headers = request
        arn = iam_evaluator.request_caller_arn(headers or {}, query) if caller else ""
        # A session's principal is its role to conditions.
        session = sts._sessions.get(extract_access_key_id(headers or {}, query or {}) or "") or {}
        token = _asking.set((_SESSION.sub(_role, arn), str(session.get("UserId", ""))))
        try:
            return allows(*request)
        finally:
            _asking.reset(token)

    def evaluating(policy: Any, context: Any, *rest: Any, **options: Any) -> Any:
        arn, user_id = _asking.get()
        if arn:
            more = {**context.service_context, "aws:userid": user_id}
            context = dataclasses.replace(
                context, principal_arn=arn, principal_type="AssumedRole", service_context=more
            )
        return evaluate(policy, context, *rest, **options)

    s3._foreign_bucket_allows = allowed
    iam_evaluator.evaluate_resource_policy = evaluating


def _secrets_are_referred_to_by_arn() -> None:
    """``Ref`` of a secret gives its ARN; ministack gives its name, which no policy would match.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-secretsmanager-secret.html
    """
    handler = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def name(arn: str) -> str:
        return next((str(one["Name"]) for one in secretsmanager._secrets.values() if one["ARN"] == arn), arn)

    def made(*given: Any) -> Any:
        _, attributes = create(*given)
        return attributes["Arn"], attributes

    def changed(identity: str, *given: Any, **more: Any) -> Any:
        _, attributes = update(name(identity), *given, **more)
        return attributes["Arn"], attributes

    handler.update(create=made, update=changed, delete=lambda identity, *given: delete(name(identity), *given))
