"""One thread for each matrix product, so that several blocks can be worked on side by side.

A product that uses all cores leaves them idle while its block is read, widened and searched. Threads that
each work on a block of their own keep the cores busy, provided that the products inside use one each.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module

# OpenBLAS as NumPy's wheels carry it, with 64-bit integers; and as distributions build it.
_NAMES = (
    ("scipy_openblas_get_num_threads64_", "scipy_openblas_set_num_threads64_"),
    ("openblas_get_num_threads64_", "openblas_set_num_threads64_"),
    ("openblas_get_num_threads", "openblas_set_num_threads"),
)


@contextmanager
def single_threaded() -> Iterator[bool]:
    """Limit NumPy's matrix products to one thread each while the block runs; for the whole process.

    Yields:
        Whether that was possible: it is with OpenBLAS, which NumPy's wheels bring.
    """
    found = _openblas()
    if found is None:
        yield False
        return
    get, put = found
    before = get()
    put(1)
    try:
        yield True
    finally:
        put(before)


@cache
def _openblas() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    module = import_module("numpy._core._multiarray_umath")
    try:
        library = ctypes.CDLL(str(module.__file__))  # what it is linked with is searched too
    except OSError:
        return None
    for get, put in _NAMES:
        if hasattr(library, get) and hasattr(library, put):
            return getattr(library, get), getattr(library, put)
    return None
