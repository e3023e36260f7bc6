"""The tiny world and an undisturbed run of it, made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from tests.e2e.faults import kills, tiny
from tests.e2e.micro import Micro, make_micro


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Micro]:
    """The micro world of twelve artists."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        yield make_micro(tmp_path_factory.mktemp("tiny"), tiny.TINY)


@pytest.fixture(scope="session")
def undisturbed(world: Micro) -> kills.Undisturbed:
    """A run that nothing disturbs, and what its stages take. Tests that change it work on a copy."""
    return kills.undisturbed(world, world.home / "undisturbed")
