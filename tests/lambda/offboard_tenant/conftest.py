"""The world of offboarding, with the deletions' machine as it is synthesized."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from assembly import Assembly
from tests.offboarding_world import CREDENTIALS, Archive, World


@pytest.fixture(scope="session")
def definition(assembly: Assembly) -> Mapping[str, Any]:
    """The synthesized definition, with its two functions called Clerk and Deleter."""
    (machine,) = (
        one for one in assembly["prod-offboarding"].resources.values() if one.type == "AWS::StepFunctions::StateMachine"
    )
    functions = {
        one.logical_id: one.path.split("/")[1]
        for one in assembly["prod-offboarding"].resources.values()
        if one.type == "AWS::Lambda::Function"
    }
    parts = machine.properties["DefinitionString"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else functions[part["Fn::GetAtt"][0]] for part in parts)
    found: Mapping[str, Any] = json.loads(text)
    return found


@pytest.fixture
def world(stage: Any, definition: Mapping[str, Any]) -> World:
    stage.dynamodb.create_table(
        TableName=CREDENTIALS,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("tenant", "entry")],
        KeySchema=[{"AttributeName": "tenant", "KeyType": "HASH"}, {"AttributeName": "entry", "KeyType": "RANGE"}],
    )
    return World(stage=stage, archive=Archive(clock=stage.clock), definition=definition)
