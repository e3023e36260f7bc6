"""Stage `scores`: which images are compared with which, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from concepts.errors import ModelError, SettingsError
from fit.generation.requests import Request
from fit.generation.sampling import Sample
from fit.imitation.scorers import Embedded, Unreadable
from fit.sections import Scores
from fit.stages import scores
from fit.stages.generated import packed, write_generated
from fit.stages.inputs import vectors_column
from fit.stages.scores import _generated, _pools
from fit.stages.scoring import Generated, Pools, alternatives_table, score_row
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
    pictures = [round(10 * each[0]) if status == "shows" else None for _, status, each in rows]
    table = {"concept": names, "status": statuses, "picture": pa.array(pictures, pa.int64())}
    table["vector"] = column(list(vectors))
    job_of(run, "verification").write_part(f"{number:05d}", pa.table(table))


def test_pools_are_references_and_verified_training_images(tmp_path: Path) -> None:
    leave_references(tmp_path, ada=8, bo=7, cy=9)
    checked = [
        ("ada", "shows", NORTH),
        ("ada", "other", EAST),
        ("ada", "shows", EAST),
        ("ada", "shows", NORTH),
    ]
    leave_checked(tmp_path, 0, checked)
    leave_checked(tmp_path, 1, [("cy", "missing", EAST)])
    job = job_of(tmp_path, "scores")
    pools = _pools(job)
    assert set(pools.references) == {"ada", "cy"}
    assert pools.training["ada"].tolist() == [NORTH, EAST, NORTH]
    assert pools.different["ada"].tolist() == [0, 1]
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
    generated = Generated(np.array([EAST, EAST, NORTH, NORTH], np.float32), np.array([0, 0, 1, 1]))
    references = np.array([EAST, NORTH], np.float32)
    training = np.array([[-1, 0], [-1, 0]], np.float32)
    settings = Scores(pool_size=2, top_k=1, mimetic2_top=2)
    row = score_row("ada", generated, Pools({"ada": references}, {"ada": training}, {"ada": 0.9}), settings)
    # Both prompts have one reference at cosine 1 and one at 0; on average both references are equally near,
    # the first is taken for both: 1 for the first prompt and 0 for the second.
    assert row["matched"] == pytest.approx(0.5)
    # Against the two training images the prompts have cosines -1 and 0; spread .7071 over root 2.
    assert (row["mimetic2"], row["mimetic2_se"]) == (pytest.approx(-0.5), pytest.approx(0.5))
    assert row["mimetic2_pool"] == "training"
    # Each generated image lies on a reference.
    assert (row["images"], row["passed"]) == (4, 4)


def test_too_few_training_images_give_way_to_references() -> None:
    generated = Generated(np.array([EAST], np.float32), np.array([0]))
    pools = Pools(
        {"ada": np.array([NORTH] * 3, np.float32)}, {"ada": np.array([EAST], np.float32)}, {"ada": 0.9}
    )
    row = score_row("ada", generated, pools, Scores(pool_size=3, top_k=1, mimetic2_top=2))
    assert row["mimetic2_pool"] == "references"
    assert row["mimetic2"] == pytest.approx(0)
    assert row["matched_se"] is None  # one prompt tells nothing about how prompts differ
    assert row["passed"] == 0
    without_cut = score_row("ada", generated, Pools(pools.references, {}, {}), Scores(pool_size=3, top_k=1))
    assert without_cut["passed"] is None


def test_more_best_than_there_are_in_the_pool(tmp_path: Path) -> None:
    job = job_of(tmp_path, "scores", "scores.top_k=9")
    with pytest.raises(SettingsError, match=r"scores.top_k=9: must not be above scores.pool_size=8"):
        scores.run(job)


def test_training_images_that_are_there_twice_count_once_in_the_pool() -> None:
    twice = np.array([EAST, NORTH, EAST, EAST], np.float32)
    generated = {"ada": Generated(np.array([EAST, [0.6, 0.8]], np.float32), np.array([0, 3]))}
    references = {"ada": np.array([EAST, NORTH], np.float32)}
    pools = Pools(references, {"ada": twice}, {}, {"ada": np.array([0, 1])})
    settings = Scores(pool_size=2, top_k=2)
    rows = alternatives_table(["ada"], generated, pools, settings).to_pylist()
    # To East and North the first image has the cosines 1 and 0, the second .6 and .8: .5, .7, on average .6.
    # East counted three times would give (1 + 1 + 1 + 0) / 4 = .75 and .65 instead, on average .7.
    assert [(row["variant"], round(row["score"], 6)) for row in rows] == [
        ("prompt 1 alone", 0.5),
        ("prompt 4 alone", 0.7),
        ("training images as pool", 0.6),
    ]
    few = Pools(references, {"ada": twice[[0, 2]]}, {}, {"ada": np.array([0])})
    assert len(alternatives_table(["ada"], generated, few, settings)) == 2  # one different image is too few


class Sizes:
    """A scorer that sees as large a face as the image is long, and none in a short one; it reads texts."""

    dimensions = 2
    reads_texts = True

    def embed(self, images: Sequence[bytes]) -> Embedded:
        good = [i for i, image in enumerate(images) if len(image) > 1]
        vectors = np.array([EAST if images[i].startswith(b"e") else NORTH for i in good], np.float32)
        bad = tuple(Unreadable(i, "no face found", True) for i in range(len(images)) if i not in good)
        facts = {"face_size": np.array([len(images[i]) for i in good], np.float32)} if good else {}
        return Embedded(vectors.reshape(-1, 2), np.array(good, np.int64), bad, facts)

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([EAST if text == "east" else NORTH for text in texts], np.float32)


@pytest.fixture
def generated_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with generated images in two parts, one of them without any face."""
    leave_concepts(tmp_path, (("ada", [], None), ("bo", [], None)))
    job = job_of(tmp_path, "generation")
    for name, arm, images in (("0", "model", [b"e22", b"n", b"e4444", None]), ("1", "control", [b"n"])):
        words = ("east", "north")
        requests = [Request("ada", i % 2, words[i % 2], i, 5) for i in range(len(images))]
        samples = [Sample(each, data) for each, data in zip(requests, images, strict=True)]
        write_generated(job, name, *packed(name, arm, samples), batch_size=4)
    monkeypatch.setattr(scores, "run_encoder", lambda job: Sizes())
    monkeypatch.setattr(scores, "named_encoder", lambda job, name: Sizes())
    return tmp_path


def test_what_the_scorer_saw_is_kept_beside_the_vectors(generated_run: Path) -> None:
    job = job_of(generated_run, "scores")
    scores._embed_generated(job)
    first = job.read_part("0").to_pylist()
    assert [(row["reason"], row["face_size"]) for row in first] == [("", 3), ("no face found", None), ("", 5)]
    assert "face_size" not in job.read_part("1").column_names
    found = scores._generated(job)
    assert found["model"]["ada"].vectors.tolist() == [EAST, EAST]
    assert found["control"] == {}


def test_clip_scores_by_hand(generated_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(generated_run, "scores", "scores.clip_score=open-clip")
    rows = scores._clip_scores(job).to_pylist()
    # Images e22 of prompt east (cosine 1) and e4444 of prompt east (cosine 1); the short one has no vector.
    assert rows == [{"concept": "ada", "clip_score": 1.0, "images": 2}]
    monkeypatch.setattr(Sizes, "reads_texts", False)
    with pytest.raises(ModelError, match=r"scores.clip_score=open-clip: embeds images alone"):
        scores._clip_scores(job)
