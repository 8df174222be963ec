"""Writes docs/guardrails.md from the synthesized assembly.

usage: python -m ops.guardrails [--assembly cdk.out] [--out docs/guardrails.md] [--check]       (make guardrails)

Each guardrail with what it stops, who is exempt and why, and each policy with its target and its size against the quota.
--check writes nothing and says whether the page is up to date.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from assembly import AssemblyError, load
from ops.guardrails.page import page
from ops.places import ROOT


def main(arguments: list[str] | None = None) -> int:
    """Write, or compare, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="make guardrails", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    parser.add_argument("--assembly", default="cdk.out", help="folder of the cloud assembly (default: cdk.out)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "guardrails.md", help="the page to write")
    parser.add_argument("--check", action="store_true", help="only say whether the committed page is up to date")
    options = parser.parse_args(arguments)
    try:
        text = page(load(options.assembly))
    except AssemblyError as error:
        print(f"guardrails: {error}", file=sys.stderr)
        return 1
    if not options.check:
        options.out.write_text(text, encoding="utf-8")
        print(f"wrote {options.out}")
        return 0
    if options.out.is_file() and options.out.read_text(encoding="utf-8") == text:
        return 0
    print(f'guardrails: {options.out} does not tell of this assembly any more. Run "make guardrails".', file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
