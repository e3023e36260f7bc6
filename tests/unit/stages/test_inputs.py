"""Vectors in tables, tables by concept, images in chunks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from fit.imitation.scorers import Embedded, Unreadable
from fit.stages import inputs
from fit.stages.inputs import by_concept, column_vectors, concepts_of, embed, vectors_column
from tests.unit.stages.job import LISTED, job_of, leave_concepts


class Lengths:
    """A scorer that sees how long an image is; empty ones cannot be read."""

    dimensions = 2

    def __init__(self, weights: Path = Path()) -> None:
        self.asked: list[int] = []

    def embed(self, images: Sequence[bytes]) -> Embedded:
        self.asked.append(len(images))
        good = [i for i, image in enumerate(images) if image]
        vectors = np.array([[np.cos(len(images[i])), np.sin(len(images[i]))] for i in good], np.float32)
        bad = tuple(Unreadable(i, "empty") for i, image in enumerate(images) if not image)
        return Embedded(vectors.reshape(-1, 2), np.array(good, dtype=np.int64), bad)


def test_vectors_come_back_as_unit_vectors(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((50, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    job = job_of(tmp_path, "references")
    job.write("t", pa.table({"vector": vectors_column(vectors)}))
    table = job.read("references", "t")
    found = column_vectors(table["vector"])
    assert np.abs(found - vectors).max() < 1e-3  # float16 keeps 11 bits
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-6)
    some = column_vectors(table.slice(10, 5)["vector"])
    assert np.array_equal(some, found[10:15])
    assert column_vectors(table.slice(0, 0)["vector"]).shape == (0, 8)


def test_rows_by_concept_keep_their_order() -> None:
    table = pa.table({"concept": ["b", "a", "b", "c", "a"], "n": [0, 1, 2, 3, 4]})
    found = [(name, rows["n"].to_pylist()) for name, rows in by_concept(table)]
    assert found == [("b", [0, 2]), ("a", [1, 4]), ("c", [3])]
    assert list(by_concept(table.slice(0, 0))) == []


def test_images_are_embedded_in_chunks_and_keep_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "CHUNK", 3)
    scorer = Lengths()
    found = embed(scorer, [b"1", b"", b"333", b"4444", b"", b"666666", b"7777777"])
    assert scorer.asked == [3, 3, 1]
    assert found.index.tolist() == [0, 2, 3, 5, 6]
    assert found.unreadable == ((1, "empty"), (4, "empty"))
    # The angle of each vector is the image's length in radians: 1, 3, 4, 6, 7.
    assert found.vectors[:, 0] == pytest.approx(np.cos([1, 3, 4, 6, 7]), abs=1e-6)


def test_no_images_are_no_vectors() -> None:
    found = embed(Lengths(), [])
    assert found.vectors.shape == (0, 2)
    assert found.index.shape == (0,)


def test_concepts_are_those_of_the_list(tmp_path: Path) -> None:
    leave_concepts(tmp_path)
    found = concepts_of(job_of(tmp_path, "counts"))
    assert [(each.name, list(each.aliases), each.group) for each in found] == list(LISTED)
