"""Stage `verification`: do the sampled captions' images show the concept? One part per group of concepts.

Each image's largest cosine to the concept's references is held against the concept's calibrated cut; passed
and checked images give the hit rate and, with the caption count, the concept frequency.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa

from concepts.catalogue import find_catalogue
from concepts.errors import CorpusError, TooLittleData
from corpus.images import ImageStore, Missing
from corpus.registry import data_folder, resolve
from corpus.shards import list_files
from fit.imitation.calibration import Cut, calibrate, nearest
from fit.imitation.hit_rate import Checked, Frequency, estimate_frequency, pooled_sensitivity
from fit.imitation.scorers import Encoder, Vectors
from fit.run import Job
from fit.stages.counts import counts_by_concept
from fit.stages.inputs import (
    by_concept,
    column_vectors,
    corpus_of,
    embed,
    encoder_of,
    scorer_of,
    vectors_column,
)

VERSION = 1
CONCEPTS_IN_A_PART = 10
LEVEL = 0.95  # of the frequencies' intervals: what a curve file's columns promise

SHOWN, OTHER, MISSING = "shows", "other", "missing"


def outside(job: Job) -> dict[str, str]:
    """Return the digests of the scorer's weights and of the images' indexes."""
    scorer = scorer_of(job.settings)
    digests = {f"scorer {scorer.name}": scorer.digest(data_folder())}
    for tar, name in list_files(_pattern(job), ".tar"):
        index = tar.with_suffix(".parquet")
        if index.is_file():
            digests[f"images {name}"] = hashlib.sha256(index.read_bytes()).hexdigest()
    return digests


def work(job: Job) -> list[str]:
    """Say how many images are to be checked at most."""
    limit = job.settings.verification.sample
    if not job.has("counts", "counts"):
        concepts = len(find_catalogue(job.settings.concepts).concepts)
        return [f"at most {limit * concepts:,} images to check against references; nothing to download"]
    counts = counts_by_concept(job.read("counts", "counts"))
    images = sum(min(limit, count) for count, _ in counts.values())
    return [f"{images:,} images to check against references; nothing to download"]


def run(job: Job) -> None:
    """Write `reference_vectors`, `calibration`, `frequencies` and the parts, a row per sampled image."""
    encoder = encoder_of(job.settings)
    references = _reference_vectors(job, encoder)
    cuts = calibrate(references, job.settings.verification.false_match_rate)
    if not cuts:
        raise TooLittleData(
            "no concept has two reference images, so the verifier cannot be calibrated; add reference images"
        )
    _check_images(job, _Verifier(encoder, references, cuts))
    job.write(
        "calibration", pa.Table.from_pylist([{"concept": name, **asdict(cut)} for name, cut in cuts.items()])
    )
    job.write("frequencies", _frequencies(job, cuts))


def _pattern(job: Job) -> str:
    row = corpus_of(job.settings)
    if row.images is None:
        raise CorpusError(
            f"corpus {row.name}: its images are not on this machine; "
            "download them as webdataset shards and name them in its row"
        )
    return str(resolve(row.images.path))


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


def _check_images(job: Job, verifier: _Verifier) -> None:
    """Make the parts: concept, file, row, url, status, similarity, reason, vector (of images that passed.

    Else null).
    """
    samples = dict(by_concept(job.read("counts", "samples")))
    names = [name for name in samples if name in verifier.cuts]
    groups = [names[i : i + CONCEPTS_IN_A_PART] for i in range(0, len(names), CONCEPTS_IN_A_PART)]
    store = ImageStore.open(_pattern(job))
    limit = job.settings.verification.sample
    with job.progress(len(names), "concepts") as bar:
        for number, group in enumerate(groups):
            if not job.has_part(f"{number:05d}"):
                tables = [
                    _check_concept(name, samples[name].slice(0, limit), store, verifier) for name in group
                ]
                job.write_part(f"{number:05d}", pa.concat_tables(tables))
            bar.advance(len(group))
    for part in job.parts():
        for row in part.select(["concept", "url", "status", "reason"]).to_pylist():
            if row["status"] == MISSING:
                job.skip(row["concept"], row["url"] or "", row["reason"])


def _check_concept(concept: str, sample: pa.Table, store: ImageStore, verifier: _Verifier) -> pa.Table:
    urls = [url or "" for url in sample["url"].to_pylist()]
    read = dict(store.read_many(urls))
    reasons = {url: data.reason for url, data in read.items() if isinstance(data, Missing)}
    found = [(url, data) for url, data in read.items() if isinstance(data, bytes)]
    images = embed(verifier.encoder, [data for _, data in found])
    reasons |= {found[place][0]: reason for place, reason in images.unreadable}
    closest = (
        nearest(images.vectors, verifier.references[concept])
        if len(images.index)
        else np.zeros(0, np.float32)
    )
    place = {found[where][0]: i for i, where in enumerate(images.index)}
    rows = np.array([place.get(url, -1) for url in urls])
    cut = verifier.cuts[concept].value
    similarity = [float(closest[i]) if i >= 0 else None for i in rows]
    status = [MISSING if value is None else SHOWN if value >= cut else OTHER for value in similarity]
    passed = np.array([each == SHOWN for each in status])
    vectors = np.zeros((len(rows), verifier.encoder.dimensions), np.float32)
    vectors[passed] = images.vectors[rows[passed]]
    mask = pa.array(~passed)
    column = vectors_column(vectors)
    return (
        sample.select(["concept", "file", "row", "url"])
        .append_column("status", pa.array(status))
        .append_column("similarity", pa.array(similarity, pa.float32()))
        .append_column("reason", pa.array([reasons.get(url, "") for url in urls]))
        .append_column(
            "vector", pa.FixedSizeListArray.from_arrays(column.values, column.type.list_size, mask=mask)
        )
    )


def _frequencies(job: Job, cuts: dict[str, Cut]) -> pa.Table:
    counts = counts_by_concept(job.read("counts", "counts"))
    statuses = {name: rows["status"].to_pylist() for part in job.parts() for name, rows in by_concept(part)}
    prior = pooled_sensitivity(list(cuts.values()))
    rows = []
    for concept, (captions, distinct) in counts.items():
        seen = statuses.get(concept, [])
        found = Checked(captions, len(seen) - seen.count(MISSING), seen.count(SHOWN))
        if concept in cuts:
            estimate = estimate_frequency(found, cuts[concept], prior, LEVEL, _chance(job.seed, concept))
        else:
            job.skip(
                concept, concept, "fewer than two reference images: its captions' images cannot be checked"
            )
            estimate = Frequency(None, None, None, None, None, None)
        if estimate.images is None and concept in cuts:
            job.skip(concept, concept, "no image of its captions could be looked at: no frequency")
        rows.append(
            {
                "concept": concept,
                "distinct_url_count": distinct,
                "sampled": len(seen),
                **_columns(found, estimate),
            }
        )
    return pa.Table.from_pylist(rows, schema=FREQUENCIES)


def _columns(found: Checked, estimate: Frequency) -> dict[str, float | int | None]:
    return {
        "caption_count": found.captions,
        "checked": found.checked,
        "passed": found.passed,
        "hit_rate": estimate.hit_rate,
        "hit_rate_low": estimate.hit_rate_low,
        "hit_rate_high": estimate.hit_rate_high,
        "frequency": estimate.images,
        "frequency_low": estimate.low,
        "frequency_high": estimate.high,
    }


def _chance(seed: int, concept: str) -> np.random.Generator:
    digest = hashlib.blake2b(f"{seed}\0{concept}\0frequency".encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))


def _field(name: str, kind: pa.DataType, unit: str, meaning: str) -> pa.Field:
    return pa.field(name, kind, metadata={"unit": unit, "meaning": meaning})


FREQUENCIES = pa.schema(
    [
        _field("concept", pa.string(), "-", "name of the concept"),
        _field("caption_count", pa.int64(), "captions", "captions that name the concept"),
        _field("distinct_url_count", pa.int64(), "images", "distinct image addresses of those captions"),
        _field("sampled", pa.int64(), "images", "captions drawn for the verification"),
        _field("checked", pa.int64(), "images", "of these, images that could be looked at"),
        _field("passed", pa.int64(), "images", "of these, images at or above the concept's cut"),
        _field(
            "hit_rate",
            pa.float64(),
            "[0, 1]",
            "share of the captions' images that show the concept, corrected",
        ),
        _field("hit_rate_low", pa.float64(), "[0, 1]", "lower end of its 95 % interval"),
        _field("hit_rate_high", pa.float64(), "[0, 1]", "upper end of its 95 % interval"),
        _field("frequency", pa.float64(), "images", "concept frequency: caption count times hit rate"),
        _field("frequency_low", pa.float64(), "images", "lower end of its 95 % interval, whole images"),
        _field("frequency_high", pa.float64(), "images", "upper end of its 95 % interval, whole images"),
    ]
)
