"""Stage `scores`: how alike generated and reference images are, per concept.

One part per part of generated images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from concepts.errors import SettingsError, TooLittleData
from corpus.registry import data_folder
from fit.config import Scores
from fit.imitation.calibration import nearest
from fit.imitation.scorers import Vectors
from fit.imitation.similarity import (
    Score,
    cross_scores,
    matched_by_prompt,
    matched_score,
    mimetic2_score,
    prompt_means,
)
from fit.imitation.verdicts import Verdicts, judge_concepts
from fit.run import Job
from fit.stages.generated import read_generated
from fit.stages.generation import CONTROL, MODEL
from fit.stages.inputs import (
    by_concept,
    column_vectors,
    concepts_of,
    embed,
    encoder_of,
    scorer_of,
    vectors_column,
)
from fit.stages.verification import SHOWN, reference_vectors

VERSION = 2


def outside(job: Job) -> dict[str, str]:
    """Return the digest of the scorer's weights."""
    scorer = scorer_of(job.settings)
    return {f"scorer {scorer.name}": scorer.digest(data_folder())}


def work(job: Job) -> list[str]:
    """Say what is to be embedded."""
    return ["every generated image to embed and compare with the concept's references"]


def run(job: Job) -> None:
    """Write the parts (vectors of generated images), `scores` and, of the untrained model, `control`.

    One row per concept; `alternatives` has the scores made otherwise, for the sensitivity of the answer.
    """
    _check(job.settings.scores)
    _embed_generated(job)
    pools = _pools(job)
    generated = _generated(job)
    scored = [name for name in pools.references if name in generated[MODEL]]
    if not scored:
        raise TooLittleData(
            "no concept has both generated images and enough references; add references (references.source)"
        )
    job.write("scores", _main_table(job, scored, generated[MODEL], pools))
    job.write("alternatives", _alternatives(scored, generated[MODEL], pools, job.settings.scores))
    control = generated[CONTROL]
    rows = [_row(name, control[name], pools, job.settings.scores) for name in scored if name in control]
    job.write("control", pa.Table.from_pylist(rows, schema=CONTROL_SCORES))


def _check(settings: Scores) -> None:
    if settings.top_k > settings.pool_size:
        raise SettingsError(
            f"scores.top_k={settings.top_k}: must not be above scores.pool_size={settings.pool_size}"
        )


def _embed_generated(job: Job) -> None:
    encoder = encoder_of(job.settings)
    names = job.part_names("generation")
    with job.progress(len(names), "batches") as bar:
        for name in names:
            if not job.has_part(name):
                part = read_generated(job, name)
                part = part.filter(part["image"].is_valid())
                images = embed(encoder, part["image"].to_pylist())
                kept = part.select(["arm", "concept", "prompt_index", "image_index", "digest"])
                reasons = np.full(len(part), "", dtype=object)
                reasons[[place for place, _ in images.unreadable]] = [
                    reason for _, reason in images.unreadable
                ]
                vectors = np.zeros((len(part), encoder.dimensions), np.float32)
                vectors[images.index] = images.vectors
                kept = kept.append_column("reason", pa.array(reasons, pa.string()))
                job.write_part(name, kept.append_column("vector", vectors_column(vectors)))
            bar.advance()


@dataclass(frozen=True)
class _Pools:
    """What generated images are compared with.

    References of each concept, verified training images, calibrated cuts.
    """

    references: dict[str, Vectors]
    training: dict[str, Vectors]
    cuts: dict[str, float]


@dataclass(frozen=True)
class _Generated:
    """The readable generated images of one concept: vectors (g, d) and their prompts (g,)."""

    vectors: Vectors
    prompts: np.ndarray


def _pools(job: Job) -> _Pools:
    fewest = job.settings.scores.pool_size
    references = {}
    for name, vectors in reference_vectors(job).items():
        if len(vectors) >= fewest:
            references[name] = vectors
        else:
            job.skip(
                name,
                name,
                f"{len(vectors)} reference images, fewer than scores.pool_size = {fewest}: no score",
            )
    training: dict[str, Vectors] = {}
    for part in job.parts("verification"):
        shown = part.filter(pa.array([status == SHOWN for status in part["status"].to_pylist()], pa.bool_()))
        training |= {name: column_vectors(rows["vector"]) for name, rows in by_concept(shown)}
    calibration = job.read("verification", "calibration")
    cuts = dict(zip(calibration["concept"].to_pylist(), calibration["value"].to_pylist(), strict=True))
    return _Pools(references, training, cuts)


def _generated(job: Job) -> dict[str, dict[str, _Generated]]:
    """Return arm -> concept -> its readable images; what could not be read is noted."""
    table = job.read_parts()
    bad = table.filter(pa.array([bool(reason) for reason in table["reason"].to_pylist()], pa.bool_()))
    for row in bad.drop_columns(["vector"]).to_pylist():
        job.skip(
            row["concept"], f"{row['arm']} image {row['prompt_index']}/{row['image_index']}", row["reason"]
        )
    good = table.filter(pa.array([not reason for reason in table["reason"].to_pylist()], pa.bool_()))
    arms: dict[str, dict[str, _Generated]] = {MODEL: {}, CONTROL: {}}
    for arm, found in arms.items():
        of_arm = good.filter(pa.array([each == arm for each in good["arm"].to_pylist()], pa.bool_()))
        for name, rows in by_concept(of_arm):
            found[name] = _Generated(column_vectors(rows["vector"]), rows["prompt_index"].to_numpy())
    for concept in concepts_of(job):
        if concept.name not in arms[MODEL]:
            job.skip(concept.name, concept.name, "no readable generated image: no score")
    return arms


def _row(name: str, images: _Generated, pools: _Pools, settings: Scores) -> dict[str, object]:
    references = pools.references[name]
    training = pools.training.get(name, references[:0])
    matched = matched_score(images.vectors, images.prompts, references, settings.pool_size, settings.top_k)
    enough = len(training) >= settings.mimetic2_top
    published = mimetic2_score(
        images.vectors, images.prompts, training if enough else references, settings.mimetic2_top
    )
    cut = pools.cuts.get(name)
    passed = None if cut is None else int((nearest(images.vectors, references) >= cut).sum())
    return {
        "concept": name,
        **_score("matched", matched),
        **_score("mimetic2", published),
        "mimetic2_pool": "training" if enough else "references",
        "images": len(images.vectors),
        "passed": passed,
    }


def _alternatives(
    names: list[str], generated: dict[str, _Generated], pools: _Pools, settings: Scores
) -> pa.Table:
    """The matched score of each prompt alone, and against training images where there are enough."""
    rows = []
    for name in names:
        images, training = generated[name], pools.training.get(name)
        m, k = settings.pool_size, settings.top_k
        parts = matched_by_prompt(images.vectors, images.prompts, pools.references[name], m, k)
        for prompt, value in zip(np.unique(images.prompts).tolist(), parts.tolist(), strict=True):
            rows.append({"concept": name, "variant": f"prompt {prompt + 1} alone", "score": value})
        if training is not None and len(training) >= m:
            value = matched_score(images.vectors, images.prompts, training, m, k).value
            rows.append({"concept": name, "variant": "training images as pool", "score": value})
    return pa.Table.from_pylist(rows, schema=ALTERNATIVES)


def _score(name: str, score: Score) -> dict[str, float | None]:
    return {name: score.value, f"{name}_se": score.standard_error}


def _main_table(job: Job, names: list[str], generated: dict[str, _Generated], pools: _Pools) -> pa.Table:
    settings = job.settings.scores
    rows = [_row(name, generated[name], pools, settings) for name in names]
    verdicts = _verdicts(rows, names, generated, pools, settings)
    for row, baseline, p_value, verdict in zip(
        rows, verdicts.baseline, verdicts.p_values, verdicts.verdicts, strict=True
    ):
        row |= {
            "baseline": None if np.isnan(baseline) else float(baseline),
            "p_value": float(p_value),
            "verdict": verdict,
        }
    return pa.Table.from_pylist(rows, schema=SCORES)


def _verdicts(
    rows: list[dict[str, object]],
    names: list[str],
    generated: dict[str, _Generated],
    pools: _Pools,
    settings: Scores,
) -> Verdicts:
    means = np.stack([prompt_means(generated[n].vectors, generated[n].prompts).mean(axis=0) for n in names])
    cross = cross_scores(means, [pools.references[n] for n in names], settings.pool_size, settings.top_k)
    errors = np.array(
        [np.nan if row["matched_se"] is None else row["matched_se"] for row in rows], dtype=float
    )
    return judge_concepts(cross, errors, settings.false_discovery_rate)


def _field(name: str, kind: pa.DataType, unit: str, meaning: str) -> pa.Field:
    return pa.field(name, kind, metadata={"unit": unit, "meaning": meaning})


ALTERNATIVES = pa.schema(
    [
        _field("concept", pa.string(), "-", "name of the concept"),
        _field("variant", pa.string(), "-", "how the score was made otherwise"),
        _field("score", pa.float64(), "[-1, 1]", "matched score made so"),
    ]
)
CONTROL_SCORES = pa.schema(
    [
        _field("concept", pa.string(), "-", "name of the concept"),
        _field("matched", pa.float64(), "[-1, 1]", "matched score against reference images"),
        _field("matched_se", pa.float64(), "[0, 1]", "its standard error between prompts"),
        _field("mimetic2", pa.float64(), "[-1, 1]", "published score"),
        _field("mimetic2_se", pa.float64(), "[0, 1]", "its standard error between prompts"),
        _field(
            "mimetic2_pool",
            pa.string(),
            "-",
            "what the published score compares with: training or references",
        ),
        _field("images", pa.int64(), "images", "generated images that were judged"),
        _field("passed", pa.int64(), "images", "of these, images at or above the concept's calibrated cut"),
    ]
)
SCORES = pa.schema(
    [
        *CONTROL_SCORES,
        _field(
            "baseline",
            pa.float64(),
            "[-1, 1]",
            "score that other concepts' images reach against these references",
        ),
        _field("p_value", pa.float64(), "(0, 1]", "chance of so high a matched score without imitation"),
        _field("verdict", pa.string(), "-", "imitated, not or unclear"),
    ]
)
