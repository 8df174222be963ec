"""Asks the policies that stand in an arrow's way, and says which statement decides and whose it is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from proofs.model import INVENTED, Model, Node, as_list, at, unresolved_in
from proofs.model.organization import KNOWN_KEYS
from proofs.policy import UNKNOWN, Decision, InputError, Policy, PolicyKind, PolicySet, Request, compile_policy
from proofs.policy.context import ContextValue, Unknown
from proofs.policy.evaluation import DEPENDS


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call that a delivery makes. ``receiver`` holds the resource policy that is asked (None: no policy can be)."""

    principal: str
    """A service, or the ARN of a role."""
    role: Node | None = None
    action: str
    resource: str
    receiver: Node | None
    account: str
    context: Mapping[str, ContextValue]
    every_right: bool = False
    """Whether the principal has every right of its own account."""
    works_for: str = ""
    """The account whose resource a service works for: what it tells of that, if anything, is true."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a call does not certainly get through: in words, and where the policy that decides stands."""

    text: str
    certain: bool
    """False if the templates leave it open."""
    statement: str
    where: Node | None


@dataclass(frozen=True)
class _Written:
    document: Policy | None
    sources: tuple[tuple[Node, str], ...]
    """By statement: who wrote it, and its Sid."""
    problem: str = ""
    open_denials: tuple[str, ...] = ()


class Judge:
    """Evaluates calls against every policy of one model. Permission boundaries and guardrails are asked if the assembly
    holds them; roles are taken to belong to the one organization that the assembly names."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._written: dict[Node, _Written] = {}
        self._identities: dict[Node, tuple[tuple[Policy, ...], dict[str, Node], bool]] = {}

    @property
    def organization(self) -> str | None:
        """The organization's id, if the assembly names exactly one."""
        return self.model.organization.id

    def refusal(self, call: Call) -> Refusal | None:
        """None if the call certainly gets through."""
        written = _NOTHING if call.receiver is None else self._policy(call.receiver)
        if written.problem:
            return Refusal(text=written.problem, certain=False, statement="", where=call.receiver)
        identities: tuple[Policy, ...] = ()
        names: dict[str, Node] = {}
        whole = True
        boundaries: tuple[Policy, ...] = ()
        if call.every_right:
            identities = (_EVERY_RIGHT,)
        if call.role is not None:
            identities, names, whole = self._identity(call.role)
            boundaries = self._boundary(call.role)
        request = Request(
            principal=plain(call.principal),
            action=call.action,
            resource=plain(call.resource),
            resource_account=call.account,
            context=self._context(call),
        )
        policies = PolicySet(
            identity_policies=identities, resource_policy=written.document, permission_boundaries=boundaries
        )
        try:
            decision = self._decision(call, request, policies)
        except InputError as error:
            return Refusal(text=f"cannot be asked: {error}", certain=False, statement="", where=call.receiver)
        if decision.certainly_allowed and not written.open_denials:
            return None
        return self._refusal(call, decision, written, names, whole)

    def _context(self, call: Call) -> dict[str, ContextValue]:
        context = {"aws:SecureTransport": True, "s3:TlsVersion": "1.3", **call.context}
        if call.receiver is not None:
            context["aws:RequestedRegion"] = call.receiver.region
            context |= {f"aws:ResourceTag/{key}": value for key, value in call.receiver.tags.items()}
            if call.receiver.type == "AWS::KMS::Key":
                aliases = self.model.referrers(call.receiver, "AWS::KMS::Alias")
                context["kms:ResourceAliases"] = [str(alias.get("AliasName")) for alias in aliases]
        if call.role is not None:
            context |= {f"aws:PrincipalTag/{key}": value for key, value in call.role.tags.items()}
            context |= self._network(call, call.role)
            if self.organization:
                context["aws:PrincipalOrgID"] = self.organization
        context = {**_NEVER_SENT, **context}
        given = {key.lower() for key in context}
        context |= dict.fromkeys(self.model.organization.keys - KNOWN_KEYS - given, UNKNOWN)
        return {key: plain(value) if isinstance(value, str) else value for key, value in context.items()}

    def _network(self, call: Call, role: Node) -> dict[str, ContextValue]:
        """Credentials of a machine say which, and in which VPC it is; it calls through that VPC's endpoint if there is one."""
        trusted = json.dumps(role.get("AssumeRolePolicyDocument"), default=str)
        if "ec2.amazonaws.com" not in trusted:
            return {"ec2:SourceInstanceARN": None}
        service = call.action.partition(":")[0]
        if not any(
            str(endpoint.get("ServiceName")).endswith(f".{service}")
            for endpoint in self.model.of("AWS::EC2::VPCEndpoint", account=role.account, region=role.region)
        ):
            return {}
        return {"aws:SourceVpc": "vpc-of-the-machine", "aws:EC2InstanceSourceVPC": "vpc-of-the-machine"}

    def _decision(self, call: Call, request: Request, policies: PolicySet) -> Decision:
        """The decision; where it hangs on whether a service tells for whom it works, that of every possibility."""
        organization = self.model.organization
        decision = organization.evaluate(request, policies)
        if decision.decision != DEPENDS or not call.works_for:
            return decision
        told = {"aws:SourceAccount": call.works_for}
        if organization.id is not None and call.works_for in (*organization.members, *organization.management):
            told["aws:SourceOrgID"] = organization.id
        unsaid = [key for key in told if isinstance(request.context.get(key), Unknown)]
        for said in product((True, False), repeat=len(unsaid)):
            known = {key: told[key] if there else None for key, there in zip(unsaid, said, strict=True)}
            each = dataclasses.replace(request, context={**request.context, **known})
            if not organization.evaluate(each, policies).certainly_allowed:
                return decision
        return organization.evaluate(each, policies)

    def _refusal(
        self, call: Call, decision: Decision, written: _Written, names: Mapping[str, Node], whole: bool
    ) -> Refusal:
        target = call.receiver.path if call.receiver is not None else call.resource
        if decision.certainly_allowed:
            return Refusal(
                text=f"{call.action} on {target} may be denied by {written.open_denials[0]}, which does not resolve",
                certain=False,
                statement=written.open_denials[0],
                where=call.receiver,
            )
        reason = decision.decided_by[0]
        where: Node | None = call.receiver
        statement = ""
        if reason.policy == PolicyKind.RESOURCE.value and reason.statement is not None:
            where, sid = written.sources[reason.statement]
            statement = sid
        elif reason.source is not None and reason.source in names:
            where = names[reason.source]
            statement = reason.sid or (f"statement {reason.statement}" if reason.statement is not None else "")
        elif call.role is not None and reason.policy == PolicyKind.IDENTITY.value:
            where = call.role
        certain = decision.decision != "Depends" and not (decision.decision == "ImplicitlyDenied" and not whole)
        if decision.decision == "ExplicitlyDenied":
            words = (
                f"{statement or 'a statement'} of {where.path if where else target} denies {call.action} on {target}"
            )
        elif decision.decision == "Depends":
            words = (
                f"whether {target} lets {call.action} through hangs on {', '.join(decision.depends_on)}, "
                "which AWS does not document for this caller"
            )
        else:
            words = f"{call.action} on {target}: {reason.reason}"
        return Refusal(text=words, certain=certain, statement=statement, where=where)

    def document(self, node: Node) -> Policy | None:
        """The resource policy of a node, or None if it has none that can be read."""
        return self._policy(node).document

    def statements(self, node: Node) -> list[tuple[Node, Any]]:
        """Every statement of the node's own policies, with the resource that writes it."""
        return list(_statements(self.model, node))

    # ------------------------------------------------------------------------------------------------------ policies

    def _policy(self, receiver: Node) -> _Written:
        if receiver not in self._written:
            self._written[receiver] = self._compiled(list(_statements(self.model, receiver)))
        return self._written[receiver]

    def _compiled(self, found: list[tuple[Node, Any]]) -> _Written:
        kept: list[Any] = []
        sources: list[tuple[Node, str]] = []
        denials: list[str] = []
        for owner, statement in found:
            sid = str(statement.get("Sid") or f"statement {len(sources) + 1}")
            if next(unresolved_in(statement), None) is not None:
                # An allow that does not resolve is no permission; a deny that does not may hit.
                if statement.get("Effect") == "Deny":
                    denials.append(f"{sid} of {owner.path}")
                continue
            kept.append(plain_values(statement))
            sources.append((owner, sid))
        if not kept:
            return _Written(None, (), open_denials=tuple(denials))
        try:
            document = compile_policy(
                {"Version": "2012-10-17", "Statement": kept}, PolicyKind.RESOURCE, "resource_policy"
            )
        except InputError as error:
            return _Written(None, (), problem=f"the policy of {sources[0][0].path} cannot be read: {error}")
        return _Written(document, tuple(sources), open_denials=tuple(denials))

    def _identity(self, role: Node) -> tuple[tuple[Policy, ...], dict[str, Node], bool]:
        """Policies of a role, whose each is, and whether all of them could be read."""
        if role not in self._identities:
            found: list[Policy] = []
            names: dict[str, Node] = {}
            whole = True
            documents = [(role, at(item, "PolicyDocument")) for item in as_list(role.get("Policies"))]
            for policy in self.model.referrers(role, "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
                if role.id in as_list(policy.get("Roles")):
                    documents.append((policy, policy.get("PolicyDocument")))
            for arn in as_list(role.get("ManagedPolicyArns")):
                node = self.model.find(arn, "AWS::IAM::ManagedPolicy")
                known = _OF_AWS.get(str(arn).rpartition("/")[2]) if ":iam::aws:policy/" in str(arn) else None
                whole = whole and (node is not None or known is not None)
                if node is not None:
                    documents.append((node, node.get("PolicyDocument")))
                elif known is not None:
                    statement = {"Effect": "Allow", "Action": list(known), "Resource": "*"}
                    documents.append((role, {"Statement": [statement]}))
            for number, (owner, document) in enumerate(documents):
                name = f"{owner.path} #{number}"
                names[name] = owner
                statements = [s for s in as_list(at(document, "Statement")) if isinstance(s, Mapping)]
                sure = [plain_values(s) for s in statements if next(unresolved_in(s), None) is None]
                whole = whole and len(sure) == len(statements)
                try:
                    if sure:
                        found.append(
                            compile_policy({"Version": "2012-10-17", "Statement": sure}, PolicyKind.IDENTITY, name)
                        )
                except InputError:
                    whole = False
            self._identities[role] = (tuple(found), names, whole)
        return self._identities[role]

    def _boundary(self, role: Node) -> tuple[Policy, ...]:
        node = self.model.find(role.get("PermissionsBoundary"), "AWS::IAM::ManagedPolicy")
        if node is None:
            return ()
        try:
            return (compile_policy(plain_values(node.get("PolicyDocument")), PolicyKind.BOUNDARY, node.path),)
        except InputError:
            return ()


_NOTHING = _Written(None, ())
_EVERY_RIGHT = compile_policy(
    {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}, PolicyKind.IDENTITY, "every right"
)
_NEVER_SENT: Mapping[str, ContextValue] = {
    "s3:x-amz-acl": None,
    "s3:x-amz-server-side-encryption-customer-algorithm": None,
    "aws:AssumedRoot": None,
}
"""What no service and no component sends unless a sender's page says so: grants to others, keys of the writer alone."""

_OF_AWS: Mapping[str, tuple[str, ...]] = {
    "AmazonAPIGatewayPushToCloudWatchLogs": (
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:FilterLogEvents",
        "logs:GetLogEvents",
        "logs:PutLogEvents",
    ),
    "AWSLambdaBasicExecutionRole": ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
}
"""What AWS's own policies for deliveries allow, on every resource.

Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
"""


def plain(text: str) -> str:
    """A value that AWS will invent, in letters that every policy element takes."""
    return INVENTED.sub(lambda match: ".".join(part for part in match.groups() if part), text) if "<" in text else text


def plain_values(value: Any) -> Any:
    """``value`` with :func:`plain` texts, at any depth."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {key: plain_values(child) for key, child in value.items()}
    return [plain_values(child) for child in value] if isinstance(value, list) else value


def _document(owner: Node, document: Any) -> Iterator[tuple[Node, Any]]:
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return
    for statement in as_list(at(document, "Statement")):
        if isinstance(statement, Mapping):
            yield owner, statement


_BY_POLICY_RESOURCE: Mapping[str, tuple[str, str]] = {
    "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket"),
    "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", "Topics"),
    "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues"),
    "AWS::SecretsManager::Secret": ("AWS::SecretsManager::ResourcePolicy", "SecretId"),
}
_OWN_POLICY: Mapping[str, tuple[str, ...]] = {
    "AWS::KMS::Key": ("KeyPolicy",),
    "AWS::KMS::ReplicaKey": ("KeyPolicy",),
    "AWS::Backup::BackupVault": ("AccessPolicy",),
    "AWS::Backup::LogicallyAirGappedBackupVault": ("AccessPolicy",),
    "AWS::IAM::Role": ("AssumeRolePolicyDocument",),
    "AWS::Events::EventBus": ("Policy",),
    "AWS::Logs::DeliveryDestination": ("DeliveryDestinationPolicy", "DeliveryDestinationPolicy"),
}


def _statements(model: Model, receiver: Node) -> Iterator[tuple[Node, Any]]:
    """Every statement of the resource's own policies, with the resource of the template that holds it."""
    if receiver.type in _OWN_POLICY:
        yield from _document(receiver, receiver.get(*_OWN_POLICY[receiver.type]))
    if receiver.type in _BY_POLICY_RESOURCE:
        kind, prop = _BY_POLICY_RESOURCE[receiver.type]
        for policy in model.referrers(receiver, kind):
            if any(model.find(item, receiver.type, near=policy) is receiver for item in as_list(policy.get(prop))):
                yield from _document(policy, policy.get("PolicyDocument" if prop != "SecretId" else "ResourcePolicy"))
    if receiver.type == "AWS::Logs::LogGroup":
        for policy in model.of("AWS::Logs::ResourcePolicy", account=receiver.account, region=receiver.region):
            yield from _document(policy, policy.get("PolicyDocument"))
    if receiver.type in {"AWS::Lambda::Function", "AWS::Lambda::Alias"}:
        for permission in model.referrers(receiver, "AWS::Lambda::Permission"):
            if model.find(permission.get("FunctionName"), near=permission) is receiver:
                yield permission, _permission(permission, receiver)
    if receiver.type == "AWS::Events::EventBus":
        for policy in model.referrers(receiver, "AWS::Events::EventBusPolicy"):
            if isinstance(policy.get("Statement"), Mapping):
                yield policy, policy.get("Statement")


def _permission(permission: Node, function: Node) -> dict[str, Any]:
    principal = permission.get("Principal", default="")
    service = isinstance(principal, str) and principal.endswith((".amazonaws.com", ".amazon.com"))
    conditions: dict[str, Any] = {}
    if permission.get("SourceArn") is not None:
        conditions["ArnLike"] = {"aws:SourceArn": permission.get("SourceArn")}
    if permission.get("SourceAccount") is not None:
        conditions["StringEquals"] = {"aws:SourceAccount": permission.get("SourceAccount")}
    statement = {
        "Sid": permission.resource.logical_id,
        "Effect": "Allow",
        "Principal": {"Service" if service else "AWS": principal},
        "Action": permission.get("Action", default="lambda:InvokeFunction"),
        "Resource": function.arn,
    }
    return {**statement, "Condition": conditions} if conditions else statement
