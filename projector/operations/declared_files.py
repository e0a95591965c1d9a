"""The files of `declare`: a ranking, a group a line; and people with their primary groups, as CSV."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, NoReturn

from projector.errors import ProjectorError

MOST_PROBLEMS: Final = 5
LONGEST_SHOWN: Final = 60
COLUMNS: Final = ("person", "group")


class BadFile(ProjectorError):
    """A file says something that cannot be declared."""


class Line(NamedTuple):
    """A line that says something, by its number from 1: a group, or a person and a group ("" is none)."""

    number: int
    person: str
    group: str


def text_of(data: bytes) -> str:
    """The text of a file, without a byte order mark. Raises BadFile."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadFile("the file is no text in UTF-8; save it as such") from None


def refuse(problems: Sequence[str]) -> NoReturn:
    """Raise BadFile with the first problems, and the number of the others."""
    more = len(problems) - MOST_PROBLEMS
    told = "; ".join(problems[:MOST_PROBLEMS]) + (f"; and {more:,} more" if more > 0 else "")
    raise BadFile(f"nothing was declared: {told}")


def shown(text: str) -> str:
    """A text of a file in a message: short, on one line."""
    text = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def ranking_lines(text: str) -> list[Line]:
    """The lines of a ranking."""
    return [Line(number, "", line) for number, line in _lines(text)]


def people_lines(text: str) -> list[Line]:
    """The lines of a file of people; a first line "person,group" is a heading. Raises BadFile."""
    lines: list[Line] = []
    problems: list[str] = []
    for number, line in _lines(text):
        fields = _fields(line)
        if not lines and not problems and tuple(one.lower() for one in fields) == COLUMNS:
            continue
        if len(fields) != len(COLUMNS) or not fields[0]:
            problems.append(f"line {number} is no person,group")
            continue
        lines.append(Line(number, *fields))
    if problems:
        refuse(problems)
    return lines


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line that is neither blank nor a comment, with its number."""
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def _fields(line: str) -> list[str]:
    """The fields of a line of CSV; none where it is no CSV."""
    try:
        return [
            field.strip() for field in next(csv.reader([line], strict=True, skipinitialspace=True))
        ]
    except csv.Error:
        return []


class Groups:
    """The groups of an account, found by id or exact name."""

    def __init__(self, names: Mapping[str, str | None]) -> None:
        self.names = names
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for group, name in names.items():
            if name:
                self._by_name[name].append(group)

    def found(self, text: str) -> str:
        """The id of the group that is meant. Raises BadFile, without the line's number."""
        if text in self.names:
            return text
        named = self._by_name.get(text, [])
        if len(named) > 1:
            ids = ", ".join(sorted(named)[:MOST_PROBLEMS])
            raise BadFile(f"several groups are called {shown(text)}; name one by its id: {ids}")
        if not named:
            raise BadFile(f"no group of the account has the id or name {shown(text)}")
        return named[0]

    def on_line(self, line: str) -> str:
        """The same of a line: all of it, or else its first field as CSV."""
        fields = _fields(line)
        whole = line in self.names or line in self._by_name
        return self.found(line if whole or not fields else fields[0])

    def label(self, group: str) -> str:
        """A group in a message: its name and id."""
        name = self.names.get(group)
        return shown(f"{name} ({group})" if name else group)


def ranked(lines: Sequence[Line], groups: Groups) -> list[str]:
    """The ids of a ranking, the highest first. Raises BadFile unless it names every group once."""
    placed: dict[str, int] = {}
    problems = []
    for line in lines:
        try:
            group = groups.on_line(line.group)
        except BadFile as error:
            problems.append(f"line {line.number}: {error}")
            continue
        if group in placed:
            where = f"line {placed[group]} has {groups.label(group)} already"
            problems.append(f"line {line.number}: {where}")
            continue
        placed[group] = line.number
    problems += [
        f"{groups.label(group)} is not ranked"
        for group in sorted(groups.names)
        if group not in placed
    ]
    if problems:
        refuse(problems)
    if not placed:
        refuse(["the account has no groups that could be ranked"])
    return list(placed)
