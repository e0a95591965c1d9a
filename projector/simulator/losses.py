"""Deliveries that never arrive, on purpose: which they are, and what Zoom's delivery log knows of them."""

import hashlib
from enum import Enum

from projector.simulator.sender import Outgoing


class Fate(Enum):
    """What becomes of a delivery."""

    SENT = "sent"
    UNTRIED = "untried"
    """Zoom never attempts it: no trace anywhere."""
    GIVEN_UP = "given up"
    """Zoom makes all of its attempts, none arrives, and its delivery log shows them."""


class Losses:
    """Draws fates: `share` (0 to 1) of the deliveries is lost, half of them untried and half given up."""

    def __init__(self, seed: int, share: float) -> None:
        """The same seed and share lose the same deliveries, each together with its copies."""
        self._seed = seed
        self._share = share

    def fate_of(self, delivery: Outgoing) -> Fate:
        """What becomes of a delivery, which depends on its request id alone."""
        if not self._share:
            return Fate.SENT
        digest = hashlib.blake2b(f"{self._seed} {delivery.request_id}".encode(), digest_size=8)
        drawn = int.from_bytes(digest.digest(), "big") / 2**64
        if drawn >= self._share:
            return Fate.SENT
        return Fate.UNTRIED if drawn < self._share / 2 else Fate.GIVEN_UP
