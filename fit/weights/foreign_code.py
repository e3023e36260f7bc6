"""Code that lies in a model's folder, which nobody here runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def foreign_code_refused() -> Iterator[None]:
    """Have transformers refuse a folder's own code while the block runs, instead of asking whether to run it.

    Its loaders ask at the terminal when they are not told ``trust_remote_code=False``, which loaders of other
    libraries do not hand on. With no time for an answer it raises a ValueError at once.
    """
    from transformers import dynamic_module_utils

    before = dynamic_module_utils.TIME_OUT_REMOTE_CODE
    dynamic_module_utils.TIME_OUT_REMOTE_CODE = 0
    try:
        yield
    finally:
        dynamic_module_utils.TIME_OUT_REMOTE_CODE = before
