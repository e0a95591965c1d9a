"""SQL is only in `sql/` and in a few modules that generate it; each schema is named by one package only."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from projector.statements import queries, sql_root

ROOT = Path(__file__).parent.parent.parent
MODULES = sorted((ROOT / "projector").rglob("*.py"))


class Generator(NamedTuple):
    """Why a module must generate SQL, and which schemas it names; others are arguments."""

    why: str
    schemas: frozenset[str]


# Modules that make SQL from code constants.
GENERATES = {
    "projector/schema/ddl.py": Generator(
        "the whole schema as one script, with values in place of parameters",
        frozenset({"projector", "state"}),
    ),
    "projector/schema/as_of.py": Generator(
        "the views as of a moment, made of the views' own texts",
        frozenset({"state"}),
    ),
    "projector/schema/replayed.py": Generator(
        "the views of a replay, made of the views' own texts", frozenset({"state"})
    ),
    "projector/state/replay_sql.py": Generator(
        "the schemas of a replay, whose name is the user's", frozenset({"state"})
    ),
    "projector/state/shadow_sql.py": Generator(
        "the same for a shadow's tables, in a schema that is made for it",
        frozenset({"log", "state"}),
    ),
    "projector/state/table_sql.py": Generator(
        "statements over the columns of every projection's row types; an entity's past is in the log",
        frozenset({"log"}),
    ),
}

STATEMENT = re.compile(
    r"""
    # Anywhere: a keyword as SQL is written here, with what can only follow it in SQL.
    \b(?:
        SELECT\ (?!FOR\b)\S | INSERT\ INTO | UPDATE\ \S+\ (?:AS\ \w+\ )?SET | DELETE\ FROM | MERGE\ INTO
        | (?:CREATE|ALTER|DROP)\ (?:OR\ REPLACE\ |UNLOGGED\ |TEMP\w*\ |UNIQUE\ |IF\ )*
          (?:TABLE|VIEW|SCHEMA|INDEX|DATABASE|ROLE|FUNCTION|TRIGGER|TYPE|SEQUENCE|EXTENSION|MATERIALIZED)
        | SET\ (?:LOCAL|SESSION)\ | LOCK\ TABLE | TRUNCATE\ \S | COMMENT\ ON | GRANT\ \S+\ (?:ON|TO)
        | REVOKE\ \S | ON\ CONFLICT | LEFT\ JOIN | ORDER\ BY | GROUP\ BY | pg_\w+\(
    )
    # At the beginning: whatever its case.
    | \A\s*(?i:
        select\s.*\sfrom\s | with\s\w+\sas\s
        | (?:listen|notify|analyze|vacuum|copy|reset|discard)\s+[\w"]+\s*;?\s*\Z
        | (?:begin|commit|rollback)\s*;
    )
    """,
    re.VERBOSE | re.DOTALL,
)


def literals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """A module's string literals except docstrings, with their lines; `{}` for an f-string's values."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            texts = [p.value if isinstance(p, ast.Constant) else "{}" for p in node.values]
            yield node.lineno, "".join(map(str, texts))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in skipped
        ):
            yield node.lineno, node.value


def statements_in(source: str) -> list[tuple[int, str]]:
    return [found for found in literals(ast.parse(source)) if STATEMENT.search(found[1])]


def name(module: Path) -> str:
    return module.relative_to(ROOT).as_posix()


def room(module: Path) -> str:
    """A module's package in `projector`, or its own name at the root."""
    return module.relative_to(ROOT / "projector").parts[0].removesuffix(".py")


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_holds_no_sql(module: Path) -> None:
    if name(module) in GENERATES:
        return
    assert statements_in(module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("module", GENERATES)
def test_a_module_that_may_generate_sql_does_and_names_its_schemas_alone(module: str) -> None:
    source = (ROOT / module).read_text(encoding="utf-8")
    assert statements_in(source)
    named = {schema for _, text in literals(ast.parse(source)) for schema in SCHEMA.findall(text)}
    assert named == GENERATES[module].schemas


@pytest.mark.parametrize(
    "literal",
    ["'SELECT 1'", "'select a from b'", "f'INSERT INTO {a} (b) SELECT 1'", "'UPDATE a.b SET c = 1'",
     "'DELETE FROM a'", "f'DROP TABLE IF EXISTS {a}'", "'CREATE OR REPLACE VIEW a AS'", "'SET LOCAL a = 1'",
     "'LOCK TABLE a'", "'LISTEN a'", "f'ALTER TABLE {a} ADD b'", "'WITH a AS (TABLE b) TABLE a'", "'BEGIN;'",
     "'TRUNCATE a'", "f'CREATE UNLOGGED TABLE {a}'", "'DROP SCHEMA a'", "'GRANT SELECT ON a TO b'",
     "'pg_notify(1)'",
     "f' ORDER BY {a}'", "'ANALYZE a'"],
)  # fmt: skip
def test_sql_is_seen(literal: str) -> None:
    assert statements_in(f"x = {literal}")


@pytest.mark.parametrize(
    "source",
    ["x = 'let a role with CREATE on the database run it'", "'''SELECT 1'''",
     "x = 'update the row, then delete it'", "x = f'select {a} for this'", "x = 'begin at once'"],
)  # fmt: skip
def test_what_only_speaks_of_sql_is_none(source: str) -> None:
    assert statements_in(source) == []


# Which package loads which file of statements. Packages above call the functions of that package.
LOADED_BY = {
    "connection": {"database"},
    "console": {"console"},
    "embedded": {"embedded"},
    "history": {"history"},
    "log": {"log"},
    "observations": {"observations"},
    "operations": {"operations"},
    "quarantine": {"log"},
    "roles": {"schema"},
    "schema": {"schema"},
    "state": {"state"},
    "status": {"state"},
    "subjects": {"operations"},
}
# Which schemas the statements of a file name. `projector` belongs to the migrations; the rows of
# checkpoints are created with the tables of their projections.
NAMES = {
    "connection": set(),
    "console": {"directory"},
    "embedded": set(),
    "history": {"directory", "log", "state"},
    "log": {"log"},
    "observations": {"observations", "directory"},
    "operations": {"log", "state", "directory", "observations"},
    "quarantine": {"log"},
    "roles": set(),
    "schema": {"projector", "state"},
    "state": {"log", "projector", "state"},  # a checkpoint moves to an event that the log holds
    "status": {"state", "directory"},
    "subjects": {"log", "state", "observations"},
}
SCHEMA = re.compile(r"\b(log|state|directory|projector|observations)\.[a-z_]+")
COMMENT = re.compile(r"--.*")


def test_a_file_of_statements_is_loaded_by_its_room_alone() -> None:
    loaded: dict[str, set[str]] = defaultdict(set)
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "queries"
            ):
                (file,) = node.args
                assert isinstance(file, ast.Constant), "a file is named where it is loaded"
                loaded[str(file.value)].add(room(module))
    assert loaded == LOADED_BY


@pytest.mark.parametrize("file", sorted(path.stem for path in (sql_root() / "queries").iterdir()))
def test_a_file_of_statements_names_its_schemas_alone(file: str) -> None:
    text = COMMENT.sub("", "\n".join(queries(file).values()))
    assert set(SCHEMA.findall(text)) == NAMES[file]


# What generated columns are made with; migrations make these before any table of a projection.
FUNCTIONS = {"state.time_of", "state.searchable", "state.capped", "state.name_of", "state.flags_of"}


@pytest.mark.parametrize(
    "path", sorted((sql_root() / "projections").iterdir()), ids=lambda p: p.stem
)
def test_the_tables_of_a_projection_name_no_schema_but_functions_of_state(path: Path) -> None:
    text = COMMENT.sub("", path.read_text(encoding="utf-8"))
    assert set(re.findall(r"\b(?:log|state|directory|projector)\.\w+", text)) <= FUNCTIONS
