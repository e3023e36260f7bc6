"""``fit score FOLDER``: images that somebody else generated, with frequencies that are known otherwise.

So a model that cannot be loaded, such as a closed service, can still be estimated: the scores become an
imitation curve, which ``fit threshold`` judges.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from concepts.concept import Concept
from concepts.errors import TooLittleData, UsageError
from corpus.registry import data_folder
from fit import config, progress
from fit.config import Settings
from fit.imitation.scorers import Encoder, Setup, load_scorer
from fit.run import artefacts
from fit.run.folder import SKIPPED_SCHEMA
from fit.stages import scoring
from fit.stages.count_files import check_suffix, write_rows
from fit.stages.curve_file import read_frequencies
from fit.stages.cuts import cuts_of
from fit.stages.embeddings import FOLDER, cached_encoder
from fit.stages.inputs import embed
from fit.stages.reference_choice import choose_references
from fit.stages.reference_images import SUFFIXES, read_reference_images
from fit.stages.scoring import Generated, Pools
from fit.threshold.curve import ImitationCurve

CURVE = "curve.parquet"
_NUMBERED = re.compile(r"(?P<prompt>.*\D)[-_ ]+\d+")  # "a sketch_017": the prompt and the image's number


@dataclass(frozen=True)
class Asked:
    """What is to be scored.

    Attributes:
        images: Folder with a sub-folder of generated images for each concept.
        frequencies: CSV or Parquet: concept, frequency, and optionally its interval and a group.
        references: Folder or Parquet file of reference images.
        scorer: Name of the scorer.
        out: A ``.csv`` or ``.parquet`` file for the curve, or a folder for everything.
        assignments: Settings, of which those under ``scores``, ``references``, ``scorer`` and
            ``verification.false_match_rate`` and ``verification.cut`` matter here.
    """

    images: Path
    frequencies: Path
    references: Path
    scorer: str
    out: Path
    assignments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scored:
    """The result.

    Attributes:
        curve: The curve that ``fit threshold`` reads, one row for each concept that was scored.
        skipped: What was left out: stage, concept, item, reason.
        path: The file of the curve.
    """

    curve: pa.Table
    skipped: pa.Table
    path: Path


def score_files(asked: Asked) -> Scored:
    """Score images of one's own.

    Raises:
        UsageError: The folder of images is missing, or the name of the output file is neither.
        MalformedFile: The frequencies are.
        TooLittleData: No concept has images, references and a frequency.
    """
    if not asked.images.is_dir():
        raise UsageError(f"{asked.images}: no such folder; give the folder of the generated images")
    into_folder = not asked.out.suffix
    if not into_folder:
        check_suffix(asked.out)
    plain = Settings(domain="-", concepts="-", model="-", corpus="-")
    settings = config.apply(plain, asked.assignments)
    scoring.check(settings.scores)
    known = read_frequencies(asked.frequencies)
    work = _Work(asked, settings, known, _encoder(asked, settings, into_folder), [])
    pools = work.pools()  # first: a missing folder of references is told before hours of work
    generated = work.generated()
    names = [name for name in known.concepts if name in generated and name in pools.references]
    if not names:
        raise TooLittleData(
            f"{asked.images}: no concept has generated images, enough references and a frequency; "
            "its folder is to be called as the concept"
        )
    scores = scoring.scores_table(names, generated, pools, settings.scores)
    curve = _curve(scores, known, settings.scores.score)
    skipped = _skipped(work.left_out)
    path = asked.out / CURVE if into_folder else asked.out
    write_rows(path, curve)
    if into_folder:
        artefacts.write_table(asked.out / "scores.parquet", scores)
        alternatives = scoring.alternatives_table(names, generated, pools, settings.scores)
        artefacts.write_table(asked.out / "alternatives.parquet", alternatives)
        artefacts.write_table(asked.out / "skipped.parquet", skipped)
    return Scored(curve, skipped, path)


def generated_files(folder: Path) -> list[tuple[Path, str]]:
    """Return a concept's images with their prompts.

    The prompt is the sub-folder that an image lies in, else what stands before the number in its name
    (``a sketch_017.png``), else nothing.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    return [(path, _prompt(path, folder)) for path in paths]


def _prompt(path: Path, folder: Path) -> str:
    inside = path.parent.relative_to(folder)
    if inside.parts:
        return inside.as_posix()
    found = _NUMBERED.fullmatch(path.stem)
    return found["prompt"].rstrip("-_ ") if found else ""


@dataclass
class _Work:
    """What is read and embedded, and what is left out of it."""

    asked: Asked
    settings: Settings
    known: ImitationCurve
    encoder: Encoder
    left_out: list[tuple[str, str, str]]

    def skip(self, concept: str, item: str, reason: str) -> None:
        self.left_out.append((concept, item, reason))

    def generated(self) -> dict[str, Generated]:
        """Return the vectors of every concept's images."""
        folders = {_normal(p.name): p for p in sorted(self.asked.images.iterdir()) if p.is_dir()}
        found = {}
        with progress.bar(len(self.known.concepts), "concepts", "score") as bar:
            for name in self.known.concepts:
                keys = (_normal(name), Concept(name).slug)
                folder = next((folders.pop(key) for key in keys if key in folders), None)
                images = self._embedded(name, generated_files(folder) if folder else [])
                if images is not None:
                    found[name] = images
                bar.advance()
        for name in folders:
            self.skip(name, name, "a folder of images without a frequency: no score")
        return found

    def _embedded(self, name: str, files: Sequence[tuple[Path, str]]) -> Generated | None:
        if not files:
            self.skip(name, name, "no generated image: no score")
            return None
        images = embed(self.encoder, [path.read_bytes() for path, _ in files])
        for place, reason in images.unreadable:
            self.skip(name, f"generated {files[place][0].relative_to(self.asked.images)}", reason)
        if not len(images.index):
            self.skip(name, name, "no readable generated image: no score")
            return None
        labels = [files[place][1] for place in images.index]
        numbers = {label: number for number, label in enumerate(sorted(set(labels)))}
        return Generated(images.vectors, np.array([numbers[label] for label in labels], np.int64))

    def pools(self) -> Pools:
        """Return the references of the concepts that have enough, with calibrated cuts."""
        concepts = [Concept(name) for name in self.known.concepts]
        images = read_reference_images(self.asked.references, concepts)
        _, vectors = choose_references(images, self.encoder, self.settings.references, self.skip)
        fewest = self.settings.scores.pool_size
        for name, each in vectors.items():
            if len(each) < fewest:
                reason = f"{len(each)} reference images, fewer than scores.pool_size = {fewest}: no score"
                self.skip(name, name, reason)
        cuts = cuts_of(vectors, self.settings, self.asked.scorer)
        enough = {name: each for name, each in vectors.items() if len(each) >= fewest}
        return Pools(enough, {}, {name: cut.value for name, cut in cuts.items()})


def _encoder(asked: Asked, settings: Settings, into_folder: bool) -> Encoder:
    row = load_scorer(asked.scorer)
    setup = Setup(settings.scorer.device)
    if into_folder:
        return cached_encoder(row, asked.out / FOLDER, setup, progress.note)
    return row.load(data_folder(), setup)


def _curve(scores: pa.Table, known: ImitationCurve, score: str) -> pa.Table:
    """Return the columns that ``fit threshold`` reads, in the order of the scores."""
    place = {name: i for i, name in enumerate(known.concepts)}
    rows = [place[name] for name in scores["concept"].to_pylist()]
    columns: dict[str, object] = {"concept": scores["concept"], "frequency": known.frequency[rows]}
    for name in ("frequency_low", "frequency_high"):
        values = getattr(known, name)
        if values is not None:
            columns[name] = values[rows]
    columns |= {"score": scores[score], "score_se": scores[f"{score}_se"]}
    if known.group is not None:
        columns["group"] = [known.group[row] for row in rows]
    if scores["passed"].null_count == 0:
        columns |= {"images": scores["images"], "passed": scores["passed"]}
    if scores[f"{score}_se"].null_count:
        del columns["score_se"]
    return pa.table(columns)


def _skipped(left_out: Sequence[tuple[str, str, str]]) -> pa.Table:
    columns = list(zip(*left_out, strict=True)) or [(), (), ()]
    arrays = [pa.array(each, pa.string()) for each in (["scores"] * len(left_out), *columns)]
    return pa.Table.from_arrays(arrays, schema=SKIPPED_SCHEMA)


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def counted(skipped: pa.Table) -> Mapping[str, int]:
    """Return how often each reason was given, the most frequent first."""
    reasons = skipped["reason"].to_pylist()
    return {reason: reasons.count(reason) for reason in sorted(set(reasons), key=lambda r: -reasons.count(r))}
