"""One name looked up in a run: what was counted, verified, sampled and judged of it."""

from __future__ import annotations

import difflib
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import fit
from concepts.concept import Concept
from concepts.errors import ConceptsError, CorpusError, FitError, RunFolderError, StageIncomplete
from concepts.matching import canonical
from corpus.captions import CaptionCounter, CaptionQuery
from corpus.counts import CaptionCounts
from corpus.registry import captions_place
from corpus.shards import survey_shards
from corpus.where import all_of
from fit import progress
from fit.generation.models import load_model
from fit.report.inputs import CurvePoint
from fit.report.lookup import Example, Looked, Sheet, sheet
from fit.report.verdict import Verdict, read_verdict
from fit.run import Job, Run, folder
from fit.run.receipts import read_receipt
from fit.stages.inputs import concepts_of, corpus_of
from fit.stages.report_inputs import READ_STAGES, curve_of, subject_of
from fit.stages.shard_work import KeptIn, merged, over_shards

EXAMPLES = 5
RUNS = Path("runs")


def runs_below(home: Path) -> tuple[Run, ...]:
    """Return the runs whose folders lie in a folder, by name; folders that cannot be read are left out."""
    found = []
    for path in sorted(home.iterdir()) if home.is_dir() else ():
        if folder.is_run(path):
            try:
                found.append(folder.load(path))
            except (FitError, tomllib.TOMLDecodeError) as error:
                progress.note(f"{path}: left out ({error})")
    return tuple(found)


def look_up(name: str, home: Path | None) -> list[Sheet]:
    """Look a name up.

    Args:
        name: A concept's name or one of its aliases, spelt in any way that the matching rules call equal.
        home: A run folder; None looks through the runs below ``runs/``.

    Returns:
        One sheet for each run that has the name; where the only run has it not, what its corpus holds.

    Raises:
        RunFolderError: There is no run.
        ConceptsError: No run has the name and its captions cannot be counted; the message lists near names.
    """
    runs = runs_below(RUNS) if home is None else (folder.load(home),)
    if not runs:
        raise RunFolderError(f"{RUNS}: no run here; name one with --run, or start one with fit estimate")
    sheets = [_sheet(run, concept) for run in runs for concept in named(run, name)]
    if sheets:
        return sheets
    near = nearest(name, runs)
    hint = f" (did you mean {', '.join(near)}?)" if near else ""
    if len(runs) > 1:
        raise ConceptsError(f"{name}: a concept of none of {len(runs)} runs{hint}; name one with --run")
    progress.note(f"{name}: no concept of {runs[0].folder}{hint}; its captions are counted now")
    return [_counted_now(runs[0], name, hint)]


def _job(run: Run) -> Job:
    """Return what the report's stage would see of the run."""
    return Job(run, "report", READ_STAGES)


def named(run: Run, name: str) -> Iterator[Concept]:
    """Yield the concepts of a run that have a name, however it is spelt."""
    wanted = canonical(name)
    for concept in concepts_of(_job(run)):
        if wanted in {canonical(phrase) for phrase in (concept.name, *concept.aliases)}:
            yield concept


def nearest(name: str, runs: Sequence[Run]) -> list[str]:
    """Return names like the one asked for, or with a word like it."""
    known: dict[str, str] = {}
    for run in runs:
        for concept in concepts_of(_job(run)):
            for form in (concept.name, *concept.name.split()):
                known.setdefault(form.casefold(), concept.name)
    near = difflib.get_close_matches(name.casefold(), known, n=3, cutoff=0.7)
    return list(dict.fromkeys(known[each] for each in near))


def _sheet(run: Run, concept: Concept) -> Sheet:
    job = _job(run)
    points = {point.concept: point for point in _points(job)}
    point = points[concept.name]
    others = [p.frequency for p in points.values() if p.concept != concept.name and p.frequency is not None]
    rarer = sum(each < point.frequency for each in others) if point.frequency is not None else 0
    looked = Looked(
        point=point,
        aliases=concept.aliases,
        rarer=rarer,
        others=len(others),
        examples=_examples(job, concept.name),
        left_out=_left_out(job, concept.name),
        false_discovery_rate=run.settings.scores.false_discovery_rate,
    )
    return _worded(run, job, looked)


def _worded(run: Run, job: Job, looked: Looked) -> Sheet:
    subject = subject_of(job, load_model(run.settings.model), corpus_of(run.settings))
    receipt = read_receipt(run.stage_folder("threshold"))
    stand = "unfinished run" if receipt is None else f"run {receipt.digest[:12]}"
    made = f"fit {fit.__version__}, seed {run.settings.seed}, {stand}"
    return sheet(looked, subject, _verdict(job), made)


def _points(job: Job) -> tuple[CurvePoint, ...]:
    """Return what is known of the concepts; of a run that is not finished, what it has counted."""
    try:
        return curve_of(job)
    except StageIncomplete:
        pass
    try:
        counts = {row["concept"]: row for row in job.read("counts", "counts").to_pylist()}
    except StageIncomplete:
        counts = {}
    known: list[tuple[Concept, dict[str, Any]]] = [(c, counts.get(c.name, {})) for c in concepts_of(job)]
    return tuple(
        CurvePoint(
            concept=concept.name,
            caption_count=row.get("caption_count"),
            distinct_url_count=row.get("distinct_url_count"),
            flags=concept.flags,
        )
        for concept, row in known
    )


def _verdict(job: Job) -> Verdict | None:
    try:
        return read_verdict(job.read_json("threshold", "threshold"))
    except StageIncomplete:
        return None


def _examples(job: Job, name: str) -> tuple[Example, ...]:
    try:
        samples = job.read("counts", "samples")
    except StageIncomplete:
        return ()
    rows = [row for row in samples.to_pylist() if row["concept"] == name]
    return tuple(Example(row["file"], row["row"], row["url"], row["caption"]) for row in rows[:EXAMPLES])


def _left_out(job: Job, name: str) -> tuple[str, ...]:
    """Return the different reasons for which something of this concept was left out, each with how often."""
    reasons: dict[str, int] = {}
    for stage in READ_STAGES:
        if job.has(stage, "skipped"):
            for row in job.read(stage, "skipped").to_pylist():
                if row["concept"] == name:
                    key = f"{stage}: {row['reason']}"
                    reasons[key] = reasons.get(key, 0) + 1
    return tuple(f"{reason} ({number:,})" if number > 1 else reason for reason, number in reasons.items())


def _counted_now(run: Run, name: str, hint: str) -> Sheet:
    counts = count_now(run, Concept(name))
    distinct = counts.distinct_url_counts
    point = CurvePoint(
        concept=name,
        caption_count=int(counts.caption_counts[0]),
        distinct_url_count=None if distinct is None else int(distinct[0]),
    )
    examples = tuple(Example(row.file, row.row, row.url, row.caption) for row in counts.sample_of(name))
    notes = (f"no concept of this run{hint}",)
    return _worded(run, _job(run), Looked(point, examples=examples, left_out=notes, in_run=False))


def count_now(run: Run, concept: Concept) -> CaptionCounts:
    """Count one concept in a run's corpus, with the run's condition and seed.

    Raises:
        ConceptsError: The name is too short to be counted.
        CorpusError: The corpus is not at hand or cannot be read.
    """
    corpus, settings = corpus_of(run.settings), run.settings
    query = CaptionQuery((concept,), settings.seed, EXAMPLES, all_of(corpus.where, settings.counts.where))
    survey = survey_shards(captions_place(corpus), corpus.caption_column or None, corpus.url_column or None)
    with tempfile.TemporaryDirectory() as work:
        kept = KeptIn(Path(work), query.digest)
        unreadable = over_shards(CaptionCounter(query), survey, kept, settings.execution, "count")
        if unreadable:
            raise CorpusError(unreadable[0].reason)
        return merged(kept, survey.shards, query.names)
