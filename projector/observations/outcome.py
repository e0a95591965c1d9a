"""The outcome of a section: what was read, what came of it, and what could not be read."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from projector.observations.rows import Json


class Section(StrEnum):
    """The parts of a run, in the order in which they are read."""

    DELIVERIES = "deliveries"
    GROUPS = "groups"
    USERS = "users"
    SETTINGS = "settings"


@dataclass
class Outcome:
    """Counts of entities (deliveries: of bodies). `new`, `repaired` and `gone` were appended, or would be.

    `unreadable`: by part, why it could not be read. `incomplete`: why the section is not complete, as a
    sentence; None where it is. `interrupted`: it was cut off, and the next run goes on where it was.
    """

    section: Section
    read: int = 0
    new: int = 0
    repaired: int = 0
    gone: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)
    incomplete: str | None = None
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """Whether everything that has to be read was."""
        return self.incomplete is None

    @property
    def why(self) -> str | None:
        """Everything that could not be read, and why; None where nothing is missing."""
        parts = [f"{n}: {why}" for n, why in self.unreadable.items() if why != self.incomplete]
        return "; ".join(([self.incomplete] if self.incomplete else []) + parts) or None

    def fail(self, why: str) -> None:
        """Note why the section is not complete; the first reason stays."""
        self.incomplete = self.incomplete or why

    def count(self, *, known: bool) -> None:
        """Count an entity whose observation is appended."""
        if known:
            self.repaired += 1
        else:
            self.new += 1

    def record(self) -> Json:
        """The object of a rest.section_read event."""
        return {
            "id": self.section.value,
            "complete": self.complete,
            "read": self.read,
            "new": self.new,
            "repaired": self.repaired,
            "gone": self.gone,
            "unreadable": self.why,
        }

    def counts(self) -> Json:
        """The counts so far, to be taken up again by `resume`; what could not be read is tried again."""
        return {name: getattr(self, name) for name in ("read", "new", "repaired", "gone")}

    def whole(self) -> Json:
        """The outcome of a section that is done, to be taken up by `resume`."""
        return {**self.counts(), "unreadable": self.unreadable, "incomplete": self.incomplete}

    def resume(self, saved: Any) -> None:
        """Take up what an interrupted run saved; None changes nothing."""
        for name, value in (saved or {}).items():
            setattr(self, name, value)
