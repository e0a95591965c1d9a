"""The statements of replays: the tables of shadows, gathered in one schema under views of their own.

Identifiers come only from projections and from the name of the replay, which `rebuild/replay.py` has checked.
"""

from collections.abc import Iterator
from typing import Final

from projector.folding.tables import Projection

# Tells a replay's schemas from anybody else's.
MARK: Final = "a replay of the directory, made by the projector"


def create_schema(schema: str) -> str:
    """Create a schema of a replay, marked as such."""
    return (
        f"CREATE SCHEMA {schema} AUTHORIZATION projector_projector; "
        f"COMMENT ON SCHEMA {schema} IS '{MARK}'"
    )


def drop_schema(schema: str) -> str:
    """Drop a schema of a replay with everything in it."""
    return f"DROP SCHEMA IF EXISTS {schema} CASCADE"


def create_dead_letters(schema: str) -> str:
    """Create the table of a replay's dead letters."""
    return f"CREATE TABLE {schema}.dead_letters (LIKE state.dead_letters INCLUDING ALL)"


def move_in(shadow: str, projection: Projection, schema: str) -> Iterator[str]:
    """Move the tables of a filled shadow, and its dead letters, and drop what is left of it."""
    for name in projection.table_names:
        yield f"ALTER TABLE {shadow}.{name} SET SCHEMA {schema}"
    yield f"INSERT INTO {schema}.dead_letters SELECT * FROM {shadow}.dead_letters"
    yield drop_schema(shadow)


def let_read(schema: str) -> str:
    """Let readers of the directory read the views of a replay."""
    return f"GRANT USAGE ON SCHEMA {schema} TO directory_reader"
