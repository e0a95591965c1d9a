"""What is wrong with the server: no answer, another schema, or no room."""

from collections.abc import Iterator
from typing import Final

from projector.operations.finding import Finding, note, warning, wrong
from projector.operations.readings import Room
from projector.operations.words import size

# A server that cannot write ends, with everything that was being done. Below 500 MB a burst, or one day of a
# busy account's log, may come before somebody does. Shares matter up to a size: 10 % of 4 TB is no lack.
LEAST_BYTES: Final = 500 * 10**6
LEAST_SHARE: Final = 0.02
LITTLE_SHARE: Final = 0.10
MOST_SHARED: Final = 500 * 10**9

MAKE_ROOM: Final = (
    "make the file system larger, or free room on it; the log and the state are whole, and go on by "
    "themselves once there is room"
)


def of_database(error: Exception) -> Finding:
    """The database cannot be reached; the error says why, and what to do."""
    says, _, do = str(error).rpartition("; ")
    return wrong("database", "database", says or do, do if says else "check that it runs")


def of_schema(applied: int, serves: int, needed: int) -> Iterator[Finding]:
    """The schema and this code do not fit, by the numbers of their migrations."""
    if applied < needed:
        yield wrong(
            "schema-behind", "schema",
            f"is at migration {applied}, and this release needs {needed}" if applied else "is not there yet",
            "run `projector migrate`",
        )  # fmt: skip
    elif serves > needed:
        yield wrong(
            "schema-newer", "schema",
            f"serves releases from migration {serves} on, and this one is of {needed}",
            "run a newer release of the projector",
        )  # fmt: skip
    elif applied > needed:
        yield note(
            "schema-ahead", "schema", f"is at migration {applied}, and this release is of {needed}",
            "replace the replicas of this release by the newer one's",
        )  # fmt: skip


def of_room(room: Room | None) -> Iterator[Finding]:
    """The file system of the server's data, where it could be told."""
    if room is None or not room.size:
        return
    share = room.free / min(room.size, MOST_SHARED)
    left = f"{size(room.free)} of {size(room.size)} free"
    if room.free < LEAST_BYTES or share < LEAST_SHARE:
        yield wrong("disk-full", "disk of the database", f"{left}: nearly full", MAKE_ROOM)
    elif share < LITTLE_SHARE:
        yield warning("disk-filling", "disk of the database", left, MAKE_ROOM)


def disk_full() -> Finding:
    """The server could not extend a file."""
    return wrong(
        "disk-full", "disk of the database", "full: the server cannot extend a file, and takes no delivery",
        MAKE_ROOM,
    )  # fmt: skip


def read_only() -> Finding:
    """The server takes no writes."""
    return wrong(
        "read-only", "database", "takes no writes: it is a standby, or set to read only",
        "let PROJECTOR_DATABASE_URL name the primary",
    )  # fmt: skip


def not_checked(what: str, why: str) -> Finding:
    """Something could not be read, so that nothing is known of it."""
    return warning(
        "not-checked", what, f"could not be checked ({why})",
        "run this as a login with role projector_operator; where time ran out, run it again",
    )  # fmt: skip
