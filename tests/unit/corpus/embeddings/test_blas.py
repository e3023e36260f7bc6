"""Matrix products limited to one thread, and given back their threads."""

from __future__ import annotations

import numpy as np

from corpus.embeddings import blas


def test_the_limit_ends_with_the_block() -> None:
    found = blas._openblas()
    assert found is not None, "NumPy's wheels bring OpenBLAS"
    get, put = found
    before = get()
    try:
        put(2)
        with blas.single_threaded() as possible:
            assert possible
            assert get() == 1
            assert np.array_equal(np.eye(3) @ np.eye(3), np.eye(3))
        assert get() == 2
    finally:
        put(before)
