"""Facts: the bodies of our own events about what Zoom's REST API showed. Pure."""

import msgspec

from projector.observations.rows import Json
from projector.zoom.bodies import clean, may_need_cleaning

_encode = msgspec.json.Encoder().encode


class Facts:
    """Makes the bodies of one run's observations of one account.

    `run` makes them unique: the same bytes at two positions would count once.
    """

    def __init__(self, account: str, run: str) -> None:
        self.account = account
        self.run = run

    def body(self, event: str, as_of_ms: int, about: Json) -> bytes:
        """The body of an observation: JSON in UTF-8, without secrets at any depth.

        `as_of_ms`: epoch milliseconds at which it was true, by Zoom's clock. `about` has an `id`, and names
        what was shown; what it does not name it says nothing of.
        """
        payload = {"account_id": self.account, "run": self.run, "object": about}
        body = {"event": event, "event_ts": as_of_ms, "payload": payload}
        try:
            raw = _encode(body)
        except UnicodeEncodeError:  # a lone surrogate
            return _encode(clean(body))
        return _encode(clean(body)) if may_need_cleaning(raw) else raw
