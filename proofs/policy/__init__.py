"""Evaluates AWS policies offline: ``evaluate(request, policies)`` says what AWS would answer, and which statement decides.

Only the standard library is needed. ``python -m proofs evaluate`` answers requests given as JSON lines.
"""

from proofs.policy.context import UNKNOWN, Unknown
from proofs.policy.document import Policy, PolicyKind, compile_policy
from proofs.policy.errors import InputError, PolicyError, RequestError
from proofs.policy.evaluation import Decision, PolicySet, Reason, Request, Sourced, evaluate
from proofs.policy.grants import KeyGrant
from proofs.policy.roles import Assumption, Hop, assume_chain

__all__ = [
    "UNKNOWN",
    "Assumption",
    "Decision",
    "Hop",
    "InputError",
    "KeyGrant",
    "Policy",
    "PolicyError",
    "PolicyKind",
    "PolicySet",
    "Reason",
    "Request",
    "RequestError",
    "Sourced",
    "Unknown",
    "assume_chain",
    "compile_policy",
    "evaluate",
]
