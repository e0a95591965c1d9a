"""One run: its sections in their order, each with a record of what was read and what came of it."""

import time
from collections.abc import Sequence
from typing import Final, Protocol

from projector.database import Database
from projector.errors import ProjectorError
from projector.observations.deliveries_section import DeliveriesSection
from projector.observations.facts import Facts
from projector.observations.folded import until_folded
from projector.observations.groups_section import GroupsSection
from projector.observations.lease import as_only_run
from projector.observations.outcome import Outcome, Section
from projector.observations.progress import begin, no_progress
from projector.observations.reading import Options, Reading, Report
from projector.observations.settings_section import SettingsSection
from projector.observations.users_section import UsersSection
from projector.rest.client import RestClient
from projector.rest.endpoints import USER
from projector.rest.failures import NotThere, RestUnavailable, Unreadable, WrongAccount
from projector.zoom.catalogue import SECTION_READ


class _Work(Protocol):
    def __init__(self, reading: Reading, outcome: Outcome) -> None: ...

    async def read(self) -> None: ...


_WORK: Final[dict[Section, type[_Work]]] = {
    Section.DELIVERIES: DeliveriesSection,
    Section.GROUPS: GroupsSection,
    Section.USERS: UsersSection,
    Section.SETTINGS: SettingsSection,
}


async def reconcile(
    client: RestClient,
    database: Database,
    sections: Sequence[Section],
    options: Options,
    report: Report,
) -> list[Outcome]:
    """Compare Zoom with the directory, and append the differences; returns the outcome of each section.

    A run that was interrupted and asked for the same sections is taken up. Raises RunRefused where another
    run reads the account, FoldBehind where the projectors do not follow, and what the client raises of
    credentials, app or account.
    """

    async def work() -> list[Outcome]:
        account = client.account_id
        if options.dry_run:
            progress = no_progress()
        else:
            progress = await begin(database, account, sections)
        facts = Facts(account, progress.run)
        return await _Run(Reading(client, database, facts, progress, options, report)).read(
            sections
        )

    return await as_only_run(database, client.account_id, work)


class _Run:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._skew_ms = 0

    async def read(self, sections: Sequence[Section]) -> list[Outcome]:
        self._skew_ms = await check_account(self._reading.client)
        outcomes = []
        for section in sections:
            outcome = Outcome(section)
            outcomes.append(outcome)
            done = await self._reading.progress.step(section, "done")
            if done is not None:
                outcome.resume(done)
                continue
            await self._section(outcome)
        if not any(outcome.interrupted for outcome in outcomes):
            await self._reading.progress.finish()
        return outcomes

    async def _section(self, outcome: Outcome) -> None:
        """Read one section, and append its record."""
        began_ms = time.time_ns() // 1_000_000 - self._skew_ms
        work = _WORK[outcome.section](self._reading, outcome)
        try:
            await until_folded(self._reading)
            await work.read()
        except RestUnavailable as error:
            outcome.fail(str(error))
            outcome.interrupted = True
            await self._record(outcome, began_ms)
            return
        except ProjectorError as error:
            outcome.fail(str(error))
            await self._record(outcome, began_ms)
            raise
        await self._record(outcome, began_ms)
        steps = {"done": outcome.whole()} if outcome.complete else {}
        await self._reading.progress.forget(outcome.section, **steps)

    async def _record(self, outcome: Outcome, began_ms: int) -> None:
        body = self._reading.facts.body(SECTION_READ, began_ms, outcome.record())
        await self._reading.append([body])


async def check_account(client: RestClient) -> int:
    """Check whose token it is, where Zoom says so; returns by how many ms our clock is ahead of Zoom's.

    Raises WrongAccount, and what the client raises of credentials and app.
    """
    asked_ms = time.time_ns() // 1_000_000
    try:
        answer = await client.get(USER, "me")
    except (Unreadable, NotThere, RestUnavailable):
        return 0
    account = answer.body.get("account_id")
    if isinstance(account, str) and account and account != client.account_id:
        raise WrongAccount(
            "Zoom's answers are about another account than PROJECTOR_ZOOM_ACCOUNT_ID names: nothing was "
            "taken from them; set it to the account id on the page of the Server-to-Server OAuth app"
        )
    return asked_ms - answer.as_of_ms
