"""`projector check` as a person, cron and a monitor run it; and what each process shows at /metrics."""

import asyncio
import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from signal import SIGTERM

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from projector.operations.catalogue import GAUGES, UP
from tests.command_rig import execute, fold, projector
from tests.folders import new_folder
from tests.ingress_rig import NOWHERE
from tests.processes import ProjectorProcess, command, free_port, ingresses
from tests.runtime_rig import until
from tests.up_rig import end_server, running

# Present only while there is something to tell of.
CONDITIONAL = {
    "projector_rebuild_position",
    "projector_epoch_number",
    "projector_epoch_timestamp_seconds",
    "projector_deliveries_lost",
    "projector_last_received_timestamp_seconds",
    "projector_silence_expected_deliveries",
    "projector_account_silent",
    "projector_refused_deliveries_recent",
    "projector_reconcile_complete_timestamp_seconds",
}


async def samples_of(port: int) -> dict[str, list[str]]:
    """The names of the samples at a port, each with the values of its labels."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        assert answer.status == 200
        text = await answer.text()
    found: dict[str, list[str]] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        for sample in family.samples:
            assert not math.isnan(sample.value), sample.name
            found.setdefault(sample.name, []).append(f"{sample.labels} {sample.value}")
    assert not [name for name in found if name.endswith(("_created", "_age_seconds"))]
    assert len([line for line in text.splitlines() if line.startswith("# TYPE")]) == len(
        {line for line in text.splitlines() if line.startswith("# TYPE")}
    )
    return found


async def is_up(port: int, up: float) -> bool:
    return (await samples_of(port)).get(UP) == [f"{{}} {float(up)}"]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = new_folder("projector-check")
    folder.chmod(0o711)
    yield folder
    end_server(folder)
    shutil.rmtree(folder)


def test_one_command_and_a_simulation_are_healthy_and_stopped_it_says_so(data_dir: Path) -> None:
    port = free_port()
    settings = {"data_dir": str(data_dir), "port": str(port)}
    with running(**settings) as up:
        simulated = command("simulate", "--events", "600", **settings)
        assert simulated.returncode == 0, simulated.stderr
        assert command("wait", "--timeout", "30", **settings).returncode == 0
        checked = command("check", **settings)
        assert checked.returncode == 0, checked.stdout
        lines = checked.stdout.splitlines()
        assert lines == ["nothing is wrong"] or all(line.startswith("note: ") for line in lines)
        asyncio.run(until(lambda: is_up(port, 1), 15))
        shown = asyncio.run(samples_of(port))
        assert set(GAUGES) - set(shown) <= CONDITIONAL
        assert {"projector_deliveries_total", "projector_build_info"} <= set(shown)
        assert len(shown["projector_build_info"]) == len(shown[UP]) == 1
        assert up.stop(SIGTERM) == 0
    stopped = command("check", "--json", **settings)
    (found,) = json.loads(stopped.stdout)
    assert stopped.returncode == 2
    assert set(found) == {"level", "code", "subject", "says", "do"}
    assert (found["level"], found["code"]) == ("wrong", "database")
    assert "projector up" in found["says"] + found["do"]


def test_a_line_a_finding_worst_first_and_the_worst_is_the_exit_code(database_url: str) -> None:
    fold(database_url)
    idle = projector("check", database_url=database_url)
    assert (idle.code, len(idle.lines), idle.said) == (1, 1, "")
    assert idle.lines[0].startswith("warning: projections account_settings, coverage")
    execute(
        database_url,
        "INSERT INTO state.dead_letters VALUES (1, 'users', 'user.updated', 'no object.id');"
        "UPDATE state.checkpoints SET position = 9 WHERE projection = 'users'",
    )
    broken = projector("check", database_url=database_url, quarantine_rows="0")
    assert broken.code == 2
    assert [line.partition(":")[0] for line in broken.lines] == ["wrong", *["warning"] * 3]
    assert all("; " in line for line in broken.lines)
    told = json.loads(projector("check", "--json", database_url=database_url).text)
    assert [one["code"] for one in told] == [
        "projection-beyond-head", "dead-letters", "projection-idle",
    ]  # fmt: skip


def test_without_a_database_it_says_why_and_exits_2() -> None:
    ran = projector("check", database_url=NOWHERE)
    assert (ran.code, ran.said) == (2, "")
    assert ran.lines[0].startswith("wrong: database: nothing listens at ")


def test_a_bad_name_of_an_event_is_one_sentence(database_url: str) -> None:
    ran = projector("check", database_url=database_url, not_subscribed="user.singed_in")
    assert ran.sentence().startswith(
        "projector: PROJECTOR_NOT_SUBSCRIBED names an event that Zoom does not send; "
        "is user.signed_in meant?"
    )
    assert ran.code == 2


async def test_each_process_shows_what_it_can_know(database_url: str, tmp_path: Path) -> None:
    with (
        ingresses(database_url, tmp_path, 1) as (ingress,),
        ProjectorProcess(database_url, tmp_path / "projector") as projecting,
    ):
        await ingress.until_ready()
        projecting.listening(projecting.health_port)
        await until(lambda: is_up(projecting.health_port, 1), 20)
        serving, folding = await samples_of(ingress.port), await samples_of(projecting.health_port)
    assert set(GAUGES) - set(folding) <= CONDITIONAL
    assert serving[UP] == folding[UP] == ["{} 1.0"]
    assert len(serving["projector_build_info"]) == len(folding["projector_build_info"]) == 1
    assert not [name for name in serving if name in set(GAUGES) - {UP}]


async def test_processes_whose_database_is_away_say_so(tmp_path: Path) -> None:
    with ingresses(NOWHERE, tmp_path, 1) as (ingress,):
        await until(lambda: is_up(ingress.port, 0), 10)
