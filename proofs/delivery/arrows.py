"""Finds every arrow along which a service writes to, reads from or calls another, with the calls that it makes on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proofs.delivery.judge import Call
from proofs.delivery.senders import ROLES, SENDERS, Sender
from proofs.model import INVENTED, Model, Node, Unresolved, as_list, at, truthy
from proofs.policy import UNKNOWN
from proofs.policy.context import ContextValue

_BUCKET, _TOPIC, _QUEUE = "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue"
_FUNCTION, _GROUP, _ROLE = "AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::IAM::Role"
_SERVICE_OF = re.compile(r"arn:aws[\w-]*:([a-z0-9-]+):")


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """One delivery: who to whom, the calls it needs, and what is wrong with it whatever any policy says (``faults``)."""

    kind: str
    sender: Node
    to: str
    receiver: Node | None
    calls: tuple[Call, ...]
    page: str
    faults: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}: {self.sender.path} to {self.receiver.path if self.receiver else self.to}"


def arrows(model: Model) -> Iterator[Arrow]:
    """Every arrow of the assembly, in the order of the finders."""
    for finder in _FINDERS:
        yield from finder(model)


# -------------------------------------------------------------------------------------------------------- services' calls


def _service_context(
    sent: frozenset[str], absent: frozenset[str], *, account: str, arn: str
) -> dict[str, ContextValue]:
    values = {"aws:SourceAccount": account, "aws:SourceArn": arn}
    context: dict[str, ContextValue] = {"aws:SourceOrgID": UNKNOWN, "aws:SourceOrgPaths": UNKNOWN}
    for key, value in values.items():
        context[key] = value if key in sent else None if key in absent else UNKNOWN
    return context


def _by_service(sender: Sender, *, node: Node, arn: str, action: str, to: Node, resource: str) -> Call:
    return Call(
        principal=sender.principal,
        action=action,
        resource=resource,
        receiver=to,
        account=to.account,
        context=_service_context(sender.sent, sender.absent, account=node.account, arn=arn),
        works_for=node.account,
    )


def _service_key(
    sender: Sender, *, node: Node, arn: str, key: Node, encryption: Mapping[str, str], via: str
) -> Iterator[Call]:
    context = _service_context(sender.key_sent, sender.key_absent, account=node.account, arn=arn)
    context |= {f"kms:EncryptionContext:{name}": value for name, value in encryption.items()}
    for action in sender.key_actions:
        yield Call(
            principal=sender.principal,
            action=action,
            resource=key.arn,
            receiver=key,
            account=key.account,
            context={**context, "kms:ViaService": via, "kms:CallerAccount": UNKNOWN},
            works_for=node.account,
        )


def _bucket_key(model: Model, bucket: Node) -> tuple[Node | None, str]:
    """The customer's key behind a bucket (None if it has none), and what is written there."""
    rule = bucket.get(
        "BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault", default={}
    )
    named = at(rule, "KMSMasterKeyID")
    return model.find(named, "AWS::KMS::Key", "AWS::KMS::ReplicaKey", near=bucket), _words(named)


def _words(value: Any) -> str:
    return "" if value is None else str(value)


def _bucket_context(bucket: Node, object_arn: str) -> dict[str, str]:
    keyed = truthy(bucket.get("BucketEncryption", "ServerSideEncryptionConfiguration", 0, "BucketKeyEnabled"))
    return {"aws:s3:arn": bucket.arn if keyed else object_arn}


def _into_bucket(
    model: Model,
    sender: Sender,
    *,
    kind: str,
    node: Node,
    named: Any,
    prefix: str,
    source: str,
    checks: tuple[str, ...] = (),
) -> Arrow:
    """A service's log into a bucket: the objects, what it asks of the bucket first, and the key."""
    bucket = model.find(_bucket_name(named), _BUCKET)
    if bucket is None:
        return _nowhere(kind, node, named, sender.page)
    objects = f"{bucket.arn}/{prefix}1"
    calls = [
        _by_service(sender, node=node, arn=source, action=action, to=bucket, resource=bucket.arn) for action in checks
    ]
    calls.append(_by_service(sender, node=node, arn=source, action="s3:PutObject", to=bucket, resource=objects))
    key, written = _bucket_key(model, bucket)
    faults = list(_place_faults(sender, node, bucket))
    if key is not None and sender.only_own_encryption:
        faults.append(f"{bucket.path} is encrypted with {key.path}, and {sender.principal} writes under SSE-S3 only")
    elif key is not None:
        calls += _service_key(
            sender,
            node=node,
            arn=source,
            key=key,
            encryption=_bucket_context(bucket, objects),
            via=f"s3.{bucket.region}.amazonaws.com",
        )
    elif written:
        faults.append(
            f"{bucket.path} is encrypted with {written}, which {sender.principal} of another account cannot use"
        )
    if sender.not_into_locked and bucket.get("ObjectLockConfiguration", "Rule", "DefaultRetention") is not None:
        faults.append(
            f"{bucket.path} locks each object on arrival, and {sender.principal} is not known to send a checksum"
        )
    return Arrow(
        kind=kind,
        sender=node,
        to=bucket.arn,
        receiver=bucket,
        calls=tuple(calls),
        page=sender.page,
        faults=tuple(faults),
    )


def _bucket_name(value: Any) -> Any:
    if isinstance(value, str):
        return value.removeprefix("arn:aws:s3:::").split("/")[0]
    return value


def _place_faults(sender: Sender, node: Node, receiver: Node) -> Iterator[str]:
    if sender.same_region and node.region != receiver.region:
        yield f"{receiver.path} is in {receiver.region}, and {sender.principal} delivers within {node.region} only"
    if sender.same_account and node.account != receiver.account:
        yield f"{receiver.path} is in account {receiver.account}; {sender.principal} delivers within {node.account} only"


def _nowhere(kind: str, node: Node, named: Any, page: str) -> Arrow:
    shown = named.shape if isinstance(named, Unresolved) else _words(named)
    why = (
        named.reason if isinstance(named, Unresolved) else "no template holds it, so nobody can say whether it accepts"
    )
    return Arrow(
        kind=kind,
        sender=node,
        to=shown,
        receiver=None,
        calls=(),
        page=page,
        faults=(f"the receiver {shown} is not in the assembly: {why}",),
    )


# ----------------------------------------------------------------------------------------------------------- roles' calls


def _role_calls(
    deed: str,
    role: Node,
    receiver: Node,
    *,
    keys: tuple[Node, ...] = (),
    encryption: Mapping[str, str] | None = None,
    resource: str = "",
    source: str = "",
    headers: Mapping[str, ContextValue] | None = None,
) -> Iterator[Call]:
    """What a service does with a role: it takes it, acts on the receiver, and uses the keys through the receiver's service."""
    deeds = ROLES[deed]
    yield Call(
        principal=deeds.service,
        action="sts:AssumeRole",
        resource=role.arn,
        receiver=role,
        account=role.account,
        context={
            "aws:SourceAccount": role.account,
            "aws:SourceArn": source or UNKNOWN,
            "sts:ExternalId": role.account if deeds.names_account else None,
        },
        works_for=role.account,
    )
    base = resource or receiver.arn
    for action in deeds.actions:
        inside = action.endswith("{}")
        yield Call(
            principal=role.arn,
            role=role,
            action=action.removesuffix("{}"),
            resource=f"{base.rstrip('/')}/1" if inside else _container(base, receiver),
            receiver=receiver,
            account=receiver.account,
            context=dict(headers or {}),
        )
    service = _SERVICE_OF.match(receiver.arn)
    for key in keys:
        for action in deeds.key_actions:
            yield Call(
                principal=role.arn,
                role=role,
                action=action,
                resource=key.arn,
                receiver=key,
                account=key.account,
                context={
                    "kms:CallerAccount": role.account,
                    "kms:ViaService": f"{service[1] if service else 's3'}.{receiver.region}.amazonaws.com",
                    **{f"kms:EncryptionContext:{name}": value for name, value in (encryption or {}).items()},
                },
            )


def _container(resource: str, receiver: Node) -> str:
    if receiver.type == _BUCKET:
        return receiver.arn
    return resource.removesuffix(":*") + ":log-stream:1" if receiver.type == _GROUP else resource


def _by_role(
    deed: str, *, kind: str, node: Node, role: Node | None, named: Any, receiver: Node | None, **more: Any
) -> Arrow:
    page = ROLES[deed].page
    if receiver is None:
        return _nowhere(kind, node, named, page)
    if role is None:
        return Arrow(
            kind=kind,
            sender=node,
            to=receiver.arn,
            receiver=receiver,
            calls=(),
            page=page,
            faults=(f"the role of {node.path} is not in the assembly, so nobody can say what it may do",),
        )
    faults: list[str] = more.pop("faults", [])
    return Arrow(
        kind=kind,
        sender=node,
        to=receiver.arn,
        receiver=receiver,
        calls=tuple(_role_calls(deed, role, receiver, **more)),
        page=page,
        faults=tuple(faults),
    )


def _keys_of(model: Model, receiver: Node) -> tuple[Node, ...]:
    named = {
        _BUCKET: lambda: _bucket_key(model, receiver)[0],
        _TOPIC: lambda: model.find(receiver.get("KmsMasterKeyId"), "AWS::KMS::Key", near=receiver),
        _QUEUE: lambda: model.find(receiver.get("KmsMasterKeyId"), "AWS::KMS::Key", near=receiver),
    }.get(receiver.type, lambda: None)()
    return () if named is None else (named,)


# ---------------------------------------------------------------------------------------------------------------- finders


def _trails(model: Model) -> Iterator[Arrow]:
    sender = SENDERS["trail"]
    for trail in model.of("AWS::CloudTrail::Trail"):
        folder = f"{trail.get('S3KeyPrefix')}/" if trail.get("S3KeyPrefix") else ""
        prefixes = [f"{folder}AWSLogs/{trail.account}/CloudTrail/{trail.region}/"]
        organization = _organization(model)
        if truthy(trail.get("IsOrganizationTrail")) and organization:
            prefixes.append(f"{folder}AWSLogs/{organization}/{trail.account}/CloudTrail/{trail.region}/")
        for prefix in prefixes:
            yield _into_bucket(
                model,
                sender,
                kind="trail to bucket",
                node=trail,
                named=trail.get("S3BucketName"),
                prefix=prefix,
                source=trail.arn,
                checks=("s3:GetBucketAcl",),
            )
        key = model.find(trail.get("KMSKeyId"), "AWS::KMS::Key", near=trail)
        if key is not None:
            yield Arrow(
                kind="trail to key",
                sender=trail,
                to=key.arn,
                receiver=key,
                page=sender.page,
                calls=tuple(
                    _service_key(
                        sender,
                        node=trail,
                        arn=trail.arn,
                        key=key,
                        encryption={"aws:cloudtrail:arn": trail.arn},
                        via=f"cloudtrail.{trail.region}.amazonaws.com",
                    )
                ),
            )
        group = trail.get("CloudWatchLogsLogGroupArn")
        if group:
            role = model.find(trail.get("CloudWatchLogsRoleArn"), _ROLE)
            yield _by_role(
                "trail to logs",
                kind="trail to log group",
                node=trail,
                role=role,
                named=group,
                receiver=model.find(group, _GROUP),
            )


def _organization(model: Model) -> str | None:
    """The organization whose folder a trail's bucket keeps, if the templates name one."""
    for policy in model.of("AWS::S3::BucketPolicy"):
        found = re.search(r"AWSLogs/(o-[a-z0-9]{10,32})", json.dumps(policy.properties, default=str))
        if found:
            return found[1]
    return None


def _vended(model: Model) -> Iterator[Arrow]:
    sender = SENDERS["vended log"]

    def into(kind: str, node: Node, named: Any, prefix: str, region: str = "") -> Arrow:
        return _into_bucket(
            model,
            sender,
            kind=kind,
            node=node,
            named=named,
            prefix=prefix,
            source=f"arn:aws:logs:{region or node.region}:{node.account}:*",
            checks=("s3:GetBucketAcl",),
        )

    for log in model.of("AWS::EC2::FlowLog"):
        destination = log.get("LogDestination")
        if log.get("LogDestinationType") == "s3":
            yield into("flow log to bucket", log, destination, _folder(destination, log, "vpcflowlogs"))
        elif log.get("LogGroupName") or ":log-group:" in _words(destination):
            named = log.get("LogGroupName") or destination
            yield _by_role(
                "flow log to logs",
                kind="flow log to log group",
                node=log,
                role=model.find(log.get("DeliverLogsPermissionArn"), _ROLE),
                named=named,
                receiver=model.find(named, _GROUP, near=log),
            )
    for log in model.of("AWS::Route53Resolver::ResolverQueryLoggingConfig"):
        destination = log.get("DestinationArn")
        if _words(destination).startswith("arn:aws:s3"):
            yield into("resolver log to bucket", log, destination, _folder(destination, log, "vpcdnsquerylogs"))
    for log in model.of("AWS::WAFv2::LoggingConfiguration"):
        for destination in as_list(log.get("LogDestinationConfigs")):
            if not _words(destination).startswith("arn:aws:s3"):
                continue
            arrow = into("firewall log to bucket", log, destination, _folder(destination, log, "WAFLogs"))
            if arrow.receiver is not None and not arrow.receiver.name.startswith("aws-waf-logs-"):
                fault = f"{arrow.receiver.path} is not named aws-waf-logs-..., which WAF demands"
                arrow = Arrow(**{**vars(arrow), "faults": (*arrow.faults, fault)})
            yield arrow
    yield from _network_firewalls(model, into)
    for delivery in model.of("AWS::Logs::Delivery"):
        yield from _delivery(model, delivery, into)


def _network_firewalls(model: Model, into: Callable[..., Arrow]) -> Iterator[Arrow]:
    for log in model.of("AWS::NetworkFirewall::LoggingConfiguration"):
        for item in as_list(log.get("LoggingConfiguration", "LogDestinationConfigs")):
            bucket = at(item, "LogDestination", "bucketName")
            if bucket is not None:
                yield into("network firewall log to bucket", log, bucket, f"AWSLogs/{log.account}/network-firewall/")


def _folder(destination: Any, log: Node, kind: str) -> str:
    own = _words(destination).removeprefix("arn:aws:s3:::").partition("/")[2].strip("/")
    return f"{own + '/' if own else ''}AWSLogs/{log.account}/{kind}/{log.region}/"


def _delivery(model: Model, delivery: Node, into: Callable[..., Arrow]) -> Iterator[Arrow]:
    kind = "log delivery to bucket"
    page = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/vended-logs-crossaccount-example.html"
    named = delivery.get("DeliveryDestinationArn")
    destination = next(
        (
            node
            for node in model.of("AWS::Logs::DeliveryDestination")
            if _destination_arn(node) == named or node.arn == named
        ),
        None,
    )
    if destination is None:
        yield _nowhere("log delivery", delivery, named, page)
        return
    source = next(
        (
            node
            for node in model.of("AWS::Logs::DeliverySource", account=delivery.account)
            if node.get("Name") == delivery.get("DeliverySourceName")
        ),
        None,
    )
    if destination.account != delivery.account:
        # CloudFormation makes the delivery, with rights that are its account's own affair.
        region = delivery.region
        create = Call(
            principal=f"arn:aws:iam::{delivery.account}:role/cdk-hnb659fds-cfn-exec-role-{delivery.account}-{region}",
            every_right=True,
            action="logs:CreateDelivery",
            resource=_destination_arn(destination),
            receiver=destination,
            account=destination.account,
            context={},
        )
        yield Arrow(
            kind="log delivery to destination",
            sender=delivery,
            to=_destination_arn(destination),
            receiver=destination,
            calls=(create,),
            page=page,
        )
    bucket = destination.get("DestinationResourceArn")
    if _words(bucket).startswith("arn:aws:s3"):
        service = "CloudFront" if ":cloudfront:" in _words(source.get("ResourceArn") if source else "") else "logs"
        prefix = f"AWSLogs/{delivery.account}/{service}/"
        yield into(kind, delivery, bucket, prefix)


def _destination_arn(node: Node) -> str:
    return f"arn:aws:logs:{node.region}:{node.account}:delivery-destination:{node.get('Name')}"


def _balancers(model: Model) -> Iterator[Arrow]:
    for balancer in model.of("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        attributes = {at(item, "Key"): at(item, "Value") for item in as_list(balancer.get("LoadBalancerAttributes"))}
        for log in ("access", "connection", "health_check"):
            if not truthy(attributes.get(f"{log}_logs.s3.enabled")):
                continue
            own = _words(attributes.get(f"{log}_logs.s3.prefix")).strip("/")
            yield _into_bucket(
                model,
                SENDERS["load balancer"],
                kind=f"load balancer {log} log to bucket",
                node=balancer,
                named=attributes.get(f"{log}_logs.s3.bucket"),
                prefix=f"{own + '/' if own else ''}AWSLogs/{balancer.account}/elasticloadbalancing/{balancer.region}/",
                source=balancer.arn.replace("loadbalancer/", "loadbalancer/app/", 1),
            )


def _server_access(model: Model) -> Iterator[Arrow]:
    for bucket in model.of(_BUCKET):
        target = bucket.get("LoggingConfiguration", "DestinationBucketName")
        if target is None:
            continue
        yield _into_bucket(
            model,
            SENDERS["server access log"],
            kind="server access log to bucket",
            node=bucket,
            named=target,
            prefix=_words(bucket.get("LoggingConfiguration", "LogFilePrefix")),
            source=bucket.arn,
        )


def _recorders(model: Model) -> Iterator[Arrow]:
    for channel in model.of("AWS::Config::DeliveryChannel"):
        own = _words(channel.get("S3KeyPrefix")).strip("/")
        yield _into_bucket(
            model,
            SENDERS["config"],
            kind="configuration to bucket",
            node=channel,
            named=channel.get("S3BucketName"),
            prefix=f"{own + '/' if own else ''}AWSLogs/{channel.account}/Config/{channel.region}/",
            source=f"arn:aws:config:{channel.region}:{channel.account}:*",
            checks=("s3:GetBucketAcl", "s3:ListBucket"),
        )


def _replications(model: Model) -> Iterator[Arrow]:
    for bucket in model.of(_BUCKET):
        role = model.find(bucket.get("ReplicationConfiguration", "Role"), _ROLE)
        for rule in as_list(bucket.get("ReplicationConfiguration", "Rules")):
            named = at(rule, "Destination", "Bucket")
            target = model.find(_bucket_name(named), _BUCKET)
            keys = _keys_of(model, bucket)
            objects = f"{bucket.arn}/1"
            yield _by_role(
                "replication source",
                kind="bucket read for replication",
                node=bucket,
                role=role,
                named=bucket.arn,
                receiver=bucket,
                keys=keys,
                encryption=_bucket_context(bucket, objects),
            )
            faults = []
            if target is not None:
                chosen = at(rule, "Destination", "EncryptionConfiguration", "ReplicaKmsKeyID")
                own = model.find(chosen, "AWS::KMS::Key", near=target) if chosen else None
                replica_keys = (own,) if own is not None else _keys_of(model, target) if keys else ()
                if keys and at(rule, "SourceSelectionCriteria", "SseKmsEncryptedObjects", "Status") != "Enabled":
                    faults.append("objects under a KMS key are not selected, so that none is replicated")
                if at(rule, "Status") != "Enabled":
                    faults.append("the rule is not enabled")
                if at(target.properties, "VersioningConfiguration", "Status") != "Enabled":
                    faults.append(f"{target.path} keeps no versions, which replication demands")
            if bucket.get("VersioningConfiguration", "Status") != "Enabled":
                faults.append(f"{bucket.path} keeps no versions, which replication demands")
            yield _by_role(
                "replica",
                kind="replica to bucket",
                node=bucket,
                role=role,
                named=named,
                receiver=target,
                keys=replica_keys if target is not None else (),
                encryption=_bucket_context(target, f"{target.arn}/1") if target is not None else {},
                faults=faults,
            )


def _sessions(model: Model) -> Iterator[Arrow]:
    for document in model.of("AWS::SSM::Document"):
        inputs = document.get("Content", "inputs", default={})
        if not isinstance(inputs, Mapping) or document.get("DocumentType") != "Session":
            continue
        for role in _machine_roles(model, document.account, document.region):
            if at(inputs, "s3BucketName"):
                bucket = model.find(_bucket_name(at(inputs, "s3BucketName")), _BUCKET)
                own = _words(at(inputs, "s3KeyPrefix")).strip("/")
                yield _by_role(
                    "session record",
                    kind="session record to bucket",
                    node=document,
                    role=role,
                    named=at(inputs, "s3BucketName"),
                    receiver=bucket,
                    keys=_keys_of(model, bucket) if bucket else (),
                    encryption=_bucket_context(bucket, f"{bucket.arn}/1") if bucket else {},
                    resource=f"{bucket.arn}/{own}" if bucket and own else "",
                )
            if at(inputs, "cloudWatchLogGroupName"):
                named = at(inputs, "cloudWatchLogGroupName")
                yield _by_role(
                    "session stream",
                    kind="session stream to log group",
                    node=document,
                    role=role,
                    named=named,
                    receiver=model.find(named, _GROUP, near=document),
                )


def _machine_roles(model: Model, account: str, region: str) -> Iterator[Node]:
    seen: set[Node] = set()
    for machine in model.of("AWS::EC2::LaunchTemplate", "AWS::EC2::Instance", account=account, region=region):
        data = machine.get("LaunchTemplateData", default=machine.properties)
        named = at(data, "IamInstanceProfile")
        named = at(named, "Arn") or at(named, "Name") if isinstance(named, Mapping) else named
        profile = model.find(named, "AWS::IAM::InstanceProfile", near=machine)
        for role in as_list(profile.get("Roles") if profile else None):
            node = model.find(role, _ROLE, near=machine)
            if node is not None and node not in seen:
                seen.add(node)
                yield node


def _publish(model: Model, sender: Sender, *, kind: str, node: Node, named: Any, source: str) -> Arrow:
    """A service's message to a topic or queue, and to its key."""
    receiver = model.find(named, _TOPIC, _QUEUE)
    if receiver is None:
        return _nowhere(kind, node, named, sender.page)
    topic = receiver.type == _TOPIC
    calls = [
        _by_service(
            sender,
            node=node,
            arn=source,
            action="sns:Publish" if topic else "sqs:SendMessage",
            to=receiver,
            resource=receiver.arn,
        )
    ]
    faults = list(_place_faults(sender, node, receiver))
    key_id = receiver.get("KmsMasterKeyId")
    for key in _keys_of(model, receiver):
        calls += _service_key(
            sender,
            node=node,
            arn=source,
            key=key,
            encryption={"aws:sns:topicArn" if topic else "aws:sqs:arn": receiver.arn},
            via=f"{'sns' if topic else 'sqs'}.{receiver.region}.amazonaws.com",
        )
    if key_id and not _keys_of(model, receiver):
        faults.append(
            f"{receiver.path} is encrypted with {_words(key_id)}, which {sender.principal} cannot be shown to use"
        )
    return Arrow(
        kind=kind,
        sender=node,
        to=receiver.arn,
        receiver=receiver,
        calls=tuple(calls),
        page=sender.page,
        faults=tuple(faults),
    )


def _alarms(model: Model) -> Iterator[Arrow]:
    for alarm in model.of("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        if alarm.get("ActionsEnabled", default=True) is False:
            continue
        named = {
            _words(action): action
            for prop in ("AlarmActions", "OKActions", "InsufficientDataActions")
            for action in as_list(alarm.get(prop))
        }
        for action in named.values():
            if ":sns:" in _words(action) or isinstance(action, Unresolved):
                yield _publish(
                    model, SENDERS["alarm"], kind="alarm to topic", node=alarm, named=action, source=alarm.arn
                )


def _rules(model: Model) -> Iterator[Arrow]:
    for rule in model.of("AWS::Events::Rule"):
        for target in as_list(rule.get("Targets")):
            named = at(target, "Arn")
            found = _target(model, rule, target, named)
            if found is not None:
                yield found
            dead = at(target, "DeadLetterConfig", "Arn")
            if dead is not None:
                yield _publish(
                    model, SENDERS["rule"], kind="rule to dead-letter queue", node=rule, named=dead, source=rule.arn
                )
        yield from _bucket_rules(model, rule)


def _target(model: Model, rule: Node, target: Any, named: Any) -> Arrow | None:  # noqa: PLR0911  (one return a kind of target)
    text = _words(named)
    if ":sns:" in text:
        return _publish(model, SENDERS["rule to topic"], kind="rule to topic", node=rule, named=named, source=rule.arn)
    if ":sqs:" in text:
        return _publish(model, SENDERS["rule"], kind="rule to queue", node=rule, named=named, source=rule.arn)
    if ":lambda:" in text:
        return _invoke(model, SENDERS["rule"], kind="rule to function", node=rule, named=named, source=rule.arn)
    if ":logs:" in text:
        group = model.find(named, _GROUP)
        if group is None:
            return _nowhere("rule to log group", rule, named, SENDERS["rule"].page)
        stream = f"{group.arn.removesuffix(':*')}:log-stream:1"
        sender = SENDERS["rule"]
        return Arrow(
            kind="rule to log group",
            sender=rule,
            to=group.arn,
            receiver=group,
            page=sender.page,
            calls=tuple(
                _by_service(sender, node=rule, arn=rule.arn, action=action, to=group, resource=stream)
                for action in ("logs:CreateLogStream", "logs:PutLogEvents")
            ),
        )
    for service, deed in (
        (":states:", "rule starts machine"),
        (":event-bus/", "rule to bus"),
        (":firehose:", "rule to stream"),
    ):
        if service in text:
            role = model.find(at(target, "RoleArn"), _ROLE)
            return _by_role(deed, kind=deed, node=rule, role=role, named=named, receiver=model.find(named, near=rule))
    return _nowhere("rule to target", rule, named, SENDERS["rule"].page) if isinstance(named, Unresolved) else None


def _bucket_rules(model: Model, rule: Node) -> Iterator[Arrow]:
    """A rule on a bucket's events waits for ever unless the bucket tells EventBridge of them."""
    pattern = rule.get("EventPattern", default={})
    if "aws.s3" not in as_list(at(pattern, "source")) or at(pattern, "detail", "bucket", "name") is None:
        return
    page = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html"
    for name in as_list(at(pattern, "detail", "bucket", "name")):
        bucket = model.find(name, _BUCKET)
        if bucket is None:
            continue
        told = bucket.get("NotificationConfiguration", "EventBridgeConfiguration")
        enabled = told is not None and at(told, "EventBridgeEnabled", default=True) is not False
        faults = [] if enabled else [f"{bucket.path} does not tell EventBridge of its objects"]
        if (bucket.account, bucket.region) != (rule.account, rule.region):
            faults.append(f"{bucket.path} tells the bus of {bucket.account} {bucket.region}, where the rule is not")
        yield Arrow(
            kind="bucket event to rule",
            sender=bucket,
            to=rule.arn,
            receiver=rule,
            calls=(),
            page=page,
            faults=tuple(faults),
        )


def _invoke(model: Model, sender: Sender, *, kind: str, node: Node, named: Any, source: str) -> Arrow:
    text = _words(named)
    inside = re.search(r"functions/(arn:.+)/invocations$", text)
    function = model.find(inside[1] if inside else named, _FUNCTION, "AWS::Lambda::Alias", near=node)
    if function is None:
        return _nowhere(kind, node, named, sender.page)
    arn = function.arn
    return Arrow(
        kind=kind,
        sender=node,
        to=arn,
        receiver=function,
        page=sender.page,
        calls=(_by_service(sender, node=node, arn=source, action="lambda:InvokeFunction", to=function, resource=arn),),
    )


def _subscriptions(model: Model) -> Iterator[Arrow]:
    sender = SENDERS["topic"]
    for subscription in model.of("AWS::SNS::Subscription"):
        topic = _words(subscription.get("TopicArn"))
        if subscription.get("Protocol") == "sqs":
            yield _publish(
                model,
                sender,
                kind="topic to queue",
                node=subscription,
                named=subscription.get("Endpoint"),
                source=topic,
            )
        elif subscription.get("Protocol") == "lambda":
            yield _invoke(
                model,
                sender,
                kind="topic to function",
                node=subscription,
                named=subscription.get("Endpoint"),
                source=topic,
            )
        redrive = subscription.get("RedrivePolicy")
        if isinstance(redrive, Mapping) and redrive.get("deadLetterTargetArn") is not None:
            yield _publish(
                model,
                sender,
                kind="topic to dead-letter queue",
                node=subscription,
                named=redrive["deadLetterTargetArn"],
                source=topic,
            )


def _notifications(model: Model) -> Iterator[Arrow]:
    sender = SENDERS["bucket event"]
    for bucket in model.of(_BUCKET):
        told = bucket.get("NotificationConfiguration", default={})
        for prop, name in (("TopicConfigurations", "Topic"), ("QueueConfigurations", "Queue")):
            for item in as_list(at(told, prop)):
                yield _publish(model, sender, kind="bucket event", node=bucket, named=at(item, name), source=bucket.arn)
        for item in as_list(at(told, "LambdaConfigurations")):
            yield _invoke(
                model,
                sender,
                kind="bucket event to function",
                node=bucket,
                named=at(item, "Function"),
                source=bucket.arn,
            )


def _functions(model: Model) -> Iterator[Arrow]:
    for function in model.of(_FUNCTION):
        role = model.find(function.get("Role"), _ROLE)
        group = function.get("LoggingConfig", "LogGroup")
        if group is not None:
            yield _by_role(
                "function log",
                kind="function to log group",
                node=function,
                role=role,
                named=group,
                receiver=model.find(group, _GROUP, near=function),
            )
        letters = [function.get("DeadLetterConfig", "TargetArn")]
        for config in model.referrers(function, "AWS::Lambda::EventInvokeConfig"):
            letters += [
                config.get("DestinationConfig", outcome, "Destination") for outcome in ("OnSuccess", "OnFailure")
            ]
        for named in letters:
            if ":sqs:" in _words(named) or ":sns:" in _words(named):
                yield _function_sends(model, function, role, named)
    for mapping in model.of("AWS::Lambda::EventSourceMapping"):
        called = model.find(mapping.get("FunctionName"), _FUNCTION, "AWS::Lambda::Alias", near=mapping)
        owner = model.find(called.get("Role"), _ROLE) if called is not None and called.type == _FUNCTION else None
        source = mapping.get("EventSourceArn")
        if ":sqs:" in _words(source):
            queue = model.find(source, _QUEUE)
            yield _by_role(
                "queue reader",
                kind="queue to function",
                node=mapping,
                role=owner,
                named=source,
                receiver=queue,
                keys=_keys_of(model, queue) if queue else (),
                encryption={"aws:sqs:arn": queue.arn} if queue else {},
            )


def _function_sends(model: Model, function: Node, role: Node | None, named: Any) -> Arrow:
    receiver = model.find(named, _TOPIC, _QUEUE)
    topic = receiver is not None and receiver.type == _TOPIC
    return _by_role(
        "function to topic" if topic else "function to queue",
        kind="function to destination",
        node=function,
        role=role,
        named=named,
        receiver=receiver,
        keys=_keys_of(model, receiver) if receiver else (),
        encryption={"aws:sns:topicArn" if topic else "aws:sqs:arn": receiver.arn} if receiver else {},
    )


def _invocations(model: Model) -> Iterator[Arrow]:
    for group in model.of("AWS::ElasticLoadBalancingV2::TargetGroup"):
        if group.get("TargetType") == "lambda":
            name = group.get("Name")
            source = (
                f"arn:aws:elasticloadbalancing:{group.region}:{group.account}:targetgroup/{name}/1"
                if name
                else group.arn
            )
            for target in as_list(group.get("Targets")):
                yield _invoke(
                    model,
                    SENDERS["target group"],
                    kind="load balancer to function",
                    node=group,
                    named=at(target, "Id"),
                    source=source,
                )
    for method in model.of("AWS::ApiGateway::Method"):
        uri = method.get("Integration", "Uri")
        if ":lambda:" in _words(uri) or isinstance(uri, Unresolved):
            yield _invoke(
                model, SENDERS["api"], kind="API to function", node=method, named=uri, source=_method_arn(model, method)
            )
    for stage in model.of("AWS::ApiGateway::Stage"):
        named = stage.get("AccessLogSetting", "DestinationArn")
        if ":logs:" in _words(named):
            settings = next(model.of("AWS::ApiGateway::Account", account=stage.account, region=stage.region), None)
            yield _by_role(
                "API log",
                kind="API log to log group",
                node=stage,
                role=model.find(settings.get("CloudWatchRoleArn"), _ROLE) if settings else None,
                named=named,
                receiver=model.find(named, _GROUP),
            )
    for authorizer in model.of("AWS::ApiGateway::Authorizer"):
        uri = authorizer.get("AuthorizerUri")
        if uri is not None and authorizer.get("AuthorizerCredentials") is None:
            place = f"{authorizer.region}:{authorizer.account}:{_words(authorizer.get('RestApiId'))}"
            yield _invoke(
                model,
                SENDERS["api"],
                kind="API to authorizer",
                node=authorizer,
                named=uri,
                source=f"arn:aws:execute-api:{place}/authorizers/{authorizer.id}",
            )


def _method_arn(model: Model, method: Node) -> str:
    path: list[str] = []
    resource = model.find(method.get("ResourceId"), "AWS::ApiGateway::Resource")
    while resource is not None:
        path.insert(0, _words(resource.get("PathPart")))
        resource = model.find(resource.get("ParentId"), "AWS::ApiGateway::Resource")
    api = _words(method.get("RestApiId"))
    stages = [stage.id for stage in model.of("AWS::ApiGateway::Stage") if _words(stage.get("RestApiId")) == api]
    verb = method.get("HttpMethod")
    called = "/".join("1" if part.startswith("{") else part for part in path)
    return f"arn:aws:execute-api:{method.region}:{method.account}:{api}/{(stages or ['1'])[0]}/{verb}/{called}"


def _log_keys(model: Model) -> Iterator[Arrow]:
    sender = SENDERS["log group"]
    for group in model.of(_GROUP):
        named = group.get("KmsKeyId")
        if named is None:
            continue
        key = model.find(named, "AWS::KMS::Key", "AWS::KMS::ReplicaKey", near=group)
        if key is None:
            yield _nowhere("log group to key", group, named, sender.page)
            continue
        yield Arrow(
            kind="log group to key",
            sender=group,
            to=key.arn,
            receiver=key,
            page=sender.page,
            faults=()
            if key.region == group.region
            else (f"{key.path} is in {key.region}, the group in {group.region}",),
            calls=tuple(
                Call(
                    principal=f"logs.{group.region}.amazonaws.com",
                    action=action,
                    resource=key.arn,
                    receiver=key,
                    account=key.account,
                    context={
                        "kms:EncryptionContext:aws:logs:arn": group.arn.removesuffix(":*"),
                        "aws:SourceAccount": UNKNOWN,
                        "aws:SourceArn": UNKNOWN,
                        "kms:CallerAccount": UNKNOWN,
                        "kms:ViaService": UNKNOWN,
                    },
                    works_for=group.account,
                )
                for action in ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey")
            ),
        )


def _buses(model: Model) -> Iterator[Arrow]:
    """A bus and its archives under a key, which EventBridge looks at first, and the bus's own dead letters."""
    sender = SENDERS["event bus"]
    for bus in model.of("AWS::Events::EventBus"):
        dead = bus.get("DeadLetterConfig", "Arn")
        if dead is not None:
            yield _publish(
                model, SENDERS["rule"], kind="bus to dead-letter queue", node=bus, named=dead, source=bus.arn
            )
        archives = (
            archive
            for archive in model.of("AWS::Events::Archive", account=bus.account, region=bus.region)
            if model.find(archive.get("SourceArn"), near=archive) is bus
        )
        for node, actions in (
            (bus, ()),
            *((archive, ("kms:ReEncryptFrom", "kms:ReEncryptTo")) for archive in archives),
        ):
            named = node.get("KmsKeyIdentifier")
            if named is None:
                continue
            key = model.find(named, "AWS::KMS::Key", near=node)
            if key is None:
                yield _nowhere("bus to key", node, named, sender.page)
                continue
            context = _service_context(sender.key_sent, sender.key_absent, account=bus.account, arn=bus.arn)
            context |= {"kms:CallerAccount": UNKNOWN, "kms:ViaService": UNKNOWN}
            encryption = {"kms:EncryptionContext:aws:events:event-bus:arn": bus.arn}
            yield Arrow(
                kind="bus to key",
                sender=node,
                to=key.arn,
                receiver=key,
                page=sender.page,
                calls=tuple(
                    Call(
                        principal=sender.principal,
                        action=action,
                        resource=key.arn,
                        receiver=key,
                        account=key.account,
                        context=context if action == "kms:DescribeKey" else {**context, **encryption},
                    )
                    for action in ("kms:DescribeKey", *sender.key_actions, *actions)
                ),
            )


def _distributions(model: Model) -> Iterator[Arrow]:
    sender = SENDERS["distribution"]
    for distribution in model.of("AWS::CloudFront::Distribution"):
        for origin in as_list(distribution.get("DistributionConfig", "Origins")):
            domain = at(origin, "DomainName")
            if at(origin, "OriginAccessControlId") is None or not isinstance(domain, str) or ".s3." not in domain:
                continue
            name = domain.split(".s3.")[0]
            bucket = model.find(name, _BUCKET)
            if bucket is None:
                yield _nowhere("distribution to bucket", distribution, domain, sender.page)
                continue
            calls = [
                _by_service(
                    sender,
                    node=distribution,
                    arn=distribution.arn,
                    action="s3:GetObject",
                    to=bucket,
                    resource=f"{bucket.arn}/1",
                )
            ]
            for key in _keys_of(model, bucket):
                calls += _service_key(
                    sender,
                    node=distribution,
                    arn=distribution.arn,
                    key=key,
                    encryption=_bucket_context(bucket, f"{bucket.arn}/1"),
                    via=f"s3.{bucket.region}.amazonaws.com",
                )
            yield Arrow(
                kind="distribution to bucket",
                sender=distribution,
                to=bucket.arn,
                receiver=bucket,
                calls=tuple(calls),
                page=sender.page,
            )


def _backups(model: Model) -> Iterator[Arrow]:
    vaults = ("AWS::Backup::BackupVault", "AWS::Backup::LogicallyAirGappedBackupVault")
    for selection in model.of("AWS::Backup::BackupSelection"):
        role = model.find(selection.get("BackupSelection", "IamRoleArn"), _ROLE)
        invented = INVENTED.fullmatch(_words(selection.get("BackupPlanId")))
        plan = model.node(invented[1], invented[2]) if invented else None
        targets: dict[str, Any] = {}
        for rule in as_list(plan.get("BackupPlan", "BackupPlanRule") if plan else None):
            for copy in as_list(at(rule, "CopyActions")):
                named = at(copy, "DestinationBackupVaultArn")
                targets[_words(named)] = named
        for named in targets.values():
            vault = model.find(named, *vaults)
            key = model.find(vault.get("EncryptionKeyArn"), "AWS::KMS::Key", near=vault) if vault else None
            yield _by_role(
                "backup copy",
                kind="backup copy to vault",
                node=selection,
                role=role,
                named=named,
                receiver=vault,
                keys=() if key is None else (key,),
            )


def _streams(model: Model) -> Iterator[Arrow]:
    for stream in model.of("AWS::KinesisFirehose::DeliveryStream"):
        for prop, settings in stream.properties.items():
            if not prop.endswith("DestinationConfiguration") or not isinstance(settings, Mapping):
                continue
            nested = at(settings, "S3Configuration", default=settings)
            named = at(nested, "BucketARN") or at(nested, "BucketArn")
            if named is None:
                continue
            bucket = model.find(_bucket_name(named), _BUCKET)
            yield _by_role(
                "stream to bucket",
                kind="stream to bucket",
                node=stream,
                role=model.find(at(nested, "RoleARN") or at(nested, "RoleArn"), _ROLE),
                named=named,
                receiver=bucket,
                keys=_keys_of(model, bucket) if bucket else (),
                encryption=_bucket_context(bucket, f"{bucket.arn}/1") if bucket else {},
                resource=f"{bucket.arn}/{_words(at(nested, 'Prefix')).strip('/')}"
                if bucket and at(nested, "Prefix")
                else "",
            )


def processors(stream: Node) -> Iterator[tuple[str, dict[str, Any]]]:
    """The processors of a stream, each with its parameters."""
    for prop, settings in stream.properties.items():
        if prop.endswith("DestinationConfiguration"):
            for processor in as_list(at(settings, "ProcessingConfiguration", "Processors")):
                given = as_list(at(processor, "Parameters"))
                yield str(at(processor, "Type")), {str(at(p, "ParameterName")): at(p, "ParameterValue") for p in given}


def _processing(model: Model) -> Iterator[Arrow]:
    for stream in model.of("AWS::KinesisFirehose::DeliveryStream"):
        for kind, parameters in processors(stream):
            if kind == "Lambda":
                named = parameters.get("LambdaArn")
                yield _by_role(
                    "stream through function",
                    kind="audit log to function",
                    node=stream,
                    role=model.find(parameters.get("RoleArn"), _ROLE, near=stream),
                    named=named,
                    receiver=model.find(named, _FUNCTION, near=stream),
                )


SHIPPER = "ship_audit.handler.handle"
"""The code that sends audit logs to a log service."""


def _shippers(model: Model) -> Iterator[Arrow]:
    for function in model.of(_FUNCTION):
        if function.get("Handler") != SHIPPER:
            continue
        role = model.find(function.get("Role"), _ROLE, near=function)
        given = function.get("Environment", "Variables", default={})
        bucket = model.find(given.get("BUCKET_NAME"), _BUCKET)
        for folder in str(given.get("FOLDERS", "")).split():
            place = f"{bucket.arn}/{folder.rstrip('/')}" if bucket else ""
            yield _by_role(
                "shipper reads bucket",
                kind="audit log to shipper",
                node=function,
                role=role,
                named=given.get("BUCKET_NAME"),
                receiver=bucket,
                resource=place,
                keys=_keys_of(model, bucket) if bucket else (),
                encryption=_bucket_context(bucket, f"{place}/1") if bucket else {},
                headers={"s3:prefix": folder},
            )
        for kind, cfn_type, named, key, name in (
            (
                "receipts",
                "AWS::DynamoDB::Table",
                "TABLE_NAME",
                ("SSESpecification", "KMSMasterKeyId"),
                "aws:dynamodb:tableName",
            ),
            ("secret", "AWS::SecretsManager::Secret", "SECRET_ARN", ("KmsKeyId",), "SecretARN"),
        ):
            found = model.find(given.get(named), cfn_type, near=function)
            under = model.find(found.get(*key), "AWS::KMS::Key", near=found) if found else None
            yield _by_role(
                f"shipper {'keeps' if kind == 'receipts' else 'reads'} {kind}",
                kind=f"audit log {kind}",
                node=function,
                role=role,
                named=given.get(named),
                receiver=found,
                keys=() if under is None else (under,),
                encryption={} if found is None else {name: found.name if kind == "receipts" else found.arn},
            )


def _log_streams(model: Model) -> Iterator[Arrow]:
    for subscription in model.of("AWS::Logs::SubscriptionFilter"):
        named = subscription.get("DestinationArn")
        if ":firehose:" not in _words(named):
            continue
        group = model.find(subscription.get("LogGroupName"), _GROUP, near=subscription)
        yield _by_role(
            "log to stream",
            kind="log group to stream",
            node=subscription,
            role=model.find(subscription.get("RoleArn"), _ROLE),
            named=named,
            receiver=model.find(named, "AWS::KinesisFirehose::DeliveryStream"),
            source=group.arn if group else "",
        )


def _canaries(model: Model) -> Iterator[Arrow]:
    for canary in model.of("AWS::Synthetics::Canary"):
        location = canary.get("ArtifactS3Location")
        name, _, folder = _words(location).removeprefix("s3://").partition("/")
        bucket = model.find(name, _BUCKET)
        key = model.find(canary.get("ArtifactConfig", "S3Encryption", "KmsKeyArn"), "AWS::KMS::Key", near=canary)
        yield _by_role(
            "canary result",
            kind="canary result to bucket",
            node=canary,
            role=model.find(canary.get("ExecutionRoleArn"), _ROLE),
            named=location,
            receiver=bucket,
            keys=(key,) if key is not None else _keys_of(model, bucket) if bucket else (),
            encryption=_bucket_context(bucket, f"{bucket.arn}/1") if bucket else {},
            resource=f"{bucket.arn}/{folder}" if bucket and folder else "",
            headers={
                "s3:x-amz-server-side-encryption": "aws:kms",
                "s3:x-amz-server-side-encryption-aws-kms-key-id": key.arn,
            }
            if key is not None
            else None,
        )


def _machines(model: Model) -> Iterator[Arrow]:
    """What a state machine calls, and its log on the way through log delivery, under the key that its data are under."""
    for machine in model.of("AWS::StepFunctions::StateMachine"):
        role = model.find(machine.get("RoleArn"), _ROLE)
        for named in _called(machine):
            topic = ":sns:" in _words(named)
            receiver = model.find(named, _TOPIC if topic else _FUNCTION, near=machine)
            yield _by_role(
                "machine to topic" if topic else "machine to function",
                kind="state machine to topic" if topic else "state machine to function",
                node=machine,
                role=role,
                named=named,
                receiver=receiver,
                keys=_keys_of(model, receiver) if receiver else (),
                encryption={"aws:sns:topicArn": receiver.arn} if receiver and topic else {},
                source=machine.arn,
            )
        key = model.find(machine.get("EncryptionConfiguration", "KmsKeyId"), "AWS::KMS::Key", near=machine)
        if key is not None:
            yield from _machine_log(model, machine, role, key)


def _machine_log(model: Model, machine: Node, role: Node | None, key: Node) -> Iterator[Arrow]:
    sender = SENDERS["state machine log"]
    place = {"SourceArn": f"arn:aws:logs:{machine.region}:{machine.account}:*"}
    for destination in as_list(machine.get("LoggingConfiguration", "Destinations")):
        named = at(destination, "CloudWatchLogsLogGroup", "LogGroupArn")
        group = model.find(named, _GROUP, near=machine)
        if group is None or role is None:
            yield _nowhere("state machine log to log group", machine, named, sender.page)
            continue
        faults = (
            ()
            if group.name.startswith("/aws/vendedlogs/")
            else (f"{group.path} is not named /aws/vendedlogs/..., and no policy of CloudWatch Logs names it",)
        )
        own = {"aws:states:stateMachineArn": machine.arn}
        mine = tuple(
            Call(
                principal=role.arn,
                role=role,
                action=action,
                resource=key.arn,
                receiver=key,
                account=key.account,
                context={
                    "kms:CallerAccount": role.account,
                    # Nothing says whether Step Functions calls KMS in a service's name when it works with a machine's role.
                    "kms:ViaService": UNKNOWN,
                    **{f"kms:EncryptionContext:{name}": value for name, value in context.items()},
                },
            )
            for action, context in (("kms:Decrypt", own), ("kms:GenerateDataKey", own), ("kms:GenerateDataKey", place))
        )
        delivery = _service_key(sender, node=machine, arn=machine.arn, key=key, encryption=place, via="")
        yield Arrow(
            kind="state machine log to log group",
            sender=machine,
            to=group.arn,
            receiver=group,
            page=sender.page,
            calls=(*mine, *delivery),
            faults=faults,
        )


def _called(machine: Node) -> Iterator[str]:
    """Functions and topics that the definition names, each once."""
    found = re.findall(r"(?:arn:aws:(?:lambda|sns):[^\s\"]+|<[^<>\s]+>)", _words(machine.get("DefinitionString")))
    yield from dict.fromkeys(found)


def _secrets(model: Model) -> Iterator[Arrow]:
    page = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html"
    for secret in model.of("AWS::SecretsManager::Secret"):
        for replica in as_list(secret.get("ReplicaRegions")):
            region, named = at(replica, "Region"), at(replica, "KmsKeyId")
            key = model.find(named, "AWS::KMS::Key", "AWS::KMS::ReplicaKey") if named else None
            faults = []
            if region == secret.region:
                faults.append(f"the replica is in {region}, where the secret already is")
            if key is not None and (key.region, key.account) != (region, secret.account):
                faults.append(f"{key.path} is in {key.account} {key.region}, the replica in {secret.account} {region}")
            yield Arrow(
                kind="secret to replica",
                sender=secret,
                to=_words(region),
                receiver=key,
                calls=(),
                page=page,
                faults=tuple(faults),
            )


_FINDERS: tuple[Callable[[Model], Iterator[Arrow]], ...] = (
    _trails,
    _vended,
    _balancers,
    _server_access,
    _recorders,
    _replications,
    _sessions,
    _alarms,
    _rules,
    _subscriptions,
    _notifications,
    _functions,
    _invocations,
    _log_keys,
    _buses,
    _distributions,
    _backups,
    _streams,
    _processing,
    _shippers,
    _log_streams,
    _canaries,
    _machines,
    _secrets,
)
