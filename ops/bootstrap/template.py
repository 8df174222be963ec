"""The small CloudFormation template that goes into an account before ``cdk bootstrap``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assembly import Assembly, Stack
from ops.bootstrap.boundary import boundary
from ops.bootstrap.execution import execution_policies
from ops.places import OWNER_TAG

STACK = "palisade-bootstrap"


def boundary_name(assembly: Assembly) -> str:
    """The boundary that the assembly's roles carry, read from them.

    Raises:
        ValueError: the assembly has no role with a boundary.
    """
    for _, role in assembly.resources("AWS::IAM::Role"):
        named = role.properties.get("PermissionsBoundary")
        if named is not None:
            text = named if isinstance(named, str) else "".join(p for p in named["Fn::Join"][1] if isinstance(p, str))
            return text.rpartition("/")[2]
    raise ValueError(f"{assembly.directory}: no role carries a permissions boundary, so there is nothing to bootstrap.")


def template(assembly: Assembly, stacks: Sequence[Stack]) -> dict[str, Any]:
    """Boundary and execution policies of the account of ``stacks``, which must all be of one account."""
    name = boundary_name(assembly)
    prefix = name.removesuffix("-boundary")
    limits = _policy(name, "Bounds every role that a template makes", boundary(stacks))
    # Roles carry it, so it must outlive this stack. Execution policies must not: when templates shrink, so do they, and a
    # policy left behind would block the name when they grow again.
    resources: dict[str, Any] = {"Boundary": {**limits, "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}}
    for index, document in enumerate(execution_policies(stacks, boundary=name), start=1):
        resources[f"Execution{index}"] = _policy(
            f"{prefix}-execution-{index}", "What CloudFormation may do while it deploys", document
        )
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Palisade: limits of deployment and of every role in the account of {stacks[0].tags[OWNER_TAG]}",
        "Resources": resources,
        "Outputs": {
            "ExecutionPolicies": {
                "Value": {"Fn::Join": [",", [{"Ref": key} for key in resources if key.startswith("Execution")]]}
            }
        },
    }


def _policy(name: str, description: str, document: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"ManagedPolicyName": name, "Description": description, "PolicyDocument": document},
    }
