"""A webhook delivery of the simulated account, as a body and as bytes."""

import json
from typing import Any, NamedTuple

Json = dict[str, Any]

# One encoder for all deliveries: with these options, json.dumps would create one per call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class SimulatedEvent(NamedTuple):
    """One delivery; `name` is the event's name in Zoom's reference, even if the body has an alias."""

    name: str
    body: Json

    def raw(self) -> bytes:
        """Return the bytes to sign and to send: compact JSON in UTF-8, non-ASCII not escaped."""
        return _ENCODER.encode(self.body).encode()
