"""Reasons: what they say of a URL, what they quote of a server, and what they never repeat."""

import socket
import ssl

import asyncpg
import pytest

from projector.database import connect
from projector.database_address import reason_of_connecting, wrong_with
from projector.database_reasons import WORDS, reason_of, went_away
from projector.errors import DatabaseUnavailable

PLANTED = "hunter2"
GOOD = f"postgresql://projector:{PLANTED}@db.example:5432/directory"


@pytest.mark.parametrize(
    ("url", "words"),
    [("mysql://root@db/x", "must begin with postgresql://"),
     (f"{PLANTED}", "must begin with postgresql://"),
     (f"postgresql://u:{PLANTED}@x@db/d", "malformed"),
     (f"postgresql://u:a@{PLANTED}@db/d", "malformed"),
     (f"postgresql://u:a/{PLANTED}@db/d", "malformed"),
     (f"postgresql://u:a#{PLANTED}@db/d", "malformed"),
     (f"postgresql://u:1/{PLANTED}@db/d", "malformed"),
     ("postgresql://u@db:port/d", "malformed"),
     ("postgresql://u@[::1/d", "malformed")],
)  # fmt: skip
async def test_a_url_that_cannot_work_is_told_as_such_and_not_repeated(
    url: str, words: str
) -> None:
    with pytest.raises(DatabaseUnavailable) as raised:
        await connect(url)
    assert raised.value.word == "url"
    assert words in str(raised.value)
    assert PLANTED not in str(raised.value)
    assert str(wrong_with(url)) == str(raised.value)


@pytest.mark.parametrize(
    "url",
    [GOOD, "postgres://db/x", "postgresql:///x?host=/run/postgresql", "postgresql://u@a,b:5433/x",
     "postgresql://u@a:5432,[::1]:5433/x?target_session_attrs=read-write", "postgresql://u@/x"],
)  # fmt: skip
def test_a_url_that_may_work_is_not_called_wrong(url: str) -> None:
    assert wrong_with(url) is None


@pytest.mark.parametrize(
    ("error", "word", "what"),
    [(socket.gaierror(-2, "x"), "unknown_host", "the host name db.example:5432 is not known"),
     (ConnectionRefusedError(111, "x"), "refused", "nothing listens at db.example:5432"),
     (OSError(113, "x"), "unreachable", "there is no way to db.example:5432"),
     (OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 5, 0, 0), "
              "[Errno 111] Connect call failed ('127.0.0.1', 5)"), "refused", "nothing listens at"),
     (TimeoutError(), "timeout", "the database at db.example:5432 does not answer in time"),
     (ssl.SSLCertVerificationError("x"), "tls", "certificate is not trusted"),
     (asyncpg.ClientConfigurationError(f"odd {PLANTED}"), "url", "malformed"),
     (asyncpg.TargetServerAttributeNotMatched("x"), "read_only", "no host")],
)  # fmt: skip
def test_what_the_system_says_becomes_a_reason(error: Exception, word: str, what: str) -> None:
    if isinstance(error, ssl.SSLCertVerificationError):
        error.verify_message = "self-signed certificate"
    reason = reason_of_connecting(error, GOOD)
    assert (reason.word, PLANTED in reason.sentence) == (word, False)
    assert what in reason.what


@pytest.mark.parametrize(
    ("error", "word", "what"),
    [(asyncpg.CannotConnectNowError("the database system is starting up"), "starting", "is starting"),
     (asyncpg.CannotConnectNowError("the database system is shutting down"), "starting", "shutting"),
     (asyncpg.CannotConnectNowError("the database system is in recovery mode"), "starting", "crash"),
     (asyncpg.OutOfMemoryError("out of memory"), "memory", "out of memory"),
     (asyncpg.TooManyConnectionsError("remaining connection slots are reserved"), "connections", "slots"),
     (asyncpg.ProtocolViolationError("server login has been failing"), "pooler", "has been failing"),
     (asyncpg.ProtocolViolationError("pgbouncer cannot connect to server"), "pooler", "cannot connect"),
     (asyncpg.ProtocolViolationError("SASL authentication failed"), "authentication", "SASL"),
     (asyncpg.ConnectionDoesNotExistError("connection was closed"), "lost", "was closed"),
     (asyncpg.InterfaceError("connection is closed"), "lost", "lost"),
     (asyncpg.InternalServerError(f"cache of {PLANTED}"), "other", "SQLSTATE XX000"),
     (asyncpg.UniqueViolationError(f"Key ({PLANTED})"), "other", "SQLSTATE 23505"),
     (asyncpg.DataError(f"invalid input: {PLANTED}"), "other", "SQLSTATE 22000"),
     (KeyError(PLANTED), "other", "unexpected happened (KeyError)")],
)  # fmt: skip
def test_a_reason_quotes_the_server_only_where_its_words_hold_no_data(
    error: Exception, word: str, what: str
) -> None:
    reason = reason_of(error)
    assert (reason.word, PLANTED in reason.sentence) == (word, False)
    assert what in reason.what


def test_a_quoted_message_is_one_printable_line_without_its_detail() -> None:
    fields = {"S": "ERROR", "C": "53100", "M": "could not extend\x1b[2J" + "x" * 500 + "\nsecond",
              "D": PLANTED, "H": PLANTED}  # fmt: skip
    what = reason_of(asyncpg.PostgresError.new(fields)).what
    assert "could not extend" in what
    assert what.isprintable()
    assert len(what) < 300
    assert PLANTED not in what
    assert "second" not in what


def test_every_reason_has_one_of_the_words_of_the_metric() -> None:
    known = [error for error in vars(asyncpg.exceptions).values()
             if isinstance(error, type) and issubclass(error, asyncpg.PostgresError)]  # fmt: skip
    assert len(known) > 200
    assert {reason_of(error("x")).word for error in known} <= set(WORDS)
    assert {reason_of(error()).word for error in (OSError, TimeoutError, ValueError)} <= set(WORDS)


def test_an_error_of_ours_keeps_its_reason() -> None:
    error = went_away(asyncpg.DiskFullError("could not extend file"), "run it again")
    reason = reason_of(error)
    assert (reason.word, reason.next) == ("disk_full", "run it again")
    assert reason.sentence == str(error)
