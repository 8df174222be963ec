"""Makes weakenings of a resource from its own properties: one change each, everything else shared with the original."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from assembly import Resource, Stack
from assembly.change import GONE, Path, put
from gate.invariants.data import STATEFUL
from gate.policies import raw_documents
from gate.weaken import words
from gate.world import Key, World, as_list, at, key_of, leaves

FOREIGN = "arn:aws:s3:::somebody-elses-bucket"


@dataclass(frozen=True, kw_only=True)
class Weakening:
    """One change for the worse: what kind, where, and what stands in for the resources (None: the resource is gone)."""

    kind: str
    resource: Resource
    place: str
    changes: Mapping[Key, Resource | None]
    was: str = ""
    """What stood at the place, as JSON."""
    stacks: Mapping[str, Stack] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Readable and stable: kind, construct path and property."""
        return f"{self.kind}: {self.resource.path} {self.place}".rstrip()


def with_property(resource: Resource, path: Path, new: Any) -> Resource:
    """The resource with one property changed."""
    properties = put(resource.properties, path, new)
    return dataclasses.replace(
        resource, properties=properties, definition={**resource.definition, "Properties": properties}
    )


def weakenings(resource: Resource, world: World) -> Iterator[Weakening]:
    """Every weakening of one resource."""
    own_rules = list(world.pointing_at(resource, "GroupId", "AWS::EC2::SecurityGroupEgress"))
    for kind, path, new in (
        *_switches(resource),
        *_words(resource),
        *_numbers(resource),
        *_drops(resource),
        *_destinations(resource),
        *_network(resource),
        *_policies(resource),
        *_injections(resource),
        *_keys(resource, world),
        *_tags(resource, world),
    ):
        changed = with_property(resource, path, new)
        if changed.properties == resource.properties:
            continue
        if own_rules and path == ("SecurityGroupEgress",) and new is GONE:
            continue  # rules of their own stay, so the group allows less, not everything
        yield Weakening(
            kind=kind,
            resource=resource,
            place=_place(path),
            was=json.dumps(at(resource.properties, *path)),
            changes={key_of(resource): changed},
        )
    yield from _definitions(resource, world)


def _place(path: Path) -> str:
    return ".".join(str(part) for part in path)


def _inside_policy(resource: Resource) -> tuple[Path, ...]:
    return tuple(path for path, _ in raw_documents(resource.properties))


def _plain_leaves(resource: Resource) -> Iterator[tuple[Path, Any]]:
    """Scalars outside policy documents."""
    documents = _inside_policy(resource)
    for path, value in leaves(resource.properties):
        if not any(path[: len(document)] == document for document in documents):
            yield path, value


def switches(resource: Resource) -> Iterator[tuple[Path, bool]]:
    """Every Boolean of the resource, however it is written, with its path."""
    for path, value in _plain_leaves(resource):
        if isinstance(value, bool):
            yield path, value


def _switches(resource: Resource) -> Iterator[tuple[str, Path, Any]]:
    for path, value in switches(resource):
        name = str(path[-1])
        if value and words.GUARDS.match(name):
            yield "switch off", path, False
        elif not value and words.OPENS.match(name):
            yield "switch on", path, True
    if resource.type == "AWS::ElasticLoadBalancingV2::LoadBalancer":
        for index, item in enumerate(resource.properties.get("LoadBalancerAttributes", [])):
            if item.get("Value") == "true" and item.get("Key") not in words.PLAIN_ATTRIBUTES:
                yield "switch off", ("LoadBalancerAttributes", index, "Value"), "false"
    for index, (name, value) in enumerate(
        at(resource.properties, "Parameters", default={}).items() if resource.type.startswith("AWS::RDS::") else ()
    ):
        del index
        if str(value) in {"1", "on"} and not name.startswith("pgaudit."):
            yield "switch off", ("Parameters", name), "0"


def _words(resource: Resource) -> Iterator[tuple[str, Path, Any]]:
    for path, value in _plain_leaves(resource):
        if not isinstance(value, str):
            continue
        name = str(path[-1])
        if name in words.OLD_TLS and words.TLS.search(value):
            yield "lower TLS", path, words.OLD_TLS[name]
        elif name not in {
            "Name",
            "Key",
            "Value",
            "Id",
            "Description",
            "FieldToMatch",
            "AuthorizationType",
        } or value in {
            "CUSTOM",
            "JWT",
            "AWS_IAM",
            "COGNITO_USER_POOLS",
        }:
            for weaker in words.WEAKER.get(value, ()):
                yield "weaker word", path, weaker


def _numbers(resource: Resource) -> Iterator[tuple[str, Path, Any]]:
    for path, value in _plain_leaves(resource):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        name = str(path[-1])
        if words.SHORTENED.match(name) and value > 1 and "Transition" not in _place(path):
            yield "shorten", path, 1
        elif words.LENGTHENED.match(name) and (name != "Limit" or "RateBasedStatement" in path):
            yield "relax limit", path, max(value, 1) * 3600


def _drops(resource: Resource) -> Iterator[tuple[str, Path, Any]]:
    documents = _inside_policy(resource)

    def visit(value: Any, path: Path) -> Iterator[tuple[str, Path, Any]]:
        if isinstance(value, Mapping):
            for name, child in value.items():
                here = (*path, name)
                if words.DROPPED.match(str(name)) and child not in ({}, []) and not _no_guard(resource.type, str(name)):
                    yield "drop property", here, GONE
                if here not in documents:
                    yield from visit(child, here)
        elif isinstance(value, list):
            for index, child in enumerate(value):
                if path and words.LISTS.match(str(path[-1])) and len(value) > 1 and not _harmless_item(child):
                    yield "drop item", (*path, index), GONE
                yield from visit(child, (*path, index))

    if not words.PROTECTIVE_TYPES.match(resource.type):
        yield from visit(resource.properties, ())
    else:
        yield from (found for found in visit(resource.properties, ()) if found[1] != ("PolicyDocument",))


def _harmless_item(item: Any) -> bool:
    """Items whose loss closes or changes nothing: a rule that lets names through, a balancer's plain attribute."""
    return isinstance(item, Mapping) and (item.get("Action") == "ALLOW" or item.get("Key") in words.PLAIN_ATTRIBUTES)


def _no_guard(resource_type: str, name: str) -> bool:
    """Names that mean another thing in this type: a group's own name, the names that a firewall lets through."""
    return (resource_type, name) in {
        ("AWS::RDS::DBSubnetGroup", "DBSubnetGroupName"),
        ("AWS::RDS::DBClusterParameterGroup", "DBClusterParameterGroupName"),
        ("AWS::NetworkFirewall::RuleGroup", "Targets"),
    }


def _destinations(resource: Resource) -> Iterator[tuple[str, Path, Any]]:
    documents = _inside_policy(resource)

    def visit(value: Any, path: Path) -> Iterator[tuple[str, Path, Any]]:
        if isinstance(value, Mapping):
            for name, child in value.items():
                here = (*path, name)
                if words.DESTINATIONS.match(str(name)):
                    foreign = FOREIGN.rpartition(":")[2] if "Bucket" in str(name) else FOREIGN
                    if name in {"OutputLocation", "ArtifactS3Location"}:
                        foreign = "s3://somebody-elses-bucket/"
                    elif name == "DestinationBackupVaultArn":
                        foreign = "arn:aws:backup:eu-west-1:999999999999:backup-vault:theirs"
                    yield "send elsewhere", here, [FOREIGN] if isinstance(child, list) else foreign
                elif here not in documents:
                    yield from visit(child, here)
        elif isinstance(value, list):
            for index, child in enumerate(value):
                yield from visit(child, (*path, index))

    yield from visit(resource.properties, ())


def _network(resource: Resource) -> Iterator[tuple[str, Path, Any]]:
    lists = {
        "AWS::EC2::SecurityGroup": ("SecurityGroupIngress", "SecurityGroupEgress"),
    }.get(resource.type, ())
    rules: list[Path] = [(name, index) for name in lists for index in range(len(resource.properties.get(name, [])))]
    if resource.type in {"AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"}:
        rules.append(())
    for path in rules:
        rule = at(resource.properties, *path)
        if rule.get("CidrIp") == "255.255.255.255/32":
            yield "open network", path, {"CidrIp": "0.0.0.0/0", "IpProtocol": "-1"}
            continue
        peerless = {
            name: value
            for name, value in rule.items()
            if name
            not in {
                "SourceSecurityGroupId",
                "DestinationSecurityGroupId",
                "SourcePrefixListId",
                "DestinationPrefixListId",
            }
        }
        outbound = "Egress" in resource.type or (path and path[0] == "SecurityGroupEgress")
        if not outbound or (rule.get("FromPort"), rule.get("ToPort")) != (443, 443):
            opened = {**peerless, "CidrIp": "0.0.0.0/0"}
            if rule.get("CidrIp") != "0.0.0.0/0":
                yield "open network", path, opened
        yield "open ports", path, {**rule, "FromPort": 0, "ToPort": 65535}
        yield (
            "open ports",
            path,
            {**{k: v for k, v in rule.items() if k not in {"FromPort", "ToPort"}}, "IpProtocol": "-1"},
        )
    if resource.type == "AWS::EC2::SecurityGroup":
        ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
        yield "open network", ("SecurityGroupIngress",), [*resource.properties.get("SecurityGroupIngress", []), ssh]
    if resource.type == "AWS::EC2::NetworkAclEntry" and resource.properties.get("RuleAction") == "allow":
        yield (
            "open ports",
            (),
            {
                **{name: value for name, value in resource.properties.items() if name != "PortRange"},
                "Protocol": -1,
            },
        )
        if "PortRange" in resource.properties:
            yield "open ports", ("PortRange",), {"From": 0, "To": 65535}
        ports = resource.properties.get("PortRange", {})
        if (
            resource.properties.get("CidrBlock") != "0.0.0.0/0"
            and "Icmp" not in resource.properties  # "fragmentation needed" may come from anywhere
            and ports.get("From", 0) < 1024
            and ports.get("From") != 443
        ):
            yield "open network", ("CidrBlock",), "0.0.0.0/0"


def _policies(resource: Resource) -> Iterator[tuple[str, Path, Any]]:  # noqa: PLR0912  (one branch a way to widen)
    for path, document in raw_documents(resource.properties):
        if isinstance(at(resource.properties, *path), str) or (path and path[-1] == "DataProtectionPolicy"):
            continue
        trust = path[-1] == "AssumeRolePolicyDocument"
        identity = resource.type.startswith(("AWS::IAM::", "AWS::SSO::")) and not trust
        for index, statement in enumerate(as_list(document["Statement"])):
            if not isinstance(document["Statement"], list):
                continue
            here: Path = (*path, "Statement", index)
            if statement["Effect"] == "Deny":
                if len(document["Statement"]) > 1:
                    yield "drop refusal", here, GONE
                yield "narrow refusal", (*here, "Action"), "s3:GetBucketLocation"
                if statement.get("Principal") in ("*", {"AWS": "*"}):
                    yield "narrow refusal", (*here, "Principal"), {"AWS": "arn:aws:iam::999999999999:root"}
                continue
            if not trust:
                yield "widen action", (*here, "Action"), "*"
                for action in as_list(statement.get("Action")):
                    if isinstance(action, str) and ":" in action and not action.endswith(":*"):
                        yield "widen action", (*here, "Action"), f"{action.split(':')[0]}:*"
                        break
            if identity and statement.get("Resource") != "*":
                yield "widen resource", (*here, "Resource"), "*"
            if not identity:
                yield (
                    "widen principal",
                    here,
                    {
                        **{name: value for name, value in statement.items() if name != "Condition"},
                        "Principal": {"AWS": "*"},
                    },
                )
                yield "foreign principal", (*here, "Principal"), {"AWS": "arn:aws:iam::999999999999:root"}
            tests = statement.get("Condition") or {}
            if tests:
                yield "drop condition", (*here, "Condition"), GONE
            if sum(map(len, tests.values())) > 1:
                for operator, keys in tests.items():
                    for key in keys:
                        yield "drop one condition", (*here, "Condition", operator, key), GONE


def _injections(resource: Resource) -> Iterator[tuple[str, Path, Any]]:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    if resource.type == "AWS::IAM::ManagedPolicy":
        document = resource.properties.get("PolicyDocument", {})
        if isinstance(document.get("Statement"), list):
            at_end: Path = ("PolicyDocument", "Statement")
            for added in (
                everything,
                {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"},
                {"Effect": "Allow", "Action": ["iam:AttachRolePolicy"], "Resource": "*"},
                {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"},
                {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
            ):
                yield "add right", at_end, [*document["Statement"], added]
    if resource.type == "AWS::IAM::Role":
        inline = {"PolicyName": "more", "PolicyDocument": {"Version": "2012-10-17", "Statement": [everything]}}
        yield "add right", ("Policies",), [inline]
        admin = "arn:aws:iam::aws:policy/AdministratorAccess"
        yield "add right", ("ManagedPolicyArns",), [*resource.properties.get("ManagedPolicyArns", []), admin]
    if resource.type == "AWS::Lambda::Function":
        # Made up for this test; it opens nothing.
        yield "add secret", ("Environment", "Variables", "DATABASE_PASSWORD"), "correct-horse-battery"
        yield "old runtime", ("Runtime",), "python3.8"
    if resource.type in {"AWS::EC2::Instance", "AWS::EC2::LaunchTemplate"}:
        inside: Path = () if resource.type.endswith("Instance") else ("LaunchTemplateData",)
        yield "add access", (*inside, "KeyName"), "shared-key"
        yield "add access", (*inside, "NetworkInterfaces"), [{"AssociatePublicIpAddress": True, "DeviceIndex": 0}]
    if resource.type == "AWS::S3::Bucket":
        yield "add access", ("AccessControl",), "PublicRead"
        yield "add access", ("WebsiteConfiguration",), {"IndexDocument": "index.html"}
    if resource.type == "AWS::RDS::DBCluster":
        yield "add secret", ("MasterUserPassword",), "correct-horse-battery"
    if resource.type == "AWS::WAFv2::WebACL":
        let_in = {"Name": "LetIn", "Priority": 9999, "Action": {"Allow": {}}, "Statement": {}, "VisibilityConfig": {}}
        yield "add right", ("Rules",), [*resource.properties.get("Rules", []), let_in]
        for index, rule in enumerate(resource.properties.get("Rules", [])):
            if "OverrideAction" in rule:
                yield "only count", ("Rules", index, "OverrideAction"), {"Count": {}}
            elif "Block" in rule.get("Action", {}):
                yield "only count", ("Rules", index, "Action"), {"Count": {}}


def _keys(resource: Resource, world: World) -> Iterator[tuple[str, Path, Any]]:
    """Each key reference replaced by the key of another class of the same account and region."""
    documents = _inside_policy(resource)

    def visit(value: Any, path: Path) -> Iterator[tuple[str, Path, Any]]:
        if path in documents or (path and path[-1] in {"Environment", "DefinitionString"}):
            return
        if isinstance(value, Mapping):
            if len(value) == 1 and ("Fn::ImportValue" in value or "Fn::GetAtt" in value):
                key = world.target(value, resource)
                if key is not None and key.type == "AWS::KMS::Key" and "Fn::ImportValue" in value:
                    other = world.other_key(key, resource)
                    if other is not None:
                        yield "swap key", path, {"Fn::ImportValue": other}
                return
            for name, child in value.items():
                yield from visit(child, (*path, name))
        elif isinstance(value, list):
            for index, child in enumerate(value):
                yield from visit(child, (*path, index))

    if not resource.type.startswith(("AWS::IAM::", "AWS::SSM::Parameter", "Custom::")):
        yield from visit(resource.properties, ())


def _tags(resource: Resource, world: World) -> Iterator[tuple[str, Path, Any]]:
    chosen = {
        str(test.get("ConditionKey", "")).removeprefix("aws:ResourceTag/")
        for selection in world.of_type("AWS::Backup::BackupSelection", near=resource)
        for test in (
            *as_list(at(selection.properties, "BackupSelection", "ListOfTags")),
            *as_list(at(selection.properties, "BackupSelection", "Conditions", "StringEquals")),
        )
    }
    tags = resource.properties.get("Tags")
    if isinstance(tags, list):
        for index, tag in enumerate(tags):
            if isinstance(tag, Mapping) and tag.get("Key") in chosen:
                yield "drop tag", ("Tags", index), GONE


def _definitions(resource: Resource, world: World) -> Iterator[Weakening]:
    key = key_of(resource)
    if resource.type in STATEFUL:
        for name in ("DeletionPolicy", "UpdateReplacePolicy"):
            if resource.definition.get(name) in {"Retain", "Snapshot"}:
                definition = {**resource.definition, name: "Delete"}
                yield Weakening(
                    kind="let go",
                    resource=resource,
                    place=name,
                    changes={key: dataclasses.replace(resource, definition=definition)},
                )
    if words.PROTECTIVE_TYPES.match(resource.type):
        yield Weakening(kind="drop resource", resource=resource, place="", changes={key: None})
    stack = world.stack(resource)
    if stack.termination_protection and resource.logical_id == next(
        (one.logical_id for one in stack.resources.values() if one.type in STATEFUL), None
    ):
        yield Weakening(
            kind="let go",
            resource=resource,
            place="termination protection",
            changes={key: resource},
            stacks={stack.name: dataclasses.replace(stack, termination_protection=False)},
        )
    if resource.type == "AWS::Lambda::Function":
        url = dataclasses.replace(
            resource,
            logical_id=f"{resource.logical_id}Url",
            type="AWS::Lambda::Url",
            properties={"AuthType": "NONE", "TargetFunctionArn": {"Ref": resource.logical_id}},
            path=f"{resource.path}/Url",
        )
        anyone = dataclasses.replace(
            url,
            logical_id=f"{resource.logical_id}Anyone",
            type="AWS::Lambda::Permission",
            properties={
                "Action": "lambda:InvokeFunction",
                "Principal": "*",
                "FunctionName": {"Ref": resource.logical_id},
            },
        )
        for added in (url, anyone):
            yield Weakening(kind="add access", resource=resource, place=added.type, changes={key_of(added): added})
