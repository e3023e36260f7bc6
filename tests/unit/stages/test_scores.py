"""Stage `scores`: which images are compared with which, and what is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from concepts.errors import SettingsError
from fit.config import Scores
from fit.stages import scores
from fit.stages.inputs import vectors_column
from fit.stages.scores import _Generated, _generated, _Pools, _pools, _row
from tests.unit.stages.job import job_of, leave, leave_concepts, skipped

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]


def column(vectors: list[list[float]]) -> pa.Array:
    return vectors_column(np.array(vectors, np.float32).reshape(-1, 2))


def leave_references(run: Path, **numbers: int) -> None:
    names = [name for name, n in numbers.items() for _ in range(n)]
    table = pa.table({"concept": names, "vector": column([EAST] * len(names))})
    leave(run, "verification", "reference_vectors", table)
    cuts = {"concept": list(numbers), "value": [0.5] * len(numbers)}
    leave(run, "verification", "calibration", pa.table(cuts))


def leave_checked(run: Path, number: int, rows: list[tuple[str, str, list[float]]]) -> None:
    names, statuses, vectors = zip(*rows, strict=True)
    table = {"concept": names, "status": statuses, "vector": column(list(vectors))}
    job_of(run, "verification").write_part(f"{number:05d}", pa.table(table))


def test_pools_are_references_and_verified_training_images(tmp_path: Path) -> None:
    leave_references(tmp_path, ada=8, bo=7, cy=9)
    leave_checked(tmp_path, 0, [("ada", "shows", NORTH), ("ada", "other", EAST), ("ada", "shows", EAST)])
    leave_checked(tmp_path, 1, [("cy", "missing", EAST)])
    job = job_of(tmp_path, "scores")
    pools = _pools(job)
    assert set(pools.references) == {"ada", "cy"}
    assert pools.training["ada"].tolist() == [NORTH, EAST]
    assert "cy" not in pools.training
    assert pools.cuts == {"ada": 0.5, "bo": 0.5, "cy": 0.5}
    assert skipped(job) == [("bo", "bo", "7 reference images, fewer than scores.pool_size = 8: no score")]


def test_generated_images_by_arm_and_concept(tmp_path: Path) -> None:
    leave_concepts(tmp_path, (("ada", [], None), ("bo", [], None)))
    job = job_of(tmp_path, "scores")
    rows = {
        "arm": ["model", "model", "control", "model"],
        "concept": ["ada", "bo", "ada", "ada"],
        "prompt_index": [0, 1, 0, 1],
        "image_index": [0, 2, 0, 0],
        "digest": ["d"] * 4,
        "reason": ["", "not a readable image", "", ""],
        "vector": column([EAST, EAST, NORTH, NORTH]),
    }
    job.write_part("0", pa.table(rows))
    found = _generated(job)
    assert found["model"]["ada"].vectors.tolist() == [EAST, NORTH]
    assert found["model"]["ada"].prompts.tolist() == [0, 1]
    assert found["control"]["ada"].vectors.tolist() == [NORTH]
    assert "bo" not in found["model"]
    assert skipped(job) == [
        ("bo", "model image 1/2", "not a readable image"),
        ("bo", "bo", "no readable generated image: no score"),
    ]


def test_the_row_of_a_concept_by_hand() -> None:
    generated = _Generated(np.array([EAST, EAST, NORTH, NORTH], np.float32), np.array([0, 0, 1, 1]))
    references = np.array([EAST, NORTH], np.float32)
    training = np.array([[-1, 0], [-1, 0]], np.float32)
    settings = Scores(pool_size=2, top_k=1, mimetic2_top=2)
    row = _row("ada", generated, _Pools({"ada": references}, {"ada": training}, {"ada": 0.9}), settings)
    # Both prompts have one reference at cosine 1 and one at 0; on average both references are equally near,
    # the first is taken for both: 1 for the first prompt and 0 for the second.
    assert row["matched"] == pytest.approx(0.5)
    # Against the two training images the prompts have cosines -1 and 0; spread .7071 over root 2.
    assert (row["mimetic2"], row["mimetic2_se"]) == (pytest.approx(-0.5), pytest.approx(0.5))
    assert row["mimetic2_pool"] == "training"
    # Each generated image lies on a reference.
    assert (row["images"], row["passed"]) == (4, 4)


def test_too_few_training_images_give_way_to_references() -> None:
    generated = _Generated(np.array([EAST], np.float32), np.array([0]))
    pools = _Pools(
        {"ada": np.array([NORTH] * 3, np.float32)}, {"ada": np.array([EAST], np.float32)}, {"ada": 0.9}
    )
    row = _row("ada", generated, pools, Scores(pool_size=3, top_k=1, mimetic2_top=2))
    assert row["mimetic2_pool"] == "references"
    assert row["mimetic2"] == pytest.approx(0)
    assert row["matched_se"] is None  # one prompt tells nothing about how prompts differ
    assert row["passed"] == 0
    without_cut = _row("ada", generated, _Pools(pools.references, {}, {}), Scores(pool_size=3, top_k=1))
    assert without_cut["passed"] is None


def test_more_best_than_there_are_in_the_pool(tmp_path: Path) -> None:
    job = job_of(tmp_path, "scores", "scores.top_k=9")
    with pytest.raises(SettingsError, match=r"scores.top_k=9: must not be above scores.pool_size=8"):
        scores.run(job)
