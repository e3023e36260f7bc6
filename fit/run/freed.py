"""What was deleted from finished stages to free disk: files that their receipts still name by digest.

A stage without them is as current as it was. A stage that has to be computed and cannot do without them has
them computed again first (`fit.execute`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from concepts.errors import RunFolderError
from fit.run import artefacts

NAME = "freed.json"


def freed(folder: Path) -> dict[str, dict[str, str]]:
    """Return the files that were freed: stage -> path in its folder -> SHA-256.

    Raises:
        RunFolderError: The record is damaged.
    """
    path = folder / NAME
    if not path.is_file():
        return {}
    try:
        found: Any = artefacts.read_json(path)["stages"]
        if isinstance(found, dict) and all(map(_is_digests, found.values())):
            return found
    except (artefacts.DamagedFile, KeyError, TypeError):
        pass
    raise RunFolderError(f"{path}: damaged; delete it to have computed again what was freed")


def note_freed(folder: Path, stage: str, files: Mapping[str, str]) -> None:
    """Note that files of a stage are about to be deleted; files noted before stay noted."""
    known = freed(folder)
    _write(folder, known | {stage: known.get(stage, {}) | dict(files)})


def take_back(folder: Path, stage: str) -> None:
    """Note that a stage is computed again, with all its files."""
    known = freed(folder)
    if known.pop(stage, None) is not None:
        _write(folder, known)


def _write(folder: Path, stages: dict[str, dict[str, str]]) -> None:
    if stages:
        artefacts.write_json(folder / NAME, {"format": 1, "stages": stages})
    else:
        (folder / NAME).unlink(missing_ok=True)


def _is_digests(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
