"""One person, asked for by id or e-mail: profile, groups and settings, read and repaired at once."""

from collections.abc import Sequence
from typing import Final

from projector.database import Database
from projector.errors import ProjectorError
from projector.observations.facts import Facts
from projector.observations.folded import until_folded
from projector.observations.group_sets import tell_groups
from projector.observations.outcome import Outcome, Section
from projector.observations.people import People
from projector.observations.progress import no_progress
from projector.observations.reading import Options, Reach, Reading, Report
from projector.observations.removals import PEOPLE, missed, tell_gone
from projector.observations.run import check_account
from projector.observations.settings_section import SettingsSection
from projector.observations.users_section import person_in
from projector.rest.answers import Answer
from projector.rest.client import RestClient
from projector.rest.endpoints import USER
from projector.rest.failures import NotThere
from projector.statements import queries

_SQL: Final = queries("observations")


class NobodyFound(ProjectorError):
    """Neither Zoom nor the directory knows such a person."""


async def reconcile_person(
    client: RestClient, database: Database, named: str, options: Options, report: Report
) -> Sequence[Outcome]:
    """Compare one person with the directory, and append what differs; returns two outcomes: users, settings.

    It is no run: it waits for none, and leaves no record, as it reads no section. Raises NobodyFound,
    FoldBehind, and what the client raises.
    """
    await check_account(client)
    progress = no_progress()
    facts = Facts(client.account_id, progress.run)
    reading = Reading(client, database, facts, progress, options, report)
    await until_folded(reading)
    users, settings = Outcome(Section.USERS), Outcome(Section.SETTINGS)
    person = await _profile(reading, users, named)
    if person is not None:
        await until_folded(reading)
        await SettingsSection(reading, settings).of_people([person])
    return users, settings


async def _profile(reading: Reading, outcome: Outcome, named: str) -> str | None:
    """Repair the person's profile and groups; returns the id of somebody who may have settings."""
    reach = Reach(reading.client, outcome)
    rows = await reading.fetch(_SQL["one_person"], named)
    known = rows[0][0] if rows else None

    async def ask(user: str) -> Answer | None:
        return await reach.get(USER, user)

    if known is None:
        try:
            answer = await ask(named)
        except NotThere:
            raise NobodyFound(
                "neither Zoom nor the directory knows this person; give an id as Zoom spells it, or an "
                "e-mail"
            ) from None
    else:
        asked = await missed(reading, outcome, PEOPLE, [known], 1, ask)
        answer = asked.there.get(known)
        await tell_gone(reading, outcome, PEOPLE, asked)
        if asked.gone:
            outcome.read += 1
            return None
    person = None if answer is None else person_in(answer)
    if person is None:
        outcome.fail(
            "Zoom does not show this person by an id; see what is unreadable, and run this again once it "
            "is not, or they have accepted their invitation"
        )
        return None
    people = People(reading, outcome)
    await people.observe([person])
    await tell_groups(reading, outcome, people, None, complete=False)
    return None if person.about.get("status") == "pending" else person.id
