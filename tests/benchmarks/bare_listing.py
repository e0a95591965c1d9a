"""Reads all people and groups with their admins by the product's client, and does nothing with them.

`python -m tests.benchmarks.bare_listing`: the least that any reading of an account takes.
"""

import asyncio

from projector.config import load_settings
from projector.process import relax_gc, run
from projector.rest.client import RestClient
from projector.rest.endpoints import GROUP_ADMINS, GROUPS, USERS
from projector.rest.session import open_client

AT_ONCE = 16


async def read_all() -> None:
    relax_gc()
    async with open_client(load_settings()) as client:
        groups = [row["id"] async for page in client.listing(GROUPS) for row in page.rows]
        for start in range(0, len(groups), AT_ONCE):
            await asyncio.gather(*(admins(client, g) for g in groups[start : start + AT_ONCE]))
        for status in ("active", "inactive", "pending"):
            async for _ in client.listing(USERS, status=status, include_fields="custom_attributes"):
                pass


async def admins(client: RestClient, group: str) -> None:
    async for _ in client.listing(GROUP_ADMINS, group):
        pass


if __name__ == "__main__":
    run(read_all())
