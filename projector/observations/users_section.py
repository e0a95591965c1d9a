"""The section of users: three listings, page by page; who is pending without an id; groups; who is gone."""

from itertools import islice
from typing import Any, Final, TypeAlias

from projector.folding.columns import lowered
from projector.observations.folded import until_folded
from projector.observations.group_sets import end_nobodys_entries, read_totals, tell_groups
from projector.observations.outcome import Outcome, Section
from projector.observations.people import People, Person
from projector.observations.reading import AT_ONCE, Reach, Reading
from projector.observations.removals import PEOPLE, missed, tell_gone
from projector.observations.rows import (
    Json,
    groups_of,
    listed_person,
    row_email,
    row_id,
    single_person,
)
from projector.rest.answers import Answer
from projector.rest.endpoints import ROLES, USER, USERS
from projector.rest.failures import NotThere, Unreadable
from projector.rest.paging import Incomplete
from projector.statements import queries
from projector.tasks import side_by_side
from projector.zoom.events import identifier

_SQL: Final = queries("observations")

# In this order, so that whoever is deactivated in the meantime is in two of them rather than in none.
STATUSES: Final = ("active", "inactive", "pending")

# Rows without an id, by lower-cased e-mail: what they show, and as of when in epoch milliseconds.
Nameless: TypeAlias = dict[str, tuple[Json, int]]


class UsersSection:
    """Reads everybody of the account, and appends who differs."""

    def __init__(self, reading: Reading, outcome: Outcome) -> None:
        self._reading = reading
        self._outcome = outcome
        self._reach = Reach(reading.client, outcome)
        self._people = People(reading, outcome)
        self._roles: dict[str, str] = {}
        self._held: list[str] = []
        self._without_id = 0
        self._since_ms: int | None = None

    async def read(self) -> None:
        """Read the section; raises what the client raises where nothing can be read at all."""
        self._roles = await self._role_names()
        totals = await read_totals(self._reading, self._reach)
        await self._resume()
        # Before anything is appended: whoever is new in the meantime tells nothing about the account.
        self._held = [row[0] for row in await self._reading.fetch(_SQL["people"])]
        for status in STATUSES:
            await self._listing(status)
        if self._without_id:
            self._outcome.unreadable["pending people"] = (
                f"{self._without_id} are shown without an id, and none is known by their e-mail"
            )
        complete = self._outcome.complete
        await tell_groups(self._reading, self._outcome, self._people, totals, complete=complete)
        if complete:
            await self._end_the_gone()
            await self._end_nobodys_entries()

    async def _role_names(self) -> dict[str, str]:
        answer = await self._reach.get(ROLES)
        rows = answer.body.get("roles") if answer is not None else None
        return {
            found: name
            for row in (rows if isinstance(rows, list) else [])
            if isinstance(row, dict)
            and (found := identifier(row.get("id"))) is not None
            and isinstance(name := row.get("name"), str)
        }

    async def _resume(self) -> None:
        """Take up what an interrupted run had been shown."""
        progress = self._reading.progress
        self._outcome.resume(await progress.step(Section.USERS, "counts"))
        self._done: list[str] = await progress.step(Section.USERS, "listings") or []
        for status in self._done:
            self._people.restore(await progress.step(Section.USERS, f"shown_{status}") or [])
        self._without_id = await progress.step(Section.USERS, "without_id") or 0
        self._since_ms = await progress.step(Section.USERS, "since_ms")

    async def _listing(self, status: str) -> None:
        if status in self._done:
            return
        listing = self._reading.client.listing(
            USERS, status=status, include_fields="custom_attributes"
        )
        without_id: Nameless = {}
        try:
            async for page in listing:
                await self._page(page.rows, status, page.as_of_ms, without_id)
        except Unreadable as error:
            self._reach.refused(USERS, error, all_of_it=True)
            self._outcome.fail(str(error))
            return
        await self._nameless(without_id)
        if isinstance(listing.proof, Incomplete):
            self._outcome.fail(listing.proof.why)
            return
        self._done.append(status)
        steps: dict[str, Any] = {
            f"shown_{status}": self._people.unsaved(),
            "counts": self._outcome.counts(),
            "listings": self._done,
            "without_id": self._without_id,
            "since_ms": self._since_ms,
        }
        await self._reading.progress.save(Section.USERS, **steps)

    async def _page(
        self, rows: list[Json], status: str, as_of_ms: int, without_id: Nameless
    ) -> None:
        people = []
        self._since_ms = min(as_of_ms, self._since_ms or as_of_ms)
        for row in rows:
            about = listed_person(row, status, self._roles)
            if (user := row_id(row)) is not None:
                people.append(Person(user, about, groups_of(row), as_of_ms))
            elif (email := row_email(row)) is not None:
                without_id[lowered(email)] = about, as_of_ms
            else:
                self._without_id += 1
        await self._people.observe(people)
        self._reading.report(Section.USERS, len(self._people.shown), 0)

    async def _nameless(self, rows: Nameless) -> None:
        """Find who the rows without an id are: by e-mail in the directory, else by asking for the e-mail.

        Whoever another listing has shown by id is what that one said.
        """
        found = await self._reading.fetch(_SQL["people_by_email"], list(rows)) if rows else []
        known: dict[str, list[str]] = {}
        for row in found:
            known.setdefault(row[0], []).append(row[1])
        people: list[Person] = []

        async def one(email: str, about: Json, as_of_ms: int) -> None:
            ids = known.get(email, [])
            if len(ids) == 1:
                people.append(Person(ids[0], about, None, as_of_ms))
            elif (asked := await self._asked_by_email(about["email"])) is not None:
                people.append(asked._replace(about={**about, **asked.about}))
            else:
                self._without_id += 1

        left = iter(rows.items())
        while some := list(islice(left, AT_ONCE)):
            await side_by_side(*(one(email, *seen) for email, seen in some))
        await self._people.observe(
            [person for person in people if person.key not in self._people.shown]
        )

    async def _asked_by_email(self, email: str) -> Person | None:
        try:
            answer = await self._reach.get(USER, email)
        except NotThere:
            return None
        return None if answer is None else person_in(answer)

    async def _end_the_gone(self) -> None:
        """End whoever the directory shows and Zoom denies, where that may be concluded at all."""
        people = self._held
        others = [row[0] for row in await self._reading.fetch(_SQL["unresolved_people"])]
        shown = self._people.shown
        missing = [user for user in people if user.lower() not in shown]
        if not shown:
            self._outcome.fail(
                "Zoom's listings show nobody at all: nobody was removed; check the app's scopes and "
                "its owner's role, then run this again"
            )
            return
        if people and len(missing) == len(people):
            self._outcome.fail(
                f"none of the {len(people):,} people in the directory is in Zoom's listings: nobody was "
                "removed; check that PROJECTOR_ZOOM_ACCOUNT_ID names the account of the webhooks"
            )
            return
        missing += [user for user in others if user.lower() not in shown]
        asked = await missed(
            self._reading, self._outcome, PEOPLE, missing, len(people), self._ask_by_id
        )
        if asked.untold and not self._reach.reads(USER):
            self._outcome.fail(
                f"{asked.untold:,} people of the directory are in no listing, and may not be asked for "
                f"by id, so nobody of them was removed; give the app the scope {USER.scope}"
            )
        await self._people.observe(
            [person for answer in asked.there.values() if (person := person_in(answer)) is not None]
        )
        await tell_gone(self._reading, self._outcome, PEOPLE, asked)

    async def _end_nobodys_entries(self) -> None:
        """End memberships by e-mail of nobody; a pending person without an id may be who is meant."""
        if self._since_ms is None or self._without_id or not self._outcome.complete:
            return
        await until_folded(self._reading)
        await end_nobodys_entries(self._reading, self._outcome, self._since_ms)

    async def _ask_by_id(self, user: str) -> Answer | None:
        return await self._reach.get(USER, user)


def person_in(answer: Answer) -> Person | None:
    """The person of an answer about one; None where it has no id."""
    row: dict[str, Any] = answer.body
    user = row_id(row)
    if user is None:
        return None
    return Person(user, single_person(row), groups_of(row), answer.as_of_ms)
