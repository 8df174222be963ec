"""Reads the register of claims and the committed list of what is known to be partial.

Both are YAML beside this package: ``proofs/claims.yaml`` and ``proofs/partial.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parent.parent
CLAIMS, PARTIAL = FOLDER / "claims.yaml", FOLDER / "partial.yaml"
KINDS = ("technical", "operational", "organisational")
FRAMEWORKS = ("SOC 2", "ISO 27001", "CIS", "NIST 800-53", "GDPR")


class RegisterError(Exception):
    """The register cannot be used. The message lists every problem, one per line."""


@dataclass(frozen=True, kw_only=True)
class Waits:
    """A part of a claim that no proof judges yet, and the types of resources that would supply it."""

    what: str
    types: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One promise, as the register holds it."""

    id: str
    source: str
    topic: str
    kind: str
    claim: str
    control: str
    proof: str
    proofs: tuple[str, ...]
    waits: tuple[Waits, ...]
    kept_by: str
    mappings: Mapping[str, tuple[str, ...]]

    @property
    def attested(self) -> bool:
        """Whether people alone can keep it."""
        return self.kind == "organisational"


@dataclass(frozen=True, kw_only=True)
class Register:
    """Every claim in order, what each source is, and the reasons of those known to be partial."""

    sources: Mapping[str, str]
    claims: tuple[Claim, ...]
    partial: Mapping[str, str]


def load(claims: Path = CLAIMS, partial: Path = PARTIAL) -> Register:
    """The register.

    Raises:
        RegisterError: a file is missing or malformed, an id is taken twice, or a topic, kind or claim is unknown.
    """
    problems: list[str] = []
    written = _read(claims, problems)
    mappings = written.get("mappings", {})
    found: list[Claim] = []
    for number, entry in enumerate(written.get("claims", [])):
        place = f"{claims.name}: {entry.get('id', f'claim {number + 1}')}"
        for name in ("id", "source", "topic", "kind", "claim"):
            if not entry.get(name):
                problems.append(f"{place}: has no {name}")
        if entry.get("kind") not in KINDS:
            problems.append(f"{place}: kind {entry.get('kind')!r} is none of {', '.join(KINDS)}")
        if entry.get("topic") not in mappings:
            problems.append(f"{place}: topic {entry.get('topic')!r} has no mappings")
        if entry.get("source") not in written.get("sources", {}):
            problems.append(f"{place}: source {entry.get('source')!r} is not in sources")
        found.append(_claim(entry, mappings.get(entry.get("topic"), {})))
    ids = [claim.id for claim in found]
    problems += [f"{claims.name}: {one} stands twice" for one in sorted({one for one in ids if ids.count(one) > 1})]
    reasons = _read(partial, problems)
    for one, reason in reasons.items():
        if one not in ids:
            problems.append(f"{partial.name}: {one} is no claim of {claims.name}")
        if not isinstance(reason, str) or not reason.strip():
            problems.append(f"{partial.name}: {one} has no reason")
    if problems:
        raise RegisterError("\n".join(problems))
    return Register(sources=written["sources"], claims=tuple(found), partial=reasons)


def _claim(entry: Mapping[str, Any], mappings: Mapping[str, Any]) -> Claim:
    return Claim(
        id=str(entry.get("id", "")),
        source=str(entry.get("source", "")),
        topic=str(entry.get("topic", "")),
        kind=str(entry.get("kind", "")),
        claim=str(entry.get("claim", "")).strip(),
        control=str(entry.get("control", "")).strip(),
        proof=str(entry.get("proof", "")).strip(),
        proofs=tuple(entry.get("proofs", ())),
        waits=tuple(Waits(what=one["for"], types=tuple(one.get("types", ()))) for one in entry.get("waits", ())),
        kept_by=str(entry.get("kept_by", "")).strip(),
        mappings={name: tuple(mappings.get(name, ())) for name in FRAMEWORKS},
    )


def _read(file: Path, problems: list[str]) -> dict[str, Any]:
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  (the safe loader, in C)
    except (OSError, yaml.YAMLError) as error:
        problems.append(f"{file}: {error}")
        return {}
    if content is None:
        return {}
    if not isinstance(content, dict):
        problems.append(f"{file}: must be a mapping")
        return {}
    return content


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
