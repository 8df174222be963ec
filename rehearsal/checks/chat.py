"""Requests by chat, from what the chat signs to what is done in a person's name."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from rehearsal.checks import Resource, View, scenario

_SECRET = "a-secret-of-the-rehearsals-own-chat"  # noqa: S105 - the embedded AWS has no other chat


def _functions(view: View, source: str) -> list[tuple[Resource, Mapping[str, str]]]:
    return [
        (function, function.properties["Environment"]["Variables"])
        for function in view.of("AWS::Lambda::Function")
        if function.properties.get("Handler") == f"{source}.handler.handle"
    ]


@scenario(
    "a command that the chat signed is taken once; unsigned, altered, late, repeated or from elsewhere it is refused"
)
def commands_are_signed(view: View) -> None:
    for door, settings in _functions(view, "receive_chat"):
        view.client("secretsmanager", door).put_secret_value(SecretId=settings["SECRET_ARN"], SecretString=_SECRET)
        said = _said(settings["WORKSPACE"])
        command = _signed(said)
        assert _knock(view, door, command) == 200, "what the chat signed was refused"
        assert _knock(view, door, command) == 409, "it was taken twice"
        for title, refused, status in (
            ("with another secret", _signed(said, secret="another-secret-of-the-same-length"), 401),  # noqa: S106
            ("late", _signed(said, seconds=-301), 401),
            ("altered", {**_signed(said), "body": _said(settings["WORKSPACE"])}, 401),
            ("unsigned", {**_signed(said), "headers": {}}, 401),
            ("of another workspace", _signed(_said("TELSEWHERE")), 403),
        ):
            assert _knock(view, door, refused) == status, f"{title} it was taken"


@scenario("what a known person asks for by chat is on record in that person's name, what a stranger asks for is not")
def commands_are_done_in_ones_name(view: View) -> None:
    for worker, settings in _functions(view, "answer_chat"):
        user, person = next(iter(json.loads(settings["PEOPLE"]).items()))
        bucket = next(one for one in view.of("AWS::S3::Bucket") if one.id == settings["RECORD_BUCKET"])
        s3 = view.client("s3", bucket)
        for speaker, known in ((user, True), ("USTRANGER", False)):
            identity = f"{time.strftime('%Y%m%d', time.gmtime())}-{uuid.uuid4().hex[:10]}"
            message = {
                "id": identity,
                "user": speaker,
                "text": "request nowhere operator 203.0.113.4 2h a rehearsal of the chat",
                # No host of the list: whatever is done, nothing may leave the machine.
                "answer": "https://elsewhere.example/hook",
                "at": "",
            }
            event = {"Records": [{"messageId": identity, "body": json.dumps(message)}]}
            answer = _ask(view, worker, event)
            prefix = f"{worker.account}/{settings['RECORD_WORKFLOW']}/{identity}/asked"
            found = s3.list_objects_v2(Bucket=bucket.id, Prefix=prefix).get("Contents", [])
            assert bool(found) is known, answer
            if known:
                record = json.loads(s3.get_object(Bucket=bucket.id, Key=found[0]["Key"])["Body"].read())
                assert (record["by"], record["through"]) == (person, "chat"), record
            else:
                assert answer == {"batchItemFailures": []}, answer


def _said(workspace: str) -> str:
    return urlencode(
        {
            "team_id": workspace,
            "user_id": "USTRANGER",
            "text": f"show {uuid.uuid4().hex}",
            "response_url": "https://elsewhere.example/hook",
        }
    )


def _signed(body: str, *, secret: str = _SECRET, seconds: int = 0) -> dict[str, Any]:
    at = int(time.time()) + seconds
    digest = hmac.new(secret.encode(), f"v0:{at}:{body}".encode(), hashlib.sha256).hexdigest()
    return {"headers": {"X-Slack-Request-Timestamp": str(at), "X-Slack-Signature": f"v0={digest}"}, "body": body}


def _knock(view: View, door: Resource, command: Mapping[str, Any]) -> int:
    event = {**command, "isBase64Encoded": False, "requestContext": {"requestId": "rehearsal"}}
    return int(_ask(view, door, event)["statusCode"])


def _ask(view: View, function: Resource, event: Mapping[str, Any]) -> dict[str, Any]:
    answer = view.client("lambda", function).invoke(FunctionName=function.id, Payload=json.dumps(event).encode())
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    return said
