"""A real Prometheus that watches a real deployment with the product's rules, made quick."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from projector.embedded import EmbeddedServer
from projector.operations.alerts import alert_rules
from tests.ingress_rig import event_body, signed
from tests.monitoring import seconds_of
from tests.processes import IngressProcess, Process, ProjectorProcess, binary, free_port

# A minute of the rules lasts four seconds here, and no time less than LEAST or more than MOST seconds:
# Prometheus scrapes every second, and what the database knows is read every five.
FACTOR = 15
LEAST, MOST = 4, 8
TIMES = re.compile(r"(?<=for: )\w+|(?<=\[)\d\w*(?=\])|(?<=offset )\w+")

ACCOUNT = "AccountOfTests"
Alert = dict[str, str]


def quickened(rules: str) -> str:
    """The same rules with every `for:`, range and offset shortened; thresholds stay."""

    def shorter(found: re.Match[str]) -> str:
        return f"{min(max(seconds_of(found[0]) // FACTOR, LEAST), MOST)}s"

    return TIMES.sub(shorter, rules)


@dataclass
class Watched:
    """A deployment, what Zoom sends to it, and the Prometheus that watches."""

    server: EmbeddedServer
    dsn: str
    ingress: IngressProcess
    projectors: list[ProjectorProcess]
    prometheus: str
    session: aiohttp.ClientSession

    async def post(self, body: bytes, headers: dict[str, str] | None = None) -> int:
        """Make one delivery; returns its status, or 0 where nothing answered."""
        try:
            async with self.session.post(
                f"http://127.0.0.1:{self.ingress.port}/webhooks/zoom",
                data=body,
                headers=signed(body) if headers is None else headers,
                timeout=aiohttp.ClientTimeout(total=3),
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def deliver_for_ever(self) -> None:
        """Deliver some events a second, whatever becomes of them."""
        while True:
            await self.post(event_body())
            await asyncio.sleep(0.3)

    async def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer of Prometheus' API."""
        url = f"{self.prometheus}/api/v1/{path}"
        async with self.session.get(url, params=parameters) as answer:
            told = json.loads(await answer.read())
        assert told["status"] == "success", told
        return told["data"]

    async def until_scraped(self, count: int) -> None:
        """Wait until so many targets answer, and what fired before they did has ended."""
        async with asyncio.timeout(60):
            while not await self._ready():
                await asyncio.sleep(0.2)
        async with asyncio.timeout(60):
            while await self._answering() != count or await self.firing():
                await asyncio.sleep(0.2)

    async def _ready(self) -> bool:
        async with self.session.get(f"{self.prometheus}/-/ready") as answer:
            return answer.status == 200

    async def _answering(self) -> int:
        targets = (await self.ask("targets"))["activeTargets"]
        return sum(target["health"] == "up" for target in targets)

    async def firing(self) -> list[Alert]:
        """The labels of the alerts that fire now; asserts that their words could be filled in."""
        alerts = (await self.ask("alerts"))["alerts"]
        for alert in alerts:
            assert "<error" not in json.dumps(alert["annotations"]), alert
        return [alert["labels"] for alert in alerts if alert["state"] == "firing"]

    async def fired_since(self, seconds: float) -> set[str]:
        """The names of all alerts that fired within so many seconds, however shortly."""
        query = f'last_over_time(ALERTS{{alertstate="firing"}}[{seconds:.0f}s])'
        found = await self.ask("query", query=query)
        return {sample["metric"]["alertname"] for sample in found["result"]}

    async def until_firing(self, *names: str, seconds: float) -> list[Alert]:
        """Wait until exactly these alerts fire; returns their labels."""
        deadline = time.monotonic() + seconds
        while True:
            found = await self.firing()
            if {alert["alertname"] for alert in found} == set(names):
                return found
            assert time.monotonic() < deadline, f"wanted {names}, firing {found}"
            await asyncio.sleep(0.2)


def _configuration(ingress: IngressProcess, projectors: list[ProjectorProcess]) -> str:
    jobs = {
        "ingress": [f"127.0.0.1:{ingress.port}"],
        "projector": [f"127.0.0.1:{each.health_port}" for each in projectors],
    }
    return json.dumps(  # JSON is YAML
        {
            "global": {
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "evaluation_interval": "1s",
            },
            "rule_files": ["rules.yml"],
            "scrape_configs": [
                {"job_name": name, "static_configs": [{"targets": targets}]}
                for name, targets in jobs.items()
            ],
        }
    )


@contextmanager
def _prometheus(
    folder: Path, ingress: IngressProcess, projectors: list[ProjectorProcess]
) -> Iterator[str]:
    (folder / "rules.yml").write_text(quickened(alert_rules()), encoding="utf-8")
    configuration = folder / "prometheus.yml"
    configuration.write_text(_configuration(ingress, projectors), encoding="utf-8")
    port = free_port()
    arguments = [
        binary("prometheus"), f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with Process(arguments, folder / "prometheus.log") as process:
        process.listening(port)
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def watched(server: EmbeddedServer, folder: Path, **settings: str) -> AsyncIterator[Watched]:
    """One ingress and two projectors on a migrated database, with deliveries that come all the time."""
    dsn = server.dsn
    started: list[Process] = []
    try:
        ingress = IngressProcess(dsn, folder / "ingress.log", drain_seconds="0", **settings)
        started.append(ingress)
        projectors = [
            ProjectorProcess(dsn, folder / f"projector-{n}.log", **settings) for n in range(2)
        ]
        started += projectors
        await ingress.until_ready()
        for each in projectors:
            await asyncio.to_thread(each.listening, each.health_port)
        with _prometheus(folder, ingress, projectors) as prometheus:
            async with aiohttp.ClientSession() as session:
                rig = Watched(server, dsn, ingress, projectors, prometheus, session)
                delivering = asyncio.create_task(rig.deliver_for_ever())
                try:
                    await rig.until_scraped(1 + len(projectors))
                    yield rig
                finally:
                    delivering.cancel()
                    await asyncio.gather(delivering, return_exceptions=True)
    finally:
        for each in started:
            each.close()
