"""Vectors of open_clip models, of images and of texts: any architecture with its published preprocessing.

Weights lie in a folder as open_clip saves them for the hub: ``open_clip_config.json``, the checkpoint, and
the tokenizer's files where it is not CLIP's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn

from concepts.errors import ModelError
from fit.imitation.scorers import DEFAULT_SETUP, Setup, Vectors
from fit.imitation.torch_encoder import BATCH, Network, TorchEncoder
from fit.weights.checkpoints import safetensors_folder
from fit.weights.foreign_code import foreign_code_refused

CONFIG = "open_clip_config.json"
# As open_clip looks for them; the last two may be another library's.
NAMES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "model.safetensors",
    "pytorch_model.bin",
)
# What open_clip and torch raise at files of another network or none.
_UNLOADABLE = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, AssertionError)


class OpenClipEncoder(TorchEncoder):
    """An open_clip model with trained weights."""

    def __init__(self, weights: Path, setup: Setup = DEFAULT_SETUP, batch: int = BATCH) -> None:
        """Load it from its folder.

        Raises:
            ModelError: The folder lacks a file, or holds weights that do not fit its configuration.
        """
        if not (weights / CONFIG).is_file():
            raise ModelError(f"{weights}: no {CONFIG} there; a folder as open_clip saves it is needed")
        folder = safetensors_folder(weights, NAMES, setup.pickles)
        model, transform = _load(folder, weights)
        self._model, self._tokenizer = model, _tokenizer(folder)
        *crop, _, normalise = transform.transforms
        network = Network(
            model, model.encode_image, _together(crop), tuple(normalise.mean), tuple(normalise.std)
        )
        super().__init__(network, setup, batch)

    @torch.inference_mode()
    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of texts, shape (n, dimensions)."""
        if not texts:
            return torch.zeros(0, self.dimensions).numpy()
        parts = []
        for start in range(0, len(texts), BATCH):
            tokens = self._tokenizer(list(texts[start : start + BATCH])).to(self._device)
            parts.append(nn.functional.normalize(self._model.encode_text(tokens).float(), dim=1).cpu())
        vectors: Vectors = torch.cat(parts).numpy()
        return vectors


def _together(steps: Sequence[Callable[[Any], Any]]) -> Callable[[Image.Image], Image.Image]:
    def crop(image: Image.Image) -> Image.Image:
        for step in steps:
            image = step(image)
        return image

    return crop


def _load(folder: Path, given: Path) -> tuple[Any, Any]:
    import open_clip
    from safetensors import SafetensorError

    try:
        with foreign_code_refused():
            model, transform = open_clip.create_model_from_pretrained(f"local-dir:{folder}", device="cpu")
    except (*_UNLOADABLE, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{given}: cannot be loaded as an open_clip model ({reason})") from error
    return model, transform


def _tokenizer(folder: Path) -> Callable[[list[str]], torch.Tensor]:
    import open_clip

    try:
        named = json.loads((folder / CONFIG).read_bytes())["model_cfg"].get("text_cfg", {})
        # The configuration may ask for the folder's own code to be run; what is said here goes before it.
        options = {"trust_remote_code": False} if named.get("hf_tokenizer_name") else {}
        return open_clip.get_tokenizer(f"local-dir:{folder}", **options)  # type: ignore[no-any-return]
    except _UNLOADABLE as error:
        reason = " ".join(str(error).split())[:160]
        raise ModelError(f"{folder}: its tokenizer cannot be loaded ({reason})") from error
