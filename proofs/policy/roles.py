"""Assuming roles one after another: who becomes whom, with which tags and source identity.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from proofs.policy.context import ContextValue
from proofs.policy.evaluation import ALLOWED, DEPENDS, Decision, PolicySet, Request, evaluate
from proofs.policy.principals import name_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One role to assume, with the policies that decide: the caller's, and the role's trust policy as resource policy."""

    role: str
    """ARN of the role."""
    policies: PolicySet
    session_name: str = "session"
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: frozenset[str] = frozenset()
    """Keys of ``tags`` that the sessions after this one inherit."""
    source_identity: str | None = None
    external_id: str | None = None
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    """What else is known of the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """What came of one hop."""

    hop: Hop
    decision: Decision
    session: str
    """ARN of the role session, if it is allowed."""
    keys: Mapping[str, ContextValue]
    """Condition keys that requests of the session carry: its tags and source identity."""


def assume_chain(
    caller: str, hops: Iterable[Hop], *, keys: Mapping[str, ContextValue] | None = None
) -> list[Assumption]:
    """Let a principal assume roles one after another, until one is certainly denied.

    ``keys`` are those that the caller's own requests carry, such as its tags. Session tags and a source identity each
    need a permission of their own, in the caller's policy and in the trust policy: ``sts:TagSession`` for tags passed or
    inherited, ``sts:SetSourceIdentity`` for an identity set or inherited. Each decision is the weakest of these.
    """
    found: list[Assumption] = []
    principal, carried = caller, dict(keys or {})
    inherited: dict[str, str] = {}
    identity: str | None = None
    for hop in hops:
        # A tag inherited from an earlier session cannot be replaced, nor can a source identity.
        tags = {**hop.tags, **inherited}
        identity = identity or hop.source_identity
        decision = _assume(principal, hop, carried, tags, identity)
        account = hop.role.split(":")[4]
        partition = hop.role.split(":", 2)[1]
        session = f"arn:{partition}:sts::{account}:assumed-role/{name_in(hop.role)}/{hop.session_name}"
        carried = {f"aws:PrincipalTag/{key}": value for key, value in tags.items()}
        if identity:
            carried["aws:SourceIdentity"] = identity
        found.append(Assumption(hop=hop, decision=decision, session=session, keys=carried))
        if not decision.possibly_allowed:
            break
        inherited |= {key: value for key, value in hop.tags.items() if key in hop.transitive and key not in inherited}
        principal = session
    return found


def _assume(
    principal: str, hop: Hop, carried: Mapping[str, ContextValue], tags: Mapping[str, str], identity: str | None
) -> Decision:
    asked: dict[str, ContextValue] = {**carried, **hop.context, "sts:RoleSessionName": hop.session_name}
    asked |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if tags:
        asked["aws:TagKeys"] = sorted(tags)
    if hop.transitive:
        asked["sts:TransitiveTagKeys"] = sorted(hop.transitive)
    if identity:
        asked["sts:SourceIdentity"] = identity
    if hop.external_id:
        asked["sts:ExternalId"] = hop.external_id
    actions = ["sts:AssumeRole"]
    actions += ["sts:TagSession"] if tags else []
    actions += ["sts:SetSourceIdentity"] if identity else []
    decisions = [
        evaluate(Request(principal=principal, action=action, resource=hop.role, context=asked), hop.policies)
        for action in actions
    ]
    return min(decisions, key=_strength)


def _strength(decision: Decision) -> int:
    return 2 if decision.decision == ALLOWED else 1 if decision.decision == DEPENDS else 0
