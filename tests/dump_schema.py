"""The schema that the migrations create, as text: `python -m tests.dump_schema > sql/schema.sql`."""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from projector.database import open_database
from projector.embedded import EmbeddedServer
from projector.embedded.binaries import installed_binaries
from projector.schema.migrate import migrate

SCHEMAS = ("log", "state", "directory", "projector", "observations")

HEADER = """\
-- The schema of a freshly migrated database, as pg_dump says it. Made by a command, never edited:
--   python -m tests.dump_schema > sql/schema.sql
"""

# Lines that differ between releases of pg_dump and are not part of the schema.
_NOISE = re.compile(
    r"^(--.*|SET \w+ = .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)\n", re.MULTILINE
)


def normalised(dump: str) -> str:
    """A dump without pg_dump's comments, settings and repeated blank lines."""
    return re.sub(r"\n{3,}", "\n\n", _NOISE.sub("", dump)).strip() + "\n"


def dumped(dsn: str) -> str:
    """The normalised schema of a database."""
    schemas = [f"--schema={name}" for name in SCHEMAS]
    ran = subprocess.run(
        [installed_binaries().program("pg_dump"), "--schema-only", "--no-owner", *schemas, dsn],
        capture_output=True,
        text=True,
        check=True,
    )
    return normalised(ran.stdout)


async def _migrated(dsn: str) -> None:
    database = await open_database(dsn)
    await migrate(database)
    await database.close()


def main() -> None:
    """Write the schema to standard output."""
    folder = Path(tempfile.mkdtemp(prefix="schema-"))
    try:
        with EmbeddedServer(folder, settings={"fsync": "off"}) as server:
            asyncio.run(_migrated(server.dsn))
            sys.stdout.write(f"{HEADER}\n{dumped(server.dsn)}")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
