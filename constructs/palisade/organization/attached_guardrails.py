"""Guardrails on one target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_organizations as organizations

from constructs import Construct
from palisade.organization.guardrail import Document, Guardrail, PolicyType, compose

_SHORT: Mapping[PolicyType, str] = {
    PolicyType.SERVICE_CONTROL: "ServiceControl",
    PolicyType.RESOURCE_CONTROL: "ResourceControl",
    PolicyType.DECLARATIVE_EC2: "Machines",
    PolicyType.AI_OPT_OUT: "Learning",
}
METADATA = "palisade:guardrails"
"""Under this name each policy's metadata say what its statements are for; docs/guardrails.md is written from it."""


class AttachedGuardrails(Construct):
    """Attaches ``guardrails`` to a root or organizational unit in as few policies as their quotas allow.

    ``name`` begins the policies' names. The policy types must be enabled before.

    Raises:
        QuotaError: AWS would refuse the policies; the message names guardrail, size and quota.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_authorization_policies.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, target_id: str, guardrails: Sequence[Guardrail]
    ) -> None:
        super().__init__(scope, construct_id)
        numbers = dict.fromkeys(PolicyType, 0)
        for document in compose(name, guardrails):
            numbers[document.type] += 1
            short = f"{_SHORT[document.type]}{numbers[document.type]}"
            policy = organizations.CfnPolicy(
                self,
                short,
                name=f"{name}-{_words(short)}",
                type=document.type.value,
                description=_description(document),
                content=document.content,
                target_ids=[target_id],
            )
            policy.add_metadata(METADATA, [_about(item) for item in document.guardrails])


def _about(item: Guardrail) -> dict[str, object]:
    return {
        "name": item.name,
        "stops": item.stops,
        "exempt": item.exempt,
        "source": item.source,
        "statements": [statement["Sid"] for statement in item.statements],
    }


def _description(document: Document) -> str:
    return ", ".join(item.name for item in document.guardrails)[:512]


def _words(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() or letter.isdigit() else letter for letter in name).lstrip(
        "-"
    )
