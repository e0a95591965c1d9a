"""What is read from the database, as values. Times are epoch seconds by the server's clock."""

from typing import NamedTuple


class ProjectionNow(NamedTuple):
    """A projection. `unmoved_seconds`: since it last moved; `owned`: some live replica has its lease.

    `rebuild_position`: how far a rebuild is that runs now, or None.
    """

    projection: str
    position: int
    head: int
    lag_events: int
    lag_seconds: float
    state: str
    error: str | None
    owner: str | None
    unmoved_seconds: float
    owned: bool
    rebuild_position: int | None


class Standing(NamedTuple):
    """What stands open, of one projection or entity: how many, and since when.

    `more`: there are more than `number`, which were not counted.
    """

    subject: str
    number: int
    since: float | None
    more: bool = False


class Quarantined(NamedTuple):
    """The rows of the quarantine of one reason."""

    reason: str
    signed: bool
    rows: int
    bytes: int
    since: float


class Refused(NamedTuple):
    """Deliveries refused for one reason, as far as they are recent."""

    reason: str
    refused: int
    first_at: float
    last_at: float


class Heard(NamedTuple):
    """An account's event: how often and when it last came, and since when the account is observed."""

    account_id: str
    event: str
    events: int
    last: float | None
    since: float | None


class Active(NamedTuple):
    """How often an account's event came within an hour: whole hours since 1970, UTC."""

    account_id: str
    event: str
    hour: int
    events: int


class Covered(NamedTuple):
    """A section of an account: when its newest complete reading began, and what could not be read."""

    account_id: str
    section: str
    complete_at: float | None
    unreadable: str | None


class Epoch(NamedTuple):
    """The epoch of the log that is in force."""

    number: int
    epoch: object
    begun_at: float


class Loss(NamedTuple):
    """Deliveries that were acknowledged and are not in the log any more."""

    epoch: object
    lost: int
    noticed_at: float
    first_received_at: float | None
    last_received_at: float | None


class Room(NamedTuple):
    """A file system: bytes free, and bytes in all."""

    free: int
    size: int
