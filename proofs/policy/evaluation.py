"""The decision: which policies apply to a request, and what they come to together.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and the pages below it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from proofs.policy.context import Context, ContextValue, Values, normalize
from proofs.policy.document import Policy, PolicyKind, Statement, compile_policy
from proofs.policy.errors import InputError, PolicyError, RequestError
from proofs.policy.grants import KeyGrant
from proofs.policy.patterns import ARN_FIELDS
from proofs.policy.principals import Grant, Kind, Requester, is_account, requester
from proofs.policy.truth import NO, YES, Truth

ALLOWED: Final = "Allowed"
IMPLICITLY_DENIED: Final = "ImplicitlyDenied"
EXPLICITLY_DENIED: Final = "ExplicitlyDenied"
DEPENDS: Final = "Depends"
Verdict = Literal["Allowed", "ImplicitlyDenied", "ExplicitlyDenied", "Depends"]

_TRUST_ACTIONS: Final = frozenset(
    {
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
        "sts:setcontext",
        "sts:setsourceidentity",
        "sts:tagsession",
    }
)
_NOT_AN_ACCOUNT: Final = "must be the 12 digits of an account id as text"
_RCP_EXEMPT_ACTIONS: Final = frozenset({"kms:retiregrant"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call of an AWS API.

    ``principal`` is an ARN (of a role session, not of its role, where the session matters), an account id, a service's
    name or ``*`` for nobody known; ``resource_account`` owns the resource (read from the ARN if it has an account, else
    taken to be the principal's own); ``context`` holds condition keys, of which those that follow from principal and
    resource are filled in; ``session_issuer`` is the role or user behind a session where its ARN leaves that open.
    """

    principal: str | Mapping[str, str]
    action: str
    resource: str
    resource_account: str | None = None
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    session_issuer: str | None = None
    canonical_user: str | None = None


@dataclass(frozen=True, slots=True)
class Sourced:
    """A policy document with the place it comes from, such as a construct path, to be named in decisions."""

    document: Any
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySet:
    """Every policy that could apply to a request.

    ``service_control_policies`` are those of the principal's account and ``resource_control_policies`` those of the
    resource's account, each as one list per level from the root of the organization to the account.
    """

    identity_policies: tuple[Policy, ...] = ()
    resource_policy: Policy | None = None
    permission_boundaries: tuple[Policy, ...] = ()
    session_policies: tuple[Policy, ...] = ()
    service_control_policies: tuple[tuple[Policy, ...], ...] = ()
    resource_control_policies: tuple[tuple[Policy, ...], ...] = ()
    endpoint_policies: tuple[Policy, ...] = ()
    grants: tuple[KeyGrant, ...] = ()
    management_account: str | None = None

    @classmethod
    def of(
        cls,
        *,
        identity_policies: Sequence[Any] = (),
        resource_policy: Any = None,
        permission_boundaries: Sequence[Any] = (),
        session_policy: Any = None,
        service_control_policies: Sequence[Sequence[Any]] = (),
        resource_control_policies: Sequence[Sequence[Any]] = (),
        endpoint_policies: Sequence[Any] = (),
        grants: Sequence[Any] = (),
        management_account: str | None = None,
    ) -> PolicySet:
        """Compile documents (objects or JSON text, or :class:`Sourced`); a session may have several policies.

        Raises :class:`PolicyError` with every problem of every document.
        """
        reader = _Reader()
        sessions = session_policy if isinstance(session_policy, list | tuple) else [session_policy]
        compiled = cls(
            identity_policies=reader.all(identity_policies, PolicyKind.IDENTITY, "identity_policies"),
            resource_policy=reader.one(resource_policy, PolicyKind.RESOURCE, "resource_policy"),
            permission_boundaries=reader.all(permission_boundaries, PolicyKind.BOUNDARY, "permission_boundaries"),
            session_policies=()
            if session_policy is None
            else reader.all(sessions, PolicyKind.SESSION, "session_policy", single=sessions is not session_policy),
            service_control_policies=reader.levels(
                service_control_policies, PolicyKind.SERVICE_CONTROL, "service_control_policies"
            ),
            resource_control_policies=reader.levels(
                resource_control_policies, PolicyKind.RESOURCE_CONTROL, "resource_control_policies"
            ),
            endpoint_policies=reader.all(endpoint_policies, PolicyKind.ENDPOINT, "endpoint_policies"),
            grants=reader.grants(grants),
            management_account=management_account,
        )
        if management_account is not None and not is_account(management_account):
            reader.problems.append(f"management_account: {_NOT_AN_ACCOUNT}, not {management_account!r}")
        if reader.problems:
            raise PolicyError(reader.problems)
        return compiled


class Reason(NamedTuple):
    """What decided: a statement that allows or denies, or a policy whose permission is missing."""

    policy: str
    reason: str
    source: str | None = None
    statement: int | None = None
    sid: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The reason without what it leaves open."""
        found: dict[str, Any] = {"policy": self.policy}
        if self.source is not None:
            found["source"] = self.source
        if self.statement is not None:
            found["statement"] = self.statement
        if self.sid is not None:
            found["sid"] = self.sid
        found["reason"] = self.reason
        return found


class Decision(NamedTuple):
    """What AWS would answer, and why.

    ``Depends`` if values not known yet would change between allowed and denied; ``depends_on`` names their keys.
    """

    decision: Verdict
    decided_by: tuple[Reason, ...]
    depends_on: tuple[str, ...] = ()

    @property
    def certainly_allowed(self) -> bool:
        """Whether it is allowed whatever the unknown values are."""
        return self.decision == ALLOWED

    @property
    def possibly_allowed(self) -> bool:
        """Whether some unknown values would allow it: ask this when access would be a danger."""
        return self.decision in (ALLOWED, DEPENDS)

    def as_json(self) -> dict[str, Any]:
        """The answer as it is printed."""
        found: dict[str, Any] = {
            "decision": self.decision,
            "decided_by": [reason.as_json() for reason in self.decided_by],
        }
        if self.depends_on:
            found["depends_on"] = list(self.depends_on)
        return found


def evaluate(request: Request, policies: PolicySet) -> Decision:
    """Decide a request as AWS does.

    Raises :class:`RequestError` for a request that cannot be made.
    """
    who = requester(request.principal, request.session_issuer, request.canonical_user)
    context, owner = _context(request, who, policies)
    evidence = _Evidence(context)
    under_scps = who.account is not None and not who.service_linked and who.account != policies.management_account
    exempt_owner = owner is not None and owner == policies.management_account
    under_rcps = not who.service_linked and not exempt_owner and context.action not in _RCP_EXEMPT_ACTIONS
    has_identity = who.account is not None

    ceilings: list[_Layer] = []
    if under_scps:
        for number, level in enumerate(policies.service_control_policies):
            ceilings.append(evidence.scan(level, "service control policy", f"service_control_policies[{number}]"))
    if under_rcps:
        for number, level in enumerate(policies.resource_control_policies):
            layer = evidence.scan(level, "resource control policy", f"resource_control_policies[{number}]")
            if any(policy.document.allows_anything for policy in level):
                # Only AWS's own RCPFullAWSAccess can allow, and it is always attached: without it nothing is missing.
                ceilings.append(layer)
    for number, policy in enumerate(policies.endpoint_policies):
        ceilings.append(evidence.scan((policy,), "endpoint policy", f"endpoint_policies[{number}]"))
    resource = evidence.scan_resource(policies.resource_policy, policies.grants)
    identity, boundaries, session = _Layer("identity policy", "identity_policies"), [], None
    if has_identity:
        identity = evidence.scan(policies.identity_policies, "identity policy", "identity_policies")
        boundaries = [
            evidence.scan((policy,), "permissions boundary", f"permission_boundaries[{number}]")
            for number, policy in enumerate(policies.permission_boundaries)
        ]
        if policies.session_policies:
            session = evidence.scan(policies.session_policies, "session policy", "session_policy")
        elif who.kind is Kind.FEDERATED_USER:
            # A federated user without session policy has no permissions but those granted to the session itself.
            session = _Layer("session policy", "session_policy")
    facts = _Facts(
        who=who,
        same_account=has_identity and owner == who.account,
        must_be_named=_must_be_named(context),
        ceilings=ceilings,
        resource=resource,
        identity=identity,
        boundaries=boundaries,
        session=session,
    )
    return _decide(request, facts, evidence)


def parties(request: Request) -> tuple[str | None, str | None]:
    """The accounts of who asks and of what is asked for (None: a service, or nobody known).

    Raises :class:`RequestError` for a request that cannot be made.
    """
    who = requester(request.principal, request.session_issuer, request.canonical_user)
    return who.account, request.resource_account or _owner(request.resource) or who.account


@dataclass(slots=True)
class _Layer:
    """What policies that work together say: the first statement that certainly, and that possibly, allows."""

    policy: str
    source: str
    certain: Reason | None = None
    possible: Reason | None = None


@dataclass(slots=True)
class _ResourceLayer:
    certain: Grant = Grant.NONE
    possible: Grant = Grant.NONE
    certain_reason: Reason | None = None
    possible_reason: Reason | None = None
    given: bool = False


@dataclass(slots=True, kw_only=True)
class _Facts:
    who: Requester
    same_account: bool
    must_be_named: str | None
    ceilings: list[_Layer]
    resource: _ResourceLayer
    identity: _Layer
    boundaries: list[_Layer]
    session: _Layer | None


class _Evidence:
    """Collects denials while policies are looked through for permissions."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.denials: list[Reason] = []
        self.possible_denials: list[Reason] = []

    def scan(self, policies: Sequence[Policy], name: str, source: str) -> _Layer:
        """Look through policies of which one that allows is enough."""
        layer = _Layer(name, source)
        context = self.context
        for policy in policies:
            for statement in policy.document.about(context.action):
                if not statement.denies and layer.certain is not None:
                    continue
                grant, found = _about(statement, context)
                if grant is Grant.NONE:
                    continue
                if statement.denies:
                    self._deny(policy, statement, found)
                elif found == YES:
                    layer.certain = _reason(policy, statement, "allows the request")
                elif layer.possible is None:
                    layer.possible = _reason(policy, statement, "may allow the request")
        layer.possible = layer.certain or layer.possible
        return layer

    def scan_resource(self, policy: Policy | None, grants: Sequence[KeyGrant]) -> _ResourceLayer:
        """Look through the resource's own policy for the closest permission."""
        layer = _ResourceLayer(given=policy is not None)
        context = self.context
        for statement in policy.document.about(context.action) if policy else ():
            grant, found = _about(statement, context)
            if grant is Grant.NONE:
                continue
            assert policy is not None
            if statement.denies:
                self._deny(policy, statement, found)
            else:
                _note(layer, grant, found, _reason(policy, statement, _GRANT_WORDS[grant]))
        for number, key_grant in enumerate(grants):
            grant, found = key_grant.match(context)
            if grant is not Grant.NONE and found != NO:
                _note(layer, grant, found, Reason("grant", "a grant lets the grantee do this", f"grants[{number}]"))
        return layer

    def _deny(self, policy: Policy, statement: Statement, found: int) -> None:
        if found == YES:
            self.denials.append(_reason(policy, statement, "denies the request"))
        else:
            self.possible_denials.append(_reason(policy, statement, "may deny the request"))


_GRANT_WORDS: Final = {
    Grant.ACCOUNT: "lets the principal's account pass this permission on",
    Grant.ENTITY: "allows the role or user behind the session",
    Grant.DIRECT: "allows the principal itself",
}


def _about(statement: Statement, context: Context) -> tuple[Grant, Truth]:
    """How closely a statement names the requester, and whether it is about the request; ``NONE`` if it is not."""
    doubts = len(context.doubts)
    found = statement.match(context)
    if found == NO or statement.principal is None:
        return (Grant.NONE if found == NO else Grant.DIRECT), found
    grant, certainty = statement.grant(context)
    if grant is Grant.NONE:
        del context.doubts[doubts:]
    return grant, min(found, certainty)


def _note(layer: _ResourceLayer, grant: Grant, found: int, reason: Reason) -> None:
    if found == YES and grant > layer.certain:
        layer.certain, layer.certain_reason = grant, reason
    if grant > layer.possible:
        layer.possible, layer.possible_reason = grant, reason


def _reason(policy: Policy, statement: Statement, words: str) -> Reason:
    return Reason(policy.kind, words, policy.source, statement.index, statement.sid)


def _decide(request: Request, facts: _Facts, evidence: _Evidence) -> Decision:
    if evidence.denials:
        return Decision(EXPLICITLY_DENIED, tuple(evidence.denials))
    sure, missing = _permitted(request, facts, certain=True)
    if not evidence.context.doubts:
        return Decision(ALLOWED, tuple(sure)) if not missing else Decision(IMPLICITLY_DENIED, tuple(missing))
    hoped, lacking = _permitted(request, facts, certain=False)
    if lacking:
        return Decision(IMPLICITLY_DENIED, tuple(lacking))
    if not missing and not evidence.possible_denials:
        return Decision(ALLOWED, tuple(sure))
    keys = tuple(sorted(set(evidence.context.doubts)))
    return Decision(DEPENDS, (*evidence.possible_denials, *missing, *hoped), keys)


def _permitted(request: Request, facts: _Facts, *, certain: bool) -> tuple[list[Reason], list[Reason]]:
    """What allows the request, and what is missing; nothing missing means that it is allowed."""
    reasons: list[Reason] = []
    missing: list[Reason] = []

    def need(layer: _Layer) -> None:
        found = layer.certain if certain else layer.possible
        if found is not None:
            reasons.append(found)
        else:
            words = f"no statement allows {request.action} on {request.resource}"
            missing.append(Reason(layer.policy, words, layer.source))

    for layer in facts.ceilings:
        need(layer)
    who = facts.who
    grant = facts.resource.certain if certain else facts.resource.possible
    named = facts.resource.certain_reason if certain else facts.resource.possible_reason
    if named is not None:
        reasons.append(named)
    elif who.account is None or not facts.same_account or facts.must_be_named:
        missing.append(Reason("resource policy", _unnamed(facts, request), "resource_policy"))
    if who.account is None or (facts.same_account and grant is Grant.DIRECT):
        return reasons, missing
    if who.kind is Kind.ROOT:
        reasons.append(Reason("root user", "the root user has every permission in its own account"))
    elif not (facts.same_account and grant is Grant.ENTITY):
        need(facts.identity)
    if who.kind is not Kind.ROOT:
        for layer in facts.boundaries:
            need(layer)
    if facts.session is not None:
        need(facts.session)
    return reasons, missing


def _unnamed(facts: _Facts, request: Request) -> str:
    if facts.must_be_named:
        why = facts.must_be_named
    elif facts.who.account is None:
        why = "this principal has no permissions of its own"
    else:
        why = "the resource belongs to another account"
    lacks = "no statement allows it" if facts.resource.given else "there is none"
    return f"{why}, so the resource's policy must allow {request.action} on {request.resource}, but {lacks}"


def _context(request: Request, who: Requester, policies: PolicySet) -> tuple[Context, str | None]:
    problems: list[str] = []
    if not isinstance(request.action, str) or request.action.count(":") != 1 or not all(request.action.split(":")):
        problems.append(f"request.action: must be service:Operation, such as s3:GetObject, not {request.action!r}")
    if not isinstance(request.resource, str) or not (request.resource == "*" or request.resource.startswith("arn:")):
        problems.append(f"request.resource: must be an ARN or '*', not {request.resource!r}")
    owner = request.resource_account
    if owner is not None and not is_account(owner):
        problems.append(f"request.resource_account: {_NOT_AN_ACCOUNT}, not {owner!r}")
    if problems:
        raise RequestError(problems)
    if owner is None:
        owner = _owner(request.resource) or who.account
    values: dict[str, Values] = dict(who.keys)
    values["aws:viaawsservice"] = ("false",)
    if owner is not None:
        values["aws:resourceaccount"] = (owner,)
    if request.context:
        normalize(request.context, values)
        _forwarded(values, {key.lower() for key in request.context})
    bounded = bool(policies.permission_boundaries) and who.account is not None and who.kind is not Kind.ROOT
    return Context(who, request.action.lower(), request.resource, values, bounded), owner


def _forwarded(values: dict[str, Values], given: set[str]) -> None:
    """Add what follows from the services on the way of a forward access session, first to last."""
    via = values.get("aws:calledvia")
    if not via:
        return
    first, last = (via[:1], via[-1:]) if isinstance(via, tuple) else (via, via)
    values.setdefault("aws:calledviafirst", first)
    values.setdefault("aws:calledvialast", last)
    if "aws:viaawsservice" not in given:
        values["aws:viaawsservice"] = ("true",) if isinstance(via, tuple) else via


def _owner(resource: str) -> str | None:
    parts = resource.split(":", ARN_FIELDS - 1)
    account = parts[4] if len(parts) == ARN_FIELDS else ""
    return account if is_account(account) else None


def _must_be_named(context: Context) -> str | None:
    """Why a permission in an identity policy is not enough even within the account, if it is not."""
    if context.action.startswith("kms:") and ":key/" in context.resource:
        return "a KMS key is used only by whom its key policy or a grant lets use it"
    if context.action in _TRUST_ACTIONS and ":role/" in context.resource:
        return "a role is assumed only by whom its trust policy names"
    return None


class _Reader:
    """Compiles documents and collects what is wrong with all of them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def one(self, given: Any, kind: PolicyKind, source: str) -> Policy | None:
        if given is None:
            return None
        if isinstance(given, Policy):
            return given
        document, place = (given.document, given.source) if isinstance(given, Sourced) else (given, source)
        try:
            return compile_policy(document, kind, place)
        except InputError as error:
            self.problems += error.problems
            return None

    def all(self, given: Any, kind: PolicyKind, source: str, *, single: bool = False) -> tuple[Policy, ...]:
        if not isinstance(given, list | tuple):
            self.problems.append(f"{source}: must be a list of policy documents, not {type(given).__name__}")
            return ()
        found: list[Policy] = []
        for number, document in enumerate(given):
            place = source if single else f"{source}[{number}]"
            if document is None:
                self.problems.append(f"{place}: must be a policy document, not null")
            elif (policy := self.one(document, kind, place)) is not None:
                found.append(policy)
        return tuple(found)

    def levels(self, given: Any, kind: PolicyKind, source: str) -> tuple[tuple[Policy, ...], ...]:
        if not isinstance(given, list | tuple):
            self.problems.append(f"{source}: must be a list of levels, each a list of policy documents")
            return ()
        return tuple(self.all(level, kind, f"{source}[{number}]") for number, level in enumerate(given))

    def grants(self, given: Any) -> tuple[KeyGrant, ...]:
        found: list[KeyGrant] = []
        if not isinstance(given, list | tuple):
            self.problems.append(f"grants: must be a list of grants, not {type(given).__name__}")
            return ()
        for number, grant in enumerate(given):
            if isinstance(grant, KeyGrant):
                found.append(grant)
                continue
            try:
                found.append(KeyGrant.of(grant, f"grants[{number}]"))
            except InputError as error:
                self.problems += error.problems
        return tuple(found)
