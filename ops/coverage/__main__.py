"""Holds the assembly against AWS Foundational Security Best Practices and the CIS AWS Foundations Benchmark.

usage: python -m ops.coverage [--assembly cdk.out] [--out docs/coverage.md] [--json FILE] [--check]       (make coverage)

Writes the page. --check writes nothing and says whether the page is up to date.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import ops.coverage.checks  # noqa: F401  (registers the checks)
from assembly import Assembly, AssemblyError, load
from gate.acknowledgements import written
from gate.run import TAG, deployment_of
from ops.coverage import controls, page
from ops.coverage.judge import Case, Row, decide
from ops.places import ROOT
from stacks.configured import waivers
from stacks.settings import ConfigError


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or compare it, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="make coverage", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    parser.add_argument("--assembly", default="cdk.out", help="folder of the cloud assembly (default: cdk.out)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "coverage.md", help="the page to write")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as data, too")
    parser.add_argument("--check", action="store_true", help="only say whether the committed page is up to date")
    options = parser.parse_args(arguments)
    try:
        standards = controls.load()
        assembly = load(options.assembly)
        rows = decided(assembly, standards)
    except (AssemblyError, ConfigError, controls.ControlsError) as error:
        print(f"coverage: {error}", file=sys.stderr)
        return 2
    name = next((stack.tags[TAG] for stack in assembly.stacks if TAG in stack.tags), "(without a name)")
    text = page.page(standards, rows, name)
    if options.check:
        if options.out.is_file() and options.out.read_text(encoding="utf-8") == text:
            return 0
        print(f'coverage: {options.out} does not tell of this assembly any more. Run "make coverage".', file=sys.stderr)
        return 1
    options.out.write_text(text, encoding="utf-8")
    if options.json is not None:
        content = json.dumps(page.as_json(standards, rows, name), indent=1, ensure_ascii=False)
        options.json.write_text(content + "\n", encoding="utf-8")
    print(page.summary(standards, rows))
    print(f"coverage: wrote {options.out}")
    return 0


def decided(assembly: Assembly, standards: controls.Standards) -> dict[str, Row]:
    """Every control over the assembly, with this repository's waivers and the acknowledgements that the assembly holds.

    Raises:
        ConfigError: the configuration cannot be read.
    """
    case = Case(assembly, deployment=deployment_of(assembly), waivers=waivers(), acknowledged=written(assembly))
    return decide(case, standards)


if __name__ == "__main__":
    sys.exit(main())
