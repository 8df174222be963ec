"""Findings of our own invariants that are right where they stand. Each says which finding, where, and why it is no fault.

An exception belongs to the library and never ends; what a deployment wants to weaken for a time is a waiver
(``config/waivers.py``). One that no longer matches a finding fails the gate.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """One finding that stands: its control, the construct path (``*`` stands for the stage's name), the beginning of its
    message, and the reason."""

    control: str
    where: str
    finding: str
    reason: str


EXEMPTIONS: tuple[Exemption, ...] = (
    Exemption(
        control="identity.policy.resources",
        where="*-access/Bastion/Role/Policy/Resource",
        finding="statement ReportToSystemsManager allows ssm:putcomplianceitems, ssm:updateinstanceinformation",
        reason="The agent reports about itself before it knows the ARN under which it is registered; AWS's own "
        "AmazonSSMManagedInstanceCore grants the same, and the rights tell Systems Manager facts, nothing more.",
    ),
)
