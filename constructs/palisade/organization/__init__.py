"""The organization: units, accounts, and the guardrails that govern them."""

from palisade.organization.attached_guardrails import METADATA, AttachedGuardrails
from palisade.organization.features import OrganizationFeatures
from palisade.organization.guardrail import QUOTAS, Document, Guardrail, PolicyType, Quota, QuotaError, compose, size_of
from palisade.organization.placements import AccountPlacements

__all__ = [
    "METADATA",
    "QUOTAS",
    "AccountPlacements",
    "AttachedGuardrails",
    "Document",
    "Guardrail",
    "OrganizationFeatures",
    "PolicyType",
    "Quota",
    "QuotaError",
    "compose",
    "size_of",
]
