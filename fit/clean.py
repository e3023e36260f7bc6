"""``fit clean``: what a run takes on disk, and what of it can go without losing a result.

Only what a finished stage has made and no unfinished one will open can go: generated and fetched images, and
the vectors of images that were looked at. The receipts keep the digests of what is gone, so that the results
can be checked as before, and a stage that has to be computed has computed again what it needs.
"""

from __future__ import annotations

import fnmatch
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from concepts.errors import StageIncomplete, UsageError, unknown
from fit import execute
from fit.pipeline import STAGES, Stage
from fit.run import Run, lock
from fit.run.freed import note_freed
from fit.run.receipts import read_receipt
from fit.stages.embeddings import FOLDER as EMBEDDINGS

WHAT = {
    "verification": "fetched images; asked for again if it has to be computed again",
    "generation": "generated images; sampled again if scores has to be computed again; a new report has none",
    EMBEDDINGS: "vectors of images that were looked at; computed again where they are needed",
}


@dataclass(frozen=True)
class Room:
    """What a folder of a run takes.

    Attributes:
        name: Of the folder: a stage, or the embeddings that stages share.
        size: Bytes on disk.
        files: Those that can go: path in the folder -> SHA-256 in the receipt (empty: in none).
        freeable: Their bytes.
        kept: Why nothing can go, though something will; empty where that is not so.
    """

    name: str
    size: int
    files: Mapping[str, str]
    freeable: int
    kept: str = ""

    @property
    def note(self) -> str:
        """What can go and what that means, or why it cannot."""
        return self.kept or (WHAT[self.name] if self.files else "")


def rooms(run: Run) -> list[Room]:
    """Tell what each folder of a run takes and what of it can go. Deletes nothing."""
    stale = {state.stage for state in execute.status(run) if not state.current}
    found = [_room(run, stage, stale) for stage in STAGES]
    waits = sorted(stale & {"verification", "scores"})
    home = run.folder / EMBEDDINGS
    vectors = {str(path.relative_to(home)): "" for path in home.rglob("*.parquet")}
    return [*found, _given(EMBEDDINGS, home, vectors, waits)]


def chosen(run: Run, names: Sequence[str] = ()) -> list[Room]:
    """Return some folders of `rooms`.

    Args:
        run: The run.
        names: Of folders of which something can go; none: all folders.

    Raises:
        UsageError: There is no such folder, or nothing of it can ever go.
    """
    for name in names:
        if name not in WHAT:
            raise UsageError(unknown("folder to clean", name, WHAT))
    return [room for room in rooms(run) if not names or room.name in names]


def clean(run: Run, names: Sequence[str] = ()) -> list[Room]:
    """Delete what can go, and return what went, as `chosen` has it.

    Raises:
        UsageError: As `chosen`.
        StageIncomplete: A folder that was named is still needed.
        RunFolderError: Another process works on the run.
    """
    with lock.hold(run.folder):
        found = chosen(run, names)
        for room in found:
            if names and room.kept:
                raise StageIncomplete(f"{room.name}: {room.kept}")
        for room in found:
            if room.files:
                _delete(run, room)
    return found


def _room(run: Run, stage: Stage, stale: set[str]) -> Room:
    home = run.stage_folder(stage.name)
    receipt = read_receipt(home)
    files = {
        name: digest
        for name, digest in (receipt.outputs if receipt else {}).items()
        if any(fnmatch.fnmatch(name, glob) for glob in stage.frees) and (home / name).is_file()
    }
    readers = [each.name for each in STAGES if stage.name in each.opens]
    return _given(stage.name, home, files, [name for name in (stage.name, *readers) if name in stale])


def _given(name: str, home: Path, files: Mapping[str, str], waits: Sequence[str]) -> Room:
    size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    if files and waits:
        return Room(name, size, {}, 0, f"needed until {' and '.join(waits)} is computed")
    return Room(name, size, files, sum((home / each).stat().st_size for each in files))


def _delete(run: Run, room: Room) -> None:
    """Delete the files of a folder; what a receipt names is noted before."""
    home = run.folder / room.name
    if room.name == EMBEDDINGS:
        shutil.rmtree(home)
        return
    note_freed(run.folder, room.name, room.files)
    for name in room.files:
        (home / name).unlink()
