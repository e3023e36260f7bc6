"""LoRA on top of a model: the small matrices are multiplied out and added to the weights, once.

diffusers' own loader keeps them apart and needs a further package for it; added, they cost nothing in
sampling. The formats of other programs are turned into diffusers' by diffusers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from concepts.errors import ModelError
from fit.generation.components import read_weights, weight_files
from fit.generation.quiet import quiet
from fit.weights.hub import first_line

DENOISERS = ("unet", "transformer", "prior")
_PARTS = (*DENOISERS, "text_encoder", "text_encoder_2", "text_encoder_3")
_OTHER_KINDS = {"dora_scale": "DoRA", "lora_magnitude_vector": "DoRA", "lokr_": "LoKr", "hada_": "LoHa"}
# to_q.lora_A.weight, to_q.lora.down.weight, q_proj.lora_linear_layer.up.weight, processor.to_q_lora.up.weight
_KEY = re.compile(
    r"(?P<module>.+?)(?:_lora|\.lora_linear_layer|\.lora)?"
    r"\.(?P<side>lora_A|down|lora_B|up)(?:\.default)?\.weight"
)
_OLD_TEXT_NAME = re.compile(r"(?<=self_attn\.)to_(q|k|v|out)$")


@dataclass(frozen=True)
class Pair:
    """The two matrices for one layer.

    Attributes:
        part: Component of the pipeline.
        module: Path of the layer in it.
        down: (rank, in), of a convolution (rank, in, h, w).
        up: (out, rank), of a convolution (out, rank, 1, 1).
        alpha: The scale times the rank.
    """

    part: str
    module: str
    down: Tensor
    up: Tensor
    alpha: float

    def change(self) -> Tensor:
        """Return what is added to the layer's weight at scale 1, in float32."""
        down, up = self.down.float(), self.up.float()
        product = up.flatten(1) @ down.flatten(1)
        return (product * (self.alpha / down.shape[0])).reshape(up.shape[0], *down.shape[1:])


def merge_lora(pipeline: Any, place: Path, scale: float) -> int:
    """Add a LoRA to a pipeline's weights, and return how many layers it changed.

    Args:
        pipeline: The pipeline, on the CPU.
        place: A file, or the folder that holds it.
        scale: How strongly it is applied.

    Raises:
        ModelError: It is no LoRA, of a kind that cannot be added, or for another base.
    """
    files = weight_files(place)
    pairs = _pairs(pipeline, read_weights(files), files[0])
    layers = [
        (pair, _weight(pipeline, pair, place)) for pair in pairs
    ]  # all are looked at before one is changed
    with torch.no_grad():
        for pair, weight in layers:
            weight.add_((pair.change() * scale).to(weight.dtype))
    return len(layers)


def _pairs(pipeline: Any, weights: Mapping[str, Tensor], file: Path) -> list[Pair]:
    for mark, kind in _OTHER_KINDS.items():
        if any(mark in key for key in weights):
            raise ModelError(f"{file}: a {kind}, not a plain LoRA; merge it into the model's weights first")
    state, told = _as_diffusers(pipeline, weights, file)
    alphas = {_layer(pipeline, name): value for name, value in told.items()}
    given = _metadata(file)
    sides: dict[tuple[str, str], dict[str, Tensor]] = {}
    for key, tensor in state.items():
        if match := _KEY.fullmatch(key):
            side = "down" if match["side"] in ("lora_A", "down") else "up"
            sides.setdefault(_layer(pipeline, match["module"]), {})[side] = tensor
    if not sides or any(len(found) < 2 for found in sides.values()):
        raise ModelError(f"{file}: no LoRA (no pairs of matrices, lora_A and lora_B, in it)")
    return [
        Pair(*layer, found["down"], found["up"], alphas.get(layer, given.get(layer[0], len(found["down"]))))
        for layer, found in sides.items()
    ]


def _as_diffusers(
    pipeline: Any, weights: Mapping[str, Tensor], file: Path
) -> tuple[Mapping[str, Tensor], dict[str, float]]:
    """Return the matrices under diffusers' names, and each layer's alpha where the file tells it."""
    state: Mapping[str, Tensor] = weights
    alphas: dict[str, float] = {}
    convert = getattr(type(pipeline), "lora_state_dict", None)
    if convert is not None:
        try:
            with quiet():
                options = {"unet_config": pipeline.unet.config} if hasattr(pipeline, "unet") else {}
                state, *more = convert(dict(weights), return_lora_metadata=True, **options)
        except (ValueError, KeyError, AttributeError, RuntimeError, IndexError) as error:
            raise ModelError(f"{file}: a LoRA for another base ({first_line(error)})") from error
        alphas = next((each for each in more if each), {})
    told = {key: float(each) for key, each in state.items() if key.endswith(".alpha")}
    told |= {key: float(each) for key, each in alphas.items()}
    return state, {key.removesuffix(".alpha"): value for key, value in told.items()}


def _layer(pipeline: Any, name: str) -> tuple[str, str]:
    """Return (component, path in it) of a layer, or of a key of one of its matrices."""
    match = _KEY.fullmatch(name)
    path = (match["module"] if match else name).replace(".processor.", ".").removeprefix("base_model.model.")
    part, _, inside = path.partition(".")
    if part.startswith("text_encoder"):
        return part, _OLD_TEXT_NAME.sub(r"\1_proj", inside)
    if part in _PARTS:
        return part, inside
    return next((each for each in DENOISERS if each in pipeline.components), DENOISERS[0]), path


def _metadata(file: Path) -> dict[str, float]:
    """Return the alpha of each component, where the program that saved the LoRA wrote it down."""
    beside = file.parent / "adapter_config.json"
    if beside.is_file():
        settings = json.loads(beside.read_text("utf-8"))
        return dict.fromkeys(_PARTS, float(settings["lora_alpha"])) if "lora_alpha" in settings else {}
    if file.suffix != ".safetensors":
        return {}
    with safe_open(file, framework="pt") as opened:
        raw = (opened.metadata() or {}).get("lora_adapter_metadata")
    told = json.loads(raw) if raw else {}
    return {part: float(told[f"{part}.lora_alpha"]) for part in _PARTS if f"{part}.lora_alpha" in told}


def _weight(pipeline: Any, pair: Pair, place: Path) -> Tensor:
    """Return the weight that a pair changes.

    Raises:
        ModelError: There is none, or it has another shape.
    """
    component = pipeline.components.get(pair.part)
    named = dict(component.named_parameters()) if isinstance(component, torch.nn.Module) else {}
    # Newer transformers leave the prefix out; to_out is a list whose first layer is meant.
    paths = (pair.module, pair.module.removeprefix("text_model."), f"{pair.module}.0")
    weight = next((named[f"{path}.weight"] for path in paths if f"{path}.weight" in named), None)
    where = f"{place}: a LoRA for another base: {pair.part}.{pair.module}"
    if weight is None:
        raise ModelError(f"{where} is no layer of this {type(pipeline).__name__}")
    shape = (pair.up.shape[0], *pair.down.shape[1:])
    if tuple(weight.shape) != shape or pair.up.shape[1] != pair.down.shape[0]:
        raise ModelError(f"{where} changes {shape}, where the base has {tuple(weight.shape)}")
    return weight
