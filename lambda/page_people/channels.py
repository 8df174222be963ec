"""The ways to people. Each is tried a few times; what a channel's address or key is, nobody hears.

A webhook's message is signed: ``X-Palisade-Signature: v1=<HMAC-SHA256 of "<timestamp>.<body>" in hexadecimal>``, with the
timestamp of ``X-Palisade-Timestamp``, which a receiver should refuse when it is older than five minutes.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from botocore.exceptions import BotoCoreError, ClientError
from palisade_runtime.clock import Clock

ATTEMPTS = 3
SECONDS = 5
_SUBJECT = 100
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
Sleep = Callable[[float], None]


class ChannelError(Exception):
    """A channel did not take the message. The text says why without any address, key or answer."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is said, about which incident and to whom."""

    incident: str
    priority: str
    to: tuple[str, ...]
    subject: str
    text: str

    def saying(self, more: str) -> "Message":
        """The same with one line more."""
        return Message(**{**self.__dict__, "text": f"{self.text}\n{more}"})


class Channel(Protocol):
    """One way to people."""

    def send(self, message: Message) -> None:
        """Send it.

        Raises:
            ChannelError: it did not get through.
        """


@dataclass(frozen=True, kw_only=True)
class Mail:
    """The topic to which each person's mailbox is subscribed with a filter on their name.

    https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
    """

    sns: Any
    topic_arn: str

    def send(self, message: Message) -> None:
        """Publish it; SNS and its client try again themselves."""
        subject = "".join(one if " " <= one <= "~" else "?" for one in message.subject)[:_SUBJECT]
        try:
            self.sns.publish(
                TopicArn=self.topic_arn,
                Subject=subject,
                Message=message.text,
                MessageAttributes={"to": {"DataType": "String.Array", "StringValue": json.dumps(list(message.to))}},
            )
        except (ClientError, BotoCoreError) as error:
            raise ChannelError(type(error).__name__) from None


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """An address that takes signed JSON."""

    url: str
    key: str
    clock: Clock
    sleep: Sleep = time.sleep

    def send(self, message: Message) -> None:
        """Post ``{"incident", "priority", "to", "subject", "text"}``."""
        body = json.dumps({**message.__dict__, "to": list(message.to)}, sort_keys=True).encode()
        stamp = str(int(self.clock().timestamp()))
        headers = {"X-Palisade-Timestamp": stamp, "X-Palisade-Signature": f"v1={sign(self.key, stamp, body)}"}
        post(self.url, body, headers, self.sleep)


@dataclass(frozen=True, kw_only=True)
class Chat:
    """The incoming webhook of a chat room; whoever knows its address may write there."""

    url: str
    sleep: Sleep = time.sleep

    def send(self, message: Message) -> None:
        """Post ``{"text"}``, which the usual chat services take."""
        post(self.url, json.dumps({"text": f"*{message.subject}*\n{message.text}"}).encode(), {}, self.sleep)


def sign(key: str, stamp: str, body: bytes) -> str:
    """The signature of a webhook's message."""
    return hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def post(url: str, body: bytes, headers: Mapping[str, str], sleep: Sleep) -> None:
    """Post to ``url``, with a few attempts; a redirect is not followed, because a signature is for one address.

    Raises:
        ChannelError: no attempt got through, or the address is not one to post to.
    """
    place = urlsplit(url)
    if place.scheme != "https" and not (place.scheme == "http" and place.hostname in _LOOPBACK):
        raise ChannelError("its address does not begin with https://")
    request = Request(url, data=body, method="POST", headers={"Content-Type": "application/json", **headers})  # noqa: S310
    why = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            sleep(2**attempt)
        try:
            with _OPENER.open(request, timeout=SECONDS):
                return
        except HTTPError as error:
            why = f"it answered {error.code}"
            error.close()
            if error.code < 500 and error.code != 429:
                break
        except (URLError, TimeoutError, ConnectionError, HTTPException, ValueError) as error:
            why = f"it does not answer ({type(error).__name__})"
    # The errors' own text may quote the address, which for a chat room is its password.
    raise ChannelError(why) from None


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = build_opener(_NoRedirects)
