"""`subject`: everything that is kept about somebody, for whoever asks what is known of them."""

import json
from typing import Annotated

import typer

from projector.cli.files import Overwrite, target
from projector.cli.operator_options import By, acting
from projector.cli.progress import progress
from projector.cli.running import cancel_on_sigterm, on_database, say, start
from projector.cli.shown_event import at_positions
from projector.database import Database
from projector.operations.subjects.finding import Found, find_all, record_reading
from projector.process import run


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(subject)


def subject(
    person: Annotated[str, typer.Argument(help="A user id in any case, or any e-mail ever had.")],
    to: Annotated[str, typer.Option("--to", help="A file; - is standard output.")],
    account: Annotated[str | None, typer.Option(help="Where several accounts have them.")] = None,
    overwrite: Overwrite = False,
    by: By = None,
) -> None:
    """Write everything that is kept about somebody as JSON, to a file that its owner alone may read."""
    settings, who = start(), acting(by)

    async def work(database: Database) -> tuple[Found, int]:
        with target(to, overwrite=overwrite) as out:
            with progress("subject") as report:
                found = await find_all(database, person, account, report)
            document = json.dumps(found.as_json(), ensure_ascii=False, indent=1)
            act = await record_reading(database, found, who)
            out.write(document.encode() + b"\n")
            out.flush()
        return found, act

    found, act = run(cancel_on_sigterm(on_database(settings, work, size=2)))
    for place in found.places:
        if place.records:
            say(f"{len(place.records):>9,}  {place.name}: {place.kept.what}")
    say(f"{sum(len(one.records) for one in found.places):>9,}  records; {at_positions([act])}")
