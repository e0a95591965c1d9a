"""The documents agree with the code: settings, commands, files, and code examples."""

import re
import tomllib
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer.main

from projector.cli.app import app
from projector.config import Settings
from projector.schema.ddl import view_files
from projector.zoom.catalogue import EVENTS

ROOT = Path(__file__).parent.parent.parent
README_NAME = "README.md"
README = (ROOT / README_NAME).read_text(encoding="utf-8")
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "sql/*.md", "docs/**/*.md", "tests/**/*.md", ".github/**/*.md")
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# Paths that documents name in code spans.
NAMED = re.compile(
    r"`((?:(?:sql|tests|projector|docs|\.ci)/[\w./-]*\w/?)|[\w-]+\.(?:toml|yml|lock|md))`"
)
# Commands, in code spans and blocks, and modules and tests that are run.
COMMAND = re.compile(r"(?:`|\$ |&& |\()projector ([a-z-]+)((?: --[a-z-]+(?: [\w.]+)?)*)")
RUN = re.compile(r"python -m ([\w.]+)")
TESTED = re.compile(r"pytest (tests/[\w./]+)")


def section(title: str) -> str:
    """The text of a section of the README, without its heading."""
    parts = re.split(r"^## (.+)$", README, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[title]


def table(text: str) -> list[list[str]]:
    """The cells of a table's rows, without its header."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def headings(text: str) -> set[str]:
    """The anchors of a document's headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


def default_of(name: str) -> str:
    value: Any = Settings.model_fields[name].default
    if value in (None, ""):
        return ""
    if isinstance(value, Enum):
        value = value.value
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def test_the_table_of_settings_is_the_settings() -> None:
    expected = [
        [f"`PROJECTOR_{name.upper()}`", default_of(name), field.description]
        for name, field in Settings.model_fields.items()
    ]
    assert table(section("Settings")) == expected


def test_the_table_of_commands_has_every_command_and_its_options() -> None:
    told = {row[0].strip("`").split()[1]: row for row in table(section("Commands"))}
    commands = typer.main.get_command(app).commands
    assert set(told) == set(commands)
    for name, command in commands.items():
        cells = " ".join(told[name])
        inner = getattr(command, "commands", {})
        assert all(f"`{word}`" in cells for word in inner), name
        if name == "simulate" or inner:
            continue  # --help describes its many options
        for parameter in command.params:
            word = parameter.opts[0]
            wanted = f"`{word}`" if word.startswith("-") else str(parameter.metavar or word).upper()
            assert wanted.rstrip("S") in cells, (name, word)


def test_options_that_the_readme_shows_are_there() -> None:
    commands = typer.main.get_command(app).commands
    shown = re.findall(r"projector ([a-z]+)((?: --[a-z-]+(?: [\w.]+)?)+)", README)
    assert shown
    for name, options in shown:
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", options)) <= known, name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_says_to_run_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    commands = typer.main.get_command(app).commands
    for name, options in COMMAND.findall(text):
        assert name in commands, name
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", options)) <= known, name
    for module in RUN.findall(text):
        assert module == "venv" or find_spec(module) is not None, module
    for tested in TESTED.findall(text):
        assert (ROOT / tested).exists(), tested


def test_the_guides_for_whoever_comes_are_short_and_there() -> None:
    lines = {path.name: path.read_text(encoding="utf-8").count("\n") for path in DOCUMENTS}
    assert lines["CONTRIBUTING.md"] <= 90
    assert lines["SECURITY.md"] <= 20
    named = set(re.findall(r"`projector/(\w+)/`", (ROOT / "CONTRIBUTING.md").read_text("utf-8")))
    assert named == {path.parent.name for path in (ROOT / "projector").glob("*/__init__.py")}


def test_the_licence_is_the_one_that_the_package_names() -> None:
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert metadata["license"] == "Apache-2.0"
    assert metadata["license-files"] == ["LICENSE"]
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_links_to_or_names_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in LINK.findall(text):
        if not target.startswith(("http://", "https://", "#", "mailto:")):
            assert (document.parent / target.partition("#")[0]).exists(), target
        if target.startswith(f"{README_NAME}#"):
            assert target.partition("#")[2] in headings(README), target
    for target in NAMED.findall(text):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_heading_that_is_linked_to_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    wanted = {target[1:] for target in LINK.findall(text) if target.startswith("#")}
    assert wanted <= headings(text)


def test_the_readme_names_every_view_once() -> None:
    views = set(re.findall(r"VIEW directory\.(\w+)", "\n".join(view_files())))
    told = [name for row in table(section("Query it")) for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(told) == sorted(views)


def test_the_readme_invents_no_event() -> None:
    named = re.findall(r"`((?:user|group)\.[a-z_]+)`", README)
    assert set(named) <= set(EVENTS)


def test_the_changelog_has_the_version() -> None:
    from projector import __version__  # noqa: PLC0415  beside its only use

    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[?({re.escape(__version__)}|Unreleased)", changelog, re.MULTILINE)
