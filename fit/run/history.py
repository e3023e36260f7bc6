"""``run.json``: the version, machine, seed and times of each invocation that computed something.

All that differs between equal runs stands here and nowhere else.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from fit.run import artefacts, provenance

NAME = "run.json"
FORMAT = 1


class Record:
    """The entry of one invocation; written when its first stage begins, so that a killed one is there too."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._seed = seed
        self._entry: dict[str, Any] = {}
        self._begun = 0.0

    def begin(self, stage: str) -> None:
        """Note that a stage begins."""
        if not self._entry:
            self._entry = {**provenance.describe(self._seed), "ended": None, "seconds": {}}
        self._begun = time.monotonic()
        self._write(stage, None)

    def end(self, stage: str) -> None:
        """Note that a stage is finished."""
        self._write(stage, round(time.monotonic() - self._begun, 2))

    def _write(self, stage: str, seconds: float | None) -> None:
        self._entry["seconds"][stage] = seconds
        self._entry["ended"] = provenance.now() if seconds is not None else None
        self._entry["device"] = provenance.device()  # torch may have been loaded in the meantime
        rows = [row for row in invocations(self._folder) if row.get("id") != self._entry["id"]]
        artefacts.write_json(self._folder / NAME, {"format": FORMAT, "invocations": [*rows, self._entry]})


def begin(folder: Path) -> None:
    """Write an empty history into a new run folder."""
    artefacts.write_json(folder / NAME, {"format": FORMAT, "invocations": []})


def invocations(folder: Path) -> list[dict[str, Any]]:
    """Return the invocations that computed something, the oldest first."""
    rows = _read(folder).get("invocations", [])
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def format_of(folder: Path) -> object:
    """Return the format version of a run folder; ours where it tells none."""
    return _read(folder).get("format", FORMAT)


def _read(folder: Path) -> dict[str, Any]:
    """Read run.json; a damaged one loses its history but never the results."""
    try:
        content = json.loads((folder / NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
