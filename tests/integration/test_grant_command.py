"""`projector grant`: gives a role to a login, and says what else to do where it cannot."""

import asyncio
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_rig import Ran, execute, projector, query
from tests.logins import admit_everybody, url_as


@pytest.fixture
def login(database_url: str) -> Iterator[str]:
    name = f'who "{uuid.uuid4().hex[:8]}'
    yield name
    execute(database_url, f"DROP ROLE IF EXISTS {quoted(name)}")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture
def granting(database_url: str, login: str) -> "Granting":
    return Granting(database_url, login)


class Granting:
    def __init__(self, url: str, login: str) -> None:
        self.url, self.login = url, login

    def __call__(self, *options: str, role: str = "projector_ingress", stdin: bytes = b"") -> Ran:
        return projector("grant", role, self.login, *options, stdin=stdin, database_url=self.url)

    def stored(self) -> str | None:
        rows = query(self.url, "SELECT rolpassword FROM pg_authid WHERE rolname = $1", self.login)
        return str(rows[0][0]) if rows[0][0] else None

    def roles(self) -> list[str]:
        rows = query(
            self.url,
            "SELECT roleid::regrole::text FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member "
            "WHERE r.rolname = $1 ORDER BY 1",
            self.login,
        )
        return [row[0] for row in rows]


def test_a_new_login_gets_a_password_that_is_printed_once(granting: Granting) -> None:
    made = granting("--create")
    assert made.code == 0
    assert re.fullmatch(r"[\w-]{32}\n", made.text)
    assert f"made the login {granting.login}" in made.said
    stored = granting.stored()
    assert re.fullmatch(r"SCRAM-SHA-256\$4096:\S+\$\S+:\S+", stored or "")
    again = granting("--create")
    assert (again.code, again.text) == (0, "")
    assert "has projector_ingress already" in again.said
    assert granting.stored() == stored
    assert granting("--create", role="directory_reader").text == ""
    assert granting.roles() == ["directory_reader", "projector_ingress"]


def test_a_login_is_not_made_unasked(granting: Granting) -> None:
    assert "--create makes it" in granting().sentence()
    execute(granting.url, f"CREATE ROLE {quoted(granting.login)} LOGIN")
    assert granting().code == 0
    assert granting.roles() == ["projector_ingress"]


@pytest.mark.parametrize("kind", ["file", "url", "standard input"])
def test_a_password_is_read_and_never_shown(granting: Granting, tmp_path: Path, kind: str) -> None:
    file, granting.login = tmp_path / "password", granting.login.replace(" ", "").replace('"', "")
    text = "tru/e" if kind != "url" else f"postgresql://{granting.login}:tru%2Fe@host/database"
    file.write_text(f"{text}\n", encoding="utf-8")
    from_file = ("--password-file", "-" if kind == "standard input" else str(file))
    ran = granting("--create", *from_file, stdin=f"{text}\n".encode())
    assert (ran.code, ran.text) == (0, "")
    assert "tru" not in ran.said
    assert (granting.stored() or "").startswith("SCRAM-SHA-256$")
    first = granting.stored()
    ran = granting("--create", *from_file, stdin=f"{text}\n".encode())
    assert f"set the password of {granting.login}" in ran.said
    assert granting.stored() != first
    execute(granting.url, f"DROP ROLE {granting.login}")


def test_a_login_may_have_no_password(granting: Granting) -> None:
    assert granting("--create", "--no-password").text == ""
    assert granting.stored() is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "printable ASCII"),
        ("two\nlines", "printable ASCII"),
        ("pässword", "printable ASCII"),
        ("postgresql://somebody:else@host/database", "names no password of"),
        ("postgresql://@host/database", "names no password of"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_password_is_refused(
    granting: Granting, tmp_path: Path, content: str | None, said: str
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    sentence = granting("--create", "--password-file", str(file)).sentence()
    assert said in sentence
    assert content not in (sentence, None) or content is None
    assert query(granting.url, "SELECT FROM pg_roles WHERE rolname = $1", granting.login) == []


def test_options_that_do_not_fit_are_refused(granting: Granting) -> None:
    assert granting("--no-password").code == 2
    assert granting("--create", "--no-password", "--password-file", "-").code == 2
    assert granting("--create", role="superuser").code == 2


def test_what_is_no_login_to_grant_to_is_refused(granting: Granting) -> None:
    granting.login = "projector_operator"
    assert "is no login but one of the roles" in granting("--create").sentence()
    granting.login = "projector"
    assert "is a superuser" in granting("--create").sentence()
    granting.login = "pg_mine"
    assert "choose another" in granting("--create").sentence()
    granting.login = "x" * 64
    assert "at most 63 bytes" in granting("--create").sentence()


def test_a_group_is_no_login_and_may_have_a_role(granting: Granting) -> None:
    execute(granting.url, f"CREATE ROLE {quoted(granting.login)} NOLOGIN")
    assert "cannot log in" in granting("--create").sentence()
    assert granting(role="directory_reader").code == 0


def test_who_may_not_grant_is_told_who_may(granting: Granting) -> None:
    assert granting("--create", "--no-password", role="projector_operator").code == 0
    asyncio.run(admit_everybody(granting.url))
    other, mine = "roles_test_other", granting.login
    execute(granting.url, f"DROP ROLE IF EXISTS {other}; CREATE ROLE {other} LOGIN")
    execute(granting.url, f"GRANT projector_operator TO {other}")
    asking = Granting(url_as(granting.url, other), mine)
    assert "as the role that ran `projector migrate`" in asking().sentence()
    asking.login = f"{mine}2"
    assert "as the role that ran `projector migrate`" in asking("--create").sentence()
    execute(granting.url, f"DROP ROLE {other}")
