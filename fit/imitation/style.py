"""Style vectors from the convolutional encoder of ``convnet``.

``config.json`` and ``model.safetensors`` in one folder.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from concepts.errors import ModelError
from fit.imitation.convnet import ConvNet, ConvNetShape
from fit.imitation.decoding import embed_in_batches
from fit.imitation.scorers import DEFAULT_SETUP, Embedded, Setup, Vectors

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
BATCH = 256


class StyleEncoder:
    """The encoder with trained weights, on the CPU: it is small."""

    def __init__(self, weights: Path, setup: Setup = DEFAULT_SETUP) -> None:
        """Load it from its folder; nothing of the setup concerns it.

        Raises:
            ModelError: A file is missing, damaged, or of another network.
        """
        try:
            self.shape = ConvNetShape(**json.loads((weights / CONFIG).read_text(encoding="utf-8")))
            self._network = ConvNet(self.shape)
            tensors = {k: v.float() for k, v in load_file(weights / WEIGHTS).items()}
            self._network.load_state_dict(tensors)
            if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
                raise ValueError("weights that are not finite")
        except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(
                f"{weights}: cannot be loaded as a style encoder ({reason}); make it again"
            ) from error
        self._network.eval().to(memory_format=torch.channels_last)
        self.dimensions = self.shape.dimensions

    def embed(self, images: Sequence[bytes]) -> Embedded:
        """Return unit vectors of encoded images; those that cannot be read are listed with the reason."""
        return embed_in_batches(images, self._prepare, self._forward, self.dimensions, BATCH)

    def _prepare(self, image: Image.Image) -> np.ndarray:
        size = (self.shape.size, self.shape.size)
        return np.asarray(image if image.size == size else image.resize(size, Image.Resampling.LANCZOS))

    @torch.inference_mode()
    def _forward(self, pixels: np.ndarray) -> Vectors:
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
        vectors: Vectors = self._network(images.contiguous(memory_format=torch.channels_last)).numpy()
        return vectors


def save_encoder(network: ConvNet, shape: ConvNetShape, folder: Path) -> None:
    """Write an encoder as this module reads it, weights as float16."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).write_text(json.dumps(shape.to_dict(), indent=2) + "\n", encoding="utf-8")
    weights = {
        key: value.half().contiguous() if value.is_floating_point() else value
        for key, value in network.state_dict().items()
    }
    save_file(weights, folder / WEIGHTS)
