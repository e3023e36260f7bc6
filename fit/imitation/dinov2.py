"""Vectors of DINOv2 (Oquab et al. 2023, arXiv:2304.07193), from transformers' or timm's layout.

A folder as either saves it for the hub: ``config.json`` and ``model.safetensors``, and with transformers
``preprocessor_config.json``. The vector is the class token after the last layer norm.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from concepts.errors import ModelError
from fit.imitation.scorers import DEFAULT_SETUP, Setup
from fit.imitation.torch_encoder import BATCH, Network, TorchEncoder
from fit.weights.checkpoints import safetensors_folder

NAMES = ("model.safetensors", "pytorch_model.bin")
# What transformers, timm and torch raise at files of another network or none.
_UNLOADABLE = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, AssertionError)


class Dinov2Encoder(TorchEncoder):
    """A DINOv2 model with trained weights; other vision transformers of the two libraries load as well."""

    def __init__(self, weights: Path, setup: Setup = DEFAULT_SETUP, batch: int = BATCH) -> None:
        """Load it from its folder.

        Raises:
            ModelError: The folder lacks a file, or holds weights that do not fit its configuration.
        """
        from safetensors import SafetensorError

        folder = safetensors_folder(weights, NAMES, setup.pickles)
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            network = _timm(folder) if "architecture" in config else _transformers(folder)
        except (*_UNLOADABLE, SafetensorError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"{weights}: cannot be loaded as DINOv2 ({reason})") from error
        super().__init__(network, setup, batch)


def _transformers(folder: Path) -> Network:
    from transformers import AutoModel

    model, report = AutoModel.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, trust_remote_code=False, output_loading_info=True
    )
    if lost := sorted(report["missing_keys"]):
        raise ValueError(f"no weights for {lost[0]}")
    given = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
    mean, deviation = tuple(given["image_mean"]), tuple(given["image_std"])
    return Network(
        model, lambda images: _class_token(model(pixel_values=images)), _crop(given), mean, deviation
    )


def _class_token(outputs: Any) -> Tensor:
    token: Tensor = outputs.last_hidden_state[:, 0]
    return token


def _crop(given: Mapping[str, Any]) -> Any:
    """Return the steps of transformers' image processor: shorter side, then the centre."""
    from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

    size, crop = given["size"], given.get("crop_size") or {}
    how = InterpolationMode.BILINEAR if given.get("resample") == Image.Resampling.BILINEAR else None
    shorter = size.get("shortest_edge") or (size["height"], size["width"])
    steps = [Resize(shorter, how or InterpolationMode.BICUBIC)]
    if given.get("do_center_crop", True) and crop:
        steps.append(CenterCrop((crop["height"], crop["width"])))
    return Compose(steps)


def _timm(folder: Path) -> Network:
    from torchvision.transforms import Compose

    timm, data = (importlib.import_module(name) for name in ("timm", "timm.data"))  # it exports by star
    model = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0)
    transform = data.create_transform(**data.resolve_model_data_config(model), is_training=False)
    *crop, _, normalise = transform.transforms
    mean, deviation = normalise.mean.tolist(), normalise.std.tolist()
    return Network(model, model, Compose(crop), tuple(mean), tuple(deviation))
