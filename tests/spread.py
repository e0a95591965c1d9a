"""Distributes the tests over processes (pytest-xdist), file by file, slow folders first.

Many tests wait for a clock or for another process, so there is one process more than cores. Each
process has its own database server.
"""

import os
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from xdist.scheduler import LoadScopeScheduling

MOST = 8


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Distribute whole folders; run single files or tests in this process."""
    named = [Path(name.partition("::")[0]) for name in config.option.file_or_dir]
    if named and all(path.is_file() for path in named):
        return 0
    return min((os.cpu_count() or 1) + 1, MOST)


class ByFile(LoadScopeScheduling):
    """Runs a file's tests in one process, where they share what is created once per file."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        if file.endswith("/test_laws.py"):  # shares nothing, and is slow
            return f"{file} {crc32(test.encode()) % 4}"
        return str(Path(file).parent) if "/examples/" in file else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)
