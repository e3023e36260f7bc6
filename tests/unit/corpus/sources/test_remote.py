from __future__ import annotations

from typing import Any

import pytest

from concepts.errors import CorpusError
from corpus.sources import remote


class Stingy:
    """A file system whose answers are cut short, some times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def cat_file(self, _: str, start: int, end: int, **__: Any) -> bytes:
        self.times -= 1
        return bytes(end - start - (self.times >= 0))


@pytest.mark.usefixtures("_own_environment")
def test_bytes_that_are_missing_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    system = Stingy(2)
    monkeypatch.setattr(remote, "file_system", lambda _: system)
    assert remote.read_remote("s3://b/x", 10, 30) == bytes(20)
    system.times = 99
    with pytest.raises(CorpusError, match=r"after 3 attempts \(19 bytes came of 20\); check the network"):
        remote.read_remote("s3://b/x", 10, 30)
