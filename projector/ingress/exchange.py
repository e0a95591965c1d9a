"""An exchange: one request on its way to its answer, and what becomes of its body."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from multidict import CIMultiDictProxy

from projector.events import digest_of
from projector.log import Delivery, Head, delivery_of
from projector.quarantine import Suspect

PLAIN_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
PLAIN_NAME: Final = re.compile(r"[a-z0-9_.]{1,64}")


@dataclass(slots=True)
class Exchange:
    """One request on its way to its answer, as far as it has come.

    `named` is the event that the path names. `started` is in the event loop's time, which deadlines
    are in; `clock` counts finer. `request_id` is the given one if that is plain, else our own.
    """

    headers: CIMultiDictProxy[str]
    remote: str | None
    named: str | None
    started: float
    clock: float
    received_at: datetime
    request_id: str
    given_id: str | None
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
        """What the quarantine keeps of it; the headers of a signature must be there."""
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
