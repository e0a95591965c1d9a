"""The section of groups: their names, which are gone, and who are their admins."""

from typing import Final

from projector.observations.group_admins import GroupAdmins
from projector.observations.outcome import Outcome, Section
from projector.observations.preview import previews
from projector.observations.reading import Reach, Reading
from projector.observations.removals import GROUPS as KIND
from projector.observations.removals import missed, tell_gone
from projector.observations.rows import Json, row_id
from projector.rest.answers import Answer
from projector.rest.endpoints import GROUP, GROUPS
from projector.rest.failures import Unreadable
from projector.rest.paging import Incomplete
from projector.statements import queries
from projector.zoom.catalogue import GROUP_OBSERVED

_SQL: Final = queries("observations")


class GroupsSection:
    """Reads every group of the account, and appends which differ."""

    def __init__(self, reading: Reading, outcome: Outcome) -> None:
        self._reading = reading
        self._outcome = outcome
        self._reach = Reach(reading.client, outcome)
        self._shown: set[str] = set()
        self._appended: dict[str, Json] = {}

    async def read(self) -> None:
        """Read the section; raises what the client raises where nothing can be read at all."""
        self._outcome.resume(await self._reading.progress.step(Section.GROUPS, "counts"))
        self._outcome.read = 0
        listing = self._reading.client.listing(GROUPS)
        try:
            async for page in listing:
                await self._observe(page.rows, page.as_of_ms)
        except Unreadable as error:
            self._reach.refused(GROUPS, error, all_of_it=True)
            self._outcome.fail(str(error))
            return
        if isinstance(listing.proof, Incomplete):
            self._outcome.fail(listing.proof.why)
        else:
            await self._end_the_gone()
        await GroupAdmins(self._reading, self._outcome, self._reach).read(self._shown)

    async def _observe(self, rows: list[Json], as_of_ms: int) -> None:
        named = {
            group: {"id": group} | ({"name": row["name"]} if "name" in row else {})
            for row in rows
            if (group := row_id(row)) is not None
        }
        bodies = [
            self._reading.facts.body(GROUP_OBSERVED, as_of_ms, about) for about in named.values()
        ]
        fresh = []
        for preview in await previews(self._reading.store, "groups", bodies):
            group = preview.after.group_id
            self._outcome.read += group not in self._shown
            self._shown.add(group)
            again = group in self._appended
            if preview.changes if not again else self._appended[group] != named[group]:
                fresh.append(preview.body)
                if not again:
                    self._outcome.count(known=preview.known)
                self._appended[group] = named[group]
        await self._reading.append(fresh)

    async def _end_the_gone(self) -> None:
        known = [row[0] for row in await self._reading.fetch(_SQL["groups"])]
        others = [row[0] for row in await self._reading.fetch(_SQL["unresolved_groups"])]
        missing = [group for group in known if group not in self._shown]
        if known and not self._shown:
            self._outcome.fail(
                f"Zoom's listing shows none of the {len(known):,} groups in the directory: no group was "
                "removed; check the app's scopes and its owner's role, then run this again"
            )
            return
        missing += [group for group in others if group not in self._shown]
        asked = await missed(self._reading, self._outcome, KIND, missing, len(known), self._ask)
        for answer in asked.there.values():
            await self._observe([answer.body], answer.as_of_ms)
        await tell_gone(self._reading, self._outcome, KIND, asked)

    async def _ask(self, group: str) -> Answer | None:
        return await self._reach.get(GROUP, group)
