"""The compose file and the Dockerfile, as far as they can be tested without a container engine."""

import os
import re
import subprocess
import sys
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from projector.config import Settings, load_settings
from projector.console.access.rules import check_console, operators_of
from tests.command_rig import execute, query
from tests.load_balancer import ROOT, compose, haproxy_configuration
from tests.processes import binary, environment

SERVICES = (
    "postgres", "migrate", "ingress-1", "ingress-2", "project", "operator", "console", "haproxy",
)  # fmt: skip
LONG_RUNNING = tuple(name for name in SERVICES if name not in ("migrate", "operator"))
OURS = ("migrate", "ingress-1", "ingress-2", "project", "operator", "console")
# Whose database URL each of our services gets: `migrate` alone knows all of them.
LOGINS = {
    "ingress-1": "ingress",
    "ingress-2": "ingress",
    "project": "project",
    "operator": "operator",
    "console": "operator",
}


@pytest.fixture
def services() -> dict[str, dict[str, Any]]:
    return dict(compose()["services"])


def test_the_compose_file_follows_the_compose_specification() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec",
         str(ROOT / "docker-compose.yml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


def test_it_runs_what_it_promises(services: dict[str, dict[str, Any]]) -> None:
    assert sorted(services) == sorted(SERVICES)
    commands = {name: services[name]["command"] for name in OURS if name != "migrate"}
    assert commands == {
        "operator": ["status"],
        "console": ["console"],
        "ingress-1": ["serve"],
        "ingress-2": ["serve"],
        "project": ["project"],
    }
    assert services["project"]["deploy"]["replicas"] == 2
    assert services["project"]["depends_on"]["migrate"] == {
        "condition": "service_completed_successfully"
    }
    assert services["operator"]["profiles"] == ["operator"]
    assert services["console"]["profiles"] == ["console"]
    # The ingress answers URL validations without a database: it must not depend on one to start.
    assert "depends_on" not in services["ingress-1"]


def test_everything_is_watched_restarted_and_pinned(services: dict[str, dict[str, Any]]) -> None:
    for name in LONG_RUNNING:
        assert services[name]["restart"] == "unless-stopped", name
        assert services[name]["healthcheck"]["test"][0] == "CMD", name
    assert services["migrate"]["restart"].startswith("on-failure")
    for name in SERVICES:
        assert re.search(r":\d+(\.\d+)*", services[name]["image"]), name


def test_nothing_but_the_load_balancer_is_reachable_from_outside(
    services: dict[str, dict[str, Any]],
) -> None:
    assert [name for name in SERVICES if "ports" in services[name]] == ["haproxy"]
    assert compose()["networks"]["inside"]["internal"] is True
    assert all(services[name]["networks"] == ["inside"] for name in OURS if name != "console")
    subnet = compose()["networks"]["inside"]["ipam"]["config"][0]["subnet"]
    assert services["ingress-1"]["environment"]["PROJECTOR_TRUSTED_PROXIES"] == subnet


def test_the_console_takes_users_from_one_address_of_a_network_of_its_own(
    services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert services["console"]["networks"] == ["inside", "sign-on"]
    assert [name for name in SERVICES if "sign-on" in services[name].get("networks", ())] == [
        "console"
    ]
    network = compose()["networks"]["sign-on"]
    assert network["internal"] is True
    for name, value in services["console"]["environment"].items():
        monkeypatch.setenv(name, value)
    (trusted,) = check_console(load_settings())
    assert trusted.num_addresses == 1
    assert trusted.subnet_of(ip_network(network["ipam"]["config"][0]["subnet"]))
    assert operators_of(load_settings()) == frozenset()


def test_secrets_come_from_files(services: dict[str, dict[str, Any]]) -> None:
    declared = compose()["secrets"]
    assert all(set(secret) == {"file"} for secret in declared.values())
    for name in SERVICES:
        environment = services[name].get("environment", {})
        for variable, value in environment.items():
            if str(value).startswith("/run/secrets/"):
                assert str(value).removeprefix("/run/secrets/") in services[name]["secrets"]
            else:
                assert not re.search("PASSWORD|TOKEN|URL|CERTIFICATE", variable), variable


def test_each_process_knows_the_database_by_its_own_login_alone(
    services: dict[str, dict[str, Any]],
) -> None:
    for name, login in LOGINS.items():
        url = services[name]["environment"]["PROJECTOR_DATABASE_URL_FILE"]
        assert url == f"/run/secrets/{login}_url"
        assert set(services[name]["secrets"]) - {"zoom_secret_tokens"} == {f"{login}_url"}


def test_what_migrate_runs_gives_each_login_its_role(
    services: dict[str, dict[str, Any]], database_url: str, tmp_path: Path
) -> None:
    migrates = services["migrate"]
    for login in set(LOGINS.values()):
        text = f"postgresql://{login}:of-{login}@postgres/projector\n"
        (tmp_path / f"{login}_url").write_text(text, encoding="utf-8")
    (script,) = migrates["command"]
    script = script.replace("/run/secrets", str(tmp_path))
    script = re.sub("^projector", f"{sys.executable} -m projector", script, flags=re.MULTILINE)
    for expected in ("made the login", "set the password of"):
        ran = subprocess.run(
            [*migrates["entrypoint"], script],
            env=environment(database_url=database_url), cwd=ROOT,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert ran.stderr.count(expected) == 3
    had = "SELECT m.member::regrole::text, m.roleid::regrole::text FROM pg_auth_members m JOIN pg_roles r "
    had += "ON r.oid = m.member WHERE r.rolcanlogin AND r.rolname = ANY ($1::text[]) ORDER BY 1"
    assert query(database_url, had, sorted(set(LOGINS.values()))) == [
        ("ingress", "projector_ingress"),
        ("operator", "projector_operator"),
        ("project", "projector_projector"),
    ]
    for login in set(LOGINS.values()):
        execute(database_url, f"DROP ROLE {login}")


def test_every_setting_in_it_exists(services: dict[str, dict[str, Any]]) -> None:
    for name in OURS:
        for variable, value in services[name]["environment"].items():
            setting = variable.removeprefix("PROJECTOR_").lower()
            assert setting in Settings.model_fields, variable
            if not setting.endswith("_file"):
                assert Settings(**{setting: value}) is not None


def test_a_replica_may_drain_before_it_is_killed(services: dict[str, dict[str, Any]]) -> None:
    drain = float(services["ingress-1"]["environment"]["PROJECTOR_DRAIN_SECONDS"])
    grace = float(services["ingress-1"]["stop_grace_period"].removesuffix("s"))
    assert grace > drain + 6
    assert 'STOPSIGNAL SIGTERM\nENTRYPOINT ["projector"]' in dockerfile()


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_image_runs_as_nobody_in_particular() -> None:
    text = dockerfile()
    images = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert all(re.fullmatch(r"python:3\.\d+-slim-\w+", image) for image in images)
    assert text.index("\nUSER 10001\n") < text.index("\nENTRYPOINT")
    assert "--require-hashes" in text


def test_what_the_image_is_built_from_is_let_in() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile(), re.MULTILINE)
    needed = {source for line in copied for source in line.split()}
    assert needed == allowed
    assert all((ROOT / name).exists() for name in needed)


def test_the_lock_has_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.match(r"[\w-]+", each)[0] for each in project["dependencies"]}  # type: ignore[index]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([\w-]+)==", lock, re.MULTILINE))
    assert wanted <= locked


@pytest.mark.binary("haproxy")
def test_haproxy_accepts_its_configuration(tmp_path: Path) -> None:
    wanted = set(re.findall(r"\$\{(\w+)\}", haproxy_configuration()))
    assert wanted == set(compose()["services"]["haproxy"]["environment"])
    configuration = tmp_path / "haproxy.cfg"
    # No certificate here: the load balancer's tests use the whole configuration with one.
    text = re.sub(r" ssl crt .*", "", haproxy_configuration())
    configuration.write_text(text, encoding="utf-8")
    environment = os.environ | {
        "LISTEN": "127.0.0.1:8443",
        "HEALTH": "127.0.0.1:8404",
        "INGRESS_1": "ingress-1.invalid:8080",
        "INGRESS_2": "ingress-2.invalid:8080",
    }
    checked = subprocess.run(
        [binary("haproxy"), "-c", "-f", str(configuration)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    told = checked.stderr.splitlines()
    # It starts before the replicas have addresses, and warns; no other warning is expected.
    assert [line for line in told if "WARNING" in line and "could not resolve" not in line] == []
