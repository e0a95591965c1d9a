"""What the simulated account sends: one webhook delivery, as a body and as bytes."""

import json
from typing import Any, NamedTuple

Json = dict[str, Any]

# One encoder for all deliveries: json.dumps builds a new one at each call with these options.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class SimulatedEvent(NamedTuple):
    """One delivery; `name` is the reference's event name even where the body spells an alias."""

    name: str
    body: Json

    def raw(self) -> bytes:
        """Return the bytes to sign and to send: compact JSON, UTF-8, non-ASCII kept as it is."""
        return _ENCODER.encode(self.body).encode()
