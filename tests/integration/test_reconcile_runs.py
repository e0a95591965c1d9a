"""One run at a time, interrupted ones that go on where they were, and the command as a process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from signal import SIGTERM

import aiohttp
import pytest

from projector.database import Database
from projector.observations.folded import FoldBehind
from projector.observations.lease import RunLost, RunRefused, as_only_run
from projector.observations.outcome import Section
from projector.observations.progress import begin
from tests.played_api import ACCOUNT, CLIENT, SECRET, PlayedApi, serving
from tests.processes import PROJECTOR, Process, environment, free_port
from tests.runtime_rig import replica, until
from tests.zoom_rest_rig import ZoomAccount, deliver, logged, rows, run_of, told

USERS, SETTINGS = Section.USERS, Section.SETTINGS


@pytest.fixture
async def folded(database: Database) -> AsyncIterator[Database]:
    async with replica(database):
        yield database


@pytest.fixture
def zoom() -> ZoomAccount:
    found = ZoomAccount()
    for number in range(200):
        found.has(f"u{number:03}", company="Acme")
        found.settings[f"u{number:03}"] = {"in_meeting": {"chat": True}}
    return found


async def test_without_a_projector_nothing_is_compared(
    database: Database, zoom: ZoomAccount
) -> None:
    async with replica(database):
        await run_of(database, zoom, USERS)
    zoom.has("new")
    await deliver(database, [told(zoom, "user.updated", {"id": "u000", "dept": "x"})])
    with pytest.raises(FoldBehind, match="projector project"):
        await run_of(database, zoom, USERS, fold_seconds=0.1)
    assert (await logged(database)).count("rest.user_observed") == 200


async def test_one_run_at_a_time(folded: Database, zoom: ZoomAccount) -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def work() -> str:
        begun.set()
        await done.wait()
        return "done"

    first = asyncio.create_task(as_only_run(folded, ACCOUNT, work))
    await begun.wait()
    with pytest.raises(RunRefused, match="another run reads this account since"):
        await run_of(folded, zoom, USERS)
    assert await as_only_run(folded, "another account", _nothing) is None
    done.set()
    assert await first == "done"
    assert (await run_of(folded, zoom, USERS))[USERS].complete


async def _nothing() -> None:
    return None


async def _for_ever() -> None:
    await asyncio.sleep(600)


async def test_a_silent_run_is_taken_over_and_ends(database: Database) -> None:
    ttl = timedelta(seconds=0.8)
    first = asyncio.create_task(as_only_run(database, ACCOUNT, _for_ever, ttl=ttl))
    held = "SELECT count(*) FROM observations.leases"
    await until(lambda: database.fetchval(held))
    await asyncio.sleep(1.2)
    assert not first.done()
    await database.fetch("UPDATE observations.leases SET heartbeat_at = '2020-01-01'")
    await as_only_run(database, ACCOUNT, _nothing, ttl=ttl)
    with pytest.raises(RunLost):
        await first
    assert await database.fetchval(held) == 0


async def test_an_error_of_the_work_frees_the_account(database: Database) -> None:
    async def fails() -> None:
        raise ValueError

    for _ in range(2):
        with pytest.raises(ValueError):  # noqa: PT011
            await as_only_run(database, ACCOUNT, fails)


async def test_progress_is_of_a_run_that_was_asked_for_the_same(database: Database) -> None:
    first = await begin(database, ACCOUNT, ["users"])
    await first.save("users", shown=[1, 2], counts={"read": 2})
    other = await begin(database, ACCOUNT, ["groups", "users"])
    assert await other.step("users", "shown") is None
    again = await begin(database, ACCOUNT, ["users"])
    assert again.run == first.run
    assert await again.step("users", "shown") == [1, 2]
    await again.forget("users", done=True)
    assert (await again.step("users", "shown"), await again.step("users", "done")) == (None, True)
    await again.finish()
    assert (await begin(database, ACCOUNT, ["users"])).run != first.run
    await database.fetch("UPDATE observations.runs SET started_at = now() - interval '8 days'")
    assert (await begin(database, ACCOUNT, ["groups", "users"])).run != other.run


async def test_an_interrupted_sweep_goes_on_where_it_was(
    folded: Database, zoom: ZoomAccount
) -> None:
    await run_of(folded, zoom, USERS)

    def before(path: str) -> None:
        if path == "/users/u150/settings":
            zoom.breaks = "500"

    zoom.before = before
    outcome = (await run_of(folded, zoom, SETTINGS))[SETTINGS]
    assert (outcome.complete, outcome.interrupted) == (False, True)
    zoom.before, zoom.breaks, zoom.asked = lambda _path: None, None, []
    outcome = (await run_of(folded, zoom, SETTINGS))[SETTINGS]
    assert (outcome.read, outcome.new, outcome.complete) == (201, 200, True)
    assert "/users/u000/settings" not in zoom.asked
    assert (await logged(folded)).count("rest.user_settings_observed") == 200
    assert await rows(folded, "SELECT count(*) FROM observations.runs") == [(0,)]


@asynccontextmanager
async def played(zoom: ZoomAccount) -> AsyncIterator[dict[str, str]]:
    """The account's API on a port of its own; yields the settings of a process that asks it."""
    async with serving(PlayedApi(answers=zoom.answer)) as api:
        yield {
            "zoom_account_id": ACCOUNT,
            "zoom_client_id": CLIENT,
            "zoom_client_secret": SECRET,
            "zoom_api_url": f"{api.base}/v2",
            "zoom_token_url": f"{api.base}/oauth/token",
            "zoom_plan": "unlimited",
        }


async def test_a_run_that_is_killed_is_taken_up_by_the_next(
    folded: Database, database_url: str, zoom: ZoomAccount, tmp_path: Path
) -> None:
    async with played(zoom) as given:
        env = environment(database_url=database_url, **given)
        arguments = [*PROJECTOR, "reconcile", "--only", "users,settings", "--json"]
        with Process(arguments, tmp_path / "first", env=env) as first:

            def before(path: str) -> None:
                if path == "/users/u150/settings" and first.process.poll() is None:
                    first.process.kill()

            zoom.before = before
            assert await first.ended(60) == -9
        lists = zoom.asked.count("/users")
        await folded.fetch("UPDATE observations.leases SET heartbeat_at = '2020-01-01'")
        with Process(arguments, tmp_path / "second", env=env) as second:
            assert await second.ended(60) == 0, second.said
    assert zoom.asked.count("/users") == lists == 3
    assert zoom.asked.count("/users/u000/settings") == 4
    told = await logged(folded)
    assert told.count("rest.user_settings_observed") == 200
    assert await rows(folded, "SELECT count(*) FROM directory.user_settings") == [(200,)]


async def test_the_command_prints_a_table_or_json_and_its_code_says_whether_all_is_read(
    folded: Database, database_url: str, zoom: ZoomAccount, tmp_path: Path
) -> None:
    zoom.unreadable = {"/groups": (400, 4711)}
    async with played(zoom) as given:
        env = environment(database_url=database_url, log_level="error", **given)

        async def ran(*arguments: str, **more: str) -> tuple[int, str]:
            variables = env | {f"PROJECTOR_{name.upper()}": value for name, value in more.items()}
            process = Process(
                [*PROJECTOR, "reconcile", *arguments], tmp_path / "out", env=variables
            )
            with process:
                code = await process.ended(60)
            said = process.said
            (tmp_path / "out").unlink()
            return code, said

        code, said = await ran("--only", "groups,users", "--dry-run")
        assert code == 1
        assert "group:read:list_groups:admin" in said.replace("\n", "")
        assert "200" in said
        assert await logged(folded) == []
        code, said = await ran("--only", "users", "--json")
        document = json.loads(said)
        assert code == 0
        assert document["complete"]
        assert document["sections"][0]["new"] == 200
        code, said = await ran("--person", "nobody@example.com")
        assert code == 1
        assert "neither Zoom nor the directory knows" in said
        code, said = await ran("--person", "u000", "--by", "ann")
        assert code == 0
        assert "recorded at position" in said
        assert (await logged(folded)).count("operator.person_reconciled") == 1
        for arguments, words in (
            (["--only", "usres"], "--only takes deliveries, groups, users, settings"),
            (["--max-removals", "all"], "--max-removals takes"),
            (["--every", "often"], "--every takes"),
            (["--every", "1h", "--dry-run"], "leave out"),
            (["--only", "deliveries"], "PROJECTOR_ZOOM_APP_ID"),
        ):
            code, said = await ran(*arguments)
            assert code == 2, said
            assert words in said
        code, said = await ran(zoom_client_secret="")
        assert code == 2
        assert "PROJECTOR_ZOOM_CLIENT_SECRET" in said
        assert SECRET not in said


@pytest.mark.usefixtures("folded")
async def test_a_service_reads_and_shows_its_metrics(
    database_url: str, zoom: ZoomAccount, tmp_path: Path
) -> None:
    port = free_port()
    async with played(zoom) as given:
        env = environment(database_url=database_url, health_port=str(port), **given)
        arguments = [*PROJECTOR, "reconcile", "--only", "users", "--every", "2s"]
        with Process(arguments, tmp_path / "service", env=env) as service:
            zoom.has("first")

            async def twice() -> bool:
                return len(service.logged("section_read")) > 1

            zoom.breaks = "html"
            await asyncio.sleep(1)
            zoom.breaks = None
            await until(twice, 60)
            await asyncio.sleep(0.2)  # a run is counted at its end
            samples = await scraped(port)
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{port}/livez") as answer,
            ):
                assert answer.status == 200
            service.signal(SIGTERM)
            assert await service.ended() == 0, service.said
    assert float(samples['projector_reconcile_read_total{section="users"}']) >= 201
    assert float(samples['projector_reconcile_new_total{section="users"}']) == 201
    assert samples["projector_database_up"] == "1.0"
    assert float(samples['projector_reconcile_calls_total{label="medium"}']) > 5
    assert SECRET not in service.said


async def scraped(port: int) -> dict[str, str]:
    """The samples on a health port, by name and labels."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        lines = (await answer.text()).splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


async def test_up_reconciles_where_the_credentials_are_set(
    database: Database, database_url: str, zoom: ZoomAccount, tmp_path: Path
) -> None:
    port = free_port()
    async with played(zoom) as given:
        env = environment(
            database_url=database_url, data_dir=str(tmp_path / "data"), port="0", console_port="0",
            health_port=str(port), log_format="json", **given,
        )  # fmt: skip
        with Process([*PROJECTOR, "up"], tmp_path / "up", env=env) as up:

            async def all_sections() -> bool:
                assert up.process.poll() is None, up.said
                assert up.logged("run_failed") == []
                return len(up.logged("section_read")) == 3

            async def counted() -> bool:
                found = (await scraped(port))['projector_reconcile_new_total{section="users"}']
                return float(found) == 200

            await until(all_sections, 60)
            await until(counted, 10)
            samples = await scraped(port)
            up.signal(SIGTERM)
            assert await up.ended() == 0, up.said
    assert await database.fetchval("SELECT count(*) FROM directory.users") == 200
    assert 'projector_projection_lag_events{projection="users"}' in samples
