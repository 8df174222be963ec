"""Sends what the archive holds and no receipt names, oldest first, until time is up or the service takes no more.

Nothing is remembered but what has been taken. An outage of whatever length leaves the archive as it is, and the first run
after it goes on where the last one stopped: at least once, in the order of the objects, under ids that never change.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from palisade_runtime.audit_events import AuditEvent
from palisade_runtime.clock import Clock
from palisade_runtime.logs import Logger

from ship_audit.archive import Archive, Archived
from ship_audit.destination import ContentRefusedError, Destination, UnavailableError
from ship_audit.formats import Batch, Format, batch_of, batches, halves, headers
from ship_audit.receipts import Receipt, Receipts

SETTLED = timedelta(days=7)
"""After which no object arrives for a day any more: Firehose keeps trying for one, replication for hours."""
_ATTEMPTS = 3
_LONGEST_PAUSE = 10.0


@dataclass(frozen=True, kw_only=True)
class Shipping:
    """What a run reaches and reckons with. ``time_is_up`` ends it between two batches."""

    archive: Archive
    receipts: Receipts
    destination: Destination
    form: Format
    secret: Callable[[], str]
    clock: Clock
    logger: Logger
    time_is_up: Callable[[], bool]
    sleep: Callable[[float], None] = time.sleep


@dataclass(kw_only=True)
class Tally:
    """What a run did."""

    sent: int = 0
    left_out: int = 0
    waiting_since: datetime | None = None
    stopped: str = ""


def run(shipping: Shipping) -> Tally:
    """One run. It writes how long the oldest event has been waiting, also when it could send nothing."""
    tally = Tally()
    try:
        _ship(shipping, tally)
    except UnavailableError as error:
        tally.stopped = error.reason
    waited = 0 if tally.waiting_since is None else (shipping.clock() - tally.waiting_since).total_seconds()
    shipping.logger.info(
        "shipping.measured",
        oldest_seconds=max(0, round(waited)),
        sent=tally.sent,
        left_out=tally.left_out,
        stopped=tally.stopped,
    )
    return tally


def _ship(shipping: Shipping, tally: Tally) -> None:
    today = shipping.clock().date()
    day = shipping.receipts.first_day()
    if day is None:
        day = min(shipping.archive.first_day() or today, today - SETTLED)
    settled = True
    while day <= today:
        receipts = shipping.receipts.of(day)
        for archived in shipping.archive.of(day):
            receipt = receipts.get(archived.key, Receipt())
            if not receipt.whole:
                tally.waiting_since = archived.since
                if not _ship_object(shipping, day, archived, receipt, tally):
                    tally.stopped = "time is up"
                    return
                tally.waiting_since = None
        settled = settled and day < today - SETTLED
        day += timedelta(days=1)
        if settled:
            shipping.receipts.begin_with(day)


def _ship_object(shipping: Shipping, day: date, archived: Archived, receipt: Receipt, tally: Tally) -> bool:
    """Whether all of it has been taken; False when time was up before."""
    events = itertools.islice(shipping.archive.events(archived.key), receipt.taken, None)
    for batch in batches(events, shipping.form):
        if shipping.time_is_up():
            return False
        for taken in _deliver(shipping, batch, tally):
            tally.sent += taken
            receipt = replace(receipt, taken=receipt.taken + taken)
            shipping.receipts.keep(day, archived.key, receipt, now=shipping.clock())
            if taken < len(batch.events) and shipping.time_is_up():
                return False
    shipping.receipts.keep(day, archived.key, replace(receipt, whole=True), now=shipping.clock())
    return True


def _deliver(shipping: Shipping, batch: Batch, tally: Tally) -> Iterator[int]:
    """Have the service take the batch, halving it where the service refuses it; yields how many events it took.

    An event that it refuses alone is replaced by a note of where it lies in the archive. Only a service that takes the
    note has really refused the event; one that refuses the note too is counted as down, and everything waits.
    """
    try:
        _send(shipping, batch)
    except ContentRefusedError:
        if len(batch.events) > 1:
            for half in halves(batch, shipping.form):
                yield from _deliver(shipping, half, tally)
            return
        (placed,) = batch.events
        length = len(json.dumps(placed.event.record))
        note = AuditEvent(
            log=placed.event.log, time=placed.event.time, record={"event": "record.refused", "length": length}
        )
        try:
            _send(shipping, batch_of([replace(placed, event=note)], shipping.form))
        except ContentRefusedError as error:
            raise UnavailableError(f"refuses everything: {error}") from error
        tally.left_out += 1
        shipping.logger.warning("record.refused", archived_as=placed.key, number=placed.number)
    yield len(batch.events)


def _send(shipping: Shipping, batch: Batch) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        signed = headers(batch, shipping.form, secret=shipping.secret(), now=shipping.clock())
        try:
            shipping.destination.send(batch.body, signed)
        except UnavailableError as error:
            pause = error.pause or float(2 ** (attempt - 1))
            if attempt == _ATTEMPTS or pause > _LONGEST_PAUSE or shipping.time_is_up():
                raise
            shipping.sleep(pause)
        else:
            return
