from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from concepts.errors import MissingExtra
from corpus.executors import make_executor


@pytest.fixture
def closed() -> Iterator[str]:
    """An address at which nothing listens: its port is taken, and nobody is called."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_no_cluster_at_the_address(scheme: str, closed: str) -> None:
    address = scheme + closed
    with pytest.raises(MissingExtra, match=f"^{address}: no Ray cluster answers .* ray start --head$"):
        list(make_executor("ray", 2, address=address).map(abs, [1]))


def test_the_address_of_the_environment_is_taken(closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", closed)
    with pytest.raises(MissingExtra, match=f"^{closed}: no Ray cluster"):
        list(make_executor("ray", 2).map(abs, [1]))


def test_an_address_that_is_none() -> None:
    with pytest.raises(MissingExtra, match=r"^nonsense: no Ray cluster answers .*nonsense"):
        list(make_executor("ray", 2, address="nonsense").map(abs, [1]))
