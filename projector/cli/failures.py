"""What a command says when it fails: one sentence that a person can act on, else where it broke."""

import sys
import traceback
from collections.abc import Iterator
from typing import Final

import asyncpg

from projector.database import UNAVAILABLE
from projector.errors import DatabaseUnavailable, ProjectorError, SchemaMismatch

UNEXPECTED: Final = 70  # EX_SOFTWARE of sysexits.h

_REFUSED: Final[tuple[tuple[type[Exception], str], ...]] = (
    (
        asyncpg.LockNotAvailableError,
        (
            "another session holds a lock that this needs; where it is the log's append lock, "
            "`projector status` names that session: end it and run the same command again"
        ),
    ),
    (
        asyncpg.ReadOnlySQLTransactionError,
        (
            "the database takes no writes: it is a standby, or set to read only; let "
            "PROJECTOR_DATABASE_URL name the primary"
        ),
    ),
    (
        asyncpg.QueryCanceledError,
        (
            "the database cancelled a statement; raise the statement_timeout that is set for this role "
            "or database, then run the same command again"
        ),
    ),
)


def report(error: Exception) -> int:
    """Write on standard error what went wrong; answers the exit code.

    The message of an unexpected error is left out: it may quote a payload or a secret.
    """
    problems = [(leaf, _mendable(leaf)) for leaf in _leaves(error)]
    bugs = [leaf for leaf, mendable in problems if mendable is None]
    for bug in bugs:
        sys.stderr.writelines(traceback.format_tb(bug.__traceback__))
        _say(f"unexpected {type(bug).__name__}: a bug; please report the lines above")
    if bugs:
        return UNEXPECTED
    first = problems[0][1]
    assert first is not None  # noqa: S101  the others are bugs
    _say(str(first))
    return first.exit_code


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _mendable(error: BaseException) -> ProjectorError | None:
    """The error as something that a person can do something about, or None: a bug."""
    if isinstance(error, ProjectorError):
        return error
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return SchemaMismatch(
            f"this database role may not do that ({error.args[0]}); use the role that owns the "
            "projector's schemas"
        )
    for kind, sentence in _REFUSED:
        if isinstance(error, kind):
            return DatabaseUnavailable(sentence)
    is_local = isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError)
    if isinstance(error, UNAVAILABLE) and not is_local:
        return DatabaseUnavailable(
            f"the database went away ({type(error).__name__}); once it is back, run the same "
            "command again"
        )
    return None


def _say(sentence: str) -> None:
    sys.stderr.write(f"projector: {sentence}\n")
