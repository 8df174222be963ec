"""Requests by chat: one door that can do nothing by itself, a worker that nobody reaches, and no way to speak as a session."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from app import build
from assembly import Assembly, Resource, Stack
from proofs.model import Model
from proofs.register.webhooks import signed
from stacks.settings import Chat, ChatPerson, ConfigError, Job, check
from stacks.synthesis import new_app
from tests.fixture_deployment import FIXTURE

CHAT = FIXTURE.chat
assert CHAT is not None


@pytest.fixture
def stack(assembly: Assembly) -> Stack:
    return assembly["security-chat"]


def _function(stack: Stack, handler: str) -> Resource:
    (found,) = [one for one in stack.resources.values() if one.properties.get("Handler") == f"{handler}.handler.handle"]
    return found


def _granted(stack: Stack, path: str) -> list[dict[str, Any]]:
    (policy,) = [
        one for one in stack.resources.values() if one.type == "AWS::IAM::ManagedPolicy" and f"/{path}/Role" in one.path
    ]
    return list(policy.properties["PolicyDocument"]["Statement"])


def test_the_door_reads_one_secret_records_and_enqueues_and_nothing_more(stack: Stack) -> None:
    actions = {
        action
        for statement in _granted(stack, "Receiver")
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert actions == {
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:PutObject",
        "secretsmanager:GetSecretValue",
        "sqs:SendMessage",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }


def test_the_worker_speaks_for_people_under_names_that_say_so_and_under_no_others(stack: Stack) -> None:
    (speak,) = [one for one in _granted(stack, "Worker") if one.get("Sid") == "Speak"]
    folder = f"arn:aws:s3:::acme-organization-decision-100000000002/{stack.account}"
    assert sorted(speak["Resource"]) == [
        f"{folder}/access-deeds/approve@*/chat:*.json",
        f"{folder}/access-deeds/deny@*/chat:*.json",
        f"{folder}/access-deeds/revoke@*/chat:*.json",
        f"{folder}/access/*/asked.json",
    ]


def test_the_archive_admits_the_chats_deeds_from_the_worker_alone(assembly: Assembly) -> None:
    (statement,) = [
        one
        for _, policy in assembly.resources("AWS::S3::BucketPolicy")
        for one in policy.properties["PolicyDocument"]["Statement"]
        if one.get("Sid") == "ChatPeopleWrite"
    ]
    assert statement["Condition"]["ArnEquals"] == {
        "aws:PrincipalArn": "arn:aws:iam::100000000003:role/acme-recorder-access-chat"
    }
    assert "/access-deeds/*/chat:*.json" in json.dumps(statement["Resource"])


def test_nothing_reaches_the_worker_but_its_queue(stack: Stack) -> None:
    worker, receiver = _function(stack, "answer_chat"), _function(stack, "receive_chat")
    permissions = [one for one in stack.resources.values() if one.type == "AWS::Lambda::Permission"]
    assert {json.dumps(one.properties["FunctionName"]) for one in permissions} == {
        json.dumps({"Fn::GetAtt": [receiver.logical_id, "Arn"]})
    }
    (mapping,) = [one for one in stack.resources.values() if one.type == "AWS::Lambda::EventSourceMapping"]
    assert mapping.properties["FunctionName"] == {"Ref": worker.logical_id}


def test_knows_each_person_by_one_name_and_approves_what_is_configured(stack: Stack) -> None:
    settings = _function(stack, "answer_chat").properties["Environment"]["Variables"]
    assert json.loads(settings["PEOPLE"]) == {"U0ADA": "ada@acme.example", "W0BEN": "ben@acme.example"}
    assert settings["LEVELS"] == "operator"
    assert settings["HOSTS"] == "hooks.slack.com hooks.acme.example"


def test_no_template_holds_the_secret(stack: Stack) -> None:
    (secret,) = [one for one in stack.resources.values() if one.type == "AWS::SecretsManager::Secret"]
    assert "SecretString" not in secret.properties
    assert secret.properties["KmsKeyId"]


def test_the_proof_knows_the_door_for_one_that_asks_for_a_signature(assembly: Assembly) -> None:
    model = Model(assembly)
    (method,) = [one for one in model.of("AWS::ApiGateway::Method") if one.path.startswith("security-chat/")]
    assert "believes what is signed with" in str(signed(model, method))


def test_nothing_of_it_is_there_unless_it_is_configured() -> None:
    app = new_app(context={"@aws-cdk/core:failSynthOnValidationErrors": False})
    names = {one.node.id for one in build(app, dataclasses.replace(FIXTURE, chat=None)).node.children}
    assert "security-access" in names
    assert "security-chat" not in names


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"host": "https://chat.example.com"}, "chat.host"),
        ({"hosted_zone_id": "zone"}, "chat.hosted_zone_id"),
        ({"workspace": "acme"}, "chat.workspace"),
        ({"people": ()}, "chat.people names 0"),
        ({"people": (ChatPerson(id="ada", name="ada@acme.example"),)}, r"chat.people\[0\].id"),
        ({"people": (ChatPerson(id="U0ADA", name="ada lovelace"),)}, r"chat.people\[0\].name"),
        (
            {"people": (ChatPerson(id="U0ADA", name="ada@a.example"), ChatPerson(id="U0ADB", name="Ada@a.example"))},
            "under two names",
        ),
        (
            {"people": (ChatPerson(id="U0ADA", name="ada@a.example"), ChatPerson(id="U0ADA", name="ben@a.example"))},
            "under two names",
        ),
        ({"answer_hosts": ()}, "chat.answer_hosts is empty"),
        ({"answer_hosts": ("https://hooks.slack.com",)}, "chat.answer_hosts"),
        ({"approvals": (Job.BILLING,)}, "chat.approvals names billing"),
    ],
)
def test_refuses_a_chat_that_cannot_work(changed: dict[str, Any], message: str) -> None:
    assert isinstance(CHAT, Chat)
    with pytest.raises(ConfigError, match=message):
        check(dataclasses.replace(FIXTURE, chat=dataclasses.replace(CHAT, **changed)))


def test_refuses_approvals_by_chat_of_what_enters_customers_data() -> None:
    assert isinstance(CHAT, Chat)
    chat = dataclasses.replace(CHAT, approvals=(Job.DATABASE,))
    app = new_app(context={"@aws-cdk/core:failSynthOnValidationErrors": False})
    with pytest.raises(ConfigError, match="customers' data"):
        build(app, dataclasses.replace(FIXTURE, chat=chat))
