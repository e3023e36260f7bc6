"""The artwork gate in front of the verification's scorer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from concepts.errors import ModelError, SettingsError
from fit.imitation.scorers import Embedded, Encoder, Unreadable
from fit.run import Job
from fit.stages import embeddings, gate, verification
from fit.stages.gate import GatedEncoder, behind_gate
from tests.unit.stages.job import job_of, leave

PASSING = ["verification.gate=artwork", "verification.gate_passing=0.75"]


class Art:
    """A gate in whose eyes an image is as much an artwork as its number says: b"7x" has the cosine 0.7."""

    dimensions = 2
    reads_texts = True

    def embed(self, images: Sequence[bytes]) -> Embedded:
        good = [i for i, image in enumerate(images) if image[:1].isdigit()]
        cosines = np.array([int(images[i][:1]) / 10 for i in good], np.float32)
        vectors = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1)
        bad = tuple(Unreadable(i, "no image") for i in range(len(images)) if i not in good)
        return Embedded(vectors, np.array(good, np.int64), bad)

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        assert list(texts) == ["an artwork"]
        return np.array([[1, 0]], np.float32)


class Style:
    """A scorer that remembers what it was shown."""

    dimensions = 3

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def embed(self, images: Sequence[bytes]) -> Embedded:
        self.seen += images
        good = [i for i, image in enumerate(images) if image[:1].isdigit()]
        bad = tuple(Unreadable(i, "broken") for i in range(len(images)) if i not in good)
        vectors = np.tile(np.array([1, 0, 0], np.float32), (len(good), 1))
        return Embedded(
            vectors, np.array(good, np.int64), bad, {"size": np.arange(len(good), dtype=np.float32)}
        )


def test_what_is_no_artwork_is_blank_and_never_shown_to_the_scorer() -> None:
    style = Style()
    found = GatedEncoder(style, Art(), 0.4).embed([b"5", b"3", b"broken", b"4", b"2"])
    assert style.seen == [b"5", b"broken", b"4"]
    assert found.index.tolist() == [0, 3]
    assert found.facts["size"].tolist() == [0, 1]
    assert [(each.index, each.blank) for each in found.unreadable] == [(1, True), (2, False), (4, True)]
    assert found.unreadable[0].reason == "no artwork (cosine with 'an artwork' below 0.4000)"
    assert found.unreadable[1].reason == "broken"


def test_references_pass_whatever_the_gate_says() -> None:
    known = hashlib.sha256(b"1").hexdigest()
    found = GatedEncoder(Style(), Art(), 0.4, [known]).embed([b"1", b"2"])
    assert found.index.tolist() == [0]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    images = [b"8", b"6", b"4", b"2"]
    table = pa.table({"concept": ["ada"] * 4, "digest": list("abcd"), "image": pa.array(images, pa.binary())})
    leave(tmp_path, "references", "references", table)
    monkeypatch.setattr(gate, "named_encoder", lambda job, name: Art())
    return tmp_path


def test_the_cut_is_calibrated_on_the_references(run: Path) -> None:
    job = job_of(run, "verification", *PASSING)
    found = behind_gate(job, Style()).embed([b"4", b"3"])
    assert found.index.tolist() == [0]  # three of four references have to pass: the cut is 0.4
    assert job.read_json("verification", "gate") == {
        "scorer": "artwork",
        "text": "an artwork",
        "cut": pytest.approx(0.4),
        "references_passed": 0.75,
        "references": 4,
    }


def test_without_a_gate_nothing_changes(run: Path) -> None:
    style = Style()
    assert behind_gate(job_of(run, "verification"), style) is style


def test_a_published_cut_that_is_not_for_this_list(run: Path) -> None:
    with pytest.raises(SettingsError, match="mimetic2: has no cut for artwork on art-styles/demo"):
        behind_gate(job_of(run, "verification", *PASSING, "verification.gate_cut=mimetic2"), Style())


def test_a_gate_that_reads_no_texts(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Art, "reads_texts", False)
    with pytest.raises(ModelError, match=r"verification.gate=artwork: embeds images alone"):
        behind_gate(job_of(run, "verification", *PASSING), Style())


def test_only_the_verification_is_gated(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def seen(job: Job, encoder: Encoder) -> None:
        assert isinstance(encoder, GatedEncoder)
        raise InterruptedError

    monkeypatch.setattr(embeddings, "_cached", lambda job, scorer: Style())
    monkeypatch.setattr(verification, "_reference_vectors", seen)
    with pytest.raises(InterruptedError):
        verification.run(job_of(run, "verification", *PASSING))
    assert isinstance(embeddings.run_encoder(job_of(run, "scores", *PASSING)), Style)
    assert isinstance(embeddings.run_encoder(job_of(run, "references", *PASSING)), Style)
