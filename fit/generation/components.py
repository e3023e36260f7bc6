"""Edits of a pipeline's weights: a component that was trained further, edited or pruned of a concept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from concepts.errors import ModelError
from fit.weights.hub import first_line
from fit.weights.pickles import is_pickle, safetensors_twin

INDEX = ".index.json"


def weight_files(place: Path) -> tuple[Path, ...]:
    """Return the files that hold a component's weights: the file itself, or those of a folder.

    Of a folder with several sets of weights, such as ``fp16`` beside the plain ones, the plain one is taken.

    Raises:
        ModelError: There is nothing, or no weights, at this place.
    """
    if place.is_file():
        return (place,)
    if not place.is_dir():
        raise ModelError(f"{place}: not there; give a safetensors file or a folder with one")
    found = sorted(path for path in place.iterdir() if path.suffix == ".safetensors" or is_pickle(path))
    safe = [path for path in found if path.suffix == ".safetensors"] or found
    plain = [path for path in safe if "." not in path.stem] or safe
    if not plain:
        raise ModelError(f"{place}: holds no weights (*.safetensors)")
    for index in place.glob(f"*.safetensors{INDEX}"):
        names = set(json.loads(index.read_text("utf-8")).get("weight_map", {}).values())
        if names and "." not in index.name.removesuffix(f".safetensors{INDEX}"):
            return tuple(place / name for name in sorted(names))
    if len(plain) > 1:
        raise ModelError(f"{place}: holds several files with weights ({plain[0].name}, …); name one of them")
    return tuple(plain)


def read_weights(files: tuple[Path, ...]) -> dict[str, Tensor]:
    """Read named weights.

    Raises:
        ModelError: A file is damaged, no safetensors file, or a pickle that nobody vouches for.
    """
    tensors: dict[str, Tensor] = {}
    for path in files:
        try:
            tensors |= load_file(safetensors_twin(path) if is_pickle(path) else path)
        except (SafetensorError, OSError) as error:
            raise ModelError(
                f"{path}: no whole safetensors file ({first_line(error)}); fetch it again"
            ) from error
    return tensors


def replace_component(pipeline: Any, part: str, place: Path) -> int:
    """Lay the weights of a file or folder over a component, and return how many tensors were replaced.

    An edit may hold some of the component's tensors only; those that it does not name stay.

    Raises:
        ModelError: The pipeline has no such component, or the weights are of another one.
    """
    component = pipeline.components.get(part)
    if not isinstance(component, torch.nn.Module):
        parts = [name for name, each in pipeline.components.items() if isinstance(each, torch.nn.Module)]
        raise ModelError(
            f"+{part}: {type(pipeline).__name__} has no such component; it has {', '.join(sorted(parts))}"
        )
    weights = read_weights(weight_files(place))
    own = component.state_dict()
    _check(weights, own, place, part)
    component.load_state_dict(
        {name: each.to(own[name].dtype) for name, each in weights.items()}, strict=False
    )
    return len(weights)


def _check(weights: dict[str, Tensor], own: dict[str, Tensor], place: Path, part: str) -> None:
    foreign = sorted(weights.keys() - own.keys())
    if foreign:
        raise ModelError(
            f"{place}: not of this {part}: {len(foreign)} of {len(weights)} tensors are unknown to it "
            f"({foreign[0]}, …); give weights of the same component and base, in diffusers' layout"
        )
    for name, tensor in weights.items():
        if tensor.shape != own[name].shape:
            shapes = f"{tuple(tensor.shape)}, where the base has {tuple(own[name].shape)}"
            raise ModelError(f"{place}: not of this {part}: {name} is {shapes}; it is of another base")
