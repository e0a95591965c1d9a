"""What the commands of operators share: who acts, and why."""

from typing import Annotated

import typer

from projector.operations.actor import said, system_user

By = Annotated[
    str | None,
    typer.Option(
        "--by", help="Who does this, for the log; default: the system's user @ host name."
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Why, in your words; kept in the log.")]


def acting(by: str | None) -> str:
    """Return who acts: as told, or the user of the system and the host. Raises ConfigurationError."""
    return said("--by", system_user() if by is None else by)


def told_reason(reason: str) -> str:
    """Return a reason as told. Raises ConfigurationError where it says nothing."""
    return said("--reason", reason)
