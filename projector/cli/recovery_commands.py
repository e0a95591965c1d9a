"""What was not folded, not agreed with or not believed, and how it is worked off: three command groups."""

import typer

from projector.cli import dead_letter_commands, drift_commands, quarantine_commands


def register(app: typer.Typer) -> None:
    """Add the groups of commands."""
    app.add_typer(dead_letter_commands.group(), name="dead-letters")
    app.add_typer(drift_commands.group(), name="drift")
    app.add_typer(quarantine_commands.group(), name="quarantine")
