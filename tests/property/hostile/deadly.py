"""Readers as none should be: what the harness has to notice."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

from tests.property.hostile.readers import Reader


class Numbered(Reader):
    """Reads the number of the case."""

    def prepare(self, folder: Path) -> None:
        """There is nothing to prepare."""

    def make(self, rng: Random) -> bytes:
        """Return which of the first hundred cases a generator is of."""
        states = (Random(f"1 {self.name} {case}").getstate() for case in range(100))
        return str(next(case for case, state in enumerate(states) if state == rng.getstate())).encode()


def dies(content: bytes, _: Path) -> object:
    """End the process at the fourth case."""
    return os.abort() if content == b"3" else None


def takes(_: bytes, __: Path) -> object:
    """Take more memory than there is for it."""
    return len(bytearray(5 * 2**30))


READERS = (Numbered("deadly", lambda _: [], dies, 1), Numbered("greedy", lambda _: [], takes, 1))
