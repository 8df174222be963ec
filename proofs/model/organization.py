"""Who is where in the organization, and which of its policies hold whom, read from the assembly.

A call is held by the service control policies of the caller's account and by the resource control policies of the
resource's account, each inherited from the root down; the management account, service-linked roles and services are not held
(https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_authorization_policies.html). Where the
templates leave open where an account is, or where a policy is attached, every possibility is tried: what they disagree on
*depends*, and is neither taken for safe nor for working.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from assembly.resolve import INVENTED, Unresolved, unresolved_in
from proofs.policy import Decision, InputError, Policy, PolicyKind, PolicySet, Request, compile_policy, evaluate
from proofs.policy.context import ContextValue, Unknown
from proofs.policy.evaluation import DEPENDS, parties

if TYPE_CHECKING:
    from proofs.model.graph import Model, Node

PLACEMENT: Final = "Custom::AccountPlacement"
"""The custom resource that moves an existing account (``AccountId``) into a unit (``ParentId``)."""
ROOT: Final = "root"
_GIVEN: Final = re.compile(r"(r|ou)-[a-z0-9-]+")
_ID: Final = re.compile(r"\bo-[a-z0-9]{10,32}\b")
KNOWN_KEYS: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principaltype",
        "aws:resourceaccount",
        "aws:viaawsservice",
    }
)
"""Condition keys that follow from principal and resource."""
_KINDS: Final = {
    "SERVICE_CONTROL_POLICY": PolicyKind.SERVICE_CONTROL,
    "RESOURCE_CONTROL_POLICY": PolicyKind.RESOURCE_CONTROL,
}
_EVERYTHING: Final = {"Sid": "FullAWSAccess", "Effect": "Allow", "Action": "*", "Resource": "*"}
FULL_ACCESS: Final = compile_policy(
    {"Version": "2012-10-17", "Statement": [_EVERYTHING]}, PolicyKind.SERVICE_CONTROL, "FullAWSAccess"
)
"""What AWS attaches to the root, to every unit and to every account when service control policies are switched on."""
FULL_RESOURCE_ACCESS: Final = compile_policy(
    {"Version": "2012-10-17", "Statement": [{**_EVERYTHING, "Sid": "RCPFullAWSAccess", "Principal": "*"}]},
    PolicyKind.RESOURCE_CONTROL,
    "RCPFullAWSAccess",
)


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One policy of the organization: what it says, and to what it is attached (None: that does not resolve)."""

    node: Node
    policy: Policy
    targets: tuple[str, ...] | None
    sure: bool
    """False if it exists only under a condition that could not be decided, or what it says does not resolve."""


@dataclass(frozen=True, slots=True)
class Place:
    """What holds an account: policies by level, from the root to the account. Nothing, if it is outside or exempt."""

    service: tuple[tuple[Policy, ...], ...] = ()
    resource: tuple[tuple[Policy, ...], ...] = ()


NOWHERE: Final = Place()


class Organization:
    """The organization that the assembly makes: its units, its policies and where each account is."""

    def __init__(self, model: Model) -> None:
        self._units: dict[str, Node] = {node.id: node for node in model.of("AWS::Organizations::OrganizationalUnit")}
        parents = {node.get("ParentId") for node in self._units.values()}
        self._bases = {str(parent) for parent in parents if isinstance(parent, str) and _GIVEN.fullmatch(parent)}
        """The root, or a unit that is there already, that the assembly's units are made in."""
        self.guardrails: list[Guardrail] = []
        """Its service control and resource control policies."""
        self.unread: dict[Node, str] = {}
        """Policies that AWS would refuse, and why."""
        for node in model.of("AWS::Organizations::Policy"):
            kind = _KINDS.get(str(node.get("Type")))
            if kind is not None:
                self.guardrails.append(self._guardrail(node, kind, node not in model.doubtful))
        self.management: frozenset[str] = frozenset(
            node.account
            for node in model.of(
                "AWS::Organizations::OrganizationalUnit", "AWS::Organizations::Policy", "AWS::Organizations::Account"
            )
        )
        """The account that no policy holds: the one that makes units, policies and accounts."""
        self.id = _only_id(model)
        """The organization's id, if the assembly names exactly one."""
        self.placements: dict[str, Node] = {
            account: node for node in model.of(PLACEMENT) if isinstance(account := node.get("AccountId"), str)
        }
        """What moves each account into its unit."""
        self._placed = dict(self._placements(model))
        self._accounts = {stack.account for stack in model.assembly.stacks} | set(self._placed)
        self._places: dict[str, tuple[Place, ...]] = {}

    def __bool__(self) -> bool:
        """Whether the assembly makes units or policies of an organization at all."""
        return bool(self.management)

    def _guardrail(self, node: Node, kind: PolicyKind, sure: bool) -> Guardrail:
        content = node.get("Content")
        unknown = {"Statement": [_unknown_denial(kind)]}
        try:
            policy = compile_policy(unknown if isinstance(content, Unresolved) else _plain(content), kind, node.path)
        except InputError as error:
            self.unread[node] = str(error)
            policy = compile_policy(unknown, kind, node.path)
        targets = node.get("TargetIds", default=[])
        known = None if next(unresolved_in(targets), None) is not None else tuple(map(str, _listed(targets)))
        return Guardrail(node, policy, known, sure)

    # --------------------------------------------------------------------------------------------------------- places

    def units_of(self, account: str) -> tuple[Node, ...] | None:
        """The units that hold the account, outermost first (none: it is in the root); None if that is not known."""
        chain = self._chain_of(account)
        return None if chain is None else tuple(self._units[unit] for unit in chain if unit in self._units)

    @property
    def members(self) -> tuple[str, ...]:
        """Accounts of the assembly that its policies may hold."""
        return tuple(sorted(self._accounts - self.management)) if self else ()

    def places(self, account: str) -> tuple[Place, ...]:
        """Everywhere that the account may be; one if that is known."""
        if account not in self._places:
            self._places[account] = tuple(dict.fromkeys(self._possible(account)))
        return self._places[account]

    def _possible(self, account: str) -> Iterator[Place]:
        if not self or account in self.management or account not in self._accounts:
            yield NOWHERE
            return
        chain = self._chain_of(account)
        if chain is None:
            # It may also have been left out of the organization.
            chains = [[], *(self._above(unit)[0] for unit in (*self._bases, *self._units))]
            yield NOWHERE
        else:
            chains = [list(chain)]
        for each in chains:
            yield self._place(account, each, doubtful=False)
            yield self._place(account, each, doubtful=True)

    def _place(self, account: str, chain: list[str], *, doubtful: bool) -> Place:
        levels = [ROOT, *chain, account]
        service = [[FULL_ACCESS] for _ in levels]
        resource = [[FULL_RESOURCE_ACCESS] for _ in levels]
        for guardrail in self.guardrails:
            if not doubtful and not (guardrail.sure and guardrail.targets is not None):
                continue
            by_level = service if guardrail.policy.kind is PolicyKind.SERVICE_CONTROL else resource
            if guardrail.targets is None:
                by_level[0].append(guardrail.policy)
                continue
            for number, level in enumerate(levels):
                if any(target == level or (level == ROOT and target.startswith("r-")) for target in guardrail.targets):
                    by_level[number].append(guardrail.policy)
        return Place(tuple(map(tuple, service)), tuple(map(tuple, resource)))

    def _chain_of(self, account: str) -> tuple[str, ...] | None:
        unit = self._placed.get(account)
        if unit is None:
            return None
        above, whole = self._above(unit)
        return tuple(above) if whole else None

    def _above(self, unit: str) -> tuple[list[str], bool]:
        """The units down to this one, and whether that is all of them."""
        chain: list[str] = []
        while unit not in self._bases and not unit.startswith("r-"):
            node = self._units.get(unit)
            if node is None or unit in chain:
                return chain, False
            chain.insert(0, unit)
            parent = node.get("ParentId")
            if not isinstance(parent, str):
                return chain, False
            unit = parent
        return ([] if unit.startswith("r-") else [unit]) + chain, True

    @staticmethod
    def _placements(model: Model) -> Iterator[tuple[str, str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for node in model.of(PLACEMENT):
            account, unit = node.get("AccountId"), node.get("ParentId")
            if isinstance(account, str):
                sure = isinstance(unit, str) and node not in model.doubtful
                found[account] |= {unit} if sure else {"", "?"}
        yield from ((account, units.pop()) for account, units in found.items() if len(units) == 1)

    # ------------------------------------------------------------------------------------------------------- decisions

    @cached_property
    def keys(self) -> frozenset[str]:
        """Condition keys that its policies ask for, in lower case: a request of which one is not known says so."""
        found: set[str] = set()
        for guardrail in self.guardrails:
            for statement in guardrail.policy.document.statements:
                found |= {key for test in statement.tests if (key := getattr(test, "key", None)) is not None}
        return frozenset(found)

    def evaluate(self, request: Request, policies: PolicySet) -> Decision:
        """Decide a request under the policies of the organization as well.

        Raises :class:`~proofs.policy.RequestError` for a request that cannot be made.
        """
        if not self:
            return evaluate(request, policies)
        caller, owner = parties(request)
        request = dataclasses.replace(request, context=self._with_membership(request.context, caller, owner))
        decisions = [
            evaluate(
                request,
                dataclasses.replace(
                    policies, service_control_policies=held.service, resource_control_policies=holding.resource
                ),
            )
            for held in (self.places(caller) if caller else (NOWHERE,))
            for holding in (self.places(owner) if owner else (NOWHERE,))
        ]
        if len({decision.decision for decision in decisions}) == 1:
            return decisions[0]
        reasons = dict.fromkeys(reason for decision in decisions for reason in decision.decided_by)
        keys = {key for decision in decisions for key in decision.depends_on}
        keys |= {
            f"the place of account {each} in the organization"
            for each in (caller, owner)
            if each and len(self.places(each)) > 1
        }
        return Decision(DEPENDS, tuple(reasons), tuple(sorted(keys)))

    def _with_membership(
        self, given: Mapping[str, ContextValue], caller: str | None, owner: str | None
    ) -> Mapping[str, ContextValue]:
        """The request's context, with the organization's id where caller or owner is known to be of it."""
        known: dict[str, ContextValue] = {}
        for account, prefix in ((caller, "aws:Principal"), (owner, "aws:Resource")):
            if account is None or (account not in self.management and self._chain_of(account) is None):
                continue
            if self.id is not None:
                known[f"{prefix}OrgID"] = self.id
            chain = self._chain_of(account)
            root = next((base for base in self._bases if base.startswith("r-")), None)
            if self.id is not None and chain and root is not None:
                known[f"{prefix}OrgPaths"] = [_plain("/".join((self.id, root, *chain, "")))]
        stated = {key.lower() for key, value in given.items() if not isinstance(value, Unknown)}
        kept = {key: value for key, value in known.items() if key.lower() not in stated}
        replaced = {key.lower() for key in kept}
        return {**{key: value for key, value in given.items() if key.lower() not in replaced}, **kept}


def _only_id(model: Model) -> str | None:
    named = model.of("AWS::S3::BucketPolicy", "AWS::Backup::BackupVault", "AWS::KMS::Key", "AWS::Organizations::Policy")
    found = {match for node in named for match in _ID.findall(json.dumps(node.properties, default=str))}
    return found.pop() if len(found) == 1 else None


def _unknown_denial(kind: PolicyKind) -> dict[str, Any]:
    """A policy of which nothing is known: it may deny anything."""
    denial = {"Effect": "Deny", "Action": "*", "Resource": "<?>"}
    return {**denial, "Principal": "*"} if kind is PolicyKind.RESOURCE_CONTROL else denial


def _plain(value: Any) -> Any:
    """Invented ids in letters that every policy element takes; what does not resolve as a text with gaps."""
    if isinstance(value, Unresolved):
        return value.shape
    if isinstance(value, str) and "<" in value:
        return INVENTED.sub(lambda match: ".".join(part for part in match.groups() if part), value)
    if isinstance(value, Mapping):
        return {key: _plain(child) for key, child in value.items()}
    return [_plain(child) for child in value] if isinstance(value, list) else value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
