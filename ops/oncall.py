"""Shows who is on call, now or at any moment, and who follows.

usage: ./palisade oncall [--at WHEN] [--weeks N] [--json]

WHEN is a moment such as 2026-10-25T01:30Z; without a zone it is meant in the rotation's. It is reckoned from config/ alone:
no credentials are needed.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "lambda"))

from palisade_runtime.incidents.on_call import Rotation, schedule  # noqa: E402

from ops.configured import deployment_of  # noqa: E402
from ops.places import OpsError  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Print who is on call and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        rotation = Rotation.read(deployment_of(options.deployment).on_call.written)
        at = _moment(options.at, ZoneInfo(rotation.zone))
    except OpsError as error:
        print(f"oncall: {error}", file=sys.stderr)
        return 2
    zone = ZoneInfo(rotation.zone)
    now, following = rotation.on_call(at), rotation.after(rotation.on_call(at), at)
    weeks = [
        (begins.astimezone(zone).isoformat(timespec="minutes"), who)
        for begins, who in schedule(rotation, at, options.weeks)
    ]
    covers = [
        (cover.begins.isoformat(timespec="minutes"), cover.ends.isoformat(timespec="minutes"), cover.person)
        for cover in rotation.covers
    ]
    if options.json:
        print(json.dumps({"at": at.isoformat(), "on_call": now, "next": following, "weeks": weeks, "covers": covers}))
        return 0
    print(f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}   on call: {now}   if {now} does not answer: {following}")
    print(f"P0 calls everybody: {', '.join(rotation.everyone)}\n")
    for begins, who in weeks:
        print(f"  from {begins}   {who}")
    for begins, ends, who in covers:
        print(f"  {begins} to {ends}   {who} covers")
    return 0


def _moment(text: str | None, zone: ZoneInfo) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise OpsError(f"--at {text}: must be a moment. Write it like 2026-10-25T01:30Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _parser() -> argparse.ArgumentParser:
    assert __doc__
    parser = argparse.ArgumentParser(
        prog="palisade oncall", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    parser.add_argument("--deployment", default="reference", help="config/<name>.py (default: reference)")
    parser.add_argument("--at", metavar="WHEN", help="the moment to ask about (default: now)")
    parser.add_argument("--weeks", type=int, default=4, choices=range(1, 53), metavar="N", help="1 to 52 (default: 4)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser
