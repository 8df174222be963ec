"""The way in when the front door does not open."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.acknowledge import acknowledge

POLICY_CHARACTERS = 6144
MFA_SECONDS = 900
"""How long ago the person may have touched the security key."""


class BreakGlassRole(Construct):
    """A role that only the named users can take, for an hour, minutes after proving themselves with their own MFA device.

    ``identities`` are ARNs of IAM users of other accounts: AWS knows of MFA only for them, never for a federated session.
    They stand in a condition, so that the role can be made before them. It can be taken only through ``regions``, where rules
    listen for it.

    Control: identity.role.emergency
    https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_permissions_emergency_process.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthage
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        identities: Sequence[str],
        regions: Sequence[str],
        rights: Sequence[iam.PolicyStatement],
    ) -> None:
        super().__init__(scope, construct_id)
        accounts = sorted({identity.split(":")[4] for identity in identities})
        self.role = iam.Role(
            self,
            "Resource",
            role_name=name,
            description="Emergencies in which nobody can sign in as usual; every use is announced",
            max_session_duration=cdk.Duration.hours(1),
            assumed_by=iam.PrincipalWithConditions(
                iam.CompositePrincipal(*(iam.AccountPrincipal(account) for account in accounts)),
                {
                    "ArnEquals": {"aws:PrincipalArn": list(identities)},
                    "Bool": {"aws:MultiFactorAuthPresent": "true"},
                    "NumericLessThan": {"aws:MultiFactorAuthAge": str(MFA_SECONDS)},
                    "StringEquals": {"aws:RequestedRegion": list(regions)},
                },
            ),
        )
        for number, statements in enumerate(_parts(rights), start=1):
            policy = iam.ManagedPolicy(
                self,
                f"Rights{number}",
                description=f"What may be done in an emergency, part {number}",
                roles=[self.role],
                statements=statements,
            )
            acknowledge(
                policy,
                f"{name}, part {number}: an emergency has no list of objects, items, queues or machines; each pattern is of "
                "this stage's own names in this account, and lists and descriptions know no narrower.",
                *sorted(set(_wildcards(statements))),
            )


def _parts(rights: Sequence[iam.PolicyStatement]) -> Iterator[list[iam.PolicyStatement]]:
    """The statements in order, in as few policies as hold them."""
    part: list[iam.PolicyStatement] = []
    size = 100
    for statement in rights:
        added = len(json.dumps(statement.to_json(), separators=(",", ":"))) + 1
        if part and size + added > POLICY_CHARACTERS:
            yield part
            part, size = [], 100
        part.append(statement)
        size += added
    yield part


def _wildcards(statements: Sequence[iam.PolicyStatement]) -> Iterator[str]:
    for statement in statements:
        if statement.effect is iam.Effect.ALLOW:
            for kind, names in (("Resource", statement.resources), ("Action", statement.actions)):
                for name in names:
                    if "*" in name:
                        yield f"AwsSolutions-IAM5[{kind}::{name.replace('${', '<').replace('}', '>')}]"
