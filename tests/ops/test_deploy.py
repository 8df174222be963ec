"""The CDK CLI's command to deploy."""

from __future__ import annotations

import pytest

from ops.deploy import deploy_command


def _value(command: list[str], option: str) -> str:
    return command[command.index(option) + 1]


@pytest.mark.parametrize(("ask", "approval", "concurrency"), [(True, "broadening", "1"), (False, "never", "4")])
def test_asks_only_while_one_stack_deploys(ask: bool, approval: str, concurrency: str) -> None:
    command = deploy_command(["dev-keys", "dev-network"], ask=ask)
    assert (_value(command, "--require-approval"), _value(command, "--concurrency")) == (approval, concurrency)
    assert command[-2:] == ["dev-keys", "dev-network"]
