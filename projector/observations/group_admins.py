"""Who are the admins of groups: REST tells them by e-mail, the directory knows most of them by id."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from projector.folding.columns import lowered
from projector.observations.outcome import Outcome, Section
from projector.observations.reading import AT_ONCE, Reach, Reading
from projector.observations.rows import Json, row_email, row_id
from projector.rest.endpoints import GROUP_ADMINS, USER
from projector.rest.failures import NotThere, Unreadable
from projector.rest.paging import Complete
from projector.statements import queries
from projector.tasks import side_by_side
from projector.zoom.catalogue import GROUP_ADMINS_OBSERVED

_SQL: Final = queries("observations")

# Spells an entry that the directory knows by its e-mail alone.
_BY_EMAIL: Final = "email:"


class Admin(NamedTuple):
    """An admin in the directory: id, or `email:` and the e-mail; the e-mail where one is known."""

    person: str
    email: str | None


class GroupAdmins:
    """Reads the admins of groups, and appends who is one and who is one no more."""

    def __init__(self, reading: Reading, outcome: Outcome, reach: Reach) -> None:
        self._reading = reading
        self._outcome = outcome
        self._reach = reach

    async def read(self, groups: Collection[str]) -> None:
        """Read those of every group, in the order of their ids, from where an interrupted run was."""
        progress = self._reading.progress
        after = await progress.step(Section.GROUPS, "admins_after") or ""
        left = sorted(group for group in groups if group > after)
        for start in range(0, len(left), AT_ONCE):
            some = left[start : start + AT_ONCE]
            await self._some(some)
            if not self._reach.reads(GROUP_ADMINS):
                return
            await progress.save(
                Section.GROUPS, admins_after=some[-1], counts=self._outcome.counts()
            )
            done = len(groups) - len(left) + start + len(some)
            self._reading.report(Section.GROUPS, done, len(groups))

    async def _some(self, groups: Sequence[str]) -> None:
        held: dict[str, list[Admin]] = {group: [] for group in groups}
        for row in await self._reading.fetch(_SQL["admins_of_groups"], groups):
            held[row["group_id"]].append(Admin(row["user_id"], row["email"]))
        bodies: list[bytes] = []

        async def one(group: str) -> None:
            body = await self._observation(group, held[group])
            if body is not None:
                bodies.append(body)

        await side_by_side(*map(one, groups))
        self._outcome.repaired += len(bodies)
        await self._reading.append(bodies)

    async def _observation(self, group: str, held: Sequence[Admin]) -> bytes | None:
        """What to append about one group's admins; None where nothing differs, or nothing can be read."""
        listing = self._reading.client.listing(GROUP_ADMINS, group)
        seen: dict[str, str] = {}
        as_of_ms: int | None = None
        try:
            async for page in listing:
                as_of_ms = page.as_of_ms if as_of_ms is None else as_of_ms
                seen |= {lowered(email): email for row in page.rows if (email := row_email(row))}
        except NotThere:
            return None
        except Unreadable as error:
            self._reach.refused(GROUP_ADMINS, error)
            self._outcome.fail(str(error))
            return None
        about = await self._differing(seen, held, proven=isinstance(listing.proof, Complete))
        if not about or as_of_ms is None:
            return None
        return self._reading.facts.body(GROUP_ADMINS_OBSERVED, as_of_ms, {"id": group, **about})

    async def _differing(
        self, seen: Mapping[str, str], held: Sequence[Admin], *, proven: bool
    ) -> Json:
        """Who is an admin and was not in the directory, and who was and is none; empty where nobody.

        Before somebody is one no more, their present e-mail is asked for: the directory's may be an old one.
        """
        matched = {lowered(admin.email) for admin in held if admin.email is not None} & seen.keys()
        absent: list[Json] = []
        for admin in held:
            if admin.email is not None and lowered(admin.email) in matched:
                continue
            if admin.person.startswith(_BY_EMAIL):
                absent.append({"email": admin.person.removeprefix(_BY_EMAIL)})
                continue
            present = "" if seen.keys() <= matched else await self._present_email(admin.person)
            if present is not None and lowered(present) in seen:
                matched.add(lowered(present))
            elif present is not None:
                absent.append({"id": admin.person})
        new = await self._entries({low: seen[low] for low in seen.keys() - matched})
        told = {"admins": new, "absent": absent if proven else []}
        return {name: some for name, some in told.items() if some}

    async def _present_email(self, user: str) -> str | None:
        """A person's e-mail in Zoom: blank where there is none, None where it is unreadable."""
        try:
            answer = await self._reach.get(USER, user)
        except NotThere:
            return ""
        return None if answer is None else row_email(answer.body) or ""

    async def _entries(self, emails: Mapping[str, str]) -> list[Json]:
        """Entries for admins, by lower-cased e-mail, with the id of the one person who has it.

        Whom the directory does not know Zoom is asked for: an e-mail alone would mean nobody once it changes.
        """
        if not emails:
            return []
        ids: dict[str, list[str]] = {}
        for row in await self._reading.fetch(_SQL["people_by_email"], list(emails)):
            ids.setdefault(row[0], []).append(row[1])
        entries: list[Json] = []
        for low, email in sorted(emails.items()):
            known = ids.get(low, [])
            person = known[0] if len(known) == 1 else await self._id_of(email)
            entries.append({"email": email} if person is None else {"id": person, "email": email})
        return entries

    async def _id_of(self, email: str) -> str | None:
        try:
            answer = await self._reach.get(USER, email)
        except NotThere:
            return None
        return None if answer is None else row_id(answer.body)
