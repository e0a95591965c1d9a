"""Cursors of the feed: how far a consumer has come, as a text that only the feed understands. Pure."""

import re
import zlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from projector.errors import ProjectorError
from projector.folding.tables import Projection

_TEXT: Final = re.compile(
    r"c1\.([0-9a-f]{32})\.([0-9a-f]{8})\.(\d{1,19})\.((?:[0-9a-f]{2}){0,8})\.((?:[0-9a-f]{18})?)\.(\d{1,19})",
    re.ASCII,
)


class CursorRefused(ProjectorError):
    """A cursor is none, or the feed cannot go on from it."""

    exit_code = 5


@dataclass(frozen=True)
class Cursor:
    """Everything up to `position` was told, and of the position after it the lines up to `told`.

    `epoch` is that of the log, `folds` a fingerprint of the versions that folded it; `digest` the first bytes
    of the digest of the event at `position`, which tells where the log is another one. `ahead`: how far some
    projection had folded, so that something of what the events up to there do may have been told.
    """

    epoch: UUID
    folds: int
    position: int = 0
    digest: bytes = b""
    told: bytes = b""
    ahead: int = 0

    def __str__(self) -> str:
        """The cursor as consumers keep it."""
        parts = (
            "c1", self.epoch.hex, f"{self.folds:08x}", self.position, self.digest.hex(),
            self.told.hex(), self.ahead,
        )  # fmt: skip
        return ".".join(map(str, parts))


def parsed_cursor(text: str) -> Cursor:
    """The cursor that a consumer kept. Raises CursorRefused."""
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise CursorRefused(
            "--after takes a cursor as the feed or a snapshot gave it; leave it out to read from the start"
        )
    epoch, folds, position, digest, told, ahead = found.groups()
    return Cursor(
        UUID(epoch), int(folds, 16), int(position), bytes.fromhex(digest), bytes.fromhex(told), int(ahead)
    )  # fmt: skip


def folds_of(projections: tuple[Projection, ...]) -> int:
    """A fingerprint of the versions of what folds the log: other versions may tell the past otherwise."""
    return zlib.crc32(" ".join(f"{p.name}:{p.version}" for p in projections).encode())
