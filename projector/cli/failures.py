"""Report a failed command: one sentence that a person can act on, or for a bug where it happened."""

import sys
from collections.abc import Iterator
from typing import Final

import asyncpg

from projector.database import UNAVAILABLE
from projector.errors import DatabaseUnavailable, ProjectorError, SchemaMismatch
from projector.process import UNEXPECTED, report_bug

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
    """Write to standard error what went wrong; returns the exit code.

    The message of an unexpected error is left out: it may quote a payload or a secret.
    """
    problems = [(leaf, _actionable(leaf)) for leaf in _leaves(error)]
    bugs = [leaf for leaf, actionable in problems if actionable is None]
    for bug in bugs:
        report_bug(bug)
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


def _actionable(error: BaseException) -> ProjectorError | None:
    """Return the error as one that a person can do something about, or None: a bug."""
    if isinstance(error, ProjectorError):
        return error
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return SchemaMismatch(
            f"this database role may not do that ({error.args[0]}); use a login with another role "
            "(`projector grant` gives one), or let the schemas' owner run `projector migrate` again"
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
