"""Questions that several proofs ask: whose account is whose stage, what a principal may do at most, what receives logs."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any

from proofs.delivery import Arrow, DeliveryFinding, Judge, arrows, findings
from proofs.delivery.judge import plain
from proofs.finding import Case
from proofs.model import Model, Node, as_list, at, unresolved_in
from proofs.model.organization import KNOWN_KEYS
from proofs.policy import UNKNOWN, InputError, PolicyKind, PolicySet, Request, compile_policy, evaluate
from proofs.policy.context import ContextValue

OWNER = "palisade:owner"
LOG_ARROWS = re.compile(r".*(log|trail|record|configuration|stream|replica).* to bucket|bucket read for replication")
"""Kinds of arrows whose receiving bucket holds evidence."""
POLICY_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "AWS::IAM::Role": ("AssumeRolePolicyDocument",),
    "AWS::KMS::Key": ("KeyPolicy",),
    "AWS::Backup::BackupVault": ("AccessPolicy",),
    "AWS::S3::BucketPolicy": ("Bucket", "PolicyDocument"),
    "AWS::SNS::TopicPolicy": ("Topics", "PolicyDocument"),
    "AWS::SQS::QueuePolicy": ("Queues", "PolicyDocument"),
    "AWS::Lambda::Permission": ("FunctionName", "Principal"),
    "AWS::SecretsManager::ResourcePolicy": ("SecretId", "ResourcePolicy"),
}
"""Where each type writes a policy, and of what."""
_EVERYTHING = compile_policy(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    PolicyKind.IDENTITY,
    "an administrator's policy",
)


class Facts:
    """What is worked out once for a case and asked by many proofs."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.model: Model = case.model
        self.judge = Judge(self.model)
        self.arrows: list[Arrow] = list(arrows(self.model))
        self._written: dict[Node, str] = {}

    @cached_property
    def undelivered(self) -> dict[int, DeliveryFinding]:
        """Why each arrow that does not certainly arrive does not, by the arrow's identity."""
        return {id(found.arrow): found for found in findings(self.model, self.arrows)}

    @cached_property
    def _by_kind(self) -> dict[str, list[Arrow]]:
        index: dict[str, list[Arrow]] = defaultdict(list)
        for arrow in self.arrows:
            index[arrow.kind].append(arrow)
        return index

    @cached_property
    def replicas(self) -> dict[Node, Node]:
        """The bucket to which each bucket's objects are certainly copied."""
        found: dict[Node, Node] = {}
        for arrow, refused in self.deliveries("replica to bucket"):
            if arrow.receiver is not None and refused is None:
                found.setdefault(arrow.sender, arrow.receiver)
        return found

    def deliveries(self, *words: str) -> Iterator[tuple[Arrow, DeliveryFinding | None]]:
        """Arrows whose kind begins with one of ``words``, with what is wrong with each."""
        for kind, found in self._by_kind.items():
            if kind.startswith(words):
                yield from ((arrow, self.undelivered.get(id(arrow))) for arrow in found)

    def evidence_buckets(self) -> set[Node]:
        """Buckets that logs are written to."""
        return {
            arrow.receiver
            for arrow in self.arrows
            if arrow.receiver is not None and arrow.receiver.type == "AWS::S3::Bucket" and LOG_ARROWS.match(arrow.kind)
        } | {
            node
            for node in self.model.of("AWS::S3::Bucket")
            if node.get("ObjectLockConfiguration", "Rule", "DefaultRetention") is not None
        }

    @cached_property
    def stages(self) -> dict[str, str]:
        """Stage by account: the accounts that hold a network, by the owner that their stacks name."""
        known: dict[str, str] = {}
        for vpc in self.model.of("AWS::EC2::VPC"):
            known.setdefault(vpc.account, vpc.stack.tags.get(OWNER, vpc.account))
        return known

    def may(self, principal: str, action: str, node: Node, resource: str = "", *, guarded: bool = True) -> bool:
        """Whether a role with every permission of its own account could do this: by whatever the node's own policy and (if
        ``guarded``) the organization's policies say, with every condition that the caller could choose taken as met."""
        written = self.judge.document(node)
        account = principal.split(":")[4]
        request = Request(
            principal=plain(principal),
            action=action,
            resource=plain(resource or node.arn),
            resource_account=node.account,
            context={
                **self._open,
                "aws:SecureTransport": True,
                "s3:TlsVersion": "1.3",
                "kms:ViaService": UNKNOWN,
                "kms:CallerAccount": account,
                "kms:GrantIsForAWSResource": UNKNOWN,
                "aws:PrincipalOrgID": self.judge.organization or UNKNOWN,
                "sts:ExternalId": UNKNOWN,
            },
        )
        policies = PolicySet(identity_policies=(_EVERYTHING,), resource_policy=written)
        try:
            # Most questions end at the resource's own policy; the organization's policies only take away.
            return evaluate(request, policies).possibly_allowed and (
                not guarded or self.model.organization.evaluate(request, policies).possibly_allowed
            )
        except InputError:
            return True

    @cached_property
    def _open(self) -> Mapping[str, ContextValue]:
        """What the organization's policies ask for and the caller can choose, such as a service that calls for him."""
        return dict.fromkeys(self.model.organization.keys - KNOWN_KEYS | {"aws:viaawsservice"}, UNKNOWN)

    def unsure(self, node: Node) -> str | None:
        """Why the node's own policies could say more than is known: something in them that does not resolve."""
        for owner, statement in self.judge.statements(node):
            for unknown in unresolved_in(statement):
                return f"a statement of {owner.path} does not resolve: {unknown.reason}"
        for name in POLICY_PROPERTIES.get(node.type, ()):
            for unknown in unresolved_in(node.get(name)):
                return f"its {name} does not resolve: {unknown.reason}"
        return None

    def model_policy(self, node: Node) -> Iterator[Node]:
        """The resources that write the node's policy."""
        for owner, _ in self.judge.statements(node):
            yield owner

    def named(self, node: Node) -> set[str]:
        """Every account that the node's policy names."""
        return set(re.findall(r"\d{12}", self._text(node)))

    def guests(self, node: Node, accounts: Iterable[str]) -> list[str]:
        """Of other accounts, those that the node's policy names, and one that it does not name, which stands for the rest."""
        others = [account for account in accounts if account != node.account]
        named = self.named(node)
        unnamed = next((account for account in others if account not in named), None)
        return [*(account for account in others if account in named), *([unnamed] if unnamed else [])]

    def callers(self, account: str, node: Node) -> list[str]:
        """Roles of an account that a node's policy could mean: any role, and those that it names."""
        named = set(re.findall(rf"arn:aws:iam::{account}:role/[\w+=,.@/-]+", self._text(node)))
        return [f"arn:aws:iam::{account}:role/administrator", *sorted(named)]

    def _text(self, node: Node) -> str:
        if node not in self._written:
            written = [statement for _, statement in self.judge.statements(node)]
            self._written[node] = json.dumps(written, default=str)
        return self._written[node]


@lru_cache(maxsize=4)
def _facts(case: Case) -> Facts:
    return Facts(case)


def facts(case: Case) -> Facts:
    """The facts of a case, worked out once."""
    return _facts(case)


def statements(document: Any) -> Iterator[Mapping[str, Any]]:
    """The statements of a policy document."""
    for statement in as_list(at(document, "Statement")):
        if isinstance(statement, Mapping):
            yield statement


def texts(value: Any) -> list[str]:
    """One or several texts as a list."""
    return [str(item) for item in as_list(value)]
