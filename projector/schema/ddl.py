"""The DDL of projections and views, read from `sql/`; and everything that `migrate` runs as one script.

A file may stand for several tables or views that are alike: see `expand`.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from projector.folding.tables import Projection
from projector.projections import PROJECTIONS
from projector.schema.as_of import as_of_texts
from projector.schema.migrations import Migration, migrations
from projector.statements import parse, queries, sql_root

_SQL: Final = queries("schema")

_EACH_LIST: Final = re.compile(r"-- for each list of: ([a-z_, ]+)\n")
_END: Final = re.compile(r";\s*(?:\n|\Z)")
_ONLY: Final = re.compile(r" *-- (?:only ([a-z_]+)|all):\n")


def expand(path: Path) -> dict[str, str]:
    """Return a file's text by name: the file's own name, or each name that its first line lists.

    That line is "-- for each list of: a, b". Then `{list}` stands for the name, and lines after "-- only a:"
    are in the text of `a` alone, up to "-- only b:" or "-- all:". Raises ValueError for "-- only c:".
    """
    text = path.read_text(encoding="utf-8")
    each = _EACH_LIST.match(text)
    if each is None:
        return {path.stem: text}
    names = each[1].split(", ")
    for line in text.splitlines(keepends=True):
        directive = _ONLY.fullmatch(line)
        if directive is not None and directive[1] not in (None, *names):
            raise ValueError(f"{path.name}: {directive[1]} is none of {each[1]}")
    return {name: _text_of(name, text) for name in names}


def _text_of(name: str, text: str) -> str:
    """The lines that are this name's, without the directives."""
    lines, mine = [], True
    for line in text.splitlines(keepends=True):
        directive = _ONLY.fullmatch(line)
        if directive is not None:
            mine = directive[1] in (None, name)
        elif mine:
            lines.append(line)
    return "".join(lines).replace("{list}", name)


@cache
def _projection_texts() -> dict[str, str]:
    texts: dict[str, str] = {}
    for path in sorted((sql_root() / "projections").glob("*.sql")):
        texts |= expand(path)
    return texts


def projection_ddl(projection: Projection) -> dict[str, str]:
    """Return the statements `tables`, `keys` and `indexes` of a projection, with unqualified names."""
    return parse(_projection_texts()[projection.name])


def projection_statements(projection: Projection, part: str) -> list[str]:
    """Return the statements of one part of a projection's DDL, one by one."""
    return [text for text in _END.split(projection_ddl(projection)[part]) if text.strip()]


def view_files() -> Iterator[str]:
    """Yield the text of every view file, in the order in which they build on one another.

    Those of the views as of a moment come last.
    """
    texts = [
        text
        for path in sorted((sql_root() / "views").glob("*.sql"))
        for text in expand(path).values()
    ]
    yield from texts
    yield from as_of_texts(texts)


def roles_text() -> str:
    """Return what makes the roles; it runs before any migration."""
    return (sql_root() / "roles" / "roles.sql").read_text(encoding="utf-8")


def rights_text() -> str:
    """Return what grants each role its rights and hands schemas over; it runs after everything else."""
    return (sql_root() / "roles" / "rights.sql").read_text(encoding="utf-8")


def full_text() -> str:
    """Return everything that `migrate` runs on an empty database, as one script for one transaction."""
    parts = ["BEGIN;", roles_text(), _SQL["create_ledger"]]
    for migration in migrations():
        parts += [migration.text, _recorded(migration)]
    for projection in PROJECTIONS:
        ddl = projection_ddl(projection)
        parts += ["SET LOCAL search_path = state;", ddl["tables"], ddl["keys"], ddl["indexes"]]
        parts.append(_registered(projection))
    parts += ["SET LOCAL search_path = public;", *view_files(), rights_text(), "COMMIT;"]
    return "\n".join(parts)


def _recorded(migration: Migration) -> str:
    values = f"{migration.number}, '{migration.name}', {migration.serves}"
    return f"INSERT INTO projector.migrations (number, name, serves) VALUES ({values});"


def _registered(projection: Projection) -> str:
    values = f"'{projection.name}', {projection.version}"
    return f"INSERT INTO state.checkpoints (projection, version) VALUES ({values});"
