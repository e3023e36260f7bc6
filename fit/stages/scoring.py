"""From vectors to the tables of scores, whoever made the images: the pipeline's stage or somebody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from concepts.errors import SettingsError
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
from fit.sections import Scores


@dataclass(frozen=True)
class Pools:
    """What generated images are compared with.

    Attributes:
        references: Reference images of each concept, shape (n, d).
        training: Verified training images, shape (n, d), duplicates as often as they were found.
        cuts: Calibrated cuts.
        different: Places of the different pictures among a concept's training images, shape (p,), each once.
    """

    references: Mapping[str, Vectors]
    training: Mapping[str, Vectors]
    cuts: Mapping[str, float]
    different: Mapping[str, npt.NDArray[np.int64]] = field(default_factory=dict)


@dataclass(frozen=True)
class Generated:
    """The readable generated images of one concept: vectors (g, d) and their prompts (g,)."""

    vectors: Vectors
    prompts: npt.NDArray[np.int64]


def check(settings: Scores) -> None:
    """Refuse settings that contradict each other.

    Raises:
        SettingsError: More best references than there are in a subset.
    """
    if settings.top_k > settings.pool_size:
        raise SettingsError(
            f"scores.top_k={settings.top_k}: must not be above scores.pool_size={settings.pool_size}"
        )


def score_row(name: str, images: Generated, pools: Pools, settings: Scores) -> dict[str, object]:
    """Return a concept's row of the table of scores, without its verdict."""
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


def scores_table(
    names: Sequence[str], generated: Mapping[str, Generated], pools: Pools, settings: Scores
) -> pa.Table:
    """Return the scores with each concept's verdict from the cross-concept null (schema `SCORES`)."""
    rows = [score_row(name, generated[name], pools, settings) for name in names]
    verdicts = _verdicts(rows, [generated[name] for name in names], pools, settings)
    for row, baseline, p_value, verdict in zip(
        rows, verdicts.baseline, verdicts.p_values, verdicts.verdicts, strict=True
    ):
        row |= {
            "baseline": None if np.isnan(baseline) else float(baseline),
            "p_value": float(p_value),
            "verdict": verdict,
        }
    return pa.Table.from_pylist(rows, schema=SCORES)


def alternatives_table(
    names: Sequence[str], generated: Mapping[str, Generated], pools: Pools, settings: Scores
) -> pa.Table:
    """Return the matched score of each prompt alone, and against distinct training images where enough.

    Schema `ALTERNATIVES`.
    """
    rows = []
    for name in names:
        images, training = generated[name], pools.training.get(name)
        m, k = settings.pool_size, settings.top_k
        parts = matched_by_prompt(images.vectors, images.prompts, pools.references[name], m, k)
        for prompt, value in zip(np.unique(images.prompts).tolist(), parts.tolist(), strict=True):
            rows.append({"concept": name, "variant": f"prompt {prompt + 1} alone", "score": value})
        if training is None:
            continue
        places = pools.different.get(name, np.arange(len(training)))
        if len(places) >= m:
            pool = training if len(places) == len(training) else training[places]
            value = matched_score(images.vectors, images.prompts, pool, m, k).value
            rows.append({"concept": name, "variant": "training images as pool", "score": value})
    return pa.Table.from_pylist(rows, schema=ALTERNATIVES)


def _score(name: str, score: Score) -> dict[str, float | None]:
    return {name: score.value, f"{name}_se": score.standard_error, f"{name}_se_images": score.image_error}


def _verdicts(
    rows: Sequence[Mapping[str, object]], generated: Sequence[Generated], pools: Pools, settings: Scores
) -> Verdicts:
    means = np.stack([prompt_means(each.vectors, each.prompts).mean(axis=0) for each in generated])
    references = [pools.references[str(row["concept"])] for row in rows]
    cross = cross_scores(means, references, settings.pool_size, settings.top_k)
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
        _field("matched_se_images", pa.float64(), "[0, 1]", "that of the images within the prompts"),
        _field("mimetic2", pa.float64(), "[-1, 1]", "published score"),
        _field("mimetic2_se", pa.float64(), "[0, 1]", "its standard error between prompts"),
        _field("mimetic2_se_images", pa.float64(), "[0, 1]", "that of the images within the prompts"),
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
