"""`completion`: what a shell needs to complete commands, options and names.

The script is printed, and whoever wants it installs it: no file of theirs is written, no shell is guessed.
"""

import os
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Final

import typer
from typer.completion import (  # type: ignore[attr-defined]  # not in its __all__
    completion_init,
    get_completion_script,
)

from projector.cli.running import put

PROGRAM: Final = "projector"
# The script asks the program itself, through this variable.
ASKED: Final = "_PROJECTOR_COMPLETE"


class Shell(StrEnum):
    """The shells there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def register(app: typer.Typer) -> None:
    """Add the command, and let this process answer where a script asks it."""
    app.command()(completion)
    if ASKED in os.environ:
        completion_init()


def completion(shell: Annotated[Shell, typer.Argument(help="The shell.")]) -> None:
    """Print a shell's completion script: source it, or save it where the shell looks for one."""
    put(get_completion_script(prog_name=PROGRAM, complete_var=ASKED, shell=shell.value))


def among(names: Sequence[str]) -> Callable[[str], list[str]]:
    """Complete one of these names."""

    def complete(begun: str) -> list[str]:
        return [name for name in names if name.startswith(begun)]

    return complete


def several_of(names: Sequence[str]) -> Callable[[str], list[str]]:
    """Complete the last of some of these names, comma-separated, each once."""

    def complete(begun: str) -> list[str]:
        before, comma, last = begun.rpartition(",")
        left = [name for name in names if name not in before.split(",")]
        return [f"{before}{comma}{name}" for name in left if name.startswith(last)]

    return complete
