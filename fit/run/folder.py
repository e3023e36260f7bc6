"""The run folder: settings, history and one folder for each stage.

A folder belongs to one domain, concept set, model, corpus and seed for good; the other settings may change
and make the stages stale that depend on them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from concepts.domain import load_domain
from concepts.errors import RunFolderError, SettingsError, StageIncomplete
from fit import config
from fit.config import Settings
from fit.run import artefacts, history, lock

CONFIG = "config.toml"
SKIPPED = "skipped.parquet"
PRIVATE = 0o700
SKIPPED_SCHEMA = pa.schema(
    [("stage", pa.string()), ("concept", pa.string()), ("item", pa.string()), ("reason", pa.string())]
)


@dataclass(frozen=True)
class Run:
    """A run folder and the settings that it is computed with.

    Attributes:
        folder: Where it is; it need not exist yet.
        settings: All settings.
    """

    folder: Path
    settings: Settings

    def stage_folder(self, stage: str) -> Path:
        """Return the folder of a stage, which need not exist."""
        return self.folder / stage


def is_run(folder: Path) -> bool:
    """Tell whether a folder is a run folder."""
    return (folder / CONFIG).is_file()


def load(folder: Path, assignments: Sequence[str] = ()) -> Run:
    """Read a run folder that exists.

    Args:
        folder: The run folder.
        assignments: Settings to change, ``section.key=value``; nothing is written yet.

    Raises:
        RunFolderError: It is no run folder, of another version, or a changed setting belongs to another run.
        SettingsError: Its settings or an assignment are wrong.
    """
    if not is_run(folder):
        raise RunFolderError(f"{folder}: not a run folder (no {CONFIG}); start one with fit estimate --run")
    _check_format(folder)
    settings = config.load_toml(_text(folder / CONFIG), str(folder / CONFIG))
    changed = config.apply(settings, assignments)
    _check_identity(folder, settings, changed)
    return Run(folder, changed)


def plan(folder: Path, wanted: Settings, given: Sequence[str], assignments: Sequence[str] = ()) -> Run:
    """Bring together what is wanted and what a folder holds already, without writing anything.

    A folder keeps the settings that it was last computed with; ``assignments`` change them.

    Args:
        folder: The run folder, which need not exist.
        wanted: The settings of a new run.
        given: The names of those that were asked for in so many words, which a run that exists must share.
        assignments: Settings to change.

    Raises:
        RunFolderError: The folder is another run's or holds something else.
        SettingsError: Settings are wrong.
    """
    if is_run(folder):
        found = load(folder)
        _check_identity(folder, found.settings, wanted, given)
        return load(folder, assignments)
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(f"{folder}: not a folder; choose another --run")
    _check_format(folder)
    ours = {history.NAME, lock.NAME}
    if folder.is_dir() and any(p.name not in ours for p in folder.iterdir() if not artefacts.is_leftover(p)):
        raise RunFolderError(f"{folder}: holds files but no {CONFIG}: no run folder; choose another --run")
    return Run(folder, config.apply(wanted, assignments))


@contextmanager
def work(run: Run) -> Iterator[None]:
    """Lock the folder of a run, making it where it is not there, and write its settings.

    Raises:
        RunFolderError: The folder cannot be read or written, or another process works on it.
        StageIncomplete: A file elsewhere, that the run takes or makes on its way, cannot be.
    """
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
        _keep_private(run)
        with lock.hold(run.folder):
            artefacts.remove_leftovers(run.folder)
            if not (run.folder / history.NAME).exists():
                history.begin(run.folder)
            text = config.dump_toml(run.settings).encode()
            if not is_run(run.folder) or (run.folder / CONFIG).read_bytes() != text:
                artefacts.write_bytes(run.folder / CONFIG, text)
            yield
    except OSError as error:  # a stage's own come as StageIncomplete, with its name
        place = Path(os.fsdecode(error.filename or run.folder))
        inside = place.resolve().is_relative_to(run.folder.resolve())
        kind = RunFolderError if inside else StageIncomplete
        reason = error.strerror or str(error)
        raise kind(f"{place}: cannot be read or written ({reason}); what is done is kept") from error


def _keep_private(run: Run) -> None:
    """Let nobody else look into a run about people."""
    mode = stat.S_IMODE(run.folder.stat().st_mode)
    if load_domain(run.settings.domain).people and mode != PRIVATE:
        run.folder.chmod(PRIVATE)


def write_skipped(run: Run, stages: Sequence[str]) -> None:
    """Bring together what the stages left out in the run's ``skipped.parquet``.

    Args:
        run: The run.
        stages: The names of all stages, in the order of the table.
    """
    found = [run.stage_folder(stage) / SKIPPED for stage in stages]
    tables = [artefacts.read_table(path) for path in found if path.is_file()]
    content = artefacts.table_bytes(pa.concat_tables([SKIPPED_SCHEMA.empty_table(), *tables]))
    path = run.folder / SKIPPED
    if not path.is_file() or path.read_bytes() != content:
        artefacts.write_bytes(path, content)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{path}: not UTF-8 (byte {error.start}); start again in another --run"
        ) from error


def _check_format(folder: Path) -> None:
    found = history.format_of(folder)
    if found != history.FORMAT:
        newer = isinstance(found, int) and found > history.FORMAT
        advice = "update fit" if newer else "start again in another --run"
        raise RunFolderError(
            f"{folder}: run folder of format {found}, this fit reads {history.FORMAT}; {advice}"
        )


def _check_identity(
    folder: Path, found: Settings, wanted: Settings, names: Sequence[str] = config.IDENTITY
) -> None:
    for name in names:
        is_now, would_be = getattr(found, name), getattr(wanted, name)
        if is_now != would_be:
            raise RunFolderError(f"{folder}: a run of {name} {is_now}, not {would_be}; choose another --run")
