"""A large account's directory with its history, for what the console reads, and a server that keeps it.

    python -m tests.benchmarks.console_data FOLDER [--users 200000] [--groups 5000] [--events 5000000]

starts a server in that folder, fills it the first time, prints its URL and keeps it until it is interrupted.
The log begins with the account's founding: everybody with a name, every group, one group of half the people
and nine of a tenth each. The rest is a mixed log over about a month, of whose changes of memberships a third
are of the largest group. One event in a thousand came hours late.

One person in a hundred is known from updates alone. Of those who were created one in thirty was invited, one
in fifty was deleted again, and of the members of some groups one in two hundred is named by e-mail alone.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import asyncpg

from projector.database import open_database
from projector.embedded import EmbeddedServer
from projector.schema.migrate import migrate
from projector.simulator.names import FIRST_NAMES, LAST_NAMES
from tests.benchmarks import processes
from tests.benchmarks.mixed_log import ACCOUNT, OPERATOR, Made, MixedLog, fill_log, start_before_now

USERS: Final = 200_000
GROUPS: Final = 5_000
EVENTS: Final = 5_000_000
GAP_MS: Final = 500  # 5 million events are 29 days

LATE_EVERY: Final = 1_000
LATE_MS: Final = 6 * 3_600_000
MEMBERS_AT_ONCE: Final = 50


class ConsoleLog(MixedLog):
    """Deliveries of one account from its founding on, in order of arrival."""

    def __init__(self, *, users: int, groups: int, start_ms: int, seed: int = 1) -> None:
        super().__init__(users=users, groups=groups, seed=seed, start_ms=start_ms, gap_ms=GAP_MS)
        self._updated: tuple[int, str] = (0, "")

    def deliveries(self, events: int) -> Iterator[Made]:
        """The next `events` deliveries, those of the founding first."""
        made = 0
        for delivery in self._founding():
            made += 1
            yield delivery
            if made == events:
                return
        for number, delivery in enumerate(super().deliveries(events - made), start=1):
            yield self._late(delivery) if number % LATE_EVERY == 0 else delivery

    def _late(self, delivery: Made) -> Made:
        """In its place one that came late, under the newest update of the same person."""
        n, user = self._updated
        if not user:
            return delivery
        event_ts = delivery.event_ts - LATE_MS
        entity = {"id": user, "company": f"Example Works {n % 7}", "language": "de-DE"}
        return self._made("user.updated", event_ts, {"object": entity, "old_object": {"id": user}})

    def _update(self, event_ts: int) -> tuple[str, str]:
        name, payload = super()._update(event_ts)
        user = payload.partition('"object":{"id":"')[2].partition('"')[0]
        self._updated = (self._updated[0] + 1, user)
        return name, payload

    def _group(self) -> int:
        return 0 if self._random.random() < 1 / 3 else super()._group()

    def _founding(self) -> Iterator[Made]:
        for n in range(len(self._users)):
            if n % 100 != 50:
                yield self._next("user.created", self._person(n))
            if n % 50 == 7:
                yield self._next("user.deleted", {"object": self._named(n)})
        for group in range(len(self._groups)):
            yield self._next("group.created", {"object": self._of_group(group)})
        for group in range(10):
            people = range(len(self._users))[group :: 2 if group == 0 else 10]
            for start in range(0, len(people), MEMBERS_AT_ONCE):
                members = [self._member(n) for n in people[start : start + MEMBERS_AT_ONCE]]
                entity = self._of_group(group) | {"members": members}
                yield self._next("group.member_added", {"object": entity})

    def _person(self, n: int) -> dict[str, Any]:
        first = FIRST_NAMES[n % len(FIRST_NAMES)]
        last = LAST_NAMES[n // len(FIRST_NAMES) % len(LAST_NAMES)]
        names: dict[str, Any] = {"first_name": first, "last_name": f"{last} {n}", "type": 1 + n % 2}
        if n % 3:
            names["display_name"] = f"{first} {last} {n}"
        kind = "create" if n % 30 == 3 else "ssoCreate"
        return {"creation_type": kind, "object": self._named(n) | names}

    def _named(self, n: int) -> dict[str, Any]:
        return {"id": self._users[n], "email": f"person.{n}@example.com"}

    def _member(self, n: int) -> dict[str, Any]:
        return {"email": f"person.{n}@example.com"} if n % 200 in (30, 31) else self._named(n)

    def _of_group(self, group: int) -> dict[str, Any]:
        return {"id": self._groups[group], "name": f"Group {group}"}

    def _next(self, name: str, payload: dict[str, Any]) -> Made:
        self._now += self._gap_ms
        return self._made(name, self._now, payload)

    def _made(self, name: str, event_ts: int, payload: dict[str, Any]) -> Made:
        body = {
            "event": name, "event_ts": event_ts,
            "payload": {"account_id": ACCOUNT, "operator": OPERATOR} | payload,
        }  # fmt: skip
        return Made(name, event_ts, json.dumps(body, ensure_ascii=False).encode())


async def fill(url: str, *, users: int, groups: int, events: int) -> None:
    """Migrate an empty database, write its log, and fold all of it."""
    database = await open_database(url)
    await migrate(database)
    await database.close()
    start_ms = start_before_now(events, GAP_MS)
    await fill_log(url, ConsoleLog(users=users, groups=groups, start_ms=start_ms), events)
    with tempfile.TemporaryDirectory(prefix="console-data-") as name:
        await project(url, events, Path(name))
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM ANALYZE", timeout=3600)
    finally:
        await connection.close()


async def project(url: str, events: int, folder: Path) -> None:
    """Run a replica of the projectors until everything is folded up to that position."""
    connection = await asyncpg.connect(url)
    try:
        with processes.projector("project", url, folder) as process:
            while await connection.fetchval("SELECT min(position) FROM state.checkpoints") < events:
                process.check()
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def _filled(url: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT to_regclass('log.events')") is not None
    finally:
        await connection.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="made if it is not there")
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--groups", type=int, default=GROUPS)
    parser.add_argument("--events", type=int, default=EVENTS)
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    arguments.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    with EmbeddedServer(arguments.folder / "database") as server:
        if not asyncio.run(_filled(server.dsn)):
            size = {name: getattr(arguments, name) for name in ("users", "groups", "events")}
            asyncio.run(fill(server.dsn, **size))
        sys.stdout.write(f"{server.dsn}\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
