"""What docs/guardrails.md says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from assembly import Assembly, Resource, Stack

METADATA = "palisade:guardrails"
_QUOTAS = {
    "SERVICE_CONTROL_POLICY": (10_240, 10),
    "RESOURCE_CONTROL_POLICY": (5_120, 5),
    "DECLARATIVE_POLICY_EC2": (10_000, 10),
    "AISERVICES_OPT_OUT_POLICY": (2_500, 5),
}
"""Characters of a policy and policies of a target. AWS's own full-access policy is one of them in the first two.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"""
_OF_AWS = frozenset({"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"})
_HEAD = """\
<!-- Written by "make guardrails" from the synthesized templates; not for editing. -->
# Guardrails

What nobody in any account of the organization can do, whatever rights they have there. Organization policies only refuse:
rights are given elsewhere. They bind every account but the management account, and no service-linked role. *Service control*
policies bind who is in an account, *resource control* policies whoever asks for what is in it.

"""


def page(assembly: Assembly) -> str:
    """The page, or a sentence where there is no organization."""
    policies = list(assembly.resources("AWS::Organizations::Policy"))
    if not policies:
        return _HEAD + "This deployment has no organization.\n"
    return _HEAD + "\n".join((*_sizes(policies), "", *_guardrails(policies))) + "\n"


def _sizes(policies: list[tuple[Stack, Resource]]) -> Iterator[str]:
    yield "## Policies"
    yield ""
    yield "| policy | on | characters | of | policies there | of |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for stack, policy in policies:
        kind = str(policy.properties["Type"])
        characters, documents = _QUOTAS[kind]
        target = _target(stack, policy)
        beside = [
            other for place, other in policies if other.properties["Type"] == kind and _target(place, other) == target
        ]
        size = len(json.dumps(policy.properties["Content"], separators=(",", ":"), ensure_ascii=False))
        yield (
            f"| `{policy.properties['Name']}` | {target} | {size:,} | {characters:,} | "
            f"{len(beside) + (kind in _OF_AWS)} | {documents} |"
        )
    yield ""
    yield "Counted without white space, and with the policy of full access that AWS attaches itself."


def _guardrails(policies: list[tuple[Stack, Resource]]) -> Iterator[str]:
    told: dict[str, tuple[Mapping[str, Any], str, list[str]]] = {}
    for stack, policy in policies:
        for about in policy.definition.get("Metadata", {}).get(METADATA, []):
            kind = str(policy.properties["Type"]).removesuffix("_POLICY").replace("_", " ").lower()
            told.setdefault(about["name"], (about, kind, []))[2].append(_target(stack, policy))
    yield "## What each one stops"
    for name, (about, kind, targets) in told.items():
        yield ""
        yield f"### {name}"
        yield ""
        yield f"*{kind}, on {', '.join(dict.fromkeys(targets))}*"
        yield ""
        yield f"{about['stops']}"
        yield ""
        yield f"Exempt: {about['exempt']}"
        yield ""
        yield f"Source: <{about['source']}>"


def _target(stack: Stack, policy: Resource) -> str:
    """The root, or the name of the unit."""
    (target,) = policy.properties["TargetIds"]
    if isinstance(target, Mapping) and "Fn::GetAtt" in target:
        return str(stack.resources[target["Fn::GetAtt"][0]].properties["Name"])
    return "root" if str(target).startswith("r-") else str(target)
