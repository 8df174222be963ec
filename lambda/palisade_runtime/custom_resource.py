"""Answers CloudFormation for a function that stands behind a custom resource, once and on every path.

CloudFormation waits up to an hour for an answer that never comes, so success, failure, a malformed request and a time-out
that draws near are all answered. The signed address of the answer is a credential: it is never logged and never part of
an answer. What failed is told by its kind alone; details are in the function's log.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from palisade_runtime.logs import Logger, describe_error

LARGEST_ANSWER = 4096
"""Bytes that CloudFormation accepts."""
SPARE_SECONDS = 5.0
"""How long before the function's time-out the failure is sent."""
ATTEMPTS = 4
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_NEVER_MADE = "failed-"


class RefusedRequestError(Exception):
    """The request cannot be met as it stands; the message is shown to whoever deploys, so it holds no secret."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What CloudFormation asks for. ``kind`` is Create, Update or Delete; ``physical_id`` is None only on Create."""

    kind: str
    properties: Mapping[str, Any]
    physical_id: str | None

    def text(self, name: str) -> str:
        """A property that must be text and not blank."""
        value = self.properties.get(name)
        if not isinstance(value, str) or not value.strip():
            raise RefusedRequestError(f"property {name} must be text and not blank")
        return value

    def texts(self, name: str) -> list[str]:
        """A property that must be a list of texts, at least one and none blank."""
        value = self.properties.get(name)
        if (
            not isinstance(value, list)
            or not value
            or not all(isinstance(item, str) and item.strip() for item in value)
        ):
            raise RefusedRequestError(f"property {name} must be a list of names")
        return value


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The resource's identity, unchanged for as long as it is the same thing, and what Fn::GetAtt returns."""

    physical_id: str
    data: Mapping[str, str] = field(default_factory=dict)


class Context(Protocol):
    """The part of Lambda's context object that is read."""

    log_stream_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda stops the function."""


Act = Callable[[Request], Outcome]
Send = Callable[[str, bytes], None]


def respond(event: Mapping[str, Any], context: Context, *, service: str, act: Act, send: "Send | None" = None) -> None:
    """Let ``act`` meet the request and tell CloudFormation how it went.

    Raises:
        OSError: the answer could not be delivered; Lambda then calls again, and ``act`` must bear that.
    """
    answer = _Answer(event, context, Logger(service=service), send or put)
    timer = threading.Timer(
        max(context.get_remaining_time_in_millis() / 1000 - SPARE_SECONDS, 0),
        answer.fail,
        args=("time is running out",),
    )
    timer.daemon = True
    timer.start()
    try:
        outcome = _outcome(_request(event), act)
    except RefusedRequestError as refusal:
        answer.fail(str(refusal))
    except Exception as error:  # Whatever it is, CloudFormation waits for an answer.
        answer.logger.failure("request failed", error)
        answer.fail(describe_error(error))
    else:
        answer.succeed(outcome)
    finally:
        timer.cancel()


def put(url: str, body: bytes) -> None:
    """Send the answer to its signed address, with a few attempts.

    Raises:
        OSError: no attempt got through.
        ValueError: the address is not one of AWS, nor of this very machine (an emulator's).
    """
    place = urlsplit(url)
    host = place.hostname or ""
    of_aws = place.scheme == "https" and host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    if not of_aws and not (place.scheme == "http" and host in _LOOPBACK):
        raise ValueError("the answer's address is not one of AWS")
    # The signature covers an empty content type; urllib would otherwise add its own.
    request = HttpRequest(url, data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310 - checked above
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urlopen(request, timeout=5):  # noqa: S310
                return
        except (URLError, TimeoutError, ConnectionError):
            if attempt == ATTEMPTS:
                # The error's own text may quote the signed address.
                raise OSError("the answer to CloudFormation could not be delivered") from None
            time.sleep(0.2 * 2**attempt)


class _Answer:
    """Sent at most once, whoever is first: the work or the clock."""

    def __init__(self, event: Mapping[str, Any], context: Context, logger: Logger, send: Send) -> None:
        self._event = event
        self._context = context
        self.logger = logger.bind(
            logical_id=str(event.get("LogicalResourceId")), request_id=str(event.get("RequestId"))
        )
        self._send = send
        self._lock = threading.Lock()
        self._sent = False

    def succeed(self, outcome: Outcome) -> None:
        body = self._body("SUCCESS", outcome.physical_id, Data=dict(outcome.data))
        if len(body) > LARGEST_ANSWER:
            self.fail(f"the answer has {len(body)} bytes; CloudFormation takes {LARGEST_ANSWER}")
        else:
            self._deliver(body, "SUCCESS")

    def fail(self, why: str) -> None:
        # A resource whose creation failed is deleted under this name.
        physical_id = self._event.get("PhysicalResourceId") or f"{_NEVER_MADE}{self._event.get('RequestId', 'unknown')}"
        reason = f"{why[:500]} (log stream {self._context.log_stream_name})"
        self.logger.warning("answered with failure", reason=why[:500])
        self._deliver(self._body("FAILED", str(physical_id), Reason=reason), "FAILED")

    def _body(self, status: str, physical_id: str, **rest: object) -> bytes:
        same = {name: self._event.get(name) for name in ("StackId", "RequestId", "LogicalResourceId")}
        return json.dumps({"Status": status, "PhysicalResourceId": physical_id, **same, **rest}).encode()

    def _deliver(self, body: bytes, status: str) -> None:
        with self._lock:
            if self._sent:
                return
            self._send(str(self._event.get("ResponseURL")), body)
            self._sent = True
        self.logger.info("answered", status=status)


def _outcome(request: Request, act: Act) -> Outcome:
    if request.kind == "Delete" and request.physical_id is not None and request.physical_id.startswith(_NEVER_MADE):
        return Outcome(physical_id=request.physical_id)
    return act(request)


def _request(event: Mapping[str, Any]) -> Request:
    kind, properties, physical_id = (
        event.get(name) for name in ("RequestType", "ResourceProperties", "PhysicalResourceId")
    )
    if kind not in {"Create", "Update", "Delete"}:
        raise RefusedRequestError("RequestType must be Create, Update or Delete")
    if not isinstance(properties, Mapping):
        raise RefusedRequestError("ResourceProperties are missing")
    if kind != "Create" and not isinstance(physical_id, str):
        raise RefusedRequestError(f"{kind} needs a PhysicalResourceId")
    return Request(kind=kind, properties=properties, physical_id=physical_id if isinstance(physical_id, str) else None)
