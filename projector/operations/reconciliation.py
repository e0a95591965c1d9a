"""One person reconciled by an operator: drift healed by what Zoom's REST API shows."""

from collections.abc import Sequence

from projector.config import Settings
from projector.database import Database
from projector.observations.one_person import reconcile_person
from projector.observations.outcome import Outcome
from projector.observations.reading import Options, Report
from projector.operations.acts import About, Act, record
from projector.rest.client import RestClient


def options_of(settings: Settings) -> Options:
    """Return the options that the settings decide."""
    app_id = settings.zoom_app_id
    return Options(
        app_id=None if app_id is None else app_id.get_secret_value().strip() or None,
        secrets=settings.secrets(),
    )


async def reconcile_one(
    client: RestClient, database: Database, named: str, options: Options, report: Report, who: str
) -> tuple[Sequence[Outcome], int | None]:
    """Reconcile one person; returns the outcomes, and the position of the act.

    None where nothing differed, and in a dry run. Raises what `reconcile_person` does.
    """
    outcomes = await reconcile_person(client, database, named, options, report)
    if options.dry_run or not any(one.new or one.repaired or one.gone for one in outcomes):
        return outcomes, None
    told = {"id": named, **{one.section.value: one.counts() for one in outcomes}}
    act = await record(database, Act.PERSON_RECONCILED, who, About(told, client.account_id))
    return outcomes, act[0]
