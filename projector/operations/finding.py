"""A finding: one line of what is wrong, and what to do next."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final


class Level(StrEnum):
    """How bad it is."""

    WRONG = "wrong"
    WARNING = "warning"
    NOTE = "note"


WORST_FIRST: Final = tuple(Level)
EXIT_CODES: Final = {Level.WRONG: 2, Level.WARNING: 1, Level.NOTE: 0}


@dataclass(frozen=True)
class Finding:
    """What a check found. `code` names the kind, `subject` whom or what it is about, in words or a name.

    `says` and `do` are parts of a sentence for a person; neither quotes a delivery.
    """

    level: Level
    code: str
    subject: str
    says: str
    do: str

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return asdict(self) | {"level": self.level.value}

    def line(self) -> str:
        """The finding as a line for a person."""
        return f"{self.level}: {self.subject}: {self.says}; {self.do}"


def wrong(code: str, subject: str, says: str, do: str) -> Finding:
    """Something is lost, or nothing moves."""
    return Finding(Level.WRONG, code, subject, says, do)


def warning(code: str, subject: str, says: str, do: str) -> Finding:
    """Somebody should look at it today."""
    return Finding(Level.WARNING, code, subject, says, do)


def note(code: str, subject: str, says: str, do: str) -> Finding:
    """Worth knowing; nobody need act."""
    return Finding(Level.NOTE, code, subject, says, do)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in the order in which they are shown."""
    return sorted(findings, key=lambda one: (WORST_FIRST.index(one.level), one.code, one.subject))


def exit_code(findings: Iterable[Finding]) -> int:
    """What `check` exits with: that of the worst finding, 0 where nothing is wrong."""
    return max((EXIT_CODES[one.level] for one in findings), default=0)
