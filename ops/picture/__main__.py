"""Draws the architecture from the synthesized assembly.

usage: python -m ops.picture [--assembly cdk.out] [--out docs/architecture.svg] [--check]       (make picture)

Writes the picture and, beside it, its source (.d2). --check writes nothing and says whether the source is up to date.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from assembly import AssemblyError, load
from ops.picture.diagram import diagram
from ops.places import ROOT, pinned_node


def main(arguments: list[str] | None = None) -> int:
    """Draw, or compare, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="make picture", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    parser.add_argument("--assembly", default="cdk.out", help="folder of the cloud assembly (default: cdk.out)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "architecture.svg", help="the picture to write")
    parser.add_argument("--check", action="store_true", help="only say whether the committed picture is up to date")
    options = parser.parse_args(arguments)
    source_file = options.out.with_suffix(".d2")
    try:
        source = diagram(load(options.assembly))
    except AssemblyError as error:
        print(f"picture: {error}", file=sys.stderr)
        return 1
    if options.check:
        if source_file.is_file() and source_file.read_text(encoding="utf-8") == source:
            return 0
        print(f'picture: {source_file} does not show this assembly any more. Run "make picture".', file=sys.stderr)
        return 1
    node = pinned_node()
    if node is None:
        print('picture: Node is not set up. Run "make setup".', file=sys.stderr)
        return 1
    drawn = subprocess.run(
        [str(node), str(Path(__file__).with_name("render.mjs"))],
        input=source.encode(),
        capture_output=True,
        check=False,
    )
    if drawn.returncode:
        reason = drawn.stderr.decode(errors="replace").strip().splitlines()
        print(f"picture: the renderer failed: {reason[-1] if reason else 'no reason given'}", file=sys.stderr)
        return 1
    options.out.write_bytes(drawn.stdout)
    source_file.write_text(source, encoding="utf-8")
    print(f"drew {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
