"""Stage `references`: verified images of each concept, copied into the run so that it stands alone.

Near-duplicates count once, images in which the scorer sees nothing (no face, or several) are left out, and
references that do not look like the concept's others are shown.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa

from concepts.errors import CorpusError, TooLittleData
from corpus.references import ReferenceImage
from corpus.registry import data_folder, resolve
from fit.config import Settings
from fit.imitation.likeness import compare_references
from fit.imitation.scorers import Vectors
from fit.run import Job
from fit.stages.embeddings import run_encoder
from fit.stages.inputs import concepts_of, corpus_of, scorer_of
from fit.stages.reference_choice import choose_references
from fit.stages.reference_images import METADATA, SUFFIXES, read_reference_images

VERSION = 2
SHOWN = 3  # outliers that are named on stderr; all stand in the table


def outside(job: Job) -> dict[str, str]:
    """Return digests of the reference images' source and of the scorer's weights."""
    scorer = scorer_of(job.settings)
    digests = {"reference images": _digest(source_of(job.settings))}
    return {**digests, f"scorer {scorer.name}": scorer.digest(data_folder())}


def work(job: Job) -> list[str]:
    """Say where reference images come from."""
    most = job.settings.references.maximum
    return [f"reference images from {source_of(job.settings)}, at most {most} per concept"]


def run(job: Job) -> None:
    """Write `references` and `likeness`.

    `references`: concept, key, digest (SHA-256 of the file), image (the file's bytes), author, licence, page
    (empty where not known). `likeness`: how each looks like the concept's others.
    """
    concepts = concepts_of(job)
    source = source_of(job.settings)
    images = read_reference_images(source, concepts)
    kept, vectors = choose_references(images, run_encoder(job), job.settings.references, job.skip)
    for concept in concepts:
        if not kept[concept.name]:
            job.skip(concept.name, concept.name, "no reference image")
    if not any(kept.values()):
        raise TooLittleData(
            f"{source}: no reference image of any concept; fill {source}/NAME OF THE CONCEPT with images"
        )
    job.write("references", _table(kept))
    job.write("likeness", _likeness(job, kept, vectors))


def _table(kept: dict[str, list[ReferenceImage]]) -> pa.Table:
    rows = [(name, each) for name, images in kept.items() for each in images]
    columns = {
        "concept": [name for name, _ in rows],
        "key": [each.key for _, each in rows],
        "digest": [hashlib.sha256(each.image).hexdigest() for _, each in rows],
        "image": pa.array([each.image for _, each in rows], pa.binary()),
        **{name: [getattr(each, name) for _, each in rows] for name in ("author", "licence", "page")},
    }
    return pa.table(columns)


def _likeness(job: Job, kept: dict[str, list[ReferenceImage]], vectors: dict[str, Vectors]) -> pa.Table:
    """Return the table of likeness, and tell of references that do not look like the others."""
    compared = compare_references(vectors)
    rows = [
        {"concept": name, "key": image.key, "likeness": own, "outlier": bool(out), "closest": closest}
        for name, found in compared.items()
        for image, own, out, closest in zip(kept[name], found.own, found.outlier, found.closest, strict=True)
    ]
    odd = [row for row in rows if row["outlier"]]
    for row in odd[:SHOWN]:
        job.note(f"warning: reference {row['key']} of {row['concept']} does not look like the others")
    if len(odd) > SHOWN:
        job.note(f"warning: {len(odd)} of {len(rows)} references do not; see references/likeness.parquet")
    columns = {
        field.name: pa.array([row[field.name] for row in rows], field.type, from_pandas=True)
        for field in LIKENESS
    }
    return pa.table(columns, schema=LIKENESS)


def folder_to_fill(settings: Settings) -> Path:
    """Return where reference images are looked for when neither settings nor corpus name a place."""
    return data_folder() / "references" / settings.domain


def source_of(settings: Settings) -> Path:
    """Return where the run's reference images lie.

    Raises:
        TooLittleData: Nowhere; the message names the folder to fill.
    """
    if settings.references.source:
        return Path(settings.references.source)
    row = corpus_of(settings)
    if row.references:
        return resolve(row.references)
    folder = folder_to_fill(settings)
    if folder.is_dir():
        return folder
    raise TooLittleData(
        f"corpus {row.name}: brings no reference images; fill {folder}/NAME OF THE CONCEPT with images, "
        "fetch open ones with fit references --from commons, or name a folder with references.source"
    )


def _digest(source: Path) -> str:
    whole = hashlib.sha256()
    if source.is_dir():
        wanted = (p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES or p.name in METADATA)
        for path in sorted(wanted):
            whole.update(
                f"{path.relative_to(source).as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes()
            )
    elif source.is_file():
        with source.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    else:
        raise CorpusError(
            f"{source}: there are no reference images; name a folder or Parquet file with references.source"
        )
    return whole.hexdigest()


def _field(name: str, kind: pa.DataType, unit: str, meaning: str) -> pa.Field:
    return pa.field(name, kind, metadata={"unit": unit, "meaning": meaning})


LIKENESS = pa.schema(
    [
        _field("concept", pa.string(), "-", "name of the concept"),
        _field("key", pa.string(), "-", "the reference image"),
        _field("likeness", pa.float64(), "[-1, 1]", "mean cosine to the concept's other references"),
        _field("outlier", pa.bool_(), "-", "does not look like the concept's others"),
        _field("closest", pa.string(), "-", "concept to whose references it is closest on average"),
    ]
)
