"""Why the database does not do what it was asked: one short reason for a person, and one word for a metric.

PostgreSQL's own message is quoted only of SQLSTATE classes whose messages name things (hosts, roles,
databases, tables, files) and never values: 08 (protocol; PgBouncer answers with it whatever ails it), 28
(authentication), 3D (database), 42501 (rights), 42P01, 42703 and 42883 (schema), 53 (resources), 57
(shutdown, cancellation) and 58 (the system). Of all others, 22 and 23 above all, whose messages quote rows,
the class of the error alone is told; DETAIL and HINT of none.
"""

import errno
import os
import re
import socket
import ssl
from typing import Final, NamedTuple

import asyncpg

from projector.errors import DatabaseUnavailable

REFUSED_ROW: Final = "refused_row"  # one delivery, that no append can take

URL: Final = "PROJECTOR_DATABASE_URL"
LONGEST_QUOTE: Final = 200


class Reason(NamedTuple):
    """`word`: one of WORDS, for a metric's label; `what` is so; `next` is what to do about it."""

    word: str
    what: str
    next: str

    @property
    def sentence(self) -> str:
        """What is so, and what to do about it."""
        return f"{self.what}; {self.next}"


class LostElsewhere(OSError):
    """Another process of ours lost the database, for the reason that it told."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.what)
        self.reason = reason


TRY_AGAIN: Final = "wait until it is back"
_STATES: Final = (
    ("starting up", "is starting"),
    ("not yet accepting", "is starting"),
    ("shutting down", "is shutting down"),
    ("recovery", "is recovering from a crash"),
)

# By SQLSTATE: a word, what is so ({} is the server's own message), and what to do.
_BY_STATE: Final[dict[str, Reason]] = {
    "08001": Reason("pooler", "the pooler cannot reach the database ({})", "look at its log"),
    "25006": Reason(
        "read_only",
        "the database takes no writes: it is a standby, or set to read only",
        f"let {URL} name the primary, or end the setting default_transaction_read_only",
    ),
    "28000": Reason(
        "authentication",
        "the database refuses this login ({})",
        f"check the user in {URL}, and the server's pg_hba.conf",
    ),
    "28P01": Reason(
        "authentication",
        "the database refuses the password ({})",
        f"check user and password in {URL}",
    ),
    "3D000": Reason(
        "no_database",
        "the server has no such database ({})",
        f"create it, or check the database's name in {URL}",
    ),
    "42501": Reason(
        "privilege",
        "this database role may not do that ({})",
        "use the role that owns the projector's schemas",
    ),
    "53100": Reason(
        "disk_full", "the database's disk is full ({})", "free space on the disk of its server"
    ),
    "53200": Reason("memory", "the database is out of memory", "look at the memory of its server"),
    "53300": Reason(
        "connections",
        "the database has no connection left ({})",
        "end idle sessions, raise max_connections, or put PgBouncer in between",
    ),
    "55P03": Reason(
        "locked",
        "another session holds a lock that this needs",
        "where it is the log's append lock, `projector status` names that session: end it",
    ),
    "57014": Reason(
        "cancelled",
        "the database cancelled a statement",
        "raise the statement_timeout that is set for this role or database",
    ),
    "57P01": Reason("lost", "the database closed the connection ({})", TRY_AGAIN),
    "57P02": Reason(
        "lost", "the database restarts after a crash of one of its processes", TRY_AGAIN
    ),
    "57P05": Reason("lost", "the database closed an idle connection", TRY_AGAIN),
    "XX001": Reason("storage", "the database's data is damaged", "look at its server's log"),
    "XX002": Reason("storage", "an index of the database is damaged", "look at its server's log"),
}
_SCHEMA: Final = Reason(
    "schema", "the schema lacks what this code needs ({})", "run `projector migrate`"
)
_BY_STATE.update(dict.fromkeys(("42P01", "42703", "42883", "3F000"), _SCHEMA))
_BY_CLASS: Final[dict[str, Reason]] = {
    "08": Reason("lost", "the connection to the database was lost ({})", TRY_AGAIN),
    "53": Reason("connections", "the database is out of a resource ({})", "look at its log"),
    "57": Reason("lost", "the database interrupted the work ({})", TRY_AGAIN),
    "58": Reason("storage", "the database's server cannot use its files ({})", "look at its log"),
}

# PgBouncer's own errors: most have the SQLSTATE 08P01, and their text alone tells them apart.
_POOLER: Final = (
    (r"no such (database|user)|does not exist", _BY_STATE["3D000"]),
    (r"auth\w* failed|password", _BY_STATE["28P01"]),
    (r"no more connections|max_client_conn", _BY_STATE["53300"]),
    (
        r"query_wait_timeout",
        Reason(
            "connections",
            "the pooler found no free connection to the database in time ({})",
            "raise its pool size, or end what holds its connections",
        ),
    ),
    (
        r"shut ?down|paus|disabled",
        Reason("pooler", "the pooler takes no work now ({})", "resume or restart it"),
    ),
    (
        r"server login|cannot connect|login fail|server conn|pgbouncer|client_|unsupported startup",
        Reason("pooler", "the pooler cannot use the database ({})", "look at its log"),
    ),
)

_LOST: Final = Reason("lost", "the connection to the database was lost", TRY_AGAIN)
_SLOW: Final = Reason(
    "timeout",
    "the database does not answer in time",
    "look at its server's load and locks, and at the network between",
)
TLS: Final = Reason(
    "tls",
    "the encrypted connection to the database failed",
    f"check sslmode and the certificates that {URL} names",
)
_NO_HOST_FITS: Final = Reason(
    "read_only",
    f"no host of {URL} is what its target_session_attrs asks for",
    "look whether the primary runs, and name its host there",
)
_ERRNOS: Final[dict[int, tuple[str, str]]] = {
    errno.ECONNREFUSED: ("refused", "nothing listens at {}"),
    errno.ENOENT: ("refused", "no server listens at {}"),
    errno.EHOSTUNREACH: ("unreachable", "there is no way to {}"),
    errno.ENETUNREACH: ("unreachable", "there is no way to {}"),
    errno.EACCES: ("refused", "this user may not connect to {}"),
    errno.ETIMEDOUT: ("timeout", "{} does not answer in time"),
}

# What the label `reason` of a metric can be: fixed, so that each is there from the start.
WORDS: Final = tuple(
    sorted(
        {each.word for each in (*_BY_STATE.values(), *_BY_CLASS.values(), _LOST, _SLOW)}
        | {each.word for _, each in _POOLER}
        | {word for word, _ in _ERRNOS.values()}
        | {"unknown_host", "starting", "tls", "url", REFUSED_ROW, "other"}
    )
)


def reason_of(error: BaseException) -> Reason:  # noqa: PLR0911  a case a line
    """Why a statement, or a connection that somebody else opened, failed; without values and secrets."""
    if isinstance(error, DatabaseUnavailable):
        what, _, todo = str(error).partition("; ")
        return Reason(error.word, what, todo or TRY_AGAIN)
    if isinstance(error, LostElsewhere):
        return error.reason
    if isinstance(error, asyncpg.PostgresError):
        return _of_server(error)
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return _NO_HOST_FITS
    if isinstance(error, ssl.SSLError):
        return tls_reason(error)
    if isinstance(error, TimeoutError):
        return _SLOW
    if isinstance(error, socket.gaierror):
        return Reason("unknown_host", "the database's host name is not known", TRY_AGAIN)
    if isinstance(error, OSError):
        return of_system(error, "the database's address")
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        return _LOST
    return _other(error)


def went_away(error: BaseException, todo: str) -> DatabaseUnavailable:
    """Return the error to raise where the database was lost in the middle of a work; `todo`: what next."""
    reason = reason_of(error)
    away = "" if reason.word == "read_only" else "the database went away: "
    return DatabaseUnavailable(f"{away}{reason.what}; {todo}", word=reason.word)


def _of_server(error: asyncpg.PostgresError) -> Reason:
    state, message = error.sqlstate or "", _quotable(error)
    if state == "57P03":
        how = next(
            (words for text, words in _STATES if text in message), "takes no connections now"
        )
        return Reason("starting", f"the database {how}", TRY_AGAIN)
    if state[:2] == "08":
        for pattern, reason in _POOLER:
            if re.search(pattern, message, re.IGNORECASE):
                return _quoting(reason, message)
    found = _BY_STATE.get(state) or _BY_CLASS.get(state[:2])
    return _other(error) if found is None else _quoting(found, message)


def _quoting(reason: Reason, message: str) -> Reason:
    return reason._replace(what=reason.what.replace("{}", message or "it does not say why"))


def _quotable(error: BaseException) -> str:
    """The first line of a server's message, printable, of at most 200 characters."""
    first = str(error.args[0] if error.args else "").partition("\n")[0]
    return "".join(char if char.isprintable() else "\ufffd" for char in first)[:LONGEST_QUOTE]


def of_system(error: OSError, place: str) -> Reason:
    """Why the operating system could not connect to `place`."""
    number = error.errno
    if number is None:  # of several addresses, each with an error of its own
        told = re.findall(r"\[Errno (\d+)\]", str(error))
        number = int(told[-1]) if told else None
    if number in _ERRNOS:
        word, what = _ERRNOS[number]
        return Reason(word, what.format(place), TRY_AGAIN)
    if number is None or isinstance(error, ConnectionError):
        return _LOST
    what = f"the connection to the database failed ({os.strerror(number)})"
    return Reason("unreachable", what, TRY_AGAIN)


def tls_reason(error: BaseException) -> Reason:
    """Why an encrypted connection failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f"its certificate is not trusted: {error.verify_message}"
    elif "rejected SSL" in str(error):
        why = "the server offers none"
    else:
        return TLS
    return TLS._replace(what=f"{TLS.what} ({why})")


def _other(error: BaseException) -> Reason:
    kind = type(error).__name__
    state = getattr(error, "sqlstate", None)
    if state is None:
        return Reason("other", f"something unexpected happened ({kind})", "please report it")
    return Reason(
        "other", f"the database refuses ({kind}, SQLSTATE {state})", "look at its server's log"
    )
