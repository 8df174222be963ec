"""What must hold of a whole template or of the whole assembly: sizes, exports, and an order in which to deploy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from assembly import Assembly, Stack
from gate.control import Finding
from gate.world import walk

MOST_RESOURCES = 500
MOST_BYTES = 1_000_000
MOST_OUTPUTS = 200
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""


def check(assembly: Assembly) -> list[Finding]:
    """Findings about templates as wholes."""
    return [
        *(finding for stack in assembly.stacks for finding in _sizes(stack)),
        *_exports(assembly),
        *_names(assembly),
        *(finding for stack in assembly.stacks for finding in _circles(stack)),
    ]


def _sizes(stack: Stack) -> Iterator[Finding]:
    for name, got, most in (
        ("resources", len(stack.resources), MOST_RESOURCES),
        ("bytes", stack.template_file.stat().st_size, MOST_BYTES),
        ("outputs", len(stack.outputs), MOST_OUTPUTS),
    ):
        if got > most:
            yield Finding(
                control="placement.template.size",
                where=stack.name,
                message=f"its template has {got} {name}; CloudFormation takes {most}",
                fix="Split the stack by lifecycle.",
            )


def _exports(assembly: Assembly) -> Iterator[Finding]:
    seen: dict[tuple[str, str, str], str] = {}
    for stack in assembly.stacks:
        for output in stack.outputs.values():
            if "Export" not in output:
                continue
            name = str(output["Export"]["Name"])
            place = (stack.account, stack.region, name)
            if place in seen:
                yield Finding(
                    control="placement.export.unique",
                    where=stack.name,
                    message=f"it exports {name}, as {seen[place]} does",
                    fix="Let CDK name exports.",
                )
            seen[place] = stack.name


def _names(assembly: Assembly) -> Iterator[Finding]:
    for stack in assembly.stacks:
        if len(stack.name) > 128:
            yield Finding(
                control="placement.stack.name",
                where=stack.name,
                message="its name is longer than 128",
                fix="Shorten it.",
            )


def _circles(stack: Stack) -> Iterator[Finding]:
    """Resources of one template that wait for each other. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html"""
    needs: dict[str, set[str]] = defaultdict(set)
    for logical_id, resource in stack.resources.items():
        depends = resource.definition.get("DependsOn", [])
        needs[logical_id].update([depends] if isinstance(depends, str) else depends)
        for node in walk(resource.properties):
            if isinstance(node, dict) and len(node) == 1:
                if isinstance(node.get("Ref"), str):
                    needs[logical_id].add(node["Ref"])
                elif "Fn::GetAtt" in node:
                    target = node["Fn::GetAtt"]
                    needs[logical_id].add(target.split(".")[0] if isinstance(target, str) else target[0])
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> list[str] | None:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done or name not in stack.resources:
            return None
        for other in sorted(needs[name]):
            found = visit(other, (*trail, name))
            if found is not None:
                return found
        done.add(name)
        return None

    for logical_id in stack.resources:
        circle = visit(logical_id, ())
        if circle is not None:
            yield Finding(
                control="placement.template.acyclic",
                where=stack.name,
                message=f"its resources wait for each other in a circle: {' -> '.join(circle)}",
                fix="Let one of them be made without the other: a rule or policy of its own breaks the circle.",
            )
            return
