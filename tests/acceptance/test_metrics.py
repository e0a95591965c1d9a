"""What running processes serve, beside the page of metrics: the same names, labels and types, no others."""

import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from projector.database import open_database
from tests.ingress_rig import OTHER_SECRET, event_body, signed
from tests.integration.test_reconcile_runs import played
from tests.monitoring import base, dashboard_queries, names_in, page, promtool, rules
from tests.processes import (
    PROJECTOR,
    IngressProcess,
    Process,
    ProjectorProcess,
    environment,
    free_port,
)
from tests.runtime_rig import until, until_folded
from tests.zoom_rest_rig import ZoomAccount


@dataclass
class Served:
    """Everything that some processes have served, scrape by scrape."""

    kinds: dict[str, str] = field(default_factory=dict)
    labels: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    samples: dict[str, float] = field(default_factory=dict)
    by_process: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    lint: dict[str, str] = field(default_factory=dict)

    async def scrape(self, process: str, port: int) -> None:
        """Read a process's metrics."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/metrics") as answer,
        ):
            text = await answer.text()
        self.lint[process] = text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                name = base(sample.name)
                self.kinds[name] = family.type
                self.labels[name] |= set(sample.labels) - {"le"}
                self.by_process[process].add(name)
                told = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
                self.samples[f"{sample.name}{{{told}}}"] = sample.value


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    """What an ingress, a projector and a reconciling service serve, when much has happened."""
    found = Served()
    ports = {"serve": 0, "project": 0, "reconcile --every": free_port()}
    account = ZoomAccount()
    account.has("first")
    async with AsyncExitStack() as stack:
        given = await stack.enter_async_context(played(account))
        ingress = stack.enter_context(
            IngressProcess(database_url, tmp_path / "serve", quarantine_rows="3")
        )
        projector = stack.enter_context(ProjectorProcess(database_url, tmp_path / "project"))
        ports |= {"serve": ingress.port, "project": projector.health_port}
        await ingress.until_ready()
        database = await open_database(database_url)
        stack.push_async_callback(database.close)
        await _much_happens(ingress)
        await database.fetch("SELECT log.epoch()")
        await until_folded(database)
        own = {"health_port": str(ports["reconcile --every"]), "zoom_plan": "pro"}
        reading = environment(**(given | own | {"database_url": database_url}))
        arguments = [*PROJECTOR, "reconcile", "--every", "1h"]
        await found.scrape("project", projector.health_port)
        projector.kill()  # rhythms are read once a minute, and when a process begins
        projector.start()
        service = stack.enter_context(Process(arguments, tmp_path / "reconcile", env=reading))

        async def complete() -> bool:
            return len(service.logged("section_read")) == 3

        await until(complete, 60)
        await _while_a_rebuild_waits(database_url, found, ports["project"], tmp_path / "rebuild")
        for process, port in ports.items():
            await found.scrape(process, port)
        yield found


async def _much_happens(ingress: IngressProcess) -> None:
    """Deliveries that are good, twice there, wrong, too many for the quarantine, and not to be folded."""
    good = event_body()
    validation = b'{"event": "endpoint.url_validation", "payload": {"plainToken": "token"}}'
    requests = [(good, signed(good)), (good, signed(good)), (validation, signed(validation))]
    requests += [
        (body, signed(body, OTHER_SECRET)) for body in (validation, *map(_number, range(6)))
    ]
    requests += [
        (body, signed(body)) for body in (b'{"event": "user.updated", "payload": {}}', _odd_type())
    ]
    async with aiohttp.ClientSession() as session:
        for body, headers in requests:
            url = f"http://127.0.0.1:{ingress.port}/webhooks/zoom"
            async with session.post(url, data=body, headers=headers) as answer:
                assert answer.status in (200, 401)


def _number(number: int) -> bytes:
    return event_body(number=number)


def _odd_type() -> bytes:
    """A person whose `type` is no number."""
    thing = {"id": "odd", "type": "a licence"}
    payload = {"account_id": "AccountOfTests", "object": thing}
    return json.dumps(
        {"event": "user.created", "event_ts": time.time_ns() // 10**6, "payload": payload}
    ).encode()


async def _while_a_rebuild_waits(url: str, found: Served, port: int, log: Path) -> None:
    """Scrape a projector while a rebuild cannot swap its tables in, because somebody reads the old ones."""
    reader = await asyncpg.connect(url)
    transaction = reader.transaction()
    await transaction.start()
    await reader.execute("LOCK TABLE state.presence IN ACCESS SHARE MODE")

    async def shown() -> bool:
        await found.scrape("project", port)
        return "projector_rebuild_position" in found.by_process["project"]

    arguments = [*PROJECTOR, "rebuild", "presence"]
    with Process(arguments, log, env=environment(database_url=url)) as rebuild:
        await until(shown, 60, pause=0.5)
        await transaction.rollback()
        await reader.close()
        assert await rebuild.ended(60) == 0, rebuild.said


@pytest.mark.binary("promtool")
async def test_page_dashboard_and_rules_name_what_is_served(served: Served) -> None:
    _compare_names(served)
    _compare_types(served.kinds)
    _compare_labels(served.labels)
    _compare_processes(served.by_process)
    for query in [rule["expr"] for rule in rules()] + list(dashboard_queries()):
        assert {base(name) for name in names_in(query)} <= set(served.kinds), query
    for process, text in served.lint.items():
        ran = promtool("check", "metrics", stdin=text)
        assert (ran.returncode, ran.stdout + ran.stderr) == (0, ""), process


def _compare_names(served: Served) -> None:
    assert not [name for name in served.kinds if name.endswith("_created")]
    assert set(served.kinds) == set(page())
    for name in page():
        assert not name.endswith("_age_seconds"), "an age beside a timestamp"


def _compare_types(kinds: Mapping[str, str]) -> None:
    assert kinds == {name: page()[name].kind for name in kinds}


def _compare_labels(labels: Mapping[str, set[str]]) -> None:
    assert labels == {name: set(page()[name].labels) for name in labels}


def _compare_processes(by_process: Mapping[str, set[str]]) -> None:
    for process, names in by_process.items():
        allowed = {f"`{process}`", "Every process"}
        assert {page()[name].served_by for name in names} <= allowed, process
