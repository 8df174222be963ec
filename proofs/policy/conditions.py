"""The ``Condition`` element: every operator, set qualifiers, IfExists, Null, missing keys and unknown values.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import base64
import binascii
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from proofs.policy.context import Context, Unknown
from proofs.policy.patterns import GAP, ONE, RUN, Matcher, arn_matcher, has_marks, is_arn, matcher, pattern_of
from proofs.policy.truth import MAYBE, NO, YES, Truth, negate, truth
from proofs.policy.variables import Template, parse

ALL: Final = "ForAllValues"
ANY: Final = "ForAnyValue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One key compared by one operator with the values of the policy."""

    key: str
    """In lower case."""
    fits: Matcher
    """Whether a value fits any of the policy's fixed values."""
    templates: tuple[Template, ...]
    compile: Callable[[str], Matcher]
    """Makes the matcher of a resolved template."""
    fold: bool
    negated: bool
    qualifier: str | None
    if_exists: bool

    def holds(self, context: Context) -> Truth:
        """Whether the request passes."""
        values = context.values.get(self.key)
        if isinstance(values, Unknown):
            context.doubts.append(self.key)
            return MAYBE
        if not values:
            return truth(self._passes_without_value())
        if self.qualifier is None:
            found = max(self._one(value, context) for value in values)
            return negate(found) if self.negated else found
        if values == ("",):
            # "a null dataset, such as an empty string": the set of values is empty.
            return truth(self.qualifier == ALL)
        each = [negate(self._one(value, context)) if self.negated else self._one(value, context) for value in values]
        return min(each) if self.qualifier == ALL else max(each)

    def _passes_without_value(self) -> bool:
        if self.if_exists or self.qualifier == ALL:
            return True
        return self.negated and self.qualifier is None

    def _one(self, value: str, context: Context) -> Truth:
        if self.fold:
            value = value.lower()
        if self.fits(value):
            return YES
        found = NO
        for template in self.templates:
            pattern, guess = template.resolve(context)
            if pattern is None:
                continue
            if self.compile(pattern.lower() if self.fold else pattern)(value):
                if not guess:
                    return YES
                found = MAYBE
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class NullTest:
    """Whether a key has no value (``true``) or has one (``false``)."""

    key: str
    wanted: frozenset[bool]

    def holds(self, context: Context) -> Truth:
        """Whether the request passes."""
        values = context.values.get(self.key)
        if isinstance(values, Unknown) and not values.present:
            if len(self.wanted) > 1:
                return YES
            context.doubts.append(self.key)
            return MAYBE
        return truth((not values) in self.wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTest:
    """A test by a value of the policy that is not known."""

    text: str

    def holds(self, context: Context) -> Truth:
        """Maybe, always."""
        context.doubts.append(self.text)
        return MAYBE


AnyTest = Test | NullTest | OpenTest


@dataclass(frozen=True, slots=True)
class _Family:
    """How the operators of one family read and compare values."""

    read: Callable[[list[str]], Matcher]
    """Reads fixed values of the policy; raises ``ValueError`` for one it cannot read."""
    compile: Callable[[str], Matcher] | None = None
    """Makes the matcher of one pattern, for families that take policy variables."""
    wildcards: bool = False
    fold: bool = False


@dataclass(frozen=True, slots=True)
class _Operator:
    """An operator as a policy writes it."""

    family: _Family
    negated: bool
    qualifier: str | None
    if_exists: bool


def _literals(values: list[str]) -> Matcher:
    return frozenset(values).__contains__


def _patterns(values: list[str]) -> Matcher:
    return _any_of([matcher(value) for value in values])


def _arns(values: list[str]) -> Matcher:
    for value in values:
        visible = value.replace(RUN, "*").replace(ONE, "?")
        if not is_arn(visible) and visible.strip("*"):
            raise ValueError(f"{visible!r} is no ARN")
    return _any_of([arn_matcher(value) for value in values])


def _booleans(values: list[str]) -> Matcher:
    for value in values:
        if value not in ("true", "false"):
            raise ValueError(f"{value!r} is neither true nor false")
    return _literals(values)


def _any_of(matchers: list[Matcher]) -> Matcher:
    if len(matchers) == 1:
        return matchers[0]
    return lambda value: any(fits(value) for fits in matchers)


def _ordered(read: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Callable[[list[str]], Matcher]:
    def compile_(values: list[str]) -> Matcher:
        wanted = [read(value) for value in values]

        def fits(value: str) -> bool:
            try:
                given = read(value)
            except ValueError:
                return False
            return any(compare(given, each) for each in wanted)

        return fits

    return compile_


@lru_cache(maxsize=1 << 12)
def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError(f"{text!r} is no number")
    return number


_EPOCH: Final = re.compile(r"(?!\d{4}$)-?\d+(\.\d+)?")
"""Seconds since 1970; four digits alone are a year."""
_DATE: Final = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?", re.IGNORECASE
)


@lru_cache(maxsize=1 << 12)
def _instant(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 date as W3C profiles it, or of epoch seconds; without zone it is UTC."""
    if _EPOCH.fullmatch(text):
        return float(text)
    found = _DATE.fullmatch(text)
    try:
        if not found:
            raise ValueError
        year, month, day, hour, minute, second, zone = found.groups()
        moment = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        raise ValueError(f"{text!r} is no date such as 2026-01-31T00:00:00Z, nor seconds since 1970") from None
    fraction = float("0." + text.split(".", 1)[1].rstrip("Zz").split("+")[0].split("-")[0]) if "." in text else 0.0
    offset = 0
    if zone and zone not in ("Z", "z"):
        offset = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
        offset = -offset if zone[0] == "-" else offset
    return moment.timestamp() + fraction - offset


@lru_cache(maxsize=1 << 12)
def _address(text: str) -> IPv4Address | IPv6Address:
    return ip_address(text)


def _networks(values: list[str]) -> Matcher:
    networks: list[IPv4Network | IPv6Network] = []
    for value in values:
        try:
            networks.append(ip_network(value, strict=False))
        except ValueError:
            raise ValueError(f"{value!r} is no address or CIDR range") from None

    def fits(value: str) -> bool:
        try:
            address = _address(value)
        except ValueError:
            return False
        return any(address in network for network in networks)

    return fits


def _binary(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{text!r} is not base64") from None


_EXACT: Final = _Family(_literals, matcher)
_FOLDED: Final = _Family(_literals, matcher, fold=True)
_LIKE: Final = _Family(_patterns, matcher, wildcards=True)
_ARN: Final = _Family(_arns, arn_matcher, wildcards=True)
_BOOL: Final = _Family(_booleans, matcher, fold=True)
_IP: Final = _Family(_networks)
_NULL: Final = _Family(_booleans)

_OPERATORS: Final[dict[str, tuple[str, _Family, bool]]] = {
    name.lower(): (name, family, negated)
    for name, family, negated in [
        ("StringEquals", _EXACT, False),
        ("StringNotEquals", _EXACT, True),
        ("StringEqualsIgnoreCase", _FOLDED, False),
        ("StringNotEqualsIgnoreCase", _FOLDED, True),
        ("StringLike", _LIKE, False),
        ("StringNotLike", _LIKE, True),
        ("NumericEquals", _Family(_ordered(_number, operator.eq)), False),
        ("NumericNotEquals", _Family(_ordered(_number, operator.eq)), True),
        ("NumericLessThan", _Family(_ordered(_number, operator.lt)), False),
        ("NumericLessThanEquals", _Family(_ordered(_number, operator.le)), False),
        ("NumericGreaterThan", _Family(_ordered(_number, operator.gt)), False),
        ("NumericGreaterThanEquals", _Family(_ordered(_number, operator.ge)), False),
        ("DateEquals", _Family(_ordered(_instant, operator.eq)), False),
        ("DateNotEquals", _Family(_ordered(_instant, operator.eq)), True),
        ("DateLessThan", _Family(_ordered(_instant, operator.lt)), False),
        ("DateLessThanEquals", _Family(_ordered(_instant, operator.le)), False),
        ("DateGreaterThan", _Family(_ordered(_instant, operator.gt)), False),
        ("DateGreaterThanEquals", _Family(_ordered(_instant, operator.ge)), False),
        ("Bool", _BOOL, False),
        ("BinaryEquals", _Family(_ordered(_binary, operator.eq)), False),
        ("IpAddress", _IP, False),
        ("NotIpAddress", _IP, True),
        ("ArnEquals", _ARN, False),
        ("ArnLike", _ARN, False),
        ("ArnNotEquals", _ARN, True),
        ("ArnNotLike", _ARN, True),
        ("Null", _NULL, False),
    ]
}
OPERATORS: Final = tuple(name for name, _, _ in _OPERATORS.values())
_QUALIFIERS: Final = {"": None, ALL.lower(): ALL, ANY.lower(): ANY}


def parse_condition(element: Any, *, variables: bool, place: str, problems: list[str]) -> tuple[AnyTest, ...]:
    """Read a ``Condition`` element; what is wrong goes to ``problems``."""
    tests: list[AnyTest] = []
    if not isinstance(element, Mapping):
        problems.append(f"{place}: must be an object of operators, not {element!r}")
        return ()
    for name, block in element.items():
        here = f"{place}.{name}"
        if not isinstance(block, Mapping):
            problems.append(f"{here}: must be an object of keys and values, not {block!r}")
            continue
        used = _operator(name)
        if used is None:
            problems.append(f"{here}: unknown operator{_hint(name)}")
            continue
        for key, given in block.items():
            values = _values(given, f"{here}.{key}", problems)
            try:
                if values is None:
                    continue
                if used.family.compile is None and any(GAP in value for value in values):
                    tests.append(OpenTest(text=f"{key} {name} {', '.join(values)}"))
                elif used.family is _NULL:
                    tests.append(NullTest(key=key.lower(), wanted=frozenset(_null(value) for value in values)))
                else:
                    tests.append(_test(key, values, used, variables=variables))
            except ValueError as error:
                problems.append(f"{here}.{key}: {error}")
    return tuple(tests)


def _operator(name: str) -> _Operator | None:
    qualifier, _, base = name.lower().rpartition(":")
    if_exists = base.endswith("ifexists")
    found = _OPERATORS.get(base.removesuffix("ifexists"))
    if found is None or qualifier not in _QUALIFIERS or (if_exists and found[1] is _NULL):
        return None
    return _Operator(found[1], found[2], _QUALIFIERS[qualifier], if_exists)


def _test(key: str, values: list[str], used: _Operator, *, variables: bool) -> Test:
    family = used.family
    fixed: list[str] = []
    templates: list[Template] = []
    for value in values:
        pattern = _pattern(value, family, variables) if family.compile else value
        if isinstance(pattern, Template):
            templates.append(pattern)
        else:
            fixed.append(pattern)
    return Test(
        key=key.lower(),
        fits=family.read(fixed) if fixed else _nothing,
        templates=tuple(templates),
        compile=family.compile or matcher,
        fold=family.fold,
        negated=used.negated,
        qualifier=used.qualifier,
        if_exists=used.if_exists,
    )


def _pattern(value: str, family: _Family, variables: bool) -> str | Template:
    if (variables and "${" in value) or GAP in value:
        return parse(value, wildcards=family.wildcards, variables=variables, fold=family.fold)
    if family.wildcards:
        return pattern_of(value)
    return value.lower() if family.fold else value


def _nothing(_value: str) -> bool:
    return False


def _null(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise ValueError(f"{value!r} is neither true nor false")
    return value.lower() == "true"


def _values(given: Any, place: str, problems: list[str]) -> list[str] | None:
    values: list[str] = []
    for value in given if isinstance(given, list) else [given]:
        if isinstance(value, bool):
            values.append("true" if value else "false")
        elif isinstance(value, str | int | float) and not has_marks(str(value)):
            values.append(str(value))
        else:
            problems.append(f"{place}: must be text, a number, true, false or a list of these, not {value!r}")
            return None
    return values


def _hint(name: str) -> str:
    near = get_close_matches(name.rpartition(":")[2].removesuffix("IfExists"), OPERATORS, n=1)
    return f"; did you mean {near[0]}?" if near else f"; operators are {', '.join(OPERATORS)}"
