"""Named SQL statements, read once from the files of `sql/`."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

_NAME = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)


@cache
def sql_root() -> Path:
    """Return the folder `sql`: package data of an installed wheel, the top-level folder of a checkout."""
    packaged = Path(str(files("projector"))) / "sql"
    return packaged if packaged.is_dir() else packaged.parent.parent / "sql"


def parse(text: str) -> dict[str, str]:
    """Return the statements of a file by name; raises ValueError where a name occurs twice."""
    parts = _NAME.split(text)
    statements: dict[str, str] = {}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        if name in statements:
            raise ValueError(f"two statements are named {name}")
        statements[name] = body.strip()
    return statements


@cache
def queries(file: str) -> dict[str, str]:
    """Return the statements of `sql/queries/<file>.sql` by name."""
    return parse((sql_root() / "queries" / f"{file}.sql").read_text(encoding="utf-8"))
