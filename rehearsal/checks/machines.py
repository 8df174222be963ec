"""State machines: what the service keeps of them, and whether the interpreter knows every word of them."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.checks import Resource, View, check, described
from rehearsal.state_machine import strange


def _machine(states: Any, resource: Resource, _view: View) -> Any:
    found = states.describe_state_machine(stateMachineArn=resource.id)
    return {**found, "Tags": states.list_tags_for_resource(resourceArn=resource.id)["tags"]}


described(
    "AWS::StepFunctions::StateMachine",
    "stepfunctions",
    _machine,
    rename={"DefinitionString": "definition", "StateMachineName": "name", "StateMachineType": "type"},
)


@check("AWS::StepFunctions::StateMachine", says="the interpreter knows every word of the definition")
def definition_is_known(resource: Resource, view: View) -> None:
    answer = view.client("stepfunctions", resource).describe_state_machine(stateMachineArn=resource.id)
    unknown = list(strange(json.loads(answer["definition"])))
    assert not unknown, f"{resource}: {'; '.join(unknown)}"
