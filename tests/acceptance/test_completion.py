"""`--version`, and the completion script in a real shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from projector import __version__
from projector.projections import PROJECTIONS
from tests.command_rig import projector
from tests.processes import environment

# What bash does at a tab: it sets the words typed so far, and calls the function that was registered.
AT_A_TAB = """
source <(projector completion bash)
function=$(complete -p projector | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
$function projector
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PATH with `projector`, as an installation makes it."""
    made = tmp_path_factory.mktemp("bin")
    program = made / "projector"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m projector "$@"\n', encoding="ascii")
    program.chmod(0o755)
    return made


def completed(folder: Path, *words: str, **settings: str) -> list[str]:
    """What bash offers for the last of these words."""
    ran = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", AT_A_TAB, "bash", "projector", *words],
        env=environment(**settings) | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.split()


def test_bash_completes_commands_options_and_names(folder: Path) -> None:
    assert completed(folder, "re") == ["rebuild", "reconcile", "replay"]
    assert completed(folder, "dead-letters", "") == [
        *("list", "show", "retry", "dismiss"),
    ]
    assert completed(folder, "status", "--wa") == ["--watch"]
    names = [projection.name for projection in PROJECTIONS]
    assert completed(folder, "rebuild", "") == names
    assert completed(folder, "verify", "users", "sign") == ["sign_ins"]
    assert completed(folder, "reconcile", "--only", "users,") == [
        f"users,{section}" for section in ("deliveries", "groups", "settings")
    ]
    assert completed(folder, "completion", "") == ["bash", "zsh", "fish"]


def test_a_bad_environment_is_in_nobodys_way(folder: Path) -> None:
    assert completed(folder, "reb", port="nonsense", hosst="x") == ["rebuild"]
    assert projector("completion", "bash", hosst="x").code == 0
    ran = projector("--version", hosst="x", port="nonsense")
    assert (ran.code, ran.text, ran.said) == (0, f"projector {__version__}\n", "")


def test_files_are_left_to_the_shell(folder: Path) -> None:
    assert completed(folder, "import", "") == []
    assert "-o default" in projector("completion", "bash").text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_asks_the_program(shell: str) -> None:
    ran = projector("completion", shell)
    assert (ran.code, ran.said) == (0, "")
    assert f"_PROJECTOR_COMPLETE=complete_{shell}" in ran.text


def test_another_shell_is_refused() -> None:
    ran = projector("completion", "tcsh")
    assert ran.code == 2
    assert "tcsh" in ran.said
