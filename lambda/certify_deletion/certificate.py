"""What a deleted tenant's owner is handed: what there was, what is left, and what is kept elsewhere until when."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What still holds something of a tenant for ``days`` after its deletion, and why that cannot be deleted from."""

    what: str
    days: int
    why: str


def certificate(
    *,
    where: Mapping[str, str],
    tenant: str,
    request: str,
    basis: Mapping[str, Any],
    closed_at: datetime,
    at: datetime,
    found: Mapping[str, int],
    left: Mapping[str, int],
    backups: Sequence[Kept],
    logs: Sequence[Kept],
) -> dict[str, Any]:
    """The certificate as JSON; ``where`` names deployment, stage and account, ``basis`` why it was deleted.

    Raises:
        ValueError: something is left, or a store was not counted.
    """
    if any(left.values()) or set(found) != set(left):
        raise ValueError(f"not deleted: {dict(left)} of {dict(found)} is left")
    return {
        "title": "Certificate of deletion",
        **where,
        "tenant": tenant,
        "request": request,
        "basis": dict(basis),
        "closed_at": _text(closed_at),
        "deleted_at": _text(at),
        "stores": [{"store": store, "deleted": found[store], "left": left[store]} for store in sorted(found)],
        "backups": [_until(kept, at) for kept in backups],
        "logs": [_until(kept, at) for kept in logs],
        "kept": "The tenant's name, the dates of its contract, this certificate, and who asked for and released what.",
    }


def digest(made: Mapping[str, Any]) -> str:
    """SHA-256 of the certificate's canonical JSON."""
    text = json.dumps(made, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def markdown(made: Mapping[str, Any]) -> str:
    """The same for people; every number and date of it is the JSON's."""
    return "\n".join(_lines(made)) + "\n"


def _lines(made: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {made['title']}"
    yield ""
    yield f"All data of the tenant **{made['tenant']}** in {made['deployment']} ({made['stage']}, account {made['account']})"
    yield f"was deleted by {made['deleted_at']}; nothing could be written since {made['closed_at']}."
    yield ""
    basis = (f"{name.replace('_', ' ')} {_said(value)}" for name, value in sorted(made["basis"].items()))
    yield f"Request {made['request']}: {', '.join(basis)}."
    yield ""
    yield "| store | deleted | left |"
    yield "| --- | ---: | ---: |"
    yield from (f"| {one['store']} | {one['deleted']} | {one['left']} |" for one in made["stores"])
    for name, title in (("backups", "Backups that cannot be changed"), ("logs", "Logs that cannot be changed")):
        yield ""
        yield f"## {title}"
        yield ""
        yield "| what | gone by | why not now |"
        yield "| --- | --- | --- |"
        yield from (f"| {one['what']} | {one['until']} | {one['why']} |" for one in made[name])
    yield ""
    yield f"Kept: {made['kept']}"
    yield ""
    yield f"SHA-256 of the certificate's JSON: {digest(made)}"


def _said(value: object) -> str:
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)


def _until(kept: Kept, at: datetime) -> dict[str, str]:
    # A day more: what was taken just before the end, and midnights.
    return {"what": kept.what, "until": (at + timedelta(days=kept.days + 1)).date().isoformat(), "why": kept.why}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
