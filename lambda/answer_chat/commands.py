"""What somebody may say in the chat, and what it means. One clear answer for everything else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

DEEDS = ("approve", "deny", "revoke")
LOOKS = ("show", "list")
HELP = (
    "`request STAGE LEVEL ADDRESS TIME [for=CUSTOMER,CUSTOMER] REASON`, such as `request live operator 203.0.113.4 2h a queue is "
    "stuck`\n`approve ID`, `deny ID`, `revoke ID`, `show ID`, `list`"
)
_ID = re.compile(r"20[0-9]{6}-[0-9a-f]{10}")
_TIME = re.compile(r"([1-9][0-9]{0,3})(m|h)")


class UnclearError(Exception):
    """Nobody can tell what was meant; the message says what to write."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """``verb`` with the request it is about (empty for a new one), and what is asked for."""

    verb: str
    request: str = ""
    wish: Mapping[str, object] = field(default_factory=dict)


def parse(text: str) -> Command:
    """The command in ``text``.

    Raises:
        UnclearError: it is none.
    """
    verb, *rest = text.split() or [""]
    verb = verb.lower()
    if verb == "request":
        return Command(verb=verb, wish=_wish(rest))
    if verb == "list" and not rest:
        return Command(verb=verb)
    if verb in (*DEEDS, "show"):
        if len(rest) != 1 or not _ID.fullmatch(rest[0]):
            raise UnclearError(f"`{verb}` takes the id of a request, such as `{verb} 20260302-0123456789`.")
        return Command(verb=verb, request=rest[0])
    raise UnclearError(f"Say one of:\n{HELP}")


def _wish(words: list[str]) -> dict[str, object]:
    if len(words) < 5:
        raise UnclearError(f"A request names stage, level, address, time and reason:\n{HELP}")
    stage, level, address, time, *reason = words
    found = _TIME.fullmatch(time)
    if found is None:
        raise UnclearError("The time is minutes or hours, such as `90m` or `2h`.")
    tenants: list[str] = []
    if reason[0].startswith("for="):
        tenants = [one for one in reason.pop(0).removeprefix("for=").split(",") if one]
    return {
        "stage": stage,
        "level": level,
        "address": address,
        "minutes": int(found[1]) * (60 if found[2] == "h" else 1),
        "tenants": tenants,
        "reason": " ".join(reason),
        "on_call": False,
    }
