"""Stage `references`: verified images of each concept, copied into the run so that it stands alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa

from concepts.errors import CorpusError, TooLittleData
from corpus.registry import resolve
from fit.run import Job
from fit.stages.inputs import concepts_of, corpus_of
from fit.stages.reference_images import SUFFIXES, read_reference_images

VERSION = 1


def outside(job: Job) -> dict[str, str]:
    """Return a digest of the reference images' source."""
    source = _source(job)
    whole = hashlib.sha256()
    if source.is_dir():
        for path in sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES):
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
    return {"reference images": whole.hexdigest()}


def work(job: Job) -> list[str]:
    """Say where reference images come from."""
    return [f"reference images from {_source(job)}, at most {job.settings.references.maximum} per concept"]


def run(job: Job) -> None:
    """Write `references.parquet`: concept, key, digest (SHA-256 of the file), image (the file's bytes)."""
    concepts = concepts_of(job)
    images = read_reference_images(_source(job), concepts, job.settings.references.maximum)
    rows = [(concept.name, each) for concept in concepts for each in images[concept.name]]
    if not rows:
        raise TooLittleData(
            f"{_source(job)}: no reference image of any concept; fill it with images of the concepts"
        )
    for concept in concepts:
        if not images[concept.name]:
            job.skip(concept.name, concept.name, "no reference image")
    table = pa.table(
        {
            "concept": pa.array([name for name, _ in rows], pa.string()),
            "key": pa.array([each.key for _, each in rows], pa.string()),
            "digest": pa.array([hashlib.sha256(each.image).hexdigest() for _, each in rows], pa.string()),
            "image": pa.array([each.image for _, each in rows], pa.binary()),
        }
    )
    job.write("references", table)


def _source(job: Job) -> Path:
    given = job.settings.references.source
    if given:
        return Path(given)
    row = corpus_of(job.settings)
    if not row.references:
        raise TooLittleData(
            f"corpus {row.name}: brings no reference images; name their folder with references.source"
        )
    return resolve(row.references)
