"""Wildcard patterns of the policy language, compiled once and matched without regular expressions where possible.

A pattern is text in which two characters that no AWS name can hold stand for the wildcards. So a star that came out of
a policy variable, or was written as ``${*}``, stays an ordinary star.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

RUN: Final = "\x00"
"""Any run of characters, also none: ``*``."""
ONE: Final = "\x01"
"""Exactly one character: ``?``."""

GAP: Final = "<?>"
"""Stands in a policy's text for a part that is not known: what a template leaves to the deployment."""

Matcher = Callable[[str], bool]
ARN_FIELDS: Final = 6


def pattern_of(text: str) -> str:
    """The pattern that a policy's text means where wildcards are allowed."""
    return text.replace("*", RUN).replace("?", ONE)


def has_marks(text: str) -> bool:
    """Whether a text holds the characters that mark wildcards, which AWS allows in no policy and no name."""
    return RUN in text or ONE in text


@lru_cache(maxsize=1 << 16)
def matcher(pattern: str) -> Matcher:
    """A function that says whether a whole text fits the pattern; wildcards also cross ``:`` and ``/``.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    if ONE in pattern:
        expression = re.escape(pattern).replace(re.escape(RUN), ".*").replace(re.escape(ONE), ".")
        full_match = re.compile(expression, re.DOTALL).fullmatch
        return lambda text: full_match(text) is not None
    if RUN not in pattern:
        return lambda text: text == pattern
    first, *pieces, last = pattern.split(RUN)
    middle = tuple(piece for piece in pieces if piece)
    if not middle and not last:
        return (lambda text: text.startswith(first)) if first else (lambda _text: True)
    shortest = len(first) + len(last)

    def matches(text: str) -> bool:
        if len(text) < shortest or not text.startswith(first) or not text.endswith(last):
            return False
        position, end = len(first), len(text) - len(last)
        for piece in middle:
            found = text.find(piece, position, end)
            if found < 0:
                return False
            position = found + len(piece)
        return True

    return matches


@lru_cache(maxsize=1 << 14)
def arn_matcher(pattern: str) -> Matcher:
    """A function that compares an ARN field by field: a wildcard stays within its field, except in the last.

    A pattern that is one star fits every ARN. What is not an ARN fits none.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
    """
    if pattern.strip(RUN) == "" and pattern:
        return is_arn
    fields = pattern.split(":", ARN_FIELDS - 1)
    if len(fields) < ARN_FIELDS:
        return lambda _arn: False
    matchers = tuple(matcher(field) for field in fields)

    def matches(arn: str) -> bool:
        parts = arn.split(":", ARN_FIELDS - 1)
        return len(parts) == ARN_FIELDS and all(fits(part) for fits, part in zip(matchers, parts, strict=True))

    return matches


def is_arn(text: str) -> bool:
    """Whether the text has the six fields of an ARN."""
    return text.startswith("arn:") and text.count(":") >= ARN_FIELDS - 1
