"""Models as rows of ``models.toml``; any hub id and any local diffusers folder works without a row.

``BASE+lora:PLACE`` is a model with a LoRA on top, ``BASE+unet:PLACE`` one with an edited component.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from concepts.errors import ModelError, unknown
from concepts.own_rows import MODEL, check_keys, registered
from fit.generation.edits import Edit, split_edits
from fit.generation.training import Training, training_of

DATA_PREFIX = "data:"
DTYPES = ("float16", "bfloat16", "float32")
_KINDS: dict[str, tuple[type, ...]] = {
    "gated": (bool,),
    "guidance": (int, float),
    **dict.fromkeys(("steps", "width", "height", "batch_size"), (int,)),
}
HUB_ID = re.compile(r"(\w[\w.-]*/\w[\w.-]*)(?:@([\w./-]+))?")  # not ./folder or ../folder


@dataclass(frozen=True, slots=True)
class Model:
    """A text-to-image model.

    Attributes:
        name: The key, as in ``--model``.
        title: The name for readers.
        weights: Where the weights may be had, the preferred place first: hub ids (``owner/name``, or
            ``owner/name@revision``), local diffusers folders, ``data:PATH`` below the data folder.
        source: Where the weights come from.
        licence: Under which licence.
        corpus: The corpus that it was trained on; empty where that is not known.
        training: What it was trained on, in the order of the training.
        revision: Commit, branch or tag of the only hub repository; empty: its newest.
        variant: Variant of the weight files, such as ``fp16``; empty: the plain ones.
        dtype: Arithmetic on an accelerator; a CPU always computes in float32.
        published_dtype: Arithmetic of the published study; empty where it did not use this model.
        scheduler: Class of diffusers that the published settings sample with; empty: the pipeline's own.
        steps: Denoising steps; 0: the pipeline's default.
        guidance: Classifier-free guidance scale, 1: without; 0: the pipeline's default.
        width: Width of the images in pixels; 0: the pipeline's default.
        height: Height of the images in pixels; 0: the pipeline's default.
        batch_size: Images sampled together; 0: as many as fit into the device's memory.
        gated: Whether the hub asks for conditions to be accepted first.
        prior: Where the prior of a model in two pipelines may be had, as `weights`; empty: it has none.
        pickles: SHA-256 of each pickle checkpoint that may be read, by its path in the repository.
        stand_ins: Rows that take this one's place, by the domain in which they do.
        edits: What lies on top of the weights.
        note: What a user should know.
    """

    name: str
    title: str
    weights: tuple[str, ...]
    source: str
    licence: str
    corpus: str = ""
    training: tuple[Training, ...] = ()
    revision: str = ""
    variant: str = ""
    dtype: str = "float16"
    published_dtype: str = ""
    scheduler: str = ""
    steps: int = 0
    guidance: float = 0.0
    width: int = 0
    height: int = 0
    batch_size: int = 0
    gated: bool = False
    prior: tuple[str, ...] = ()
    pickles: Mapping[str, str] = field(default_factory=dict)
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()
    note: str = ""


def models() -> tuple[Model, ...]:
    """Return all models that have a row, one's own among them, in the order of their names.

    Raises:
        ModelError: An own row is malformed, or has the name of a shipped one.
    """
    table = tomllib.loads(files("fit.generation").joinpath("models.toml").read_text(encoding="utf-8"))
    return registered(MODEL, table, model_of)


def load_model(name: str) -> Model:
    """Return a model by the name of its row, by its hub id, or by its folder; edits after it are kept.

    Raises:
        ModelError: It is none of them; the message lists the rows and the nearest.
    """
    known = {model.name: model for model in models()}
    if name in known:
        return known[name]
    if not name or Path(name).is_dir():
        return _given(name, known)
    base, edits = split_edits(name)
    found = known[base] if base in known else _given(base, known)
    if not edits:
        return found
    return replace(found, name=name, title=" ".join([found.title, *(e.title for e in edits)]), edits=edits)


def _given(name: str, known: Mapping[str, Model]) -> Model:
    """Return the model that a folder or a hub id stands for."""
    if name and Path(name).is_dir():
        folder = Path(os.path.abspath(name))
        return Model(name, folder.name, (str(folder),), source="given by path", licence="not stated")
    if match := HUB_ID.fullmatch(name):
        return Model(name, name, (name,), source=f"hub: {match[1]}", licence="see the hub's page")
    raise ModelError(unknown("model", name, known) + "; or give a hub id (owner/name) or a diffusers folder")


def model_of(name: str, row: Mapping[str, Any]) -> Model:
    """Return the model that a row describes.

    Raises:
        ModelError: A key is missing, unknown or of another type, or a value is outside its range.
    """
    check_keys(MODEL, name, row, Model, without=("edits",))
    made = {key: _value(name, key, value) for key, value in row.items()}
    if made.get("training") and not made.get("corpus"):
        made["corpus"] = made["training"][0].corpus
    return _checked(Model(name=name, **made))


def _value(name: str, key: str, value: Any) -> Any:
    """Return a row's value as `Model` keeps it."""
    where = f"model {name}: {key}"
    if key == "training":
        return training_of(where, value)
    if key in ("weights", "prior"):
        places = (value,) if isinstance(value, str) else value
        if not isinstance(places, list | tuple) or not all(isinstance(each, str) and each for each in places):
            raise ModelError(f"{where} = {value!r}; it has to be a place or a list of places")
        return tuple(places)
    if key in ("pickles", "stand_ins"):
        return _texts(where, value)
    kind = _KINDS.get(key, (str,))
    if not isinstance(value, kind) or (isinstance(value, bool) and bool not in kind):
        raise ModelError(f"{where} = {value!r}; it has the wrong type")
    return value


def _texts(where: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ModelError(f"{where} = {value!r}; it has to be a table of texts")
    return dict(value)


def _checked(model: Model) -> Model:
    where = f"model {model.name}"
    if not model.weights:
        raise ModelError(f"{where}: weights is empty; name where they may be had")
    for place in (*model.weights, *model.prior):
        if not (place.startswith(DATA_PREFIX) or os.path.isabs(place) or HUB_ID.fullmatch(place)):
            raise ModelError(f"{where}: {place}: no hub id, no {DATA_PREFIX}PATH and no absolute path")
    if model.revision and len(model.weights) > 1:
        raise ModelError(f"{where}: revision is of one place; with several, write owner/name@revision")
    for dtype in filter(None, (model.dtype, model.published_dtype)):
        if dtype not in DTYPES:
            raise ModelError(f"{where}: {unknown('dtype', dtype, DTYPES)}")
    numbers = (model.steps, model.guidance, model.width, model.height, model.batch_size)
    if not all(0 <= number < math.inf for number in numbers):
        raise ModelError(f"{where}: a number is below 0 or infinite; 0 leaves it to the pipeline")
    return model
