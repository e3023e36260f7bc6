"""Style vectors from the convolutional encoder of ``convnet``.

``config.json`` and ``model.safetensors`` in one folder.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from concepts.errors import ModelError
from fit.imitation.convnet import ConvNet, ConvNetShape
from fit.imitation.scorers import Embedded, Unreadable, Vectors

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
LARGEST_SIDE = 8192  # pixels; more is a mistake or an attack, and is not decoded
FORMATS = (
    "PNG",
    "JPEG",
    "WEBP",
    "GIF",
    "BMP",
)  # other decoders are not for strangers' files: EPS runs Ghostscript
BATCH = 256


class StyleEncoder:
    """The encoder with trained weights, on the CPU."""

    def __init__(self, weights: Path) -> None:
        """Load it from its folder.

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
        decoded: list[np.ndarray] = []
        index: list[int] = []
        unreadable: list[Unreadable] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, on odd files: what cannot be read is reported
            for place, data in enumerate(images):
                pixels = _decode(data, self.shape.size)
                if isinstance(pixels, str):
                    unreadable.append(Unreadable(place, pixels))
                else:
                    decoded.append(pixels)
                    index.append(place)
        return Embedded(self._vectors(decoded), np.array(index, dtype=np.int64), tuple(unreadable))

    @torch.inference_mode()
    def _vectors(self, decoded: list[np.ndarray]) -> Vectors:
        out = np.empty((len(decoded), self.dimensions), dtype=np.float32)
        for start in range(0, len(decoded), BATCH):
            pixels = torch.from_numpy(np.stack(decoded[start : start + BATCH])).permute(0, 3, 1, 2)
            images = (pixels.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
            out[start : start + BATCH] = self._network(images).numpy()
        return out


def _decode(data: bytes, size: int) -> np.ndarray | str:
    """Return an image's pixels (size, size, 3), 0-255, or why it cannot be read."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if max(image.size) > LARGEST_SIDE:
                return f"image of {image.size[0]} x {image.size[1]} pixels, more than {LARGEST_SIDE} a side"
            plain = _to_rgb(image)
            if plain.size != (size, size):
                plain = plain.resize((size, size), Image.Resampling.LANCZOS)
            return np.asarray(plain)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return f"not a readable image ({str(error).splitlines()[0] if str(error) else type(error).__name__})"


def _to_rgb(image: Image.Image) -> Image.Image:
    if not image.mode.startswith("I"):
        return image.convert("RGB")
    # Pillow cuts 16-bit greys off at 255 where it should scale them.
    return Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)).convert(
        "RGB"
    )


def save_encoder(network: ConvNet, shape: ConvNetShape, folder: Path) -> None:
    """Write an encoder as this module reads it, weights as float16."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).write_text(json.dumps(shape.to_dict(), indent=2) + "\n", encoding="utf-8")
    weights = {
        key: value.half().contiguous() if value.is_floating_point() else value
        for key, value in network.state_dict().items()
    }
    save_file(weights, folder / WEIGHTS)
