"""One checkpoint in a folder, as safetensors."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from concepts.errors import ModelError
from fit.weights.digests import file_digest
from fit.weights.pickles import cache_folder, is_pickle, safetensors_twin

if TYPE_CHECKING:
    from torch import Tensor


def checkpoint(place: Path, names: Sequence[str], pinned: Mapping[str, str]) -> Path:
    """Return the safetensors file of a folder's checkpoint, or of a file.

    Args:
        place: The folder, or the checkpoint itself.
        names: What the checkpoint may be called in the folder, the preferred name first.
        pinned: SHA-256 of pickles that may be read, by name.

    Raises:
        ModelError: There is none, or it is a pickle that nobody vouches for.
    """
    path = place if place.is_file() else next((place / n for n in names if (place / n).is_file()), None)
    if path is None:
        raise ModelError(f"{place}: no weights there ({', '.join(names)})")
    return safetensors_twin(path, pinned.get(path.name, "")) if is_pickle(path) else path


def safetensors_folder(folder: Path, names: Sequence[str], pinned: Mapping[str, str]) -> Path:
    """Return a folder for a loader that picks the checkpoint itself: this one, or a twin without the pickle.

    The twin lies in the cache: small files copied, the pickle's safetensors under the first of the names.
    Arguments and errors as of `checkpoint`.
    """
    found = checkpoint(folder, names, pinned)
    if found.parent == folder:
        return folder
    small = sorted(path for path in folder.iterdir() if path.suffix in (".json", ".txt", ".model"))
    whole = hashlib.sha256(found.stem.encode())
    for path in small:
        whole.update(f"{path.name}\0{file_digest(path)}\0".encode())
    twin = cache_folder() / "folders" / whole.hexdigest()
    if not twin.is_dir():
        temporary = twin.with_name(f".unfinished-{os.getpid()}-{twin.name}")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for path in small:
            shutil.copyfile(path, temporary / path.name)
        (temporary / names[0]).symlink_to(found.absolute())
        temporary.rename(twin)
    return twin


def tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file.

    Raises:
        ModelError: It is truncated or something else.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise ModelError(f"{path}: not a whole safetensors file ({reason}); fetch it again") from error
