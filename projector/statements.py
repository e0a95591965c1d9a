"""SQL by name: the text of `sql/`, read once. SQL stands there and nowhere else."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

_NAME = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)


@cache
def sql_root() -> Path:
    """The folder `sql`: package data of the installed wheel, the top-level one of a checkout."""
    packaged = Path(str(files("projector"))) / "sql"
    return packaged if packaged.is_dir() else packaged.parent.parent / "sql"


def parse(text: str) -> dict[str, str]:
    """Split a file of named statements; raises ValueError where a name occurs twice."""
    parts = _NAME.split(text)
    statements: dict[str, str] = {}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        if name in statements:
            raise ValueError(f"two statements are named {name}")
        statements[name] = body.strip()
    return statements


@cache
def queries(file: str) -> dict[str, str]:
    """The named statements of `sql/queries/<file>.sql`."""
    return parse((sql_root() / "queries" / f"{file}.sql").read_text(encoding="utf-8"))
