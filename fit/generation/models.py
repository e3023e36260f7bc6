"""Models as rows of ``models.toml``; any hub id and any local diffusers folder works without a row."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path

from concepts.errors import ModelError, unknown

DATA_PREFIX = "data:"
INDEX = "model_index.json"
_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")  # not ./folder or ../folder


@dataclass(frozen=True, slots=True)
class Model:
    """A text-to-image model.

    Attributes:
        name: The key, as in ``--model``.
        title: The name for readers.
        weights: A hub id, a local diffusers folder, or ``data:PATH`` below the data folder.
        source: Where the weights come from.
        licence: Under which licence.
        corpus: The corpus that it was trained on; empty where that is not known.
        revision: Commit of the hub repository; empty: its newest.
        variant: Variant of the weight files, such as ``fp16``; empty: the plain ones.
        dtype: Arithmetic on an accelerator; a CPU always computes in float32.
        steps: Denoising steps; 0: the pipeline's default.
        guidance: Classifier-free guidance scale; 0: the pipeline's default.
        width: Width of the images in pixels; 0: the pipeline's default.
        height: Height of the images in pixels; 0: the pipeline's default.
        batch_size: Images sampled together.
        note: What a user should know.
    """

    name: str
    title: str
    weights: str
    source: str
    licence: str
    corpus: str = ""
    revision: str = ""
    variant: str = ""
    dtype: str = "float16"
    steps: int = 0
    guidance: float = 0.0
    width: int = 0
    height: int = 0
    batch_size: int = 8
    note: str = ""


def models() -> tuple[Model, ...]:
    """Return all models that have a row, in the order of their names."""
    table = tomllib.loads(files("fit.generation").joinpath("models.toml").read_text(encoding="utf-8"))
    allowed = {field.name for field in fields(Model)} - {"name"}
    for name, row in table.items():
        for key in sorted(row.keys() - allowed):
            raise ModelError(f"model {name}: {unknown('key', key, allowed)}")
    return tuple(Model(name=name, **table[name]) for name in sorted(table))


def load_model(name: str) -> Model:
    """Return a model by the name of its row, by its hub id, or by its folder.

    Raises:
        ModelError: It is none of them; the message lists the rows and the nearest.
    """
    known = {model.name: model for model in models()}
    if name in known:
        return known[name]
    if name and Path(name).is_dir():
        folder = Path(os.path.abspath(name))
        return Model(name, folder.name, str(folder), source="given by path", licence="not stated")
    if _HUB_ID.fullmatch(name):
        return Model(name, name, name, source=f"hub: {name}", licence="see the hub's page")
    raise ModelError(unknown("model", name, known) + "; or give a hub id (owner/name) or a diffusers folder")


def local_folder(model: Model, data: Path) -> Path | None:
    """Return the folder that holds the weights, or None for a hub id.

    Args:
        model: The model.
        data: The data folder.

    Raises:
        ModelError: The folder is missing or is no diffusers folder with weights.
    """
    if model.weights.startswith(DATA_PREFIX):
        folder = data / model.weights.removeprefix(DATA_PREFIX)
    elif os.path.isabs(model.weights):
        folder = Path(model.weights)
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
        return f"{model.weights}@{model.revision or 'newest'}"
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            whole.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
