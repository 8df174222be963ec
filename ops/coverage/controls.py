"""The controls of the standards and how each is decided: read from ``controls.yaml``, refused whole if any of it is malformed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ops.coverage.needs import Need, NeedError, parse

FILE = Path(__file__).with_name("controls.yaml")
SEVERITIES = ("critical", "high", "medium", "low")
EACH = ("account", "region")
_MEMBERS = "members by "
_FIELDS = frozenset(
    {
        "id",
        "severity",
        "title",
        "types",
        "when",
        "kind",
        "needs",
        "each",
        "by",
        "gate",
        "check",
        "excused_by",
        "missing",
    }
)


class ControlsError(Exception):
    """The file of controls is malformed; the message lists every problem."""


@dataclass(frozen=True, kw_only=True)
class By:
    """Resources of some types that keep a control for an account or region, if they have what is needed."""

    types: tuple[str, ...]
    needs: tuple[Need, ...]
    members: bool
    """Whether they keep it for the other accounts that they list, and not for their own."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """One control: what it judges, and by what it is decided. One that nothing decides is not covered where it applies."""

    id: str
    severity: str
    title: str
    types: tuple[str, ...]
    """Resource types that it judges; without any of them it does not apply. Empty: it judges accounts."""
    when: tuple[Need, ...]
    """Which resources of the types it judges."""
    kind: str
    """What those are called."""
    needs: tuple[Need, ...]
    each: str
    """``account`` or ``region``: the places that need one of ``by``. Empty: resources are judged."""
    by: tuple[By, ...]
    gate: tuple[str, ...]
    """Controls of the gate that decide it."""
    check: str
    """A function of :mod:`ops.coverage.checks` that decides it."""
    excused_by: tuple[str, ...]
    """Rules of the policy packs whose acknowledgement on a resource stands for this control, too."""
    missing: str
    """What would have to be there, in words."""

    @property
    def decided(self) -> bool:
        """Whether anything decides it."""
        return bool(self.needs or self.by or self.gate or self.check)

    @property
    def decided_by(self) -> str:
        """By what it is decided, for people."""
        parts = [f"gate `{name}`" for name in self.gate]
        parts += [f"`{self.check}`"] if self.check else []
        parts += [f"`{need}`" for need in self.needs]
        parts += [
            f"{_MEMBERS * by.members}`{kind.removeprefix('AWS::')}`"
            + (f" with `{', '.join(map(str, by.needs))}`" if by.needs else "")
            for by in self.by
            for kind in by.types[:1]
        ]
        return "; ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """One recommendation of CIS, which the controls that it names decide together; none: people alone can keep it."""

    number: str
    level: int
    title: str
    controls: tuple[str, ...]
    missing: str


@dataclass(frozen=True, kw_only=True)
class Standards:
    """Every control by id, which of them are of FSBP, and the recommendations of CIS."""

    source: Mapping[str, str]
    controls: Mapping[str, Control]
    fsbp: Sequence[str]
    cis: Sequence[Recommendation]


@cache
def load(file: Path = FILE) -> Standards:
    """Read the file.

    Raises:
        ControlsError: unknown fields, malformed conditions, ids twice, or recommendations that name unknown controls.
    """
    written = yaml.safe_load(file.read_text(encoding="utf-8"))
    problems: list[str] = []
    controls: dict[str, Control] = {}
    fsbp: list[str] = []
    for standard in ("fsbp", "cis_only"):
        for entry in written[standard]:
            name = str(entry.get("id"))
            found = _control(entry, problems)
            if name in controls:
                problems.append(f"{name}: is there twice")
            if found is not None:
                controls[name] = found
                if standard == "fsbp":
                    fsbp.append(name)
    cis = [
        Recommendation(
            number=str(entry["number"]),
            level=int(entry["level"]),
            title=str(entry["title"]),
            controls=tuple(entry.get("controls", ())),
            missing=str(entry.get("missing", "")),
        )
        for entry in written["cis"]
    ]
    problems += [
        f"CIS {one.number}: {name} is no control of this file"
        for one in cis
        for name in one.controls
        if name not in controls
    ]
    problems += [f"CIS {one.number}: says neither a control nor what is missing" for one in cis if not _says(one)]
    if problems:
        raise ControlsError("\n".join(f"{file.name}: {problem}" for problem in problems))
    return Standards(source=written["source"], controls=controls, fsbp=tuple(fsbp), cis=tuple(cis))


def _says(one: Recommendation) -> bool:
    return bool(one.controls or one.missing)


def _control(entry: Mapping[str, Any], problems: list[str]) -> Control | None:
    name = str(entry.get("id"))
    before = len(problems)
    problems += [f"{name}: unknown field {field}" for field in sorted(set(entry) - _FIELDS)]
    problems += [f"{name}: no {field}" for field in ("severity", "title") if not entry.get(field)]
    if entry.get("severity") not in SEVERITIES:
        problems.append(f"{name}: severity {entry.get('severity')!r} is none of {', '.join(SEVERITIES)}")
    if entry.get("each", EACH[0]) not in EACH or bool(entry.get("each")) != bool(entry.get("by")):
        problems.append(f"{name}: 'by' says what keeps it in 'each' account or region, so both are needed")
    by = tuple(
        By(
            types=tuple(map(_full, kinds.removeprefix(_MEMBERS).split(", "))),
            needs=tuple(_needs(name, needs, problems)),
            members=kinds.startswith(_MEMBERS),
        )
        for one in _listed(entry.get("by"))
        for kinds, needs in one.items()
    )
    needs, when = (tuple(_needs(name, entry.get(field), problems)) for field in ("needs", "when"))
    if len(problems) > before:
        return None
    return Control(
        id=name,
        severity=str(entry["severity"]),
        title=str(entry["title"]),
        types=tuple(map(_full, _listed(entry.get("types")))),
        when=when,
        kind=str(entry.get("kind", "")),
        needs=needs,
        each=str(entry.get("each", "")),
        by=by,
        gate=tuple(_listed(entry.get("gate"))),
        check=str(entry.get("check", "")),
        excused_by=tuple(_listed(entry.get("excused_by"))),
        missing=str(entry.get("missing", "")),
    )


def _needs(name: str, written: Any, problems: list[str]) -> Iterator[Need]:
    for text in _listed(written):
        try:
            yield parse(text)
        except NeedError as error:
            problems.append(f"{name}: {error}")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _full(kind: str) -> str:
    return kind if kind.startswith("Custom::") else f"AWS::{kind}"
