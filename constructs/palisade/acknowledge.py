"""Acknowledges a policy-pack finding where it is raised, with a reason that is true there and nowhere else."""

from __future__ import annotations

import aws_cdk as cdk

from constructs import IConstruct

PACKS = ("NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321")
"""The packs that share most of their rule names."""


def acknowledge(construct: IConstruct, reason: str, *findings: str) -> None:
    """Record why ``findings`` do not apply to ``construct``.

    Findings are written as the report prints them: ``AwsSolutions-S1``, or ``AwsSolutions-IAM5[Resource::*]`` where the
    rule names what it found. Findings of the built-in validator already carry their source:
    ``CloudFormation-Validate::W3010``. Matching is exact, and the gate refuses one that matches nothing.
    """
    for finding in findings:
        # What the rule found stands in brackets and may hold "::" itself, as in IAM5[Resource::*].
        full = finding if "::" in finding.partition("[")[0] else f"{finding.partition('-')[0]}::{finding}"
        cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=full, reason=reason))


def in_packs(rule: str, *packs: str) -> tuple[str, ...]:
    """The finding ids of a rule that several packs share (all of :data:`PACKS` unless named)."""
    return tuple(f"{pack}-{rule}" for pack in packs or PACKS)
