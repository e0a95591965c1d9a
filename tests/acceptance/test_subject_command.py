"""`subject` as an operator runs it: the file, what is said, who may, and what the log knows of it."""

import asyncio
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projector.database import open_database
from projector.operations.subjects.tables import SPECIAL, STATE
from projector.schema.migrate import migrate
from projector.schema.roles import Role
from tests.command_rig import execute, fold, projector, query
from tests.conftest import cloned
from tests.logins import login_with
from tests.oracle.story import event

STORY = Path(__file__).parent.parent / "payloads" / "all.ndjson"
MARTA, MARTAS_ID = "marta.brueckner@werkhof.example", "mR4tA-Xv9QyKp2LwZs8HbQ"
OTHERS = (
    "jonas.oedegaard@werkhof.example",
    "jN0s_Tq7VbXe3RfGy6UwLA",
    "Ødegård",
    "Kowalska",
    "Figueira",
)
ACTS = (
    "SELECT convert_from(body, 'UTF8')::jsonb #>> '{payload}' FROM log.events "
    "WHERE event = 'operator.subject_read' AND source = 'operator' ORDER BY position"
)


@pytest.fixture
def told(server: str, template: str) -> Iterator[str]:
    """DSN of a database that holds the story, folded."""
    with cloned(server, template) as url:
        assert projector("import", str(STORY), database_url=url).code == 0
        fold(url)
        yield url


def acts(url: str) -> list[dict[str, Any]]:
    return [json.loads(payload) for (payload,) in query(url, ACTS)]


def test_all_about_somebody_is_written_to_a_file_of_its_owner(told: str, tmp_path: Path) -> None:
    file = tmp_path / "marta.json"
    ran = projector("subject", MARTA.upper(), "--to", str(file), "--by", "Ann", database_url=told)
    assert (ran.code, ran.data) == (0, b""), ran.said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["marta.json"]
    text = file.read_text(encoding="utf-8")
    document = json.loads(text)
    assert document["person"]["ids"] == [MARTAS_ID]
    assert document["person"]["emails"] == [MARTA]
    head = query(told, "SELECT max(position) FROM log.events")[0][0]
    assert document["log"]["head"] == head - 1  # then came the act
    assert document["log"]["epoch"] == str(query(told, "SELECT log.epoch()")[0][0])
    assert {place["place"] for place in document["places"]} == {
        *SPECIAL,
        *(f"state.{n}" for n in STATE),
    }
    assert [word for word in OTHERS if word in text] == []
    for place in document["places"]:
        assert (f" {place['count']:,}  {place['place']}: " in ran.said) == (place["count"] > 0)
    records = sum(place["count"] for place in document["places"])
    assert f" {records:,}  records; recorded at position {head}\n" in ran.said
    assert acts(told) == [
        {
            "account_id": document["person"]["account_id"],
            "operator": "Ann",
            "object": {"id": MARTAS_ID},
        }
    ]


def test_the_next_file_tells_of_the_one_before(told: str) -> None:
    counts = []
    for _ in range(2):
        ran = projector("subject", MARTA, "--to", "-", database_url=told)
        assert ran.code == 0
        counts.append(json.loads(ran.data)["places"][0]["count"])
    assert counts[1] == counts[0] + 1


def test_a_file_is_replaced_only_when_told_to(told: str, tmp_path: Path) -> None:
    file = tmp_path / "there.json"
    file.write_text("mine")
    refused = projector("subject", MARTA, "--to", str(file), database_url=told)
    assert refused.code == 2
    assert "--overwrite" in refused.sentence()
    assert (file.read_text(), acts(told)) == ("mine", [])
    assert (
        projector("subject", MARTA, "--to", str(file), "--overwrite", database_url=told).code == 0
    )
    assert json.loads(file.read_text())["person"]["ids"] == [MARTAS_ID]


def test_nobody_and_several_are_refused_and_leave_nothing(told: str, tmp_path: Path) -> None:
    file = tmp_path / "nobody.json"
    nobody = projector("subject", "nobody@x.test", "--to", str(file), database_url=told)
    assert nobody.code == 1
    assert "nobody is known by that" in nobody.sentence()
    other = event("user.created", 1, {"id": "m", "email": MARTA}, account="B")
    projector("import", "-", stdin=other, database_url=told)
    fold(told)
    several = projector("subject", MARTA, "--to", str(file), database_url=told)
    assert several.code == 1
    assert "name one with --account: B, simulated-" in several.sentence()
    assert (list(tmp_path.iterdir()), acts(told)) == ([], [])
    ran = projector("subject", MARTA, "--to", str(file), "--account", "B", database_url=told)
    assert ran.code == 0
    assert MARTAS_ID not in file.read_text()


def test_there_is_no_file_without_its_act(told: str, tmp_path: Path) -> None:
    execute(
        told, "ALTER TABLE log.events ADD CONSTRAINT none CHECK (source <> 'operator') NOT VALID"
    )
    ran = projector("subject", MARTA, "--to", str(tmp_path / "marta.json"), database_url=told)
    assert ran.code != 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("role", Role)
def test_an_operator_may_and_nobody_else(told: str, role: Role, tmp_path: Path) -> None:
    async def login() -> str:
        database = await open_database(told)
        await migrate(database)  # a clone has the grants on what is in it, not those on itself
        url = await login_with(database, told, role)
        await database.close()
        return url

    file = tmp_path / "marta.json"
    ran = projector("subject", MARTA, "--to", str(file), database_url=asyncio.run(login()))
    assert (ran.code == 0) == file.exists() == (role is Role.OPERATOR) == bool(acts(told))
    if role is not Role.OPERATOR:
        assert "permission denied" in ran.sentence() or "may not" in ran.sentence()
