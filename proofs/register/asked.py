"""Requests that the guardrails alone must answer: whoever asks has every right of the account, and every resource lets him in."""

from __future__ import annotations

from collections.abc import Mapping

from proofs.model import Model, Node
from proofs.model.people import SUFFIX
from proofs.policy import UNKNOWN, Decision, PolicyKind, PolicySet, Request, compile_policy
from proofs.policy.context import ContextValue

_EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
_OPEN = PolicySet(
    identity_policies=(compile_policy({"Statement": [_EVERYTHING]}, PolicyKind.IDENTITY, "every right"),),
    resource_policy=compile_policy(
        {"Statement": [{**_EVERYTHING, "Principal": "*"}]}, PolicyKind.RESOURCE, "an open resource"
    ),
)
_AWS = "arn:aws:iam::"


def administrator(account: str) -> str:
    """A role with every right that somebody made, or took over, in an account."""
    return f"{_AWS}{account}:role/administrator"


def user(account: str) -> str:
    """An IAM user."""
    return f"{_AWS}{account}:user/somebody"


def signed_in(account: str, region: str) -> str:
    """Somebody whom IAM Identity Center of ``region`` let in."""
    return f"{_AWS}{account}:role/aws-reserved/sso.amazonaws.com/{region}/AWSReservedSSO_Somebody_{SUFFIX}"


def cloudformation(account: str, region: str) -> str:
    """CloudFormation at work for a deployment with the CDK's bootstrap."""
    return f"{_AWS}{account}:role/cdk-hnb659fds-cfn-exec-role-{account}-{region}"


def pipeline(account: str, region: str) -> str:
    """Who hands templates to CloudFormation."""
    return f"{_AWS}{account}:role/cdk-hnb659fds-deploy-role-{account}-{region}"


def ask(
    model: Model,
    who: str,
    action: str,
    resource: str = "*",
    *,
    owner: str | None = None,
    context: Mapping[str, ContextValue] | None = None,
    openly: bool = False,
) -> Decision:
    """What the organization's policies make of it.

    Of ``context`` a key that is not given is absent, as it is for most requests; ``openly`` leaves every such key of the
    guardrails open, for the question whether anybody could find a way. Tags of principals stay absent: who could set them is a
    question of its own.
    """
    organization = model.organization
    account = who.split(":")[4]
    region = _region(resource)
    made: dict[str, ContextValue] = {
        "aws:SecureTransport": True,
        "s3:TlsVersion": "1.3",
        **({"aws:RequestedRegion": region} if region else {}),
    }
    if openly:
        chosen = {key for key in organization.keys if not key.startswith(("aws:principal", "aws:resource"))}
        made |= dict.fromkeys(chosen - {key.lower() for key in made}, UNKNOWN)
    lowered = {key.lower(): value for key, value in made.items()} | {
        key.lower(): value for key, value in (context or {}).items()
    }
    request = Request(
        principal=who, action=action, resource=resource, resource_account=owner or account, context=lowered
    )
    return organization.evaluate(request, _OPEN)


def _region(resource: str) -> str:
    return resource.split(":")[3] if resource.count(":") >= 5 else ""


def guardrails(model: Model) -> list[Node]:
    """The organization's control policies."""
    return [guardrail.node for guardrail in model.organization.guardrails]


def held_by(model: Model, account: str) -> str:
    """Which policies and units hold an account, for a counter-example to name."""
    units = model.organization.units_of(account)
    if units is None:
        return f"account {account} is in no known unit"
    levels = {*(unit.id for unit in units), account}
    paths = [
        guardrail.node.path
        for guardrail in model.organization.guardrails
        if any(target in levels or target.startswith("r-") for target in guardrail.targets or ())
    ]
    return f"under {', '.join([*(unit.path for unit in units), *paths])}"
