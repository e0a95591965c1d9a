"""A rebuild's memory is bounded in bytes, not in rows: small events may have large documents."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from projector.database import Database
from tests.oracle.story import event
from tests.runtime_rig import append_bodies

# Python, the driver and the limit on rows in memory take about 200 MB.
MOST_MB = 300

SETTINGS = [[f"some_setting_{s}_{i}" for i in range(20)] for s in range(18)]

PEAK = """
import re, sys
from projector.__main__ import main
sys.argv = ["projector", "rebuild", "user_settings"]
try:
    main()
finally:
    # Not getrusage: its peak starts at the memory of the parent process.
    print("peak", int(re.search("VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


def document(chance: random.Random) -> dict[str, dict[str, int]]:
    """About 11 KB of settings."""
    values = iter(chance.choices(range(10**6), k=360))
    return {f"section_{s}": {setting: next(values) for setting in SETTINGS[s]} for s in range(18)}


def small_changes_of_large_documents() -> Iterator[bytes]:
    chance, users = random.Random(1), range(9000)
    for n in users:
        yield event("user.settings_updated", n, {"id": f"u{n}", "settings": document(chance)})
    for n in users:
        small = {"section_1": {"changed": n}}
        yield event("user.settings_updated", 9000 + n, {"id": f"u{n}", "settings": small})


def late_events_of_long_histories() -> Iterator[bytes]:
    chance = random.Random(2)
    some = [(user, n) for user in range(400) for n in range(20)]
    chance.shuffle(some)
    for user, n in some:
        about = {"id": f"u{user}", "settings": document(chance)}
        yield event("user.settings_updated", user * 20 + n, about)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from /proc")
@pytest.mark.parametrize(
    "bodies", [small_changes_of_large_documents, late_events_of_long_histories]
)
async def test_large_documents_do_not_fill_the_memory_of_a_rebuild(
    database: Database, database_url: str, bodies: Callable[[], Iterator[bytes]]
) -> None:
    left = bodies()
    while batch := list(islice(left, 500)):
        await append_bodies(database, batch)
    result = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", PEAK],
        env=os.environ | {"PROJECTOR_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(result.stdout.split("peak ")[1]) < MOST_MB
