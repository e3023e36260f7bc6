from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from concepts.errors import CorpusError
from corpus.sources import faults
from corpus.sources.faults import WAITS, attempt


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    times: list[float] = []
    monkeypatch.setattr(faults.time, "sleep", times.append)
    monkeypatch.setattr(faults, "WAITS", WAITS)  # as they are, not as the other tests want them
    return times


def failing(times: int, error: Exception) -> tuple[Callable[[], str], list[int]]:
    calls: list[int] = []

    def call() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return "read"

    return call, calls


def test_what_passes_is_tried_again_with_growing_pauses(slept: list[float]) -> None:
    call, calls = failing(2, ConnectionResetError("reset"))
    assert attempt(call, "s3://b/x") == "read"
    assert (len(calls), slept) == (3, [0.5, 1.0])


def test_attempts_are_bounded(slept: list[float]) -> None:
    call, calls = failing(99, ConnectionResetError("reset by peer\nand more"))
    with pytest.raises(CorpusError) as caught:
        attempt(call, "s3://b/x")
    assert str(caught.value) == (
        "s3://b/x: cannot be read after 5 attempts (reset by peer); check the network and run again"
    )
    assert (len(calls), slept) == (5, [0.5, 1.0, 2.0, 4.0])


class LibraryError(OSError):
    def __init__(self, status: int) -> None:
        super().__init__(f"status {status} for url https://x/y?Signature=abc")
        self.response = SimpleNamespace(status_code=status)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (FileNotFoundError("no such key"), "s3://b/x: not found (no such key); check the path"),
        (
            PermissionError("denied"),
            "s3://b/x: access refused (denied); set AWS_PROFILE, or AWS_ACCESS_KEY_ID",
        ),
        (ValueError("bad address"), "s3://b/x: cannot be read (bad address); check the path"),
        (LibraryError(404), "s3://b/x: not found (status 404 for url https://x/y?…); check the path"),
        (LibraryError(403), "s3://b/x: access refused (status 403 for url https://x/y?…); set AWS_PROFILE"),
    ],
)
def test_what_lasts_is_told_at_once(slept: list[float], error: Exception, message: str) -> None:
    call, calls = failing(99, error)
    with pytest.raises(CorpusError) as caught:
        attempt(call, "s3://b/x")
    assert str(caught.value).startswith(message)
    assert (len(calls), slept) == (1, [])


@pytest.mark.parametrize("status", [429, 408, 500, 503])
def test_a_busy_server_is_asked_again(slept: list[float], status: int) -> None:
    call, calls = failing(1, LibraryError(status))
    assert attempt(call, "https://x/y") == "read"
    assert (len(calls), len(slept)) == (2, 1)


def test_our_own_errors_pass(slept: list[float]) -> None:
    call, calls = failing(99, CorpusError("ours"))
    with pytest.raises(CorpusError, match=r"^ours$"):
        attempt(call, "s3://b/x")
    assert (len(calls), slept) == (1, [])
