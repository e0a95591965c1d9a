"""What a failed command prints: a sentence, or where it failed; never the data it had."""

import asyncpg
import pytest

from projector.cli.failures import report
from projector.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    ProjectorError,
    SchemaMismatch,
)
from projector.process import UNEXPECTED

PLANTED = "hunter2@example.com"


@pytest.mark.parametrize("error", [ProjectorError, ConfigurationError, DatabaseUnavailable])
def test_what_can_be_mended_is_its_sentence(
    error: type[ProjectorError], capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error("do this next")) == error.exit_code
    assert capsys.readouterr() == ("", "projector: do this next\n")


def test_groups_of_groups_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    inner = ExceptionGroup("inner", [SchemaMismatch("migrate"), ProjectorError("other")])
    assert report(ExceptionGroup("outer", [inner])) == SchemaMismatch.exit_code
    assert capsys.readouterr().err == "projector: migrate\n"


@pytest.mark.parametrize(
    "error",
    [ConnectionResetError(), TimeoutError(), asyncpg.AdminShutdownError("x"),
     asyncpg.ConnectionDoesNotExistError("x")],
)  # fmt: skip
def test_a_database_that_went_away_is_a_sentence(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error) == DatabaseUnavailable.exit_code
    assert capsys.readouterr().err.startswith("projector: the database went away")


@pytest.mark.parametrize(
    ("error", "advice"),
    [(asyncpg.LockNotAvailableError("x"), "`projector status` names that session"),
     (asyncpg.ReadOnlySQLTransactionError("x"), "name the primary"),
     (asyncpg.QueryCanceledError("x"), "raise the statement_timeout")],
)  # fmt: skip
def test_a_database_that_refuses_for_now_says_what_to_do(
    error: Exception, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error) == DatabaseUnavailable.exit_code
    said = capsys.readouterr().err
    assert advice in said
    assert said.count("\n") == 1


def test_a_right_that_is_missing_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    error = asyncpg.InsufficientPrivilegeError("permission denied for schema log")
    assert report(error) == SchemaMismatch.exit_code
    assert "permission denied for schema log" in capsys.readouterr().err


@pytest.mark.parametrize("grouped", [False, True])
def test_a_bug_is_where_it_broke_and_not_what_it_held(
    grouped: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        int(PLANTED)
    except ValueError as error:
        bug: Exception = error
    if grouped:
        bug = ExceptionGroup("both", [ProjectorError("do this"), bug])
    assert report(bug) == UNEXPECTED
    told = capsys.readouterr().err
    assert "test_failures.py" in told
    assert "unexpected ValueError" in told
    assert PLANTED not in told


def test_a_local_file_that_fails_is_not_the_database(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(FileNotFoundError(2, "No such file")) == UNEXPECTED
    assert "database" not in capsys.readouterr().err
