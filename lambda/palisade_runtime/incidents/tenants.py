"""Whose data an incident concerns, as far as the findings tell: by the tag ``tenant`` of a resource, and by the first segment of
an object's key in a bucket that is divided so. What they do not tell is said to be unknown, never guessed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from palisade_runtime.identifiers import InvalidIdentifierError, tenant_id
from palisade_runtime.incidents.finding import Finding, Subject

_WITHOUT_TENANT = frozenset({"alarm", "address"})
"""Subjects that hold nobody's data themselves."""


@dataclass(frozen=True, kw_only=True)
class Affected:
    """``tenants`` are affected for certain; ``unknown`` says why others may be, or is empty where none can be."""

    tenants: tuple[str, ...]
    unknown: str

    def as_record(self) -> dict[str, Any]:
        """As it is written down."""
        return {"tenants": list(self.tenants), "unknown": self.unknown}

    def __str__(self) -> str:
        known = ", ".join(self.tenants)
        if not self.unknown:
            return known or "none"
        return f"{known or 'none known'}; others unknown: {self.unknown}"


def affected(finding: Finding, *, stages: Mapping[str, str], tenant_buckets: Iterable[str] = ()) -> Affected:
    """Tenants that ``finding`` concerns.

    ``stages`` names the stage of each account that holds customers' data; in ``tenant_buckets`` the first segment of every key
    is the tenant (docs/howto/tenant-isolation.md).
    """
    buckets = frozenset(tenant_buckets)
    told = {one: _tenant(one, buckets) for one in finding.subjects if one.kind not in _WITHOUT_TENANT}
    tenants = tuple(sorted({tenant for tenant in told.values() if tenant}))
    stage = stages.get(finding.account)
    if stage is None:
        return Affected(tenants=tenants, unknown="")
    shared = [one for one, tenant in told.items() if tenant is None and not _told_otherwise(one, told)]
    if shared or not told:
        what = ", ".join(dict.fromkeys(one.kind for one in shared)) or "nothing"
        return Affected(
            tenants=tenants, unknown=f"the finding names {what} of {stage}, which all its tenants may share"
        )
    return Affected(tenants=tenants, unknown="")


def merged(both: Iterable[Affected]) -> Affected:
    """Of several findings of one incident."""
    every = list(both)
    return Affected(
        tenants=tuple(sorted({tenant for one in every for tenant in one.tenants})),
        unknown="; ".join(dict.fromkeys(one.unknown for one in every if one.unknown)),
    )


def _tenant(subject: Subject, buckets: frozenset[str]) -> str | None:
    if subject.tenant is not None:
        return _valid(subject.tenant)
    bucket, slash, key = subject.id.partition("/")
    if subject.kind == "object" and slash and bucket in buckets:
        return _valid(key.partition("/")[0])
    return None


def _told_otherwise(subject: Subject, told: Mapping[Subject, str | None]) -> bool:
    """A bucket of which only objects of known tenants were touched."""
    if subject.kind == "bucket":
        objects = [
            tenant for one, tenant in told.items() if one.kind == "object" and one.id.startswith(f"{subject.id}/")
        ]
        return bool(objects) and all(objects)
    return False


def _valid(tenant: str) -> str | None:
    try:
        return tenant_id(tenant)
    except InvalidIdentifierError:
        return None
