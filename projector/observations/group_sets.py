"""Which groups people are in: the sets that their rows tell, checked against how many each group has."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from projector.observations.outcome import Outcome
from projector.observations.people import GroupSet, People, Shown
from projector.observations.reading import Reach, Reading
from projector.observations.rows import Json, row_id
from projector.rest.answers import whole_number
from projector.rest.endpoints import GROUP_MEMBERS, GROUPS
from projector.rest.failures import NotThere, Unreadable
from projector.rest.paging import Complete
from projector.statements import queries
from projector.zoom.catalogue import GROUP_MEMBERS_OBSERVED, USER_OBSERVED

_SQL: Final = queries("observations")
_PEOPLE_AT_ONCE: Final = 2000


@dataclass(frozen=True)
class Totals:
    """How many members each group says it has (None: it does not say), as of a time in epoch milliseconds."""

    members: dict[str, int | None]
    as_of_ms: int


class Groups(NamedTuple):
    """A person's groups: the set that the row tells, as of a time (epoch milliseconds), and more.

    `more`: groups whose members' listing shows the person and the row does not, with the times of that.
    Such a listing adds to what the row tells, and takes nothing away: the row is the person's own.
    """

    groups: GroupSet
    as_of_ms: int
    more: dict[str, int]


@dataclass
class Listed:
    """Who the members' listings show, by person and group, with the time; of groups whose count disagrees.

    `decided`: every such listing is complete. Then whoever no listing shows is in no group.
    """

    members: dict[str, dict[str, int]] = field(default_factory=dict)
    decided: bool = True


async def read_totals(reading: Reading, reach: Reach) -> Totals | None:
    """The groups with their totals; None where they cannot be read, or not all of them."""
    listing = reading.client.listing(GROUPS)
    members: dict[str, int | None] = {}
    as_of_ms: int | None = None
    try:
        async for page in listing:
            as_of_ms = page.as_of_ms if as_of_ms is None else min(as_of_ms, page.as_of_ms)
            for row in page.rows:
                if (group := row_id(row)) is not None:
                    members[group] = whole_number(row.get("total_members"))
    except Unreadable as error:
        reach.refused(GROUPS, error, all_of_it=True)
        return None
    if as_of_ms is None or not isinstance(listing.proof, Complete):
        return None
    return Totals(members, as_of_ms)


async def tell_groups(
    reading: Reading, outcome: Outcome, people: People, totals: Totals | None, *, complete: bool
) -> None:
    """Append the sets that differ from the directory's. `complete`: everybody has been shown.

    A row without groups says nothing by itself. Where everybody was shown and all counts agree, or the
    members of the other groups were listed, it is proven: that person is in none.
    """
    listed = Listed(decided=False)
    if totals is not None and complete:
        listed = await _listed(reading, people.shown, totals)
    since = totals.as_of_ms if totals is not None else 0
    left = iter(people.shown.items())
    while some := dict(islice(left, _PEOPLE_AT_ONCE)):
        wanted = {
            key: found
            for key, one in some.items()
            if (found := _groups_of(one, listed.members.get(key, {}), since, listed)) is not None
            and (found.more or found.groups != one.told)
        }
        await _tell(reading, outcome, people, wanted)


async def _listed(reading: Reading, shown: Mapping[str, Shown], totals: Totals) -> Listed:
    counted = Counter(group for one in shown.values() for group in one.groups or ())
    found = Listed()
    for group, total in totals.members.items():
        if counted[group] != total:
            found.decided &= await _members(reading, group, found)
    return found


async def _members(reading: Reading, group: str, found: Listed) -> bool:
    """Add a group's members; returns whether the listing is complete."""
    listing = reading.client.listing(GROUP_MEMBERS, group)
    try:
        async for page in listing:
            for row in page.rows:
                if (member := row_id(row)) is not None:
                    found.members.setdefault(member.lower(), {})[group] = page.as_of_ms
    except NotThere:
        return True  # the group is gone by now, and with it every membership
    except Unreadable:
        return False
    return isinstance(listing.proof, Complete)


def _groups_of(one: Shown, members: Mapping[str, int], since: int, listed: Listed) -> Groups | None:
    """A person's groups; None where they are not known."""
    if one.groups is None and (one.pending or not listed.decided):
        return None
    own = one.groups or ()
    as_of_ms = one.as_of_ms if one.groups is not None else since
    more = {group: at for group, at in members.items() if group not in own}
    return Groups(own, as_of_ms, more)


async def _tell(
    reading: Reading, outcome: Outcome, people: People, wanted: Mapping[str, Groups]
) -> None:
    known_as = {people.shown[key].known_as: key for key in wanted}
    rows = await reading.fetch(_SQL["groups_of_people"], list(known_as)) if wanted else []
    shown = {known_as[row[0]]: tuple(row[1]) for row in rows}
    bodies = []
    members: dict[tuple[str, int], list[Json]] = defaultdict(list)
    for key, groups in wanted.items():
        one = people.shown[key]
        held = set(shown.get(key, ()) if one.told is None else one.told)
        if held == {*groups.groups, *groups.more}:
            continue
        whole = held - groups.more.keys() != set(groups.groups)
        if whole:
            about = {"id": one.id, "group_ids": groups.groups}
            bodies.append(reading.facts.body(USER_OBSERVED, groups.as_of_ms, about))
        for group, at in groups.more.items():
            if whole or group not in held:
                # Zoom's clock tells seconds: what completes a set must come after the set.
                members[group, max(at, groups.as_of_ms + 1)].append({"id": one.id})
        if not people.appended(key):
            outcome.repaired += 1
    for (group, at), some in members.items():
        seen: Json = {"id": group, "members": some}
        bodies.append(reading.facts.body(GROUP_MEMBERS_OBSERVED, at, seen))
    await reading.append(bodies)


async def end_nobodys_entries(reading: Reading, outcome: Outcome, as_of_ms: int) -> None:
    """End the memberships of e-mails that nobody had at a time (epoch milliseconds).

    Everybody who was there has been shown since, and is folded: an entry that still means nobody is nobody's.
    """
    bodies = []
    for group, emails in await reading.fetch(_SQL["entries_of_nobody"]):
        about = {"id": group, "absent": [{"email": email} for email in emails]}
        bodies.append(reading.facts.body(GROUP_MEMBERS_OBSERVED, as_of_ms, about))
        outcome.gone += len(emails)
    await reading.append(bodies)
