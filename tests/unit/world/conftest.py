"""One small world for all tests of its recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from fit.world.pack import pack
from fit.world.plan import Plan, draw_plan
from tests.unit.world.small import SMALL


@pytest.fixture(scope="session")
def small_plan() -> Plan:
    return draw_plan(SMALL)


@pytest.fixture(scope="session")
def small_world(small_plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the packed world."""
    folder = tmp_path_factory.mktemp("small") / "demo"
    pack(small_plan, folder)
    return folder
