"""Report a failed command: one sentence that a person can act on, or for a bug where it happened."""

import sys
from collections.abc import Iterator
from typing import Final

import asyncpg

from projector.database import UNAVAILABLE
from projector.database_reasons import reason_of, went_away
from projector.errors import DatabaseUnavailable, ProjectorError, SchemaMismatch
from projector.process import UNEXPECTED, report_bug

# A lock, a standby, a time limit: for now the database does not do this, and says so.
_REFUSED: Final = (
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.QueryCanceledError,
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
        return SchemaMismatch(reason_of(error).sentence)
    if isinstance(error, _REFUSED):
        reason = reason_of(error)
        return DatabaseUnavailable(
            f"{reason.sentence}, then run the same command again", word=reason.word
        )
    is_local = isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError)
    if isinstance(error, UNAVAILABLE) and not is_local:
        return went_away(error, "once that is mended, run the same command again")
    return None


def _say(sentence: str) -> None:
    sys.stderr.write(f"projector: {sentence}\n")
