"""Which settings a console starts with: none by which anybody could come in."""

from typing import Any

import pytest
from pydantic import ValidationError

from projector.config import Settings
from projector.console.access.rules import check_console, operators_of
from projector.errors import ConfigurationError

PROXIED = {"console_user_header": "X-Forwarded-User", "trusted_proxies": "10.1.2.3"}
# A name may lead anywhere, whatever it leads to now.
OTHERS = ["0.0.0.0", "::", "192.0.2.1", "console.example", "localhost.localdomain"]  # noqa: S104


@pytest.mark.parametrize("host", OTHERS)
@pytest.mark.parametrize("without", ["both", *PROXIED])
def test_on_another_address_it_takes_a_header_and_a_proxy(host: str, without: str) -> None:
    given = {name: value for name, value in PROXIED.items() if without not in {"both", name}}
    with pytest.raises(ConfigurationError) as told:
        check_console(Settings(console_host=host, **given))
    assert "PROJECTOR_CONSOLE_USER_HEADER" in str(told.value)
    assert "PROJECTOR_TRUSTED_PROXIES" in str(told.value)


@pytest.mark.parametrize("host", [*OTHERS, "127.0.0.1"])
def test_with_both_it_starts_anywhere(host: str) -> None:
    assert [str(one) for one in check_console(Settings(console_host=host, **PROXIED))] == [
        "10.1.2.3/32"
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_on_a_loopback_address_it_starts_without(host: str) -> None:
    assert check_console(Settings(console_host=host)) == ()
    assert check_console(Settings(console_host=host, trusted_proxies="10.0.0.0/8")) == ()


@pytest.mark.parametrize(
    ("proxies", "words"),
    [("", "set PROJECTOR_TRUSTED_PROXIES"), ("0.0.0.0/0", "holds every address"),
     ("10.0.0.1, ::/0", "holds every address"), ("proxy.example", "must be addresses")],
)  # fmt: skip
def test_a_header_that_anybody_could_send_is_refused(proxies: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        check_console(Settings(console_user_header="X-User", trusted_proxies=proxies))


@pytest.mark.parametrize(
    "settings",
    [
        {"console_user_header": "X User"},
        {"console_user_header": "X-User:"},
        {"console_port": 65536},
    ],
)
def test_what_is_no_header_or_port_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**settings)


def test_operators_are_named_and_nobody_is_one_by_default() -> None:
    assert operators_of(Settings()) == frozenset()
    assert operators_of(Settings(console_operators=" Ada@x.test ,, bob ")) == {"ada@x.test", "bob"}
