"""People as REST shows them: those that differ from the directory become observations."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from projector.observations.outcome import Outcome
from projector.observations.preview import Preview, previews, table_of
from projector.observations.reading import Reading
from projector.observations.rows import Json
from projector.observations.unchanged import is_unchanged
from projector.projections.users import User
from projector.statements import queries
from projector.zoom.catalogue import USER_OBSERVED

_SQL: Final = queries("observations")
_encode = msgspec.json.Encoder().encode

GroupSet = tuple[str, ...]


class Person(NamedTuple):
    """Somebody as one answer shows them. `groups`: the whole set; None: it says nothing of them."""

    id: str
    about: Json
    groups: GroupSet | None
    as_of_ms: int

    @property
    def key(self) -> str:
        """The id by which the directory holds them: spelled in lower case."""
        return self.id.lower()


class Shown(NamedTuple):
    """Somebody whom this run was shown, as last shown. `known_as`: the id as the directory spells it.

    `told`: the groups that this run's observations named; None: none of them did.
    """

    id: str
    known_as: str
    pending: bool
    groups: GroupSet | None
    as_of_ms: int
    told: GroupSet | None


class People:
    """Everybody whom a run was shown, by key; appends what the directory does not show.

    Somebody may be shown twice: by a listing that started again, or by two, having moved between them. Then
    what was appended last is what counts, as the directory has not folded it yet.
    """

    def __init__(self, reading: Reading, outcome: Outcome) -> None:
        self.shown: dict[str, Shown] = {}
        self._reading = reading
        self._outcome = outcome
        self._appended: dict[str, int] = {}
        self._sets: dict[GroupSet, GroupSet] = {}
        self._unsaved: set[str] = set()

    def appended(self, key: str) -> bool:
        """Whether this run appended anything of that person."""
        return key in self._appended

    async def observe(self, people: Sequence[Person]) -> None:
        """Compare people with the directory, and append those that differ.

        The groups of somebody new are told at once. Those of others are compared at the end of the section,
        when it is known whether the sets can be believed.
        """
        everybody = {person.key: self._after_the_last(person) for person in people}
        account = self._reading.account
        keys = [(account, key) for key in everybody]
        held = await self._reading.store.load(table_of("users"), keys)
        by_key = {
            key: person
            for key, person in everybody.items()
            if not self._show_unchanged(person, held.get((account, key)))
        }
        bodies = [self._body(person) for person in by_key.values()]
        found = await previews(self._reading.store, "users", bodies, held)
        revived = await self._signed_in_though_pending(found)
        fresh = []
        for preview in found:
            person = by_key[preview.after.user_key]
            told = None
            if self._differs(person, preview) or person.key in revived:
                told = person.groups if not preview.known else None
                fresh.append(preview.body if told is None else self._body(person, groups=told))
                if not self.appended(person.key):
                    self._outcome.count(known=preview.known)
                self._appended[person.key] = hash(_encode(person.about))
            self._show(person, preview.after.user_id, told)
        await self._reading.append(fresh)

    def _after_the_last(self, person: Person) -> Person:
        """The person as of later than what was appended of them: Zoom's clock tells seconds."""
        last = self.shown.get(person.key) if self.appended(person.key) else None
        if last is None or person.as_of_ms > last.as_of_ms:
            return person
        return person._replace(as_of_ms=last.as_of_ms + 1)

    def _body(self, person: Person, *, groups: GroupSet | None = None) -> bytes:
        about = {"id": person.id, **person.about}
        if groups is not None:
            about["group_ids"] = groups
        return self._reading.facts.body(USER_OBSERVED, person.as_of_ms, about)

    def _differs(self, person: Person, preview: Preview) -> bool:
        last = self._appended.get(person.key)
        return preview.changes if last is None else last != hash(_encode(person.about))

    def _show_unchanged(self, person: Person, row: User | None) -> bool:
        """Take note of somebody whose row is as shown; returns whether it is."""
        if row is None or self.appended(person.key):
            return False
        if not is_unchanged(row, person.id, person.about, person.as_of_ms):
            return False
        self._show(person, row.user_id, None)
        return True

    def _show(self, person: Person, known_as: str, told: GroupSet | None) -> None:
        before = self.shown.get(person.key)
        if before is None:
            self._outcome.read += 1
        elif told is None:
            told = before.told
        groups = person.groups
        if groups is not None:
            groups = self._sets.setdefault(groups, groups)  # many people share a set
        self._unsaved.add(person.key)
        self.shown[person.key] = Shown(
            person.id,
            person.id if known_as == person.id else known_as,  # mostly one text, not two equal ones
            person.about.get("status") == "pending",
            groups,
            person.as_of_ms,
            told,
        )

    async def _signed_in_though_pending(self, found: Sequence[Preview]) -> set[str]:
        """Pending people whom the directory shows as active, because they signed in: no longer, it seems."""
        pending = [
            preview.after.user_id
            for preview in found
            if preview.before is not None
            and not preview.before.removed
            and preview.before.status == preview.after.status == "pending"
        ]
        if not pending:
            return set()
        rows = await self._reading.fetch(_SQL["statuses"], pending)
        return {row["user_id"].lower() for row in rows if row["status"] != "pending"}

    def unsaved(self) -> list[Any]:
        """Everybody shown since this was asked last, as JSON values for the progress."""
        keys, self._unsaved = self._unsaved, set()
        return [self.shown[key] for key in keys]

    def restore(self, saved: Sequence[Any]) -> None:
        """Take up what `unsaved` returned in an interrupted run."""
        for given in saved:
            one = Shown(*given)
            groups = None if one.groups is None else tuple(one.groups)
            if groups is not None:
                groups = self._sets.setdefault(groups, groups)
            told = None if one.told is None else tuple(one.told)
            self.shown[one.id.lower()] = one._replace(groups=groups, told=told)
