"""A schedule calls it; each call sends what has come into the archive since, or since the log service last took anything."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from palisade_runtime.clock import utc_now
from palisade_runtime.environment import read_environment
from palisade_runtime.logs import Logger

from ship_audit.archive import Archive
from ship_audit.destination import Destination, HttpsDestination, UnavailableError
from ship_audit.formats import Format
from ship_audit.receipts import Receipts
from ship_audit.shipping import Shipping, run

SPARE_MILLISECONDS = 90_000
"""Left for the last batch, its attempts and its receipt."""


class Context(Protocol):
    """What Lambda says about this call."""

    def get_remaining_time_in_millis(self) -> int:
        """Until Lambda ends it."""


@dataclass(frozen=True, kw_only=True)
class Means:
    """What every call needs."""

    archive: Archive
    receipts: Receipts
    destination: Destination
    form: Format
    secret: Callable[[], str]


def handle(_event: Mapping[str, Any], context: Context) -> dict[str, object]:
    """Lambda's entry point."""
    means = _means()
    tally = run(
        Shipping(
            archive=means.archive,
            receipts=means.receipts,
            destination=means.destination,
            form=means.form,
            # Read once a call, so that a new value counts from the next one on.
            secret=functools.cache(means.secret),
            clock=utc_now,
            logger=Logger(service="ship_audit"),
            time_is_up=lambda: context.get_remaining_time_in_millis() < SPARE_MILLISECONDS,
        )
    )
    return {"sent": tally.sent, "left_out": tally.left_out, "stopped": tally.stopped}


def read_secret(secrets: Any, name: str) -> str:
    """The secret's value.

    Raises:
        UnavailableError: it does not fit into a header; nothing can be sent until somebody puts a right one there.
    """
    value = str(secrets.get_secret_value(SecretId=name).get("SecretString", "")).strip()
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise UnavailableError("the secret is empty or no header can carry it")
    return value


@functools.cache
def _means() -> Means:
    values = read_environment(text=("BUCKET_NAME", "FOLDERS", "TABLE_NAME", "URL", "FORMAT", "SECRET_ARN"))
    secrets = boto3.client("secretsmanager")
    return Means(
        archive=Archive(s3=boto3.client("s3"), bucket=values["BUCKET_NAME"], folders=tuple(values["FOLDERS"].split())),
        receipts=Receipts(dynamodb=boto3.client("dynamodb"), table=values["TABLE_NAME"]),
        destination=HttpsDestination(url=values["URL"]),
        form=Format(values["FORMAT"]),
        secret=lambda: read_secret(secrets, values["SECRET_ARN"]),
    )
