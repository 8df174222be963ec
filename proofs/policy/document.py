"""Policy documents: read, checked as AWS checks them, and compiled once.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

import json
import marshal
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from proofs.policy.conditions import AnyTest, parse_condition
from proofs.policy.context import Context
from proofs.policy.errors import PolicyError
from proofs.policy.patterns import ARN_FIELDS, GAP, ONE, RUN, Matcher, has_marks, matcher, pattern_of
from proofs.policy.principals import Grant, PrincipalElement, parse_element
from proofs.policy.truth import MAYBE, NO, YES, Truth, negate
from proofs.policy.variables import Template, parse

VERSIONS: Final = ("2008-10-17", "2012-10-17")
_ACTION: Final = re.compile(r"[A-Za-z0-9*?-]+:[A-Za-z0-9*?_.-]+")
_MARSHAL_WITHOUT_REFERENCES: Final = 2
_DOCUMENT_ELEMENTS: Final = frozenset({"Version", "Id", "Statement"})
_STATEMENT_ELEMENTS: Final = frozenset(
    {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"}
)


class PolicyKind(StrEnum):
    """Where a policy is attached; the value is what it is called in an answer."""

    IDENTITY = "identity policy"
    RESOURCE = "resource policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE_CONTROL = "resource control policy"
    ENDPOINT = "endpoint policy"
    GRANT = "grant"


_WITH_PRINCIPAL: Final = frozenset({PolicyKind.RESOURCE, PolicyKind.RESOURCE_CONTROL, PolicyKind.ENDPOINT})


class Names(NamedTuple):
    """A list of names with wildcards and variables: fixed ones, and those that depend on the request."""

    everything: bool
    fixed: frozenset[str]
    patterns: tuple[Matcher, ...]
    templates: tuple[Template, ...] = ()

    def match(self, name: str, context: Context) -> Truth:
        """Whether any of the names fits."""
        if self.everything or name in self.fixed:
            return YES
        for fits in self.patterns:
            if fits(name):
                return YES
        found = NO
        for template in self.templates:
            pattern, guess = template.resolve(context)
            if pattern is not None and matcher(pattern)(name):
                if not guess:
                    return YES
                found = MAYBE
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One compiled statement."""

    index: int
    sid: str | None
    denies: bool
    actions: Names
    not_action: bool
    resources: Names | None
    """``None`` if the statement names none and means the resource that the policy is attached to."""
    not_resource: bool
    principal: PrincipalElement | None
    not_principal: bool
    tests: tuple[AnyTest, ...]

    def concerns(self, action: str) -> bool:
        """Whether it is about an action, in lower case."""
        return (action in self.actions.fixed or any(fits(action) for fits in self.actions.patterns)) != self.not_action

    def match(self, context: Context) -> Truth:
        """Whether resource and conditions fit; actions are asked for by :meth:`concerns`, principals by :meth:`grant`."""
        found = YES
        doubts = len(context.doubts)
        if self.resources is not None:
            found = self.resources.match(context.resource, context)
            if self.not_resource:
                found = negate(found)
        for test in self.tests:
            if found == NO:
                break
            found = min(found, test.holds(context))
        if found != MAYBE:
            del context.doubts[doubts:]
        return found

    def grant(self, context: Context) -> tuple[Grant, Truth]:
        """How closely the statement's principals name the requester, and whether that is known."""
        if self.principal is None:
            return Grant.DIRECT, YES
        who, values = context.requester, context.values
        if self.not_principal:
            if self.denies and context.bounded:
                # Documented: a denial by NotPrincipal always hits a principal with a permissions boundary.
                return Grant.DIRECT, YES
            if self.principal.exempts(who, values):
                return Grant.NONE, YES
            grant = Grant.DIRECT
        else:
            grant = self.principal.grant(who, values)
            if grant is not Grant.NONE:
                return grant, YES
        if gap := self.principal.may_mean(who):
            context.doubts.append(gap)
            return Grant.DIRECT, MAYBE
        return grant, YES


class Document:
    """A compiled policy document."""

    __slots__ = ("_by_action", "allows_anything", "statements")

    def __init__(self, statements: tuple[Statement, ...]) -> None:
        self.statements = statements
        self.allows_anything = any(not statement.denies for statement in statements)
        """Whether it has an ``Allow`` statement at all."""
        self._by_action: dict[str, tuple[Statement, ...]] = {}

    def about(self, action: str) -> tuple[Statement, ...]:
        """The statements about an action (in lower case): nothing else of a request decides that, so it is remembered."""
        found = self._by_action.get(action)
        if found is None:
            found = tuple(statement for statement in self.statements if statement.concerns(action))
            self._by_action[action] = found
        return found


class Policy(NamedTuple):
    """A policy document where it is attached."""

    document: Document
    kind: PolicyKind
    source: str
    """Where it comes from, for people: the input's field, or a construct path."""


def compile_policy(document: Any, kind: PolicyKind, source: str) -> Policy:
    """Read and check a document: an object, or its JSON text.

    Raises :class:`PolicyError` with every problem, each placed by ``source`` and the path within the document.
    Compiled documents are remembered by their content.
    """
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError as error:
            raise PolicyError([f"{source}: is no JSON ({error})"]) from None
    if not isinstance(document, Mapping):
        raise PolicyError([f"{source}: must be a policy document, not {document!r}"])
    try:
        text = _key(document)
    except ValueError:
        return compile_policy(json.dumps(document, default=_plain), kind, source)
    compiled, problems = _compile(text, kind)
    if problems or compiled is None:
        raise PolicyError([f"{source}{problem}" for problem in problems])
    return Policy(compiled, kind, source)


def _plain(value: Any) -> Any:
    """What is no JSON: other mappings, and values not known, of which ``shape`` is the text with gaps."""
    return dict(value) if isinstance(value, Mapping) else str(value.shape)


@lru_cache(maxsize=1 << 13)
def _compile(text: bytes, kind: PolicyKind) -> tuple[Document | None, tuple[str, ...]]:
    document: dict[str, Any] = marshal.loads(text)  # noqa: S302 - written by compile_policy a moment ago
    problems: list[str] = []
    for name in document:
        if name not in _DOCUMENT_ELEMENTS:
            problems.append(f".{name}: unknown element; a document has Version, Id and Statement")
    version = document.get("Version", VERSIONS[0])
    if version not in VERSIONS:
        problems.append(f".Version: must be {VERSIONS[1]} or {VERSIONS[0]}, not {version!r}")
    given = document.get("Statement")
    if given is None:
        problems.append(".Statement: is missing")
        given = []
    elif not isinstance(given, list | dict):
        problems.append(f".Statement: must be a statement or a list of statements, not {given!r}")
        given = []
    statements: list[Statement] = []
    for index, statement in enumerate(given if isinstance(given, list) else [given]):
        if isinstance(statement, dict):
            statements.append(
                _statement(statement, index, kind=kind, variables=version == VERSIONS[1], problems=problems)
            )
        else:
            problems.append(f".Statement[{index}]: must be an object, not {statement!r}")
    if problems:
        return None, tuple(problems)
    return Document(tuple(statements)), ()


def _statement(
    given: dict[str, Any], index: int, *, kind: PolicyKind, variables: bool, problems: list[str]
) -> Statement:
    place = f".Statement[{index}]"
    for name in given:
        if name not in _STATEMENT_ELEMENTS:
            problems.append(
                f"{place}.{name}: unknown element; a statement has {', '.join(sorted(_STATEMENT_ELEMENTS))}"
            )
    sid, effect = given.get("Sid"), given.get("Effect")
    if sid is not None and not isinstance(sid, str):
        problems.append(f"{place}.Sid: must be text, not {sid!r}")
    if effect not in ("Allow", "Deny"):
        problems.append(f"{place}.Effect: must be Allow or Deny, not {effect!r}")
    actions, not_action = _either(given, "Action", place, problems, required=True)
    resources, not_resource = _either(given, "Resource", place, problems, required=kind is not PolicyKind.RESOURCE)
    principal, not_principal = _principal(given, kind, place, problems)
    tests: tuple[AnyTest, ...] = ()
    if "Condition" in given:
        tests, wrong = _tests(_key(given["Condition"]), variables)
        problems += [f"{place}{problem}" for problem in wrong]
    return Statement(
        index=index,
        sid=sid,
        denies=effect == "Deny",
        actions=_actions(actions, f"{place}.{'NotAction' if not_action else 'Action'}", problems),
        not_action=not_action,
        resources=None
        if resources is None
        else _resources(resources, variables, f"{place}.{'NotResource' if not_resource else 'Resource'}", problems),
        not_resource=not_resource,
        principal=principal,
        not_principal=not_principal,
        tests=tests,
    )


def _key(element: Any) -> bytes:
    """An element's content as a key of the caches below: elements recur in many documents."""
    return marshal.dumps(element, _MARSHAL_WITHOUT_REFERENCES)


@lru_cache(maxsize=1 << 13)
def _tests(condition: bytes, variables: bool) -> tuple[tuple[AnyTest, ...], tuple[str, ...]]:
    problems: list[str] = []
    element = marshal.loads(condition)  # noqa: S302 - written by _key a moment ago
    return parse_condition(element, variables=variables, place=".Condition", problems=problems), tuple(problems)


@lru_cache(maxsize=1 << 13)
def _principals(principal: bytes) -> tuple[PrincipalElement, tuple[str, ...]]:
    problems: list[str] = []
    element = marshal.loads(principal)  # noqa: S302 - written by _key a moment ago
    return parse_element(element, "", problems), tuple(problems)


def _either(
    given: dict[str, Any], name: str, place: str, problems: list[str], *, required: bool
) -> tuple[list[str] | None, bool]:
    """The texts of an element or of its ``Not`` twin, and whether it was the twin."""
    both = [each for each in (name, f"Not{name}") if each in given]
    if len(both) > 1:
        problems.append(f"{place}: has both {name} and Not{name}; keep one")
    if not both:
        if required:
            problems.append(f"{place}: has neither {name} nor Not{name}")
        return None, False
    value = given[both[0]]
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        problems.append(f"{place}.{both[0]}: must be text or a list of texts, not {value!r}")
        texts = []
    elif not texts:
        problems.append(f"{place}.{both[0]}: is empty")
    return texts, both[0] != name


def _principal(
    given: dict[str, Any], kind: PolicyKind, place: str, problems: list[str]
) -> tuple[PrincipalElement | None, bool]:
    both = [name for name in ("Principal", "NotPrincipal") if name in given]
    if kind not in _WITH_PRINCIPAL:
        for name in both:
            problems.append(f"{place}.{name}: not allowed here, because the {kind} has its principal by being attached")
        return None, False
    if len(both) != 1:
        wrong = "has both Principal and NotPrincipal; keep one" if both else "has neither Principal nor NotPrincipal"
        problems.append(f"{place}: {wrong}")
        return None, False
    if kind is PolicyKind.RESOURCE_CONTROL and given.get("Principal") not in ("*", {"AWS": "*"}):
        problems.append(f'{place}.{both[0]}: a resource control policy must have "Principal": "*"')
    element, wrong_names = _principals(_key(given[both[0]]))
    problems += [f"{place}.{both[0]}{problem}" for problem in wrong_names]
    return element, both[0] == "NotPrincipal"


def _actions(texts: list[str] | None, place: str, problems: list[str]) -> Names:
    names, wrong = _action_names(tuple(texts or ()))
    problems += [f"{place}: {problem}" for problem in wrong]
    return names


@lru_cache(maxsize=1 << 13)
def _action_names(texts: tuple[str, ...]) -> tuple[Names, tuple[str, ...]]:
    wrong = tuple(
        f"{text!r} is no action; write service:Operation, such as s3:GetObject"
        for text in texts
        if text != "*" and not _ACTION.fullmatch(text)
    )
    return _names({pattern_of(text.lower()) for text in texts}, ()), wrong


def _resources(texts: list[str], variables: bool, place: str, problems: list[str]) -> Names:
    names: set[str] = set()
    templates: list[Template] = []
    for given in texts:
        # API Gateway completes this short form with the API that the policy is attached to.
        text = (
            given.replace("execute-api:/", "arn:*:execute-api:*:*:*/", 1)
            if given.startswith("execute-api:/")
            else given
        )
        if problem := _resource_problem(text, variables):
            problems.append(f"{place}: {given!r} {problem}")
        elif (variables and "${" in text) or GAP in text:
            try:
                parsed = parse(text, wildcards=True, variables=variables)
            except ValueError as error:
                problems.append(f"{place}: {given!r} {error}")
                continue
            if isinstance(parsed, Template):
                templates.append(parsed)
            else:
                names.add(parsed)
        else:
            names.add(pattern_of(text))
    return _names(names, tuple(templates))


def _resource_problem(text: str, variables: bool) -> str | None:
    if has_marks(text):
        return "has a control character"
    if GAP in text or (text.strip("*") == "" and text):
        return None
    fields = text.split(":", ARN_FIELDS - 1)
    if fields[0] not in ("arn", "arn*") and not text.startswith("*"):
        return "is no ARN; write arn:aws:service:region:account:resource or *"
    if len(fields) < ARN_FIELDS and not text.endswith("*") and "*" not in text:
        return "is no ARN: it has fewer than six fields"
    if variables and any("${" in field for field in fields[: ARN_FIELDS - 1]):
        return "has a policy variable before the fifth colon, where AWS puts no value in"
    return None


def _names(patterns: set[str], templates: tuple[Template, ...]) -> Names:
    fixed = frozenset(pattern for pattern in patterns if RUN not in pattern and ONE not in pattern)
    rest = sorted(patterns - fixed)
    return Names(
        everything=any(pattern.strip(RUN) == "" for pattern in rest),
        fixed=fixed,
        patterns=tuple(matcher(pattern) for pattern in rest),
        templates=templates,
    )
