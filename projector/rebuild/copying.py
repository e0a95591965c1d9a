"""COPY into a shadow's tables."""

from collections.abc import AsyncIterable, Iterable, Sequence
from typing import Any

from projector.database import Database


async def copy(
    database: Database,
    schema: str,
    table: str,
    columns: Sequence[str],
    records: Iterable[Any] | AsyncIterable[Any],
) -> None:
    """Write records into a table."""
    async with database.transaction() as connection:
        await connection.copy_records_to_table(
            table, schema_name=schema, columns=columns, records=records, timeout=3600
        )
