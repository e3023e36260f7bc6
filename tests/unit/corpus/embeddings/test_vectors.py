"""Stored vectors made float32: every half, and which rows are no vectors."""

from __future__ import annotations

import numpy as np
import pytest

from corpus.embeddings.vectors import block_of, error_of_float32, lengths, widen

HALVES = np.arange(2**16, dtype=np.uint16).view(np.float16)


def test_every_finite_half_is_widened_to_the_bit() -> None:
    finite = HALVES[np.isfinite(HALVES)]
    out = np.empty((len(finite), 1), np.float32)
    widen(finite[:, None], out)
    assert np.array_equal(out.ravel().view(np.int32), finite.astype(np.float32).view(np.int32))


def test_what_is_no_half_becomes_too_large_for_one() -> None:
    others = HALVES[~np.isfinite(HALVES)]
    out = np.empty((len(others), 1), np.float32)
    widen(others[:, None], out)
    assert np.abs(out).min() >= 65536


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_unusable_rows_are_told_apart_and_become_zero(dtype: type) -> None:
    rows = np.array([[3, 4], [0, 0], [np.nan, 1], [1, np.inf], [-0.0, 0], [-np.inf, np.nan]], dtype)
    block = block_of(rows)
    assert (block.zero.tolist(), block.invalid.tolist()) == ([1, 4], [2, 3, 5])
    assert block.inverse[0] == np.float32(0.2)  # 1 / sqrt(9 + 16)
    assert not block.vectors[1:].any()
    assert not block.inverse[1:].any()


def test_the_largest_halves_are_vectors() -> None:
    # 65504 * sqrt(2) is longer than the smallest infinite half would be when it is widened.
    block = block_of(np.array([[65504, 65504], [6e-8, 0]], np.float16))
    assert not len(block.zero)
    assert not len(block.invalid)
    assert block.inverse[0] == pytest.approx(1 / (65504 * 2**0.5), rel=1e-6)


def test_lengths_at_which_float32_would_overflow_or_vanish() -> None:
    rows = np.array([[1e30, 0], [1e-30, 0], [1e14, 0], [1e-14, 0], [3e38, 3e38]], np.float32)
    block = block_of(rows)
    assert (block.zero.tolist(), block.invalid.tolist()) == ([], [0, 1, 4])


def test_a_row_by_itself_has_the_length_that_it_has_among_others() -> None:
    rows = np.random.default_rng(1).standard_normal((50, 301)).astype(np.float16)
    alone = [lengths(row[None])[0] for row in rows]
    assert lengths(rows).tolist() == alone


def test_the_error_holds_for_the_worst_vectors() -> None:
    # All products of one size and sign: rounding errors of the sum add up as far as they can.
    d = 4096
    error = error_of_float32(d)
    for value in np.random.default_rng(2).uniform(0.5, 1, 20).astype(np.float32):
        row = np.full((1, d), value, np.float32)
        unit = (row / lengths(row)[:, None]).astype(np.float32)
        block = block_of(row)
        assert abs(float((unit @ block.vectors.T)[0, 0] * block.inverse[0]) - 1) <= error
