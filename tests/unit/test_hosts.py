"""The hosts of a URL, one by one."""

import pytest

from projector.connecting import hosts_of


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://u:p%40@one/d", ["postgresql://u:p%40@one/d"]),
        ("postgresql:///d?host=%2Frun%2Fa", ["postgresql:///d?host=%2Frun%2Fa"]),
        ("postgresql:///d", ["postgresql:///d"]),
        (
            "postgresql://u:p%40,@one:1,two:2/d?target_session_attrs=read-write",
            [
                "postgresql://u:p%40,@one:1/d?target_session_attrs=read-write",
                "postgresql://u:p%40,@two:2/d?target_session_attrs=read-write",
            ],
        ),
        (
            "postgresql://one,[::1]:5/d",
            ["postgresql://one/d", "postgresql://[::1]:5/d"],
        ),
        (
            "postgresql://u@/d?host=%2Frun%2Fa,b&port=1,2",
            ["postgresql://u@/d?host=%2Frun%2Fa&port=1", "postgresql://u@/d?host=b&port=2"],
        ),
        (
            "postgresql:///d?host=a,b&port=7",
            ["postgresql:///d?host=a&port=7", "postgresql:///d?host=b&port=7"],
        ),
        ("postgresql:///d?host=a,b,c&port=1,2", ["postgresql:///d?host=a,b,c&port=1,2"]),
    ],
)
def test_each_host_has_a_url_of_its_own(url: str, hosts: list[str]) -> None:
    assert hosts_of(url) == hosts
