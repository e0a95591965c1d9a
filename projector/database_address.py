"""What is wrong with a database URL, or why nothing answers there: hosts are named, no other part of it."""

import os
import re
import socket
import ssl
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from projector.database_reasons import TLS, URL, Reason, of_system, reason_of, tls_reason
from projector.errors import ConfigurationError, DatabaseUnavailable

_MALFORMED: Final = Reason(
    "url",
    f"{URL} is malformed",
    "write it as postgresql://user:password@host:port/database, and special characters of the "
    "password as %XX",
)
_SCHEME: Final = Reason(
    "url",
    f"{URL} must begin with postgresql://",
    "the projector works with PostgreSQL alone",
)

_HOST: Final = re.compile(r"([^:]*|\[[^]]*\])(:\d*)?")


def reason_of_connecting(  # noqa: PLR0911  a case a line
    error: BaseException, url: str
) -> Reason:
    """Why a connection to `url` could not be opened; names its hosts, and no other part of it."""
    local = _socket_folder(url)
    if isinstance(error, asyncpg.PostgresError | asyncpg.TargetServerAttributeNotMatched):
        return reason_of(error)
    if (wrong := _wrong_with(url)) is not None:
        return wrong
    if isinstance(error, ssl.SSLError) or "SSL" in str(error):
        return tls_reason(error)
    if isinstance(error, socket.gaierror):
        return Reason(
            "unknown_host", f"the host name {_hosts(url)} is not known", f"check the host in {URL}"
        )
    if isinstance(error, TimeoutError):
        what = f"the database at {local or _hosts(url)} does not answer in time"
        return Reason("timeout", what, _where_to_look(local))
    if isinstance(error, OSError) and not isinstance(error, asyncpg.InterfaceError):
        found = of_system(error, local or _hosts(url))
        return found._replace(next=_where_to_look(local))
    if isinstance(error, ValueError):
        return TLS if "ssl" in urlsplit(url).query else _MALFORMED
    return reason_of(error)


def unavailable(error: BaseException, url: str) -> DatabaseUnavailable:
    """Return the error to raise where no connection to `url` could be opened."""
    reason = reason_of_connecting(error, url)
    return DatabaseUnavailable(reason.sentence, word=reason.word)


def wrong_with(url: str) -> ConfigurationError | None:
    """Return what is wrong with a database URL as such, or None; asks no server."""
    wrong = _wrong_with(url)
    return None if wrong is None else ConfigurationError(wrong.sentence)


def _where_to_look(folder: str | None) -> str:
    if folder is None:
        return f"look whether it runs, and check host and port in {URL}"
    return "look whether that server runs, at its log and at its disk"


def _wrong_with(url: str) -> Reason | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return _MALFORMED
    if parts.scheme not in ("postgresql", "postgres"):
        return _SCHEME
    hosts = parts.netloc.rpartition("@")[2].split(",")
    # A password with an unescaped character ends the user's part too soon: the rest looks like a host.
    cut_off = parts.netloc.count("@") > 1 or "@" in parts.path or parts.fragment
    return _MALFORMED if cut_off or not all(map(_HOST.fullmatch, hosts)) else None


def _hosts(url: str) -> str:
    """The hosts of a URL that is well formed, without user and password."""
    parts = urlsplit(url)
    given = parts.netloc.rpartition("@")[2] or parse_qs(parts.query).get("host", [""])[-1]
    return unquote(given) or os.environ.get("PGHOST") or "localhost"


def _socket_folder(url: str) -> str | None:
    """The folder of the socket that a URL names, or None: it names hosts."""
    try:
        parts = urlsplit(url)
        folder = parse_qs(parts.query).get("host", [""])[-1]
    except ValueError:
        return None
    is_folder = folder.startswith("/") and not parts.netloc.rpartition("@")[2]
    return folder if is_folder else None
