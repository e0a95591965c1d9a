"""DDL files for several tables or views: one text for each, with lines for only that one."""

from pathlib import Path

import pytest

from projector.projections import PROJECTIONS
from projector.schema.ddl import expand, full_text, projection_ddl, view_files

TWINS = """\
-- for each list of: cats, dogs
CREATE VIEW {list} AS
SELECT name,
    -- only dogs:
    breed,
    -- only cats:
    lives,
    -- all:
    age FROM state.{list};
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "10_pets.sql"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_stands_for_itself(tmp_path: Path) -> None:
    assert expand(written(tmp_path, "SELECT '{list}';\n")) == {"10_pets": "SELECT '{list}';\n"}


def test_a_file_of_twins_has_a_text_for_each(tmp_path: Path) -> None:
    texts = expand(written(tmp_path, TWINS))
    assert list(texts) == ["cats", "dogs"]
    assert texts["cats"].splitlines()[1:] == [
        "CREATE VIEW cats AS", "SELECT name,", "    lives,", "    age FROM state.cats;",
    ]  # fmt: skip
    assert texts["dogs"].splitlines()[1:] == [
        "CREATE VIEW dogs AS", "SELECT name,", "    breed,", "    age FROM state.dogs;",
    ]  # fmt: skip


def test_lines_of_a_name_that_is_not_listed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="birds is none of cats, dogs"):
        expand(written(tmp_path, TWINS.replace("only cats", "only birds")))


def test_no_directive_is_left_in_what_the_database_gets() -> None:
    ddl = [text for p in PROJECTIONS for text in projection_ddl(p).values()]
    for text in (*ddl, *view_files(), full_text()):
        assert "{list}" not in text
        assert "-- only " not in text
        assert "-- all:" not in text


def test_every_projection_has_its_three_parts() -> None:
    for projection in PROJECTIONS:
        assert list(projection_ddl(projection)) == ["tables", "keys", "indexes"]
