"""`grant`: give one of the roles that `migrate` makes to a login."""

import secrets
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer

from projector.cli.running import on_database, put, say, start
from projector.database import Database
from projector.errors import ConfigurationError
from projector.process import run
from projector.schema.roles import Granted, Role
from projector.schema.roles import grant as grant_role


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(grant)


def grant(
    role: Annotated[Role, typer.Argument(metavar="ROLE", help=", ".join(Role))],
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="The login that gets it.")],
    create: Annotated[bool, typer.Option("--create", help="Make the login.")] = False,
    password_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --create: its password, or its database URL with the password in it; `-`: from "
            "standard input. Also changes that of a login that is there. Without this option a new login "
            "gets a password that is printed once.",
        ),
    ] = None,
    no_password: Annotated[
        bool,
        typer.Option(
            "--no-password", help="With --create: none; the server knows the login otherwise."
        ),
    ] = False,
) -> None:
    """Give a login one of the roles, so that each process may do its own work and nothing else.

    It may run again. It needs the database role that migrated, or a superuser.
    """
    if (password_file is not None or no_password) and not create:
        raise ConfigurationError("a password is for a login that is made: give --create with it")
    if password_file is not None and no_password:
        raise ConfigurationError("--password-file and --no-password contradict each other")
    settings = start()
    given = None if password_file is None else _password(_read(password_file), login)

    generated = None if given is not None or no_password else secrets.token_urlsafe(24)

    async def work(database: Database) -> Granted:
        return await grant_role(
            database, role, login, create=create, password=given, first_password=generated
        )

    done = run(on_database(settings, work))
    if done.made:
        say(f"made the login {login}")
    elif done.password_set:
        say(f"set the password of {login}")
    say(f"{login} has {role} already" if done.had else f"gave {role} to {login}")
    if done.made and generated is not None:
        say("its password, shown this once:")
        put(generated)


def _read(path: Path) -> str:
    if str(path) == "-":
        return sys.stdin.readline()
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read ({type(error).__name__}); check the path and its permissions"
        ) from None


def _password(text: str, login: str) -> str:
    """Return the password that a text is, or that a database URL of this login holds."""
    text = text.strip()
    if not text.startswith(("postgresql://", "postgres://")):
        return text
    try:
        parts = urlsplit(text)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
    except ValueError:  # its words may hold the password
        user = password = ""
    if user != login or not password:
        raise ConfigurationError(
            f"the database URL names no password of {login}; write postgresql://{login}:PASSWORD@HOST/DATABASE"
        )
    return password
