"""Which accounts are made up."""

from pathlib import Path

import pytest

from projector.simulator.account import Account
from projector.simulator.zoom import PlayOptions, SimulatedZoom
from projector.zoom.accounts import is_simulated

STORY = Path(__file__).parent.parent / "payloads" / "all.ndjson"


def test_the_accounts_that_come_with_the_project_say_that_they_are_simulated() -> None:
    assert is_simulated(Account(1, start_ms=0).account_id)
    assert is_simulated(SimulatedZoom(PlayOptions(url="http://there/")).account.account_id)
    assert STORY.read_text("utf-8").count('"account_id":"simulated-') == 21


@pytest.mark.parametrize("real", ["", "EabCdEfGhIjKlMnOpQrStU", "a-simulated-one", "Simulated-a"])
def test_other_accounts_are_real(real: str) -> None:
    assert not is_simulated(real)
