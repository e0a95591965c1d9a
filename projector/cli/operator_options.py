"""What the commands of operators share: who acts, and why."""

import getpass
import os
import socket
from typing import Annotated

import typer

from projector.errors import ConfigurationError

By = Annotated[
    str | None,
    typer.Option(
        "--by", help="Who does this, for the log; default: the system's user @ host name."
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Why, in your words; kept in the log.")]

LONGEST: int = 1000


def acting(by: str | None) -> str:
    """Return who acts: as told, or the user of the system and the host. Raises ConfigurationError."""
    return _told("--by", f"{_user()}@{socket.gethostname()}" if by is None else by)


def told_reason(reason: str) -> str:
    """Return a reason as told. Raises ConfigurationError where it says nothing."""
    return _told("--reason", reason)


def _told(option: str, text: str) -> str:
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise ConfigurationError(f"{option} takes a text of 1 to {LONGEST} characters")
    return text


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return f"uid {os.getuid()}"
