"""The run's cache of embeddings: every image is looked at once, and nobody notices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fit.imitation.scorers import Embedded, Unreadable
from fit.run import artefacts
from fit.stages import embeddings
from fit.stages.embeddings import CachedEncoder, run_encoder
from fit.stages.inputs import embed
from tests.unit.stages.job import job_of


class Counting:
    """A scorer that remembers what it was asked; one byte says the direction, `?` no face, nothing broken."""

    dimensions = 3

    def __init__(self) -> None:
        self.asked: list[list[bytes]] = []

    def embed(self, images: Sequence[bytes]) -> Embedded:
        self.asked.append(list(images))
        good = [i for i, image in enumerate(images) if image not in (b"", b"?")]
        angles = np.array([images[i][0] / 100 for i in good], np.float32)
        vectors = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1).astype(np.float32)
        bad = tuple(
            Unreadable(i, "no face found" if image else "empty", blank=bool(image))
            for i, image in enumerate(images)
            if image in (b"", b"?")
        )
        facts = {"size": np.array([len(images[i]) for i in good], np.float32)}
        return Embedded(vectors, np.array(good, np.int64), bad, facts)


def cached(folder: Path) -> tuple[CachedEncoder, Counting]:
    inner = Counting()
    return CachedEncoder(folder, lambda: inner), inner


IMAGES = [b"a", b"", b"bb", b"?", b"a", b"c"]


def test_every_image_is_looked_at_once(tmp_path: Path) -> None:
    encoder, inner = cached(tmp_path)
    first = encoder.embed(IMAGES)
    assert inner.asked == [[b"a", b"", b"bb", b"?", b"c"]]  # the second a is the first
    again = encoder.embed([b"c", b"d", b"?"])
    assert inner.asked[1:] == [[b"d"]]
    np.testing.assert_array_equal(again.vectors[0], first.vectors[3])
    later, unused = cached(tmp_path)
    found = later.embed([*IMAGES, b"d"])
    assert unused.asked == []
    np.testing.assert_array_equal(found.vectors[:4], first.vectors)
    assert later.dimensions == 3


def test_places_reasons_and_facts_are_as_without_a_cache(tmp_path: Path) -> None:
    plain = Counting().embed(IMAGES)
    for _ in range(2):  # computed, then read
        found = cached(tmp_path)[0].embed(IMAGES)
        assert found.index.tolist() == plain.index.tolist() == [0, 2, 4, 5]
        assert found.unreadable == plain.unreadable
        assert found.facts["size"].tolist() == [1, 2, 1, 1]
        np.testing.assert_allclose(found.vectors, plain.vectors, atol=1e-3)
        np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-6)


def test_vectors_are_the_same_bits_computed_and_read(tmp_path: Path) -> None:
    computed = cached(tmp_path)[0].embed([b"a", b"z"]).vectors
    assert np.array_equal(cached(tmp_path)[0].embed([b"a", b"z"]).vectors, computed)


def test_the_same_work_leaves_the_same_files(tmp_path: Path) -> None:
    def files(name: str) -> dict[str, str]:
        return {path.name: artefacts.digest_file(path) for path in (tmp_path / name).iterdir()}

    for name in ("one", "two"):
        cached(tmp_path / name)[0].embed(IMAGES)
        cached(tmp_path / name)[0].embed([b"x", b"a"])
    assert files("one") == files("two")
    assert len(files("one")) == 2


def test_a_damaged_file_is_computed_again(tmp_path: Path) -> None:
    cached(tmp_path)[0].embed(IMAGES)
    path = next(tmp_path.iterdir())
    path.write_bytes(path.read_bytes()[:50])
    encoder, inner = cached(tmp_path)
    assert encoder.embed([b"a"]).index.tolist() == [0]
    assert inner.asked == [[b"a"]]


def test_a_damaged_file_tells_no_dimensions(tmp_path: Path) -> None:
    cached(tmp_path)[0].embed(IMAGES)
    path = next(tmp_path.iterdir())
    path.write_bytes(path.read_bytes()[:50])
    assert cached(tmp_path)[0].dimensions == 3
    assert list(tmp_path.iterdir()) == []


def test_no_image_needs_no_scorer(tmp_path: Path) -> None:
    cached(tmp_path)[0].embed([b"a"])
    encoder, inner = cached(tmp_path)
    found = embed(encoder, [])
    assert found.vectors.shape == (0, 3)
    assert inner.asked == []


def test_chunks_keep_places_blanks_and_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fit.stages.inputs.CHUNK", 2)
    found = embed(cached(tmp_path)[0], [b"?", b"", *IMAGES])
    assert found.index.tolist() == [2, 4, 6, 7]
    assert found.blank == {0, 5}
    assert found.unreadable == ((0, "no face found"), (1, "empty"), (3, "empty"), (5, "no face found"))
    assert found.facts["size"].tolist() == [1, 2, 1, 1]


def test_a_run_keeps_embeddings_by_scorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "data_folder", lambda: tmp_path / "data")
    weights = tmp_path / "data" / "demo" / "style-encoder"
    weights.mkdir(parents=True)
    (weights / "w").write_bytes(b"1")
    job = job_of(tmp_path / "run", "references")
    first = run_encoder(job)._folder
    assert first.parent == tmp_path / "run" / "embeddings"
    assert first.name.startswith("demo-style-")
    (weights / "w").write_bytes(b"22")
    assert run_encoder(job)._folder != first
