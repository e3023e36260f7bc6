"""The first look by torch: coarse numbers within their bound, and counts that do not depend on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from concepts.errors import ModelError, UsageError
from corpus.embeddings.screen import NumpyScreen
from corpus.embeddings.tables import shard_table
from corpus.embeddings.vectors import lengths
from fit.imitation.screen_on_torch import PRECISIONS, TorchScreen, error_of
from tests.unit.corpus.embeddings.layouts import count, counter, references, write_npy

RNG = np.random.default_rng(3)
REFERENCES = references(**{f"c{i}": RNG.standard_normal((1 + i % 5, 96)).tolist() for i in range(40)})
EVERYTHING = np.full(40, -1.5, np.float32)


def rows(dtype: type, n: int = 700) -> np.ndarray:
    found = np.random.default_rng(4).standard_normal((n, 96))
    found[: n // 2] += REFERENCES.vectors[np.arange(n // 2) % len(REFERENCES.vectors)]
    return found.astype(dtype)


@pytest.mark.parametrize("precision", sorted(PRECISIONS))
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_no_cosine_is_further_from_the_truth_than_the_error(precision: str, dtype: type) -> None:
    stored = rows(dtype)
    seen = TorchScreen(REFERENCES, "cpu", precision).look(stored, EVERYTHING)
    wide, of = stored.astype(np.float64), REFERENCES.vectors.astype(np.float64)
    cosines = wide @ of.T / lengths(wide)[:, None] / lengths(of)
    largest = np.stack([cosines[:, REFERENCES.of(i)].max(axis=1) for i in range(40)])
    assert len(seen.rows) == largest.size
    gap = np.abs(seen.cosines - largest[seen.concepts, seen.rows]).max()
    assert gap <= error_of(precision, 96)
    if precision != "float32":
        assert gap > error_of("float32", 96), "not as coarse as it is said to be"


def test_unusable_rows_as_on_the_cpu() -> None:
    stored = rows(np.float16, 9)
    stored[1], stored[3, 5], stored[4, 6], stored[8] = 0, np.nan, np.inf, 0
    for screen in (TorchScreen(REFERENCES, "cpu"), NumpyScreen(REFERENCES)):
        seen = screen.look(stored, EVERYTHING)
        assert (seen.zero.tolist(), seen.invalid.tolist()) == ([1, 8], [3, 4])
        assert set(seen.rows.tolist()) == {0, 2, 5, 6, 7}


@pytest.mark.parametrize("precision", sorted(PRECISIONS))
def test_the_counts_are_those_of_numpy(tmp_path: Path, precision: str) -> None:
    for number, dtype in enumerate((np.float16, np.float32)):
        folder = tmp_path / str(number)
        write_npy(folder, "0", rows(dtype, 1500))
        wanted = count(counter(REFERENCES, 0.4, top=9), folder)
        screen = TorchScreen(REFERENCES, "cpu", precision)
        found = count(counter(REFERENCES, 0.4, 9, screen, threads=2), folder)
        assert wanted.counts.min() > 0
        assert shard_table(found).equals(shard_table(wanted), check_metadata=True)


def test_one_screen_takes_halves_and_floats_in_turn() -> None:
    # What is kept for one kind of number must not be used for the other.
    screen = TorchScreen(REFERENCES, "cpu")
    one = rows(np.float32, 9)
    for stored in (one.astype(np.float16), one):
        seen = screen.look(stored, EVERYTHING)
        other = NumpyScreen(REFERENCES).look(stored, EVERYTHING)
        order = np.lexsort((other.rows, other.concepts)), np.lexsort((seen.rows, seen.concepts))
        assert seen.cosines[order[1]] == pytest.approx(other.cosines[order[0]], abs=1e-6)


def test_devices_and_precisions_that_there_are_not() -> None:
    with pytest.raises(ModelError, match=r"--device=nowhere: no such device here"):
        TorchScreen(REFERENCES, "nowhere")
    with pytest.raises(UsageError, match=r"float61: unknown precision \(did you mean float16\?\)"):
        TorchScreen(REFERENCES, "cpu", "float61")
