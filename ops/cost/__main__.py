"""Prints the fixed monthly price of each stage and account.

usage: python -m ops.cost [--assembly cdk.out] [--json]       (make cost)

Fixed is what is billed in a month in which nobody uses the deployment. What is billed by use is not in it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys

from assembly import AssemblyError, load
from ops.cost.prices import AS_OF, SHIELD_ADVANCED
from ops.cost.report import Report, report

SHOWN = 5


def main(arguments: list[str] | None = None) -> int:
    """Print the report and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="make cost", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    parser.add_argument("--assembly", default="cdk.out", help="folder of the cloud assembly (default: cdk.out)")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    options = parser.parse_args(arguments)
    try:
        result = report(load(options.assembly))
    except AssemblyError as error:
        print(f"cost: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(
            json.dumps(
                {**dataclasses.asdict(result), "as_of": AS_OF.isoformat(), "dollars": round(result.dollars, 2)},
                indent=2,
            )
        )
    else:
        _print(result)
    return 0


def _print(result: Report) -> None:
    print(f"fixed price a month in USD without tax, list prices recorded on {AS_OF}; use is billed on top")
    for bill in result.bills:
        print(f"\n{bill.owner:<24} {'account ' + ', '.join(bill.accounts):<28} {bill.dollars:>10,.2f}")
        for item in bill.items[:SHOWN]:
            print(f"  {item.count:>4} x {item.description:<44} {item.dollars:>10,.2f}")
        if bill.items[SHOWN:]:
            rest = sum(item.dollars for item in bill.items[SHOWN:])
            print(f"  {'':>4}   {', '.join(item.description for item in bill.items[SHOWN:])[:44]:<44} {rest:>10,.2f}")
    if result.shield_advanced:
        print(f"\n{'organization':<24} {'Shield Advanced, once for all accounts':<38} {SHIELD_ADVANCED:>10,.2f}")
    print(f"\n{'all together':<53} {result.dollars:>10,.2f}")
    for region in result.foreign_regions:
        print(
            f"warning: no prices for region {region}; Ireland's were used. Add it to ops/cost/prices.py.",
            file=sys.stderr,
        )
    for resource_type in result.unknown_types:
        print(
            f"warning: no price for {resource_type}; it counts as zero. Add it to PRICES or BY_USE in ops/cost/prices.py.",
            file=sys.stderr,
        )


if __name__ == "__main__":
    sys.exit(main())
