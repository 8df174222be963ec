"""The only function that the internet reaches here: it checks, records once, enqueues, and answers within three seconds.

It decides nothing: who asks and what becomes of it is the business of ``answer_chat``, behind the queue.
"""

import base64
import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import boto3
from botocore.config import Config
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records
from palisade_runtime.responses import RefusalError, refuse, respond

from receive_chat.secrets import SigningSecrets
from receive_chat.signature import signed

LARGEST_BODY = 8192
_FIELDS = ("user_id", "team_id", "text", "response_url")


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches. ``enqueue`` takes a message; ``workspace`` is the only one that may speak."""

    secrets: SigningSecrets
    records: Records
    enqueue: Callable[[str], object]
    workspace: str
    clock: Clock
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, object]:
    """Lambda's entry point."""
    return receive(event, _services(context.invoked_function_arn.split(":")[4]))


def receive(event: Mapping[str, Any], services: Services) -> dict[str, object]:
    """Answer one request of API Gateway's proxy integration.

    Raises:
        ClientError: secret, archive or queue did not answer; whoever asked sees that it failed and asks again.
    """
    request_id = str(event.get("requestContext", {}).get("requestId", ""))
    logger = services.logger.bind(request_id=request_id)
    try:
        command = _command(event, services)
    except RefusalError as refusal:
        logger.warning("chat.refused", reason=refusal.code)
        return refuse(refusal, request_id)
    services.enqueue(json.dumps(command, sort_keys=True))
    logger.info("chat.received", request=command["id"])
    return respond(200, {"response_type": "ephemeral", "text": f"Received as {command['id']}; the answer follows."})


def _command(event: Mapping[str, Any], services: Services) -> dict[str, str]:
    """What was said, by whom, if the chat signed it and it is new.

    Raises:
        RefusalError: it is not to be believed.
    """
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    body = _body(event)
    timestamp, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
    if not signed(body, timestamp, signature, secrets=services.secrets.valid(), now=services.clock()):
        raise RefusalError(401, "unsigned", "The signature is missing, wrong or too old.")
    # Only now is anything in the body the chat's word; before, it was anybody's.
    said = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True, max_num_fields=50).items()}
    fields = {name: said.get(name, "") for name in _FIELDS}
    if fields["team_id"] != services.workspace:
        raise RefusalError(403, "workspace", "This workspace is not served.")
    at = datetime.fromtimestamp(int(timestamp), UTC)
    identity = f"{at:%Y%m%d}-{hashlib.sha256(signature.encode()).hexdigest()[:10]}"
    seen = {"id": identity, "user": fields["user_id"], "at": at.isoformat()}
    if not services.records.keep(f"{at:%Y%m%d}", signature.removeprefix("v0="), seen):
        raise RefusalError(409, "replayed", "This very request was received before.")
    return {
        "id": identity,
        "user": fields["user_id"],
        "text": fields["text"],
        "answer": fields["response_url"],
        "at": at.isoformat(),
    }


def _body(event: Mapping[str, Any]) -> str:
    text = event.get("body") or ""
    if len(text) > LARGEST_BODY * 2:
        raise RefusalError(413, "too large", "The request is too large.")
    try:
        body = base64.b64decode(text, validate=True).decode() if event.get("isBase64Encoded") else str(text)
    except ValueError:
        raise RefusalError(400, "malformed", "The request is no text.") from None
    if len(body.encode()) > LARGEST_BODY:
        raise RefusalError(413, "too large", "The request is too large.")
    return body


@functools.cache
def _services(account: str) -> Services:
    settings = read_environment(text=("SECRET_ARN", "QUEUE_URL", "WORKSPACE", "RECORD_BUCKET", "RECORD_WORKFLOW"))
    # The chat waits for three seconds: one slow answer of AWS must not use them up.
    config = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
    queue = boto3.client("sqs", config=config)
    return Services(
        secrets=SigningSecrets(
            client=boto3.client("secretsmanager", config=config), arn=settings["SECRET_ARN"], clock=utc_now
        ),
        records=Records(
            s3=boto3.client("s3", config=config),
            bucket=settings["RECORD_BUCKET"],
            account=account,
            workflow=settings["RECORD_WORKFLOW"],
        ),
        enqueue=lambda message: queue.send_message(QueueUrl=settings["QUEUE_URL"], MessageBody=message),
        workspace=settings["WORKSPACE"],
        clock=utc_now,
        logger=Logger(service="receive_chat"),
    )
