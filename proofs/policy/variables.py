"""Policy variables: ``${aws:username}``, defaults such as ``${aws:PrincipalTag/team, 'all'}``, and ``${*}``.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proofs.policy.patterns import GAP, RUN, has_marks, pattern_of

if TYPE_CHECKING:
    from proofs.policy.context import Context

_VARIABLE: Final = re.compile(r"\$\{(?:([*?$])|\s*([^\s{},'*?$][^{},']*?)\s*(?:,\s*'([^']*)'\s*)?)\}")


@dataclass(frozen=True, slots=True)
class Variable:
    """A key of the request whose value is put in place, and the text to put there if it has none."""

    key: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of a policy value that is not known."""

    text: str
    """The whole value, to be named when the gap matters."""


@dataclass(frozen=True, slots=True)
class Template:
    """A policy value with variables or gaps in it: pieces of pattern and these, in order."""

    pieces: tuple[str | Variable | Gap, ...]

    def resolve(self, context: Context) -> tuple[str | None, bool]:
        """The pattern for this request, and whether it is a guess.

        ``None`` if a variable has no value: nothing equals it and nothing is like it. A key with several values cannot
        be a variable. A value not known yet becomes a run of anything, and the answer a guess: what does not even fit
        that certainly does not fit.
        """
        resolved: list[str] = []
        guess = False
        for piece in self.pieces:
            if isinstance(piece, str):
                resolved.append(piece)
                continue
            if isinstance(piece, Gap):
                guess = True
                context.doubts.append(piece.text)
                resolved.append(RUN)
                continue
            values = context.values.get(piece.key)
            if values is None or len(values) == 0:
                if piece.default is None:
                    return None, guess
                resolved.append(piece.default)
            elif isinstance(values, tuple):
                if len(values) > 1 or has_marks(values[0]):
                    return None, guess
                resolved.append(values[0])
            else:
                guess = True
                context.doubts.append(piece.key)
                resolved.append(RUN)
        return "".join(resolved), guess


def parse(text: str, *, wildcards: bool, variables: bool, fold: bool = False) -> Template | str:
    """The pattern in a policy value, or the template if the value holds variables or gaps.

    ``wildcards`` says whether ``*`` and ``?`` outside variables are wildcards, ``variables`` whether the version of the
    policy has variables, ``fold`` whether case is ignored.
    Raises ``ValueError`` if a ``${`` begins no valid variable.
    """
    pieces: list[str | Variable | Gap] = []
    for number, part in enumerate(text.split(GAP)):
        if number:
            pieces.append(Gap(text))
        pieces += _pieces(part, wildcards) if variables else [pattern_of(part) if wildcards else part]
    if fold:
        pieces = [piece.lower() if isinstance(piece, str) else piece for piece in pieces]
    if len(pieces) == 1 and isinstance(pieces[0], str):
        return pieces[0]
    return Template(tuple(piece for piece in pieces if piece != ""))


def _pieces(text: str, wildcards: bool) -> list[str | Variable]:
    pieces: list[str | Variable] = []
    literal = ""
    position = 0
    for found in _VARIABLE.finditer(text):
        literal += _plain(text[position : found.start()], wildcards)
        position = found.end()
        character, key, default = found.groups()
        if character:
            literal += character
        else:
            pieces += [literal, Variable(key.lower(), default)]
            literal = ""
    return [*pieces, literal + _plain(text[position:], wildcards)]


def _plain(text: str, wildcards: bool) -> str:
    if "${" in text:
        raise ValueError("has a ${ that begins no policy variable; write ${key}, ${key, 'default'}, ${*}, ${?} or ${$}")
    return pattern_of(text) if wildcards else text
