"""The step that calls people. It answers once at least one channel took the message, and records what each said.

Killed before the record it calls twice, never not at all. If no channel works it fails, and the timer tries again.
"""

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from palisade_runtime.clock import Clock, utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.logs import Logger
from palisade_runtime.records import Records
from palisade_runtime.redaction import redact_text

from page_people.channels import Channel, ChannelError, Chat, Mail, Message, Webhook

NOT_SET_UP = "not set up"
SENT = "sent"


class UndeliveredError(Exception):
    """No channel took the message."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the function reaches; ``channels`` are looked up for each message, so that a new address counts at once.

    A channel that is None is not set up.
    """

    records: Records
    channels: Callable[[], Mapping[str, Channel | None]]
    cloudwatch: Any
    namespace: str
    clock: Clock
    logger: Logger


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return page(event, _services(context.invoked_function_arn.split(":")[4]))


def page(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Send ``event``, a page, and answer what each channel said.

    Raises:
        UndeliveredError: no channel took it.
        ClientError: it was sent, but could not be recorded; it is then sent again.
    """
    message = Message(
        incident=str(event["incident"]),
        priority=str(event["priority"]),
        to=tuple(event["to"]),
        subject=redact_text(str(event["subject"])),
        text=redact_text(str(event["text"])),
    )
    channels = services.channels()
    wanted = channels if event["loud"] else {"mail": channels["mail"]}
    outcome: dict[str, str] = {name: NOT_SET_UP for name, channel in wanted.items() if channel is None}
    for name, channel in wanted.items():
        if channel is not None:
            outcome[name] = _sent(channel, message)
    failed = {name: said for name, said in outcome.items() if said not in {SENT, NOT_SET_UP}}
    if failed:
        _tell_failures(failed, message, {name: one for name, one in channels.items() if one is not None}, services)
    if SENT not in outcome.values():
        services.logger.warning("page.undelivered", incident=message.incident, outcome=outcome)
        raise UndeliveredError("; ".join(f"{name}: {said}" for name, said in outcome.items()))
    services.records.keep(
        message.incident,
        f"paged-{event['name']}",
        {
            "at": services.clock().isoformat(timespec="milliseconds"),
            "to": list(message.to),
            "why": str(event["why"]),
            "channels": outcome,
        },
    )
    services.logger.info("page.sent", incident=message.incident, page=str(event["name"]), outcome=outcome)
    return outcome


def _tell_failures(
    failed: Mapping[str, str], message: Message, channels: Mapping[str, Channel], services: Services
) -> None:
    """Say by the channels that work which do not, and count it, which alarms."""
    said = "; ".join(f"{name}: {why}" for name, why in failed.items())
    for name, channel in channels.items():
        if name not in failed:
            _sent(channel, message.saying(f"This was NOT delivered by {said}."))
    services.cloudwatch.put_metric_data(
        Namespace=services.namespace,
        MetricData=[{"MetricName": "ChannelsFailed", "Value": float(len(failed)), "Unit": "Count"}],
    )


def _sent(channel: Channel, message: Message) -> str:
    try:
        channel.send(message)
    except ChannelError as error:
        return f"failed, {error}"
    return SENT


@functools.cache
def _services(account: str) -> Services:
    settings = read_environment(text=("RECORD_BUCKET", "RECORD_WORKFLOW", "TOPIC_ARN", "CHANNELS_NAME", "NAMESPACE"))
    secrets = boto3.client("secretsmanager")
    mail = Mail(sns=boto3.client("sns"), topic_arn=settings["TOPIC_ARN"])

    def channels() -> Mapping[str, Channel | None]:
        try:
            known = json.loads(secrets.get_secret_value(SecretId=settings["CHANNELS_NAME"])["SecretString"])
            webhook, chat, key = (str(known.get(name, "")).strip() for name in ("webhook", "chat", "signing_key"))
        except Exception as error:  # Without the secret there is still mail; its text must never reach a log.
            return {"mail": mail, "webhook": _Unknown(type(error).__name__), "chat": _Unknown(type(error).__name__)}
        return {
            "mail": mail,
            "webhook": Webhook(url=webhook, key=key, clock=utc_now) if webhook else None,
            "chat": Chat(url=chat) if chat else None,
        }

    return Services(
        records=Records(
            s3=boto3.client("s3"),
            bucket=settings["RECORD_BUCKET"],
            account=account,
            workflow=settings["RECORD_WORKFLOW"],
        ),
        channels=channels,
        cloudwatch=boto3.client("cloudwatch"),
        namespace=settings["NAMESPACE"],
        clock=utc_now,
        logger=Logger(service="page-people"),
    )


@dataclass(frozen=True)
class _Unknown:
    """A channel whose address could not be read."""

    why: str

    def send(self, _message: Message) -> None:
        """Fail, saying so."""
        raise ChannelError(f"its address could not be read ({self.why})")
