"""The section of settings: of the account, of groups, of people; and the part of profiles that no list shows.

The longest one, as a person costs five calls. People in doubt come first, and an interrupted run goes on
where it was.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final

from projector.observations.documents import SeenDocument, read_document
from projector.observations.outcome import Outcome, Section
from projector.observations.people import People, Person
from projector.observations.reading import Reach, Reading
from projector.observations.settings_documents import (
    OF_ACCOUNT,
    OF_GROUPS,
    OF_USERS,
    Kind,
    SeenSettings,
    told,
)
from projector.observations.users_section import person_in
from projector.rest.endpoints import (
    ACCOUNT_LOCKS,
    ACCOUNT_SETTINGS,
    GROUP_LOCKS,
    GROUP_SETTINGS,
    USER,
    USER_SETTINGS,
    Endpoint,
)
from projector.rest.failures import NotThere
from projector.statements import queries
from projector.tasks import side_by_side

_SQL: Final = queries("observations")

# Zoom opens the locks of accounts to few: that they cannot be read fails nothing.
_REQUIRED: Final = (ACCOUNT_SETTINGS, GROUP_SETTINGS, GROUP_LOCKS, USER_SETTINGS)

OWN_ACCOUNT: Final = "me"

# Objects between two marks of the progress: what a killed run reads again at most.
AT_A_TIME: Final = 64


class SettingsSection:
    """Reads every settings document of the account, and appends the leaves that differ."""

    def __init__(self, reading: Reading, outcome: Outcome) -> None:
        self._reading = reading
        self._outcome = outcome
        self._reach = Reach(reading.client, outcome)
        self._all = 0

    async def read(self) -> None:
        """Read the section; raises what the client raises where Zoom cannot be reached."""
        self._outcome.resume(await self._step("counts"))
        (row,) = await self._reading.fetch(_SQL["count_people_with_settings"])
        self._all = row[0]
        if await self._step("account") is None:
            await self._account()
            await self._save(account=True)
        await self._each("groups", "groups_after", self._groups)
        in_doubt = await self._in_doubt()
        await self._each("people", "people_with_settings", self.of_people, leave_out=in_doubt)
        for endpoint in _REQUIRED:
            if not self._reach.reads(endpoint):
                self._outcome.fail(self._outcome.unreadable.pop(endpoint.name))

    async def _step(self, step: str) -> Any:
        return await self._reading.progress.step(Section.SETTINGS, step)

    async def _save(self, **steps: Any) -> None:
        counts = self._outcome.counts()
        await self._reading.progress.save(Section.SETTINGS, counts=counts, **steps)
        self._reading.report(Section.SETTINGS, self._outcome.read, self._all)

    async def _each(
        self,
        step: str,
        statement: str,
        work: Callable[[Sequence[str]], Awaitable[None]],
        leave_out: Collection[str] = (),
    ) -> None:
        """Do the work for all ids of a statement, some at a time, from where an interrupted run was."""
        after = await self._step(step) or ""
        while rows := await self._reading.fetch(_SQL[statement], after, AT_A_TIME):
            await work([row[0] for row in rows if row[0] not in leave_out])
            after = rows[-1][0]
            await self._save(**{step: after})

    async def _in_doubt(self) -> set[str]:
        """Read the people of whom drift stands first; returns who they were, also of an interrupted run."""
        done = await self._step("in_doubt")
        if done is None:
            done = [row[0] for row in await self._reading.fetch(_SQL["people_in_doubt"])]
            for start in range(0, len(done), AT_A_TIME):
                await self.of_people(done[start : start + AT_A_TIME])
            await self._save(in_doubt=done)
        return set(done)

    async def _account(self) -> None:
        documents = await self._documents(
            OWN_ACCOUNT, settings=ACCOUNT_SETTINGS, locks=ACCOUNT_LOCKS
        )
        await self._append(OF_ACCOUNT, [SeenSettings(self._reading.account, documents)])

    async def _groups(self, groups: Sequence[str]) -> None:
        seen: list[SeenSettings] = []

        async def one(group: str) -> None:
            documents = await self._documents(group, settings=GROUP_SETTINGS, locks=GROUP_LOCKS)
            seen.append(SeenSettings(group, documents))

        await side_by_side(*map(one, groups))
        await self._append(OF_GROUPS, seen)

    async def of_people(self, people: Sequence[str]) -> None:
        """Read the settings of people, and of their profiles what no listing shows; append what differs."""
        seen: list[SeenSettings] = []
        profiles: list[Person] = []

        async def one(user: str) -> None:
            seen.append(SeenSettings(user, await self._documents(user, settings=USER_SETTINGS)))
            try:
                answer = await self._reach.get(USER, user)
            except NotThere:
                return
            if answer is not None and (person := person_in(answer)) is not None:
                profiles.append(person)

        await side_by_side(*map(one, people))
        counted = await self._append(OF_USERS, seen)
        shown = People(self._reading, Outcome(Section.SETTINGS))
        await shown.observe(profiles)
        self._outcome.repaired += sum(
            shown.appended(person.key) and person.key not in counted for person in profiles
        )

    async def _documents(self, owner: str, **endpoints: Endpoint) -> dict[str, SeenDocument]:
        """The documents of an owner that can be read, by name; none where the owner is not there any more."""
        found: dict[str, SeenDocument] = {}
        for name, endpoint in endpoints.items():
            try:
                seen = await read_document(self._reach, endpoint, owner)
            except NotThere:
                return {}
            if seen is not None:
                found[name] = seen
        return found

    async def _append(self, kind: Kind, seen: Sequence[SeenSettings]) -> set[str]:
        """Append what differs; returns whose it is, their ids in lower case."""
        self._outcome.read += sum(bool(one.documents) for one in seen)
        found = await told(self._reading.store, self._reading.facts, kind, seen)
        for one in found:
            self._outcome.count(known=one.known)
        await self._reading.append([one.body for one in found])
        return {one.owner.lower() for one in found}
