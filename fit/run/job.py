"""What a stage sees of its run: settings, the results of the stages it needs, and a folder to fill."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pyarrow as pa

from concepts.errors import StageIncomplete
from fit import progress
from fit.config import Settings
from fit.run import artefacts
from fit.run.folder import SKIPPED, SKIPPED_SCHEMA, Run

PARTS = "parts"


class Job:
    """One stage at work on one run.

    Attributes:
        settings: All settings of the run.
        stage: Name of the stage.
        folder: The stage's own folder; it need not exist during a dry run.
    """

    def __init__(self, run: Run, stage: str, needs: tuple[str, ...]) -> None:
        self.settings: Settings = run.settings
        self.stage = stage
        self.folder: Path = run.stage_folder(stage)
        self._run = run
        self._needs = needs
        self._skipped: list[tuple[str, str, str]] = []

    @property
    def seed(self) -> int:
        """The run's seed; the seed of an item is a digest of it and the item's id."""
        return self.settings.seed

    @property
    def run_folder(self) -> Path:
        """The run's folder, for what stages share that is no result of any."""
        return self._run.folder

    @property
    def parts_folder(self) -> Path:
        """Where the finished parts of this stage are."""
        return self.folder / PARTS

    # Reading what other stages have made.

    def path(self, stage: str, filename: str) -> Path:
        """Return the path of a file of this stage or of one that it needs.

        Raises:
            ValueError: The row of this stage in ``fit/pipeline.py`` does not name that stage, so a change
                of its results would go unnoticed.
            StageIncomplete: There is no such file.
        """
        path = self._folder_of(stage) / filename
        if not path.exists():
            raise StageIncomplete(f"{stage}/{filename}: not there; run fit estimate --until {stage} first")
        return path

    def has(self, stage: str, name: str) -> bool:
        """Tell whether ``<run>/<stage>/<name>.parquet`` is there; for estimates of work to come."""
        return (self._folder_of(stage) / f"{name}.parquet").is_file()

    def read(self, stage: str, name: str) -> pa.Table:
        """Read ``<run>/<stage>/<name>.parquet``.

        Raises:
            ValueError: This stage does not name that stage as one that it needs.
            StageIncomplete: The table is missing or damaged.
        """
        return read_or_remove(self.path(stage, f"{name}.parquet"))

    def read_json(self, stage: str, name: str) -> Any:
        """Read ``<run>/<stage>/<name>.json``; raises as `read`."""
        return read_or_remove(self.path(stage, f"{name}.json"), artefacts.read_json)

    def part_names(self, stage: str | None = None) -> tuple[str, ...]:
        """Return the names of the finished parts of a stage, in order; by default of this stage."""
        folder = self._folder_of(stage or self.stage) / PARTS
        return tuple(sorted(p.stem for p in folder.glob("*.parquet") if not artefacts.is_leftover(p)))

    def parts(self, stage: str | None = None) -> Iterator[pa.Table]:
        """Yield the finished parts of a stage one by one, in the order of their names."""
        for name in self.part_names(stage):
            yield self.read_part(name, stage)

    def read_part(self, name: str, stage: str | None = None) -> pa.Table:
        """Read one finished part of a stage; by default of this stage."""
        return read_or_remove(self.path(stage or self.stage, f"{PARTS}/{name}.parquet"))

    def read_parts(self, stage: str | None = None) -> pa.Table:
        """Read all finished parts of a stage as one table, in the order of their names.

        Raises:
            StageIncomplete: There is no part, or one is damaged.
        """
        tables = list(self.parts(stage))
        if not tables:
            raise StageIncomplete(f"{stage or self.stage}: has no parts; run fit estimate --until it first")
        return pa.concat_tables(tables)

    # Writing this stage's results.

    def write(self, name: str, table: pa.Table, metadata: Mapping[str, str] | None = None) -> None:
        """Write ``<name>.parquet`` into the stage's folder, whole or not at all."""
        artefacts.write_table(self.folder / f"{name}.parquet", table, metadata)

    def write_json(self, name: str, content: Any) -> None:
        """Write ``<name>.json`` into the stage's folder, whole or not at all."""
        artefacts.write_json(self.folder / f"{name}.json", content)

    def write_bytes(self, filename: str, content: bytes) -> None:
        """Write a file into the stage's folder, whole or not at all; ``filename`` may name a sub-folder."""
        artefacts.write_bytes(self.folder / filename, content)

    def has_part(self, name: str) -> bool:
        """Tell whether a part is finished, so that its work can be left out; a truncated one is removed."""
        path = self._part(name)
        if not path.is_file():
            return False
        if not artefacts.is_whole(path):
            self.note(f"{self.stage}: part {name} was damaged and is computed again")
            path.unlink()
            return False
        return True

    def write_part(self, name: str, table: pa.Table, metadata: Mapping[str, str] | None = None) -> None:
        """Write a finished part; its content must depend on settings, inputs and its fixed items alone."""
        artefacts.write_table(self._part(name), table, metadata)

    def skip(self, concept: str, item: str, reason: str) -> None:
        """Note what is left out and why.

        A stage that resumes must note what its finished parts left out as well: keep the reason in the part.

        Args:
            concept: Name of the concept, empty where it belongs to none.
            item: What was left out: a row, an image, a prompt, or the concept itself.
            reason: Why, in words for the report.
        """
        self._skipped.append((concept, item, reason))

    def write_skipped(self) -> None:
        """Write what was left out as the stage's ``skipped.parquet``; the runner calls this last."""
        columns = list(zip(*self._skipped, strict=True)) or [(), (), ()]
        arrays = [pa.array(column, pa.string()) for column in ([self.stage] * len(self._skipped), *columns)]
        artefacts.write_table(self.folder / SKIPPED, pa.Table.from_arrays(arrays, schema=SKIPPED_SCHEMA))

    # Telling the person who waits.

    def progress(
        self, total: int, unit: str, label: str = "", done: int = 0
    ) -> AbstractContextManager[progress.Bar]:
        """Show on stderr how far the work is, of which ``done`` was done before."""
        return progress.bar(total, unit, label or self.stage, done)

    def note(self, text: str) -> None:
        """Write one line on stderr."""
        progress.note(text)

    def _part(self, name: str) -> Path:
        return self.parts_folder / f"{name}.parquet"

    def _folder_of(self, stage: str) -> Path:
        if stage != self.stage and stage not in self._needs:
            raise ValueError(f"stage {self.stage} reads {stage}, which its row in fit/pipeline.py must name")
        return self._run.stage_folder(stage)


def read_or_remove(path: Path, reader: Callable[[Path], Any] = artefacts.read_table) -> Any:
    """Read a file of a run; a damaged one is removed, so that the next run computes it again.

    Raises:
        StageIncomplete: It was damaged.
    """
    try:
        return reader(path)
    except artefacts.DamagedFile as error:
        path.unlink(missing_ok=True)
        raise StageIncomplete(f"{error}; it was removed, run the same command again to go on") from error
