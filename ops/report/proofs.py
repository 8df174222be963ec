"""Reads what the proofs say (``python -m proofs prove --json FILE``) and refuses it whole if any of it is malformed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proofs.register.claims import FRAMEWORKS, KINDS

STATUSES = ("HOLDS", "PARTIAL", "BROKEN", "ATTEST")


class ReportError(Exception):
    """The report cannot be written; the message lists every reason, its place and its fix."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of the assembly, by its construct path."""

    stack: str
    path: str
    type: str
    logical_id: str
    fact: str
    """What is so of it."""

    @property
    def name(self) -> str:
        """Its construct path, else its logical id."""
        return self.path or self.logical_id or self.stack or "the assembly"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One thing that was shown, in plain words, and the resources that show it."""

    text: str
    resources: Sequence[Resource]
    assumptions: Sequence[str]
    """What it takes for granted because no template tells it."""


@dataclass(frozen=True, kw_only=True)
class CounterExample:
    """One way in which a promise fails."""

    text: str
    resource: str
    path: str
    stack: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One promise of one source document and what the proofs say of it."""

    id: str
    source: str
    topic: str
    kind: str
    claim: str
    status: str
    missing: Sequence[str]
    counter_examples: Sequence[CounterExample]
    evidence: Sequence[Evidence]
    mappings: Mapping[str, Sequence[str]]
    kept_by: str
    """How or where it is kept, if the source documents contradict each other."""


@dataclass(frozen=True, kw_only=True)
class Proofs:
    """Everything the proofs said of one deployment."""

    deployment: str
    assembly: str
    stacks: int
    resources: int
    claims: Sequence[Claim]
    waivers: Sequence[Mapping[str, str]]
    digest: str
    """SHA-256 of what the proofs said, so that everything written from it can be traced to it; no folder is in it."""

    def by_status(self, claims: Sequence[Claim] | None = None) -> dict[str, int]:
        """How many of ``claims`` (all, if not given) have each status, in the order of STATUSES."""
        chosen = self.claims if claims is None else claims
        return {status: sum(claim.status == status for claim in chosen) for status in STATUSES}

    @property
    def sources(self) -> Sequence[str]:
        """The source documents, in the order of the file."""
        return list(dict.fromkeys(claim.source for claim in self.claims))

    @property
    def topics(self) -> Sequence[str]:
        """The topics, by name."""
        return sorted({claim.topic for claim in self.claims})


def read(path: Path) -> Proofs:
    """Read and check the file of the proofs.

    Raises:
        ReportError: it is absent, no JSON, or not of the expected form; every problem is listed.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ReportError(f'{path}: {error.strerror}. "python -m proofs prove --json {path}" writes it.') from None
    try:
        data = json.loads(raw)
    except ValueError as error:
        raise ReportError(f"{path}: no JSON ({error}). Write it anew: python -m proofs prove --json {path}") from None
    problems = list(_problems(data))
    if problems:
        raise ReportError("\n".join(f"{path}: {problem}" for problem in problems))
    # The same commit gives the same report wherever it is checked out.
    data["assembly"] = Path(data["assembly"]).name
    return Proofs(
        deployment=data["deployment"],
        assembly=data["assembly"],
        stacks=_count(data["stacks"]),
        resources=_count(data["resources"]),
        claims=[_claim(claim) for claim in data["claims"]],
        waivers=[{key: str(value) for key, value in waiver.items()} for waiver in data.get("waivers", [])],
        digest=hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest(),
    )


def _count(value: int | list[Any]) -> int:
    return value if isinstance(value, int) else len(value)


def _claim(data: Mapping[str, Any]) -> Claim:
    return Claim(
        **{key: data[key] for key in ("id", "source", "topic", "kind", "claim", "status")},
        missing=data.get("missing", []),
        kept_by=data.get("kept_by") or "",
        counter_examples=[
            CounterExample(**{key: item.get(key) or "" for key in ("text", "resource", "path", "stack")})
            for item in data.get("counter_examples", [])
        ],
        evidence=[
            Evidence(
                text=item["text"],
                resources=[
                    Resource(
                        **{key: resource.get(key) or "" for key in ("stack", "path", "type", "logical_id", "fact")}
                    )
                    for resource in item.get("resources", [])
                ],
                assumptions=item.get("assumptions", []),
            )
            for item in data.get("evidence", [])
        ],
        mappings={name: data["mappings"][name] for name in FRAMEWORKS if data.get("mappings", {}).get(name)},
    )


# ----------------------------------------------------------------------------------------------------------- validation


def _problems(data: object) -> Iterator[str]:
    if not isinstance(data, dict):
        yield f"expected an object, got {_kind(data)}"
        return
    for key in ("deployment", "assembly"):
        yield from _text(data, key, "the file")
    for key in ("stacks", "resources"):
        if not isinstance(data.get(key), int | list) or isinstance(data[key], bool):
            yield f"the file: {key!r} has to be a number or a list, got {_kind(data.get(key))}"
    if not isinstance(data.get("waivers", []), list) or not all(isinstance(w, dict) for w in data.get("waivers", [])):
        yield "the file: 'waivers' has to be a list of objects"
    claims = data.get("claims")
    if not isinstance(claims, list) or not claims:
        yield f"the file: 'claims' has to be a list with something in it, got {_kind(claims)}"
        return
    seen: set[str] = set()
    for number, claim in enumerate(claims):
        if not isinstance(claim, dict):
            yield f"claims[{number}]: expected an object, got {_kind(claim)}"
            continue
        place = f"claims[{number}] ({claim.get('id', 'without id')})"
        yield from _claim_problems(claim, place)
        if claim.get("id") in seen:
            yield f"{place}: this id is given twice; ids are never reused"
        seen.add(str(claim.get("id")))


def _claim_problems(claim: dict[str, Any], place: str) -> Iterator[str]:
    for key in ("id", "source", "topic", "claim"):
        yield from _text(claim, key, place)
    for key in ("id", "source"):
        if isinstance(claim.get(key), str) and not re.fullmatch(r"[A-Za-z0-9][\w.-]*", claim[key]):
            yield f"{place}: {key!r} is an address: letters, digits, dots, hyphens and underscores only, got {claim[key]!r}"
    for key, allowed in (("status", STATUSES), ("kind", KINDS)):
        if claim.get(key) not in allowed:
            yield f"{place}: {key!r} has to be one of {', '.join(allowed)}, got {claim.get(key)!r}"
    for key in ("missing", "counter_examples", "evidence"):
        yield from _list_problems(claim, key, place)
    mappings = claim.get("mappings", {})
    if not isinstance(mappings, dict):
        yield f"{place}: 'mappings' has to be an object, got {_kind(mappings)}"
    elif unknown := sorted(set(mappings) - set(FRAMEWORKS)):
        yield f"{place}: 'mappings' knows {', '.join(FRAMEWORKS)}; got {', '.join(unknown)}"
    for status, key, lacks in _OWED:
        if claim.get("status") == status and not claim.get(key):
            yield f"{place}: {status} has to {lacks} in {key!r}"


_OWED = (
    ("HOLDS", "evidence", "give its evidence"),
    ("PARTIAL", "missing", "say what is missing"),
    ("BROKEN", "counter_examples", "give a counter-example"),
)


def _list_problems(claim: dict[str, Any], key: str, place: str) -> Iterator[str]:
    items = claim.get(key, [])
    if not isinstance(items, list):
        yield f"{place}: {key!r} has to be a list, got {_kind(items)}"
        return
    for number, item in enumerate(items):
        if key == "missing" and not isinstance(item, str):
            yield f"{place}: {key}[{number}] has to be a text, got {_kind(item)}"
        elif key != "missing" and not (isinstance(item, dict) and isinstance(item.get("text"), str)):
            yield f"{place}: {key}[{number}] has to be an object with a 'text'"
        elif key == "evidence":
            for name, kind, words in (("resources", dict, "an object"), ("assumptions", str, "a text")):
                inner = item.get(name, [])
                if not isinstance(inner, list) or not all(isinstance(one, kind) for one in inner):
                    yield f"{place}: {key}[{number}]: {name!r} has to be a list, every one {words}"


def _text(data: dict[str, Any], key: str, place: str) -> Iterator[str]:
    if not isinstance(data.get(key), str) or not data[key].strip():
        yield f"{place}: {key!r} has to be a text, got {_kind(data.get(key))}"


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
