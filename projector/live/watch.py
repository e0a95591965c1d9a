"""The watch: learns of new events by polling, and sooner by notification where that works.

A notification carries the new head. LISTEN is trusted only after a notification that the watch sent
itself came back: behind a transaction-mode pooler it never does. Until then polling is quick while events
come and slows down to once a second; with a trusted listener it is always once a second.
"""

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

import structlog

from projector.database import TROUBLE, Connection, Database, connect
from projector.database_reasons import reason_of
from projector.errors import DatabaseUnavailable
from projector.live.feed import Feed
from projector.log.append import NOTIFY_CHANNEL
from projector.log.read import read_head
from projector.tasks import set_within
from projector.telemetry import Recurring

LEASE_CHANNEL: Final = "projector_lease"
ECHO_CHANNEL: Final = "projector_echo"

SLOWEST_POLL: Final = 1.0
QUICKEST_POLL: Final = 0.01
POLL_TIMEOUT: Final = 5.0
RETRY_LISTEN: Final = 5.0
ECHO_SECONDS: Final = 30.0

_log = structlog.get_logger()


class Watch:
    """Keeps a feed's head up to date; `on_lease` is called when a lease became free."""

    def __init__(self, database: Database, feed: Feed, on_lease: Callable[[], None]) -> None:
        self._database = database
        self._feed = feed
        self._on_lease = on_lease
        self._token = uuid.uuid4().hex
        self._echo = asyncio.Event()
        self._trouble = Recurring(_log, "listen_lost", level="info")
        self.trusted = False
        self.reachable_since: float | None = None

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._poll())
            if not self._database.pooled:
                tasks.create_task(self._listen())

    async def _poll(self) -> None:
        pause = QUICKEST_POLL
        while True:
            known = self._feed.head
            try:
                self._feed.advance(await read_head(self._database, timeout=POLL_TIMEOUT))
                self.reachable_since = self.reachable_since or time.monotonic()
            except TROUBLE:
                self.reachable_since = None
            if self.trusted or self.reachable_since is None:
                pause = SLOWEST_POLL
            elif self._feed.head > known:
                pause = QUICKEST_POLL
            else:
                pause = min(pause * 1.5, SLOWEST_POLL)
            await asyncio.sleep(pause)

    async def _listen(self) -> None:
        while True:
            try:
                connection = await connect(self._database.url)
                try:
                    await self._hear(connection)
                finally:
                    self.trusted = False
                    connection.terminate()
            except (DatabaseUnavailable, *TROUBLE) as error:
                reason = reason_of(error)
                self._trouble(reason.word, reason=reason.what, next="polling")
            await asyncio.sleep(RETRY_LISTEN)

    async def _hear(self, connection: Connection) -> None:
        closed = asyncio.Event()
        connection.add_termination_listener(lambda _connection: closed.set())
        await connection.add_listener(NOTIFY_CHANNEL, self._heard)
        await connection.add_listener(LEASE_CHANNEL, self._lease_freed)
        await connection.add_listener(ECHO_CHANNEL, self._echoed)
        while not connection.is_closed():
            # The echo proves again and again that notifications arrive: a connection can die unnoticed. It is
            # sent from another connection: behind a pooler, too, a session hears what it sends itself.
            self.trusted, before = False, self.trusted
            self._echo = asyncio.Event()
            await self._database.notify(ECHO_CHANNEL, self._token, timeout=5)
            if not await set_within(self._echo, seconds=5):
                if before:
                    self._trouble("no echo", reason="no notification came back", next="polling")
                return
            self.trusted = True
            await set_within(closed, ECHO_SECONDS)

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        if str(payload).isdigit():
            self._feed.advance(int(payload))

    def _lease_freed(self, *_arguments: Any) -> None:
        self._on_lease()

    def _echoed(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        if payload == self._token:
            self._echo.set()
