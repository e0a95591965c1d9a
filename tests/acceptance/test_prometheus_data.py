"""A real Prometheus with the product's rules: what arrives is wrong, and exactly the expected alert fires."""

import asyncio
from pathlib import Path

import pytest

from tests.acceptance.breakages import OF_DATA
from tests.acceptance.breaking import break_one_after_another, own_server


@pytest.mark.binary("prometheus")
def test_one_kind_of_data_after_another_is_wrong_and_exactly_its_alert_fires(
    tmp_path: Path,
) -> None:
    with own_server() as server:
        asyncio.run(break_one_after_another(server, tmp_path, OF_DATA))
