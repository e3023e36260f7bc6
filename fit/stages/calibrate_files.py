"""Where ``fit calibrate`` takes its reference images from: a run, or a folder of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from concepts.catalogue import read_catalogue
from concepts.concept import Concept
from concepts.errors import UsageError
from corpus.registry import data_folder
from fit import progress
from fit.imitation.scorers import Encoder, Setup, load_scorer
from fit.run import Run, artefacts
from fit.stages.calibrate_references import References, embed_references
from fit.stages.embeddings import FOLDER, cached_encoder
from fit.stages.inputs import scorer_of
from fit.stages.reference_images import labelled_files, read_reference_images


@dataclass(frozen=True)
class Source:
    """References and what is known of them.

    Attributes:
        references: With vectors.
        scorer: The scorer's name.
        concepts: The concept list's name, empty where it is a file of one's own.
    """

    references: References
    scorer: str
    concepts: str


def references_of_run(run: Run, scorer: str = "") -> Source:
    """Return the references of a run whose stage `references` is done, with its scorer or another."""
    row = load_scorer(scorer) if scorer else scorer_of(run.settings)
    encoder = cached_encoder(row, run.folder / FOLDER, Setup(run.settings.scorer.device), progress.note)
    images = artefacts.read_table(run.stage_folder("references") / "references.parquet").to_pylist()
    by_concept: dict[str, list[tuple[str, bytes]]] = {}
    for each in images:
        by_concept.setdefault(each["concept"], []).append((each["key"], each["image"]))
    listed = artefacts.read_table(run.stage_folder("concepts") / "concepts.parquet").to_pylist()
    concepts = [Concept(each["concept"], group=each["group"]) for each in listed]
    return Source(embed_references(encoder, by_concept, concepts), row.name, run.settings.concepts)


def references_of_folder(source: Path, scorer: str, concepts: Path | None = None) -> Source:
    """Return the references of a folder in the `imagefolder` layout.

    Args:
        source: The folder; without a concept file each sub-folder with images is a concept.
        scorer: Name of the scorer.
        concepts: CSV with ``concept`` and optionally ``aliases`` and ``group``.

    Raises:
        UsageError: No scorer is named.
        CorpusError: The folder holds no images.
    """
    if not scorer:
        raise UsageError(f"{source}: name the scorer with --scorer, such as csd or arcface")
    listed: Sequence[Concept]
    if concepts is None:
        listed = [Concept(name) for name in sorted(labelled_files(source))]
    else:
        listed = read_catalogue(concepts).concepts
    images = read_reference_images(source, listed)
    row = load_scorer(scorer)
    encoder: Encoder = row.load(data_folder(), Setup())
    pairs = {name: [(each.key, each.image) for each in some] for name, some in images.items() if some}
    return Source(embed_references(encoder, pairs, listed), row.name, "")
