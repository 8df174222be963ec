"""The ledger of stateful resources: what CloudFormation knows them by. A changed line means lost data.

CloudFormation finds a resource again by its stack and logical id alone. If either changes, or a name or another property
that cannot be updated in place, it makes a new, empty one. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from __future__ import annotations

from pathlib import Path

from assembly import Assembly
from gate.control import Finding
from gate.invariants.data import STATEFUL
from gate.world import NAMED_BY, Scope, World

FILE = Path(__file__).parent / "ledger.txt"
_NAME_AT = {**NAMED_BY, "AWS::RDS::DBInstance": "DBInstanceIdentifier"}
_HEADER = """\
# Stateful resources of the fixture deployment: type, stack, logical id, physical name ("-" where AWS makes one up).
# A line that changes or goes means that CloudFormation makes a new, empty resource and forgets the old one.
# If you mean it: migrate the data, then "make ledger".
"""


def entries(assembly: Assembly) -> list[str]:
    """One line for each stateful resource."""
    world = World(assembly, Scope(accounts=frozenset(), regions=frozenset()))
    lines = []
    for stack, resource in assembly.resources(*STATEFUL):
        name = resource.properties.get(_NAME_AT.get(resource.type, ""))
        text = "-" if name is None else world.text(name, resource)
        lines.append(f"{resource.type}  {stack.name}  {resource.logical_id}  {text}")
    return sorted(lines)


def write(assembly: Assembly, file: Path = FILE) -> None:
    """Write the ledger anew."""
    file.write_text(_HEADER + "\n".join(entries(assembly)) + "\n", encoding="utf-8")


def check(assembly: Assembly, file: Path = FILE) -> list[Finding]:
    """A finding for each line that went, changed or came without being written down."""
    known = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    now = entries(assembly)
    gone = [line for line in known if line not in set(now)]
    new = [line for line in now if line not in set(known)]
    return [
        *(
            Finding(
                control="data.ledger.unchanged",
                where=" ".join(line.split("  ")[1:3]),
                message=f"{line.split('  ')[0]} {line.split('  ')[3]} has gone or changed: deploying this makes an empty one "
                "and forgets the old one with its data",
                fix='Keep its construct path and name. If you mean it: move the data first, then "make ledger".',
            )
            for line in gone
        ),
        *(
            Finding(
                control="data.ledger.complete",
                where=" ".join(line.split("  ")[1:3]),
                message=f"{line.split('  ')[0]} {line.split('  ')[3]} is not in the ledger",
                fix='If it is new, "make ledger" writes it down.',
            )
            for line in new
        ),
    ]
