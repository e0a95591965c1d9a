"""An exchange: one request and what is known of it until its answer."""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from multidict import MultiMapping

from projector.log.quarantine import Suspect
from projector.zoom.delivery import Delivery, Head, delivery_of
from projector.zoom.events import digest_of

PLAIN_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
PLAIN_NAME: Final = re.compile(r"[a-z0-9_.]{1,64}")


@dataclass(slots=True)
class Exchange:
    """One request and what is known of it so far.

    `named` is the event that the path names. `started` is in seconds of the event loop's clock, as
    deadlines are; `clock` is perf_counter(), for measuring. `request_id` is the sender's if it is plain
    text, else a new one.
    """

    headers: MultiMapping[str]
    remote: str | None
    named: str | None
    started: float
    clock: float
    received_at: datetime
    given_id: str | None
    request_id: str
    body: bytes = b""
    event: str | None = None
    verified_by: str | None = None
    outcome: str = ""
    position: int | None = None

    def delivery(self, head: Head) -> Delivery:
        """The delivery for the log; `head` is that of the body."""
        return delivery_of(
            self.body,
            head,
            received_at=self.received_at,
            request_id=self.given_id,
            verified_by=self.verified_by,
        )

    def suspect(self, reason: str, *, signed: bool) -> Suspect:
        """What the quarantine keeps of the request, which must have the signature's headers."""
        request_id, event = self.given_id, self.event
        return Suspect(
            self.received_at,
            reason,
            event if event is not None and PLAIN_NAME.fullmatch(event) else None,
            signed,
            request_id if request_id and PLAIN_ID.fullmatch(request_id) else None,
            self.headers["x-zm-request-timestamp"],
            self.headers["x-zm-signature"],
            digest_of(self.body),
            self.body,
        )


def begin_exchange(
    headers: MultiMapping[str],
    remote: str | None,
    named: str | None,
    started: float,
) -> Exchange:
    """Begin an exchange; `started` is the current time of the event loop's clock, in seconds."""
    given = headers.get("x-zm-request-id")
    plain = given is not None and PLAIN_ID.fullmatch(given)
    return Exchange(
        headers,
        remote,
        named,
        started,
        time.perf_counter(),
        datetime.now(UTC),
        given,
        given if given is not None and plain else uuid4().hex,
    )
