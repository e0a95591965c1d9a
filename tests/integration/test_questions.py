"""The questions of sql/QUESTIONS.md: every query runs as a reader and gives the page's answer."""

import asyncio
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest

from projector.database import open_database
from projector.log.append import append
from tests.conftest import database_of, run_on
from tests.integration.small_company import declared, deliveries, dismissed, observed
from tests.integration.stepping import Stepper

PAGE = Path(__file__).parents[2] / "sql" / "QUESTIONS.md"


class Question(NamedTuple):
    """A section of the page. `answer` is the table's rows, including the header."""

    title: str
    query: str
    answer: list[list[str]]


def questions(text: str) -> Iterator[Question]:
    for section in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        query = re.search(r"```sql\n(.*?)```", section, re.DOTALL)
        assert query is not None, section
        lines = [line for line in section[query.end() :].splitlines() if line.startswith("|")]
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        yield Question(section.partition("\n")[0], query[1], cells[:1] + cells[2:])


QUESTIONS = list(questions(PAGE.read_text(encoding="utf-8")))


def as_cell(value: Any) -> str:
    """A value as the page shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, list) else str(value)


@pytest.fixture(scope="module")
def company(server: str, template: str) -> Iterator[str]:
    """DSN of a database with the small company's deliveries, folded."""
    dsn = database_of(server, "questions")

    async def tell() -> None:
        await run_on(server, f"CREATE DATABASE questions TEMPLATE {template} STRATEGY file_copy")
        database = await open_database(dsn)
        told = deliveries()
        await append(database, told)
        await append(database, dismissed(told), source="operator")
        await append(database, observed(), source="rest")
        await append(database, declared(), source="declared")
        await Stepper(database, random.Random(1), faults=0).run()
        await database.close()

    asyncio.run(tell())
    yield dsn
    asyncio.run(run_on(server, "DROP DATABASE questions WITH (FORCE)"))


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
async def test_the_answer_is_that_of_the_page(company: str, question: Question) -> None:
    connection = await asyncpg.connect(company)
    try:
        await connection.execute("SET SESSION AUTHORIZATION directory_reader")
        rows = await connection.fetch(question.query)
    finally:
        await connection.close()
    answer = [list(rows[0].keys())] + [[as_cell(value) for value in row] for row in rows]
    assert answer == question.answer


def test_the_page_asks_enough() -> None:
    assert len(QUESTIONS) >= 18
    assert all(len(question.answer) > 1 for question in QUESTIONS)
