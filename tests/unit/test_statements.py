"""SQL by name: the files are split at their names, and no name hides another."""

from pathlib import Path

import pytest

from projector.statements import parse, queries, sql_root

ROOT = Path(__file__).parent.parent.parent
FILES = sorted(path.stem for path in (sql_root() / "queries").glob("*.sql"))


def test_a_file_is_split_at_its_names() -> None:
    text = "-- of a file\n-- name: one\nSELECT 1;\n-- inside\n\n-- name: two_b\nSELECT 2\n"
    assert parse(text) == {"one": "SELECT 1;\n-- inside", "two_b": "SELECT 2"}


def test_a_name_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="two statements are named one"):
        parse("-- name: one\nSELECT 1\n-- name: one\nSELECT 2\n")


def test_nothing_named_is_nothing() -> None:
    assert parse("SELECT 1") == {}


@pytest.mark.parametrize("file", FILES)
def test_every_named_statement_is_there_and_used(file: str) -> None:
    statements = queries(file)
    assert statements
    assert all(statements.values())
    sources = [*(ROOT / "projector").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    unused = [name for name in statements if f'"{name}"' not in code]
    assert unused == []


def test_the_sql_of_a_checkout_is_its_top_level_folder() -> None:
    assert (sql_root() / "migrations").is_dir()
    assert (sql_root() / "views").is_dir()
