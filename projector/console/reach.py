"""The database as the console reaches it: opened as soon as it answers, looked at again and again."""

import asyncio
from typing import Final

import structlog

from projector.database import TROUBLE, Database, open_database
from projector.database_reasons import reason_of
from projector.errors import DatabaseUnavailable, ProjectorError, SchemaMismatch
from projector.schema.migrations import check_schema
from projector.schema.reading import Rights, check_reader, read_rights
from projector.tasks import set_within
from projector.telemetry import Recurring

RETRY_SECONDS: Final = 2.0
LOOK_AGAIN_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 10.0
FIRST_SECONDS: Final = 3.0

_log = structlog.get_logger()


class Reach:
    """One pool, as a login that may act or only read; until there is one, why there is none."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._database: Database | None = None
        self._rights: Rights | None = None
        self._why: ProjectorError | None = DatabaseUnavailable(
            "the database has not been asked yet; try again in a moment"
        )
        self._asked = asyncio.Event()
        self._trouble = Recurring(_log, "console_waits_for_database")
        self._bugs = Recurring(_log, "console_look_failed", level="error")

    async def database(self) -> Database:
        """Return the database, once it was asked for the first time.

        Raises DatabaseUnavailable while it has never answered, and SchemaMismatch while its schema or its
        login does not fit.
        """
        await set_within(self._asked, FIRST_SECONDS)
        if self._why is not None:
            raise self._why
        assert self._database is not None  # noqa: S101  no reason why not
        return self._database

    @property
    def cannot_act(self) -> str | None:
        """Why the login cannot act, or None."""
        if self._rights is None or not self._rights.only_reads:
            return None
        return (
            f"the console's database login, {self._rights.login}, may only read: run `projector grant "
            f"projector_operator {self._rights.login}`, or let the console log in as another, for actions"
        )

    async def run(self) -> None:
        """Look until cancelled: often until all fits, and then once in a while."""
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._look()
            except (ProjectorError, *TROUBLE) as error:
                self._tell(error)
            except Exception as error:  # noqa: BLE001  what serves beside it goes on
                self._bugs(type(error).__name__, exc_info=error)
            self._asked.set()
            await asyncio.sleep(LOOK_AGAIN_SECONDS if self._why is None else RETRY_SECONDS)

    async def _look(self) -> None:
        if self._database is None:
            self._database = await open_database(self.url)
        async with self._database.transaction() as connection:
            rights = await read_rights(connection)
        check_reader(rights)
        if not rights.only_reads:  # who only reads may not see the migrations
            await check_schema(self._database)
        if self._why is not None:
            _log.info("console_reads", acts=not rights.only_reads)
        self._rights, self._why = rights, None

    def _tell(self, error: BaseException) -> None:
        """Keep why not; what passes, once there was a database, each page finds out for itself."""
        if isinstance(error, ProjectorError):
            word, why = type(error).__name__, error
        else:
            reason = reason_of(error)
            word, why = reason.word, DatabaseUnavailable(reason.sentence, word=reason.word)
        self._trouble(word, reason=str(why))
        if isinstance(why, SchemaMismatch) or self._why is not None:
            self._why = why

    async def close(self) -> None:
        """Close the pool."""
        if self._database is not None:
            await self._database.close()
