"""Pickled checkpoints, read without running what is in them, once, and kept as safetensors.

A pickle can run any code when it is loaded, so none is read unless its SHA-256 is pinned by a row or the
user vouches for the file (``--allow-pickle FILE``); then it is read with ``weights_only=True``, which builds
nothing but tensors and plain containers. The safetensors twin stands in the cache under the pickle's digest,
so that neither is asked a second time.
"""

from __future__ import annotations

import argparse
import os
import pickle
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

from concepts.errors import ModelError
from fit.weights.digests import file_digest

CACHE_VARIABLE = "FIT_CACHE"
SUFFIXES = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth")
# What torch.load throws at files that are no checkpoints, or half of one.
_UNREADABLE = (
    OSError,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    AttributeError,
    AssertionError,
    MemoryError,  # a length that is a lie
    struct.error,
    zipfile.BadZipFile,
)
_INSIDE = ("state_dict", "model_state_dict", "model")  # where training scripts put the weights


def cache_folder() -> Path:
    """Return where converted weights are kept: ``$FIT_CACHE``, else ``fit`` in the user's cache."""
    if given := os.environ.get(CACHE_VARIABLE):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fit"


def is_pickle(path: Path) -> bool:
    """Tell whether a file is a pickled checkpoint, by its name."""
    return path.suffix.lower() in SUFFIXES


def safetensors_twin(path: Path, pinned: str = "") -> Path:
    """Return the safetensors file with a pickle's weights.

    Args:
        path: The pickle.
        pinned: The SHA-256 (hex) that it must have to be read; empty: none is known.

    Raises:
        ModelError: It is not the pinned one, nobody vouches for it, or it is no checkpoint of plain weights.
    """
    digest = file_digest(path)
    if pinned and digest != pinned.lower():
        raise ModelError(
            f"{path}: SHA-256 {digest}, not the pinned {pinned.lower()}; "
            "it is not the published file, fetch it again"
        )
    twin = _twin(digest)
    if twin.is_file():
        return twin
    if not pinned:
        raise ModelError(
            f"{path}: a pickle, which can run code when it is loaded; give safetensors, "
            "or --allow-pickle with this file if you trust who made it"
        )
    return _convert(path, twin)


def allow_pickle(path: Path) -> Path:
    """Convert a pickle that the user vouches for; from now on `safetensors_twin` knows it.

    Raises:
        ModelError: It cannot be read, or it is no checkpoint of plain weights.
    """
    try:
        twin = _twin(file_digest(path))
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}); name a file with --allow-pickle"
        ) from error
    return twin if twin.is_file() else _convert(path, twin)


def _twin(digest: str) -> Path:
    return cache_folder() / "pickles" / f"{digest}.safetensors"


def _convert(path: Path, twin: Path) -> Path:
    from safetensors.torch import save_file

    tensors = _tensors(path)
    twin.parent.mkdir(parents=True, exist_ok=True)
    temporary = twin.with_name(f".unfinished-{os.getpid()}-{twin.name}")
    try:
        # Copies: safetensors takes no tensors that share memory.
        copies = {key: each.clone().contiguous() for key, each in tensors.items()}
        save_file(copies, temporary, {"format": "pt"})
        temporary.replace(twin)
    finally:
        temporary.unlink(missing_ok=True)
    return twin


def _tensors(path: Path) -> dict[str, Any]:
    import torch

    found = _unpickled(path)
    while inside := [found[key] for key in _INSIDE if isinstance(found.get(key), dict)]:
        found = inside[0]
    weights = {str(key): each for key, each in found.items() if isinstance(each, torch.Tensor)}
    if not weights:
        raise ModelError(f"{path}: holds no named weights; give a checkpoint of a state_dict")
    return weights


def _unpickled(path: Path) -> dict[Any, Any]:
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, on the age of the format
            with torch.serialization.safe_globals(_harmless()):
                found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path}: holds more than weights, so it is not read; save its state_dict as safetensors"
        ) from error
    except _UNREADABLE as error:
        raise ModelError(
            f"{path}: no checkpoint that can be read ({type(error).__name__}); fetch it again"
        ) from error
    return found if isinstance(found, dict) else {}


def _harmless() -> list[Any]:
    """Return what training scripts save beside weights and what does nothing when it is built.

    The arguments of the run, and NumPy's scalars, under the names that NumPy 1 gave them too: CSD's published
    checkpoint holds both.
    """
    import numpy as np

    scalar, kinds = np.float64(0).__reduce__()[0], (np.float64, np.float32, np.int64, np.int32, np.bool_)
    names = [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    return [argparse.Namespace, np.dtype, *(type(np.dtype(kind)) for kind in kinds), *names]
