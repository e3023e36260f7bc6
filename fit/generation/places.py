"""Where the weights of a model lie."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from concepts.errors import ModelError
from fit.generation.models import DATA_PREFIX, Model

INDEX = "model_index.json"


def local_folder(model: Model, data: Path) -> Path | None:
    """Return the folder that holds the weights, or None for a hub id.

    Args:
        model: The model.
        data: The data folder.

    Raises:
        ModelError: The folder is missing or is no diffusers folder with weights.
    """
    place = model.weights[0]
    if place.startswith(DATA_PREFIX):
        folder = data / place.removeprefix(DATA_PREFIX)
    elif os.path.isabs(place):
        folder = Path(place)
    else:
        return None
    if not (folder / INDEX).is_file():
        raise ModelError(
            f"{folder}: no {INDEX} there; a diffusers folder is needed (pipeline.save_pretrained makes one)"
        )
    if not any(folder.glob("*/*.safetensors")):
        raise ModelError(
            f"{folder}: holds no weights (*/*.safetensors); save the pipeline again with its weights"
        )
    return folder


def weights_digest(model: Model, data: Path) -> str:
    """Return a digest of a local model's files, or the hub id with its revision where they are not local."""
    folder = local_folder(model, data)
    if folder is None:
        return f"{model.weights[0]}@{model.revision or 'newest'}"
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            whole.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
