"""Stage `verification`: do the sampled captions' images show the concept? One part per group of concepts.

Each image's largest cosine to the concept's references is held against the concept's calibrated cut; passed
and checked images give the hit rate and, with the caption count, the concept frequency. Images that passed
are compared with each other, so that copies are known.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa

from concepts.catalogue import find_catalogue
from concepts.errors import TooLittleData
from corpus.images import ImageStore, Missing
from corpus.registry import data_folder
from fit.imitation.calibration import Cut, nearest
from fit.imitation.copies import LookAlikes, look_alikes, picture_numbers
from fit.imitation.scorers import Encoder, Vectors, load_scorer
from fit.run import Job
from fit.stages.counts import counts_by_concept
from fit.stages.cuts import cuts_of, published_values
from fit.stages.embeddings import run_encoder
from fit.stages.frequencies import MISSING, OTHER, SHOWN, frequencies
from fit.stages.gate import behind_gate
from fit.stages.inputs import (
    Images,
    by_concept,
    column_vectors,
    embed,
    scorer_of,
    vectors_column,
)
from fit.stages.verification_images import how_had, image_digests, open_images

VERSION = 3
CONCEPTS_IN_A_PART = 10


def outside(job: Job) -> dict[str, str]:
    """Return the digests of the weights of the scorer and of its gate, of the images, and published cuts."""
    gate, scorer = job.settings.verification.gate, scorer_of(job.settings)
    scorers = [scorer, *([load_scorer(gate)] if gate else [])]
    weights = {f"scorer {each.name}": each.digest(data_folder()) for each in scorers}
    return {**weights, **published_values(job.settings, scorer.name), **image_digests(job)}


def work(job: Job) -> list[str]:
    """Say how many images are to be checked at most."""
    limit = job.settings.verification.sample
    published_values(job.settings, scorer_of(job.settings).name)  # a cut that nobody published is told now
    if not job.has("counts", "counts"):
        concepts = len(find_catalogue(job.settings.concepts).concepts)
        return [f"at most {limit * concepts:,} images {how_had(job)}"]
    counts = counts_by_concept(job.read("counts", "counts"))
    images = sum(min(limit, count) for count, _ in counts.values())
    return [f"{images:,} images {how_had(job)}"]


def run(job: Job) -> None:
    """Write `reference_vectors`, `calibration`, `frequencies` and the parts, a row per sampled image.

    Also `look_alikes.json`: how often different references of a concept are taken for one picture; and
    `blank.json`: why images that were looked at show nothing that the scorer looks for, and how many.
    """
    encoder = behind_gate(job, run_encoder(job))
    references = _reference_vectors(job, encoder)
    cuts = cuts_of(references, job.settings, scorer_of(job.settings).name)
    if not cuts:
        raise TooLittleData(
            "no concept has two reference images, so the verifier cannot be calibrated; add reference images"
        )
    _check_images(job, _Verifier(encoder, references, cuts))
    alike = _look_alikes(job)
    job.write_json("look_alikes", {**asdict(alike), "rate": alike.rate})
    job.write(
        "calibration", pa.Table.from_pylist([{"concept": name, **asdict(cut)} for name, cut in cuts.items()])
    )
    job.write("frequencies", frequencies(job, cuts, alike.rate))


def _reference_vectors(job: Job, encoder: Encoder) -> dict[str, Vectors]:
    table = job.read("references", "references")
    images = embed(encoder, table["image"].to_pylist())
    for place, reason in images.unreadable:
        job.skip(table["concept"][place].as_py(), f"reference {table['key'][place].as_py()}", reason)
    kept = table.drop_columns(["image"]).take(pa.array(images.index))
    job.write("reference_vectors", kept.append_column("vector", vectors_column(images.vectors)))
    return reference_vectors(job)


def reference_vectors(job: Job) -> dict[str, Vectors]:
    """Return each concept's reference vectors, shape (n, d), as the verification stage stored them."""
    return {
        name: column_vectors(rows["vector"])
        for name, rows in by_concept(job.read("verification", "reference_vectors"))
    }


@dataclass(frozen=True)
class _Verifier:
    encoder: Encoder
    references: dict[str, Vectors]
    cuts: dict[str, Cut]


def _look_alikes(job: Job) -> LookAlikes:
    tables = by_concept(job.read("references", "references").select(["concept", "image"]))
    return look_alikes([rows["image"].to_pylist() for _, rows in tables])


def _check_images(job: Job, verifier: _Verifier) -> None:
    """Make the parts; note what could not be had, count what shows nothing that is looked for."""
    limit = job.settings.verification.sample
    samples = {
        name: rows.slice(0, limit)
        for name, rows in by_concept(job.read("counts", "samples"))
        if name in verifier.cuts
    }
    store = open_images(job, samples)
    names = list(samples)
    groups = [names[i : i + CONCEPTS_IN_A_PART] for i in range(0, len(names), CONCEPTS_IN_A_PART)]
    with job.progress(len(names), "concepts") as bar:
        for number, group in enumerate(groups):
            if not job.has_part(f"{number:05d}"):
                tables = [_check_concept(name, samples[name], store, verifier) for name in group]
                job.write_part(f"{number:05d}", pa.concat_tables(tables))
            bar.advance(len(group))
    blank: Counter[str] = Counter()
    for part in job.parts():
        for row in part.select(["concept", "file", "row", "url", "status", "reason"]).to_pylist():
            if row["status"] == MISSING:
                job.skip(row["concept"], row["url"] or f"{row['file']}, row {row['row']}", row["reason"])
            elif row["reason"]:
                blank[row["reason"]] += 1
    job.write_json("blank", dict(blank.most_common()))


def _check_concept(concept: str, sample: pa.Table, store: ImageStore, verifier: _Verifier) -> pa.Table:
    """Return the sampled rows (concept, file, row, url), each with what was found.

    That is: digest, status, similarity, reason, picture, vector. `digest` is the SHA-256 of the image's
    file, null where there is none: it tells whose the run's embeddings are. `picture` numbers the different
    pictures among the images that passed; it and `vector` are null for the others.
    """
    urls = [url or "" for url in sample["url"].to_pylist()]
    read = dict(store.read_many(urls))
    reasons = {url: data.reason for url, data in read.items() if isinstance(data, Missing)}
    # In the order of the sample: in which shards the images lie must not change a bit of their vectors.
    found = {url: data for url in urls if isinstance(data := read[url], bytes)}
    images = embed(verifier.encoder, list(found.values()))
    seen = list(found)
    reasons |= {seen[place]: reason for place, reason in images.unreadable}
    similarity = _similarity(images, seen, verifier.references[concept])
    status = {seen[place]: OTHER for place in images.blank}  # looked at, and nothing there
    cut = verifier.cuts[concept].value
    status |= {url: SHOWN if value >= cut else OTHER for url, value in similarity.items()}
    passed = [url for url in found if status.get(url) == SHOWN]
    pictures = dict(zip(passed, picture_numbers([found[url] for url in passed]).tolist(), strict=True))
    vectors = {seen[place]: images.vectors[i] for i, place in enumerate(images.index)}
    digests = {url: hashlib.sha256(data).hexdigest() for url, data in found.items()}
    columns = {
        "digest": pa.array([digests.get(url) for url in urls], pa.string()),
        "status": pa.array([status.get(url, MISSING) for url in urls]),
        "similarity": pa.array([similarity.get(url) for url in urls], pa.float32()),
        "reason": pa.array([reasons.get(url, "") for url in urls]),
        "picture": pa.array([pictures.get(url) for url in urls], pa.int64()),
        "vector": _vectors([vectors[url] if url in pictures else None for url in urls], verifier.encoder),
    }
    table = sample.select(["concept", "file", "row", "url"])
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def _similarity(images: Images, urls: list[str], references: Vectors) -> Mapping[str, float]:
    """Return the largest cosine to any reference of each image that has a vector, by its address."""
    if not len(images.index):
        return {}
    closest = nearest(images.vectors, references)
    return {urls[place]: float(value) for place, value in zip(images.index, closest, strict=True)}


def _vectors(vectors: list[np.ndarray | None], encoder: Encoder) -> pa.Array:
    """Return vectors as a column of fixed-size lists of float16, null where there is none."""
    mask = np.array([vector is None for vector in vectors])
    filled = np.zeros((len(vectors), encoder.dimensions), np.float32)
    for place, vector in enumerate(vectors):
        if vector is not None:
            filled[place] = vector
    column = vectors_column(filled)
    return pa.FixedSizeListArray.from_arrays(column.values, column.type.list_size, mask=pa.array(mask))
