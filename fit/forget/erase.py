"""Somebody deleted from a run, and what is left of it signed and, where it can be, computed again.

The order makes an interruption harmless: what names them last is the list of concepts, so that the same
command goes on; the note that they must not come back is written before anything is deleted.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from concepts.concept import Concept
from concepts.errors import ConceptsError, FitError
from concepts.matching import canonical
from concepts.removal import add_to_list, phrase_digest
from fit import execute
from fit.forget.archives import clean_archive
from fit.forget.tables import clean_embeddings, clean_generated, clean_table
from fit.forget.texts import LINES, clean_json, clean_lines, clean_unknown
from fit.forget.traces import Deleted, Traces, traces_of
from fit.pipeline import STAGES
from fit.run import Run, artefacts, folder, forgotten, freed, history, lock
from fit.run.folder import CONFIG
from fit.run.receipts import PLAN, RECEIPT
from fit.stages.embeddings import FOLDER as EMBEDDINGS

AGAIN = ("threshold", "report")
"""Stages that are computed again from what is left: their results speak of all concepts together."""

OPAQUE = (".gz", ".pdf", ".zip")
_OURS = (CONFIG, history.NAME, lock.NAME, forgotten.NAME, forgotten.PENDING, freed.NAME)


@dataclass(frozen=True)
class Erased:
    """What was deleted from a run.

    Attributes:
        run: Its folder.
        known: Whether it was a concept of the run, or had been.
        deleted: What was deleted.
        again: The stages that were computed again without them.
        left: Stages that could not be, with why.
    """

    run: Path
    known: bool
    deleted: Deleted
    again: tuple[str, ...] = ()
    left: str = ""

    def sentence(self, dry_run: bool = False) -> str:
        """What was deleted, or would be, in one line."""
        what = f"{self.run}: {'would delete' if dry_run else 'deleted'} {self.deleted.sentence}"
        if self.again:
            return f"{what}; computed again without them: {', '.join(self.again)}"
        return f"{what}; not computed again: {self.left}" if self.left else what


def forget(name: str, run: Run, write: bool = True) -> Erased:
    """Delete everything of somebody from a run.

    Args:
        name: A concept's name or one of its aliases, spelt in any way that the matching rules call equal; or
            any other name, of which the rows that mention it go.
        run: The run.
        write: False tells what would be deleted.

    Raises:
        ConceptsError: The name is too short to be looked for.
        RunFolderError: Another process works on the folder.
    """
    listed = concepts_in(run.folder)
    concept = named(name, listed)
    others = [each for each in listed if each is not concept]
    traces = traces_of(name, concept, others, _tables(run.folder))
    known = concept is not None or phrase_digest(name) in forgotten.forgotten(run.folder)
    if not write:
        return Erased(run.folder, known, _clean(run.folder, traces, write=False))
    with lock.hold(run.folder):
        artefacts.remove_leftovers(run.folder)
        current = _begin(run)
        if concept is not None:
            forgotten.note_forgotten(run.folder, traces.digests)
            add_to_list(traces.digests)
        deleted = _clean(run.folder, traces, write=True)
        touched = known or bool(deleted)
        if touched:
            _sign(run, current, known)
        (run.folder / forgotten.PENDING).unlink(missing_ok=True)
    again, left = _compute_again(run, current) if touched else ((), "")
    return Erased(run.folder, known, deleted, again, left)


def concepts_in(home: Path) -> tuple[Concept, ...]:
    """Return the concepts that a run knows; none where it has not begun."""
    path = home / "concepts" / "concepts.parquet"
    rows = artefacts.read_table(path).to_pylist() if path.is_file() else []
    return tuple(Concept(row["concept"], tuple(row["aliases"]), row["group"]) for row in rows)


def named(name: str, concepts: Sequence[Concept]) -> Concept | None:
    """Return the concept that a name stands for: one of that name, else one with such an alias."""
    wanted = canonical(name)
    own = [each for each in concepts if canonical(each.name) == wanted]
    by_alias = [each for each in concepts if wanted in {canonical(phrase) for phrase in each.phrases}]
    return next(iter([*own, *by_alias]), None)


def check_found(name: str, erased: Sequence[Erased], runs: Sequence[Run]) -> None:
    """Say so where no run has anything of a name.

    Raises:
        ConceptsError: With near names; a misspelt name must not look as if it had been deleted.
    """
    if any(each.known or each.deleted for each in erased):
        return
    known = {p.casefold(): p for run in runs for c in concepts_in(run.folder) for p in c.phrases}
    near = [known[each] for each in difflib.get_close_matches(name.casefold(), known, n=3, cutoff=0.6)]
    hint = f" (did you mean {', '.join(near)}?)" if near else ""
    raise ConceptsError(f"{name}: nothing of that name in {len(runs)} runs{hint}; nothing was deleted")


def _begin(run: Run) -> list[str]:
    """Return the stages that are current; of an interrupted removal, those that were."""
    pending = run.folder / forgotten.PENDING
    if pending.is_file():
        return list(artefacts.read_json(pending)["current"])
    current = [state.stage for state in execute.status(run) if state.current]
    artefacts.write_json(pending, {"current": current})
    return current


def _clean(home: Path, traces: Traces, write: bool) -> Deleted:
    """Clean all files of a run: archives first, whose pictures tell digests; the list of concepts last."""
    whole = Deleted()
    for path in _files(home):
        if path.suffix == ".tar" and not _is_generated(path.with_suffix(".parquet")):
            deleted, digests = clean_archive(path, traces, write)
            whole, traces = whole + deleted, traces.with_pointers(digests)
    listed = home / "concepts"
    for path in sorted(_files(home), key=lambda path: listed in path.parents):
        if path.suffix not in (".tar", *OPAQUE):
            whole += _clean_file(path, traces, write)
    return whole + _drop_exports(home, write) if whole else whole


def _drop_exports(home: Path, write: bool) -> Deleted:
    """Delete what was printed or packed from the run: nobody can look into it."""
    found = [path for path in _files(home) if path.suffix in OPAQUE]
    for path in found if write else ():
        path.unlink()
    return Deleted(files=len(found))


def _clean_file(path: Path, traces: Traces, write: bool) -> Deleted:
    if _is_generated(path):
        return clean_generated(path, traces, write)
    if path.suffix == ".parquet" and path.parent.parent.name == EMBEDDINGS:
        return clean_embeddings(path, traces, write)
    if path.suffix == ".parquet":
        return clean_table(path, traces, write)
    if path.name in (PLAN, RECEIPT):
        return Deleted()  # written anew, or removed with their stage
    if path.suffix == ".json":
        return clean_json(path, traces, write)
    clean = clean_lines if path.suffix in LINES else clean_unknown
    return clean(path, traces, write)


def _is_generated(path: Path) -> bool:
    """Tell whether a file is the table of a part of generated images."""
    return path.suffix == ".parquet" and path.parts[-3:-1] == ("generation", "parts")


def _files(home: Path) -> Iterator[Path]:
    """Yield the files to look through; those of stages that are computed again go as a whole."""
    for path in artefacts.finished_files(home):
        inside = path.relative_to(home).parts
        if inside[0] not in AGAIN and not (len(inside) == 1 and inside[0] in _OURS):
            yield path


def _tables(home: Path) -> list[Path]:
    return [path for path in _files(home) if path.suffix == ".parquet"]


def _sign(run: Run, current: Sequence[str], known: bool) -> None:
    """Give the stages that were current receipts for what is left.

    What speaks of all concepts together goes. Where a concept of the run went, other stages begin anew: what
    they were being made from is no more.
    """
    for stage in STAGES:
        home = run.stage_folder(stage.name)
        if stage.name in AGAIN:
            if home.is_dir():
                artefacts.clear(home, first=(RECEIPT, PLAN))
        elif stage.name in current:
            execute.sign(run, stage)
        elif known:
            for name in (RECEIPT, PLAN):
                (home / name).unlink(missing_ok=True)
    folder.write_skipped(run, [stage.name for stage in STAGES])


def _compute_again(run: Run, current: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Compute the stages that speak of all concepts, where they had been and all before them are current."""
    wanted = [stage for stage in STAGES if stage.name in current]
    if not set(AGAIN) & set(current) or len(wanted) < len(STAGES):
        return (), ""
    try:
        return tuple(execute.bring_up_to_date(run, wanted)), ""
    except FitError as error:
        return (), str(error)
