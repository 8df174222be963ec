"""Decides each control over one assembly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cached_property

import gate.invariants  # noqa: F401  (registers every control)
from assembly import Assembly
from gate.acknowledgements import Acknowledgement
from gate.control import CONTROLS, Finding
from gate.exceptions import EXEMPTIONS
from gate.judge import judge
from gate.run import scope_of
from gate.waivers import WaiverLike
from gate.world import World
from ops.coverage.controls import By, Control, Recommendation, Standards
from ops.places import OWNER_TAG
from proofs.model import Model, Node, as_list, at
from proofs.reachability import Network
from stacks.settings import Deployment


class Status(StrEnum):
    """What becomes of a control; the worst first."""

    NOT_COVERED = "not covered"
    WAIVED = "waived"
    MET = "met"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, order=True, kw_only=True)
class Fault:
    """One thing that keeps a control from being met: where (a construct path, or an account), and what."""

    where: str
    what: str
    excuse: str = ""
    """Why it may stay, if somebody wrote that down."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One control, decided: by which words, over how many resources or places."""

    id: str
    severity: str
    title: str
    status: Status
    why: str
    judged: int = 0
    faults: tuple[Fault, ...] = ()


class Case:
    """An assembly before the controls: its model, what the gate finds, and what was acknowledged or waived."""

    def __init__(
        self,
        assembly: Assembly,
        *,
        deployment: Deployment | None = None,
        waivers: Sequence[WaiverLike] = (),
        acknowledged: Iterable[Acknowledgement] = (),
    ) -> None:
        self.assembly = assembly
        self.model = Model(assembly)
        self.deployment = deployment
        self.waivers = waivers
        self._found: dict[str, list[Finding]] = {}
        self._acknowledged: dict[str, list[Acknowledgement]] = defaultdict(list)
        for one in acknowledged:
            # Pack::Rule, with the finding in square brackets where a rule finds several things.
            self._acknowledged[one.id.partition("::")[2].partition("[")[0]].append(one)

    @cached_property
    def world(self) -> World:
        """The assembly as the gate sees it."""
        return World(self.assembly, scope_of(self.assembly, self.deployment))

    @cached_property
    def network(self) -> Network:
        """The networks, for asking where routes lead."""
        return Network(self.model)

    @cached_property
    def owners(self) -> Mapping[str, str]:
        """What each account is called."""
        return {stack.account: stack.tags.get(OWNER_TAG, stack.account) for stack in self.assembly.stacks}

    @cached_property
    def places(self) -> Sequence[tuple[str, str]]:
        """Every account with every region that the assembly uses: each stands open in each, whatever is deployed there."""
        regions = dict.fromkeys(stack.region for stack in self.assembly.stacks)
        return [(account, region) for account in self.owners for region in regions]

    def found(self, control: str) -> list[Finding]:
        """What a control of the gate finds, exempted and waived findings included."""
        if control not in self._found:
            promise = CONTROLS[control]
            self._found[control] = [
                finding
                for _, resource in self.assembly.resources()
                if promise.judges(resource.type)
                for finding in judge(promise, resource, self.world)
            ]
        return self._found[control]

    def excuse(self, control: Control, where: str, finding: Finding | None = None) -> str:
        """Why a fault may stay: a waiver, an exemption of the gate's finding, or the acknowledgement of a rule that fits."""
        if finding is not None:
            for waiver in self.waivers:
                if waiver.control == finding.control and f"{where}/".startswith(f"{waiver.where.rstrip('/')}/"):
                    return f"waived until {waiver.expires}: {waiver.reason}"
            for one in EXEMPTIONS:
                fits = one.control == finding.control and fnmatchcase(where, one.where)
                if fits and finding.message.startswith(one.finding):
                    return one.reason
        for rule in control.excused_by:
            for acknowledged in self._acknowledged.get(rule, ()):
                if f"{where}/".startswith(f"{acknowledged.where}/"):
                    return acknowledged.reason
        return ""


Check = Callable[[Case, Sequence[Node]], Iterator[tuple[Node | str, str]]]
CHECKS: dict[str, Check] = {}
"""Functions that decide what no condition on properties can, by the name that ``controls.yaml`` uses."""


def check(function: Check) -> Check:
    """Register a function under its own name, in words."""
    CHECKS[function.__name__.replace("_", " ")] = function
    return function


def decide(case: Case, standards: Standards) -> dict[str, Row]:
    """Every control, decided."""
    return {control.id: decide_one(case, control) for control in standards.controls.values()}


def decide_one(case: Case, control: Control) -> Row:
    """One control over the assembly. What nothing decides is not covered; silence is never a pass."""
    subjects = [node for node in case.model.of(*control.types) if all(n.holds(node.properties) for n in control.when)]
    if control.types and not subjects:
        kind = control.kind or " or ".join(kind.removeprefix("AWS::") for kind in control.types[:3])
        return _row(control, Status.NOT_APPLICABLE, f"no {kind} in the assembly")
    if not control.decided:
        return _row(control, Status.NOT_COVERED, control.missing or "nothing decides it yet")
    places = _places(case, control)
    faults = sorted({*_faults(case, control, subjects)})
    judged = len(places) if control.each else len(subjects)
    if not faults:
        return _row(control, Status.MET, control.decided_by, judged=judged)
    open_ones = tuple(fault for fault in faults if not fault.excuse)
    if open_ones:
        missing = f" {control.missing}" if control.missing else ""
        return _row(control, Status.NOT_COVERED, f"{_told(open_ones)}.{missing}", judged=judged, faults=open_ones)
    reasons = list(dict.fromkeys(fault.excuse for fault in faults))
    more = f" (and {len(reasons) - 2} more reasons)" if len(reasons) > 2 else ""
    return _row(control, Status.WAIVED, " / ".join(reasons[:2]) + more, judged=judged, faults=tuple(faults))


def of_recommendation(one: Recommendation, rows: Mapping[str, Row]) -> Row:
    """A recommendation of CIS, by the controls that decide it: the worst of those that apply."""
    named = [rows[name] for name in one.controls]
    if not named:
        return Row(id=one.number, severity="", title=one.title, status=Status.NOT_COVERED, why=one.missing)
    order = list(Status)
    worst = min(named, key=lambda row: order.index(row.status))
    applying = [row for row in named if row.status is worst.status]
    return Row(
        id=one.number,
        severity="",
        title=one.title,
        status=worst.status,
        why="; ".join(f"{row.id}: {row.why.rstrip('.')}" for row in applying),
        judged=sum(row.judged for row in applying),
        faults=tuple(fault for row in applying for fault in row.faults),
    )


def _told(faults: Sequence[Fault]) -> str:
    """The faults in words, one for each kind, with the first places of it."""
    places: dict[str, list[str]] = defaultdict(list)
    for fault in faults:
        places[fault.what].append(fault.where)
    kinds = [
        f"{what} ({', '.join(where[:2])}{f' and {len(where) - 2} more' if len(where) > 2 else ''})"
        for what, where in places.items()
    ]
    return "; ".join(kinds[:3]) + (f"; and {len(kinds) - 3} more" if len(kinds) > 3 else "")


def _row(control: Control, status: Status, why: str, *, judged: int = 0, faults: tuple[Fault, ...] = ()) -> Row:
    return Row(
        id=control.id,
        severity=control.severity,
        title=control.title,
        status=status,
        why=why,
        judged=judged,
        faults=faults,
    )


def _places(case: Case, control: Control) -> Sequence[tuple[str, str]]:
    if control.each == "account":
        return [(account, "") for account in case.owners]
    return case.places if control.each else []


def _faults(case: Case, control: Control, subjects: Sequence[Node]) -> Iterator[Fault]:
    for node in subjects:
        for need in control.needs:
            if not need.holds(node.properties):
                yield Fault(where=node.path, what=f"not so: {need}", excuse=case.excuse(control, node.path))
    for place in _places(case, control):
        if not any(_covers(node, place, members=by.members) for by in control.by for node in _keepers(case, by)):
            where = " ".join(filter(None, (case.owners[place[0]], place[1])))
            kinds = " or ".join(kind.removeprefix("AWS::") for by in control.by for kind in by.types[:1])
            yield Fault(where=where, what=f"no {kinds} sets it")
    types = set(control.types)
    for name in control.gate:
        for finding in case.found(name):
            guilty = case.model.at_path(finding.where)
            if guilty is None or not types or guilty.type in types:
                excuse = case.excuse(control, finding.where, finding)
                yield Fault(where=finding.where, what=finding.message, excuse=excuse)
    if control.check:
        for found, what in CHECKS[control.check](case, subjects):
            path = found if isinstance(found, str) else found.path
            yield Fault(where=path, what=what, excuse=case.excuse(control, path))


def _keepers(case: Case, by: By) -> Iterator[Node]:
    for node in case.model.of(*by.types):
        if all(need.holds(node.properties) for need in by.needs):
            yield node


def _covers(node: Node, place: tuple[str, str], *, members: bool) -> bool:
    """Whether what a resource sets is set in the place: its own account and region, or those that it lists or administers."""
    account, region = place
    if members and account == node.account:
        return False
    accounts = {node.account, str(node.get("AccountId", default="")), *map(str, as_list(node.get("Accounts")))}
    whole = str(node.get("Type", default="")).startswith("ORGANIZATION")
    listed = [str(at(item, "Region", default=item)) for item in as_list(node.get("Regions"))]
    return (whole or account in accounts) and (not region or region == node.region or region in listed)
