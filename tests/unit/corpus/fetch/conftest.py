from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.corpus.fetch.site import Site


@pytest.fixture(scope="session")
def _server() -> Iterator[Site]:
    with Site() as server:
        yield server


@pytest.fixture
def site(_server: Site) -> Site:
    """The server, with an empty log."""
    _server.forget()
    return _server
