"""Destroy: shows first, asks for the name, goes newest first, stops at the first failure."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from assembly import Assembly
from ops.destroy import delete, plan
from ops.places import OpsError, stacks_of


class _CloudFormation:
    """Records calls; refuses what its test says."""

    def __init__(self, *, missing: str = "", refusing: str = "") -> None:
        self.calls: list[tuple[str, str]] = []
        self._missing, self._refusing = missing, refusing

    def describe_stacks(self, StackName: str) -> None:  # noqa: N803 - boto3's own
        if StackName == self._missing:
            raise ClientError(
                {"Error": {"Code": "ValidationError", "Message": f"{StackName} does not exist"}}, "DescribeStacks"
            )

    def update_termination_protection(self, **request: Any) -> None:
        self.calls.append(("unprotect", request["StackName"]))

    def delete_stack(self, StackName: str) -> None:  # noqa: N803
        if StackName == self._refusing:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "in use"}}, "DeleteStack")
        self.calls.append(("delete", StackName))

    def get_waiter(self, _name: str) -> _CloudFormation:
        return self

    def wait(self, **_request: Any) -> None:
        pass


def test_lists_everything_that_stays(assembly: Assembly) -> None:
    stacks = stacks_of(assembly, "dev")
    text = "\n".join(plan(stacks))
    for stack in stacks:
        for resource in stack.resources.values():
            assert (resource.type != "AWS::KMS::Key") or f"stays: {resource}" in text


def test_deletes_newest_first_and_unprotects_just_before(assembly: Assembly) -> None:
    stacks = tuple(reversed(stacks_of(assembly, "dev")))
    cloudformation = _CloudFormation(missing=stacks[1].name)
    delete(stacks, lambda _region: cloudformation)
    expected = [(act, stack.name) for stack in stacks if stack is not stacks[1] for act in ("unprotect", "delete")]
    assert cloudformation.calls == expected


def test_stops_at_the_first_failure(assembly: Assembly) -> None:
    stacks = tuple(reversed(stacks_of(assembly, "dev")))
    cloudformation = _CloudFormation(refusing=stacks[1].name)
    with pytest.raises(OpsError, match=stacks[1].name):
        delete(stacks, lambda _region: cloudformation)
    assert ("delete", stacks[2].name) not in cloudformation.calls
