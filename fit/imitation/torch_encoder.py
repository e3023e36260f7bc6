"""What scorers that are torch networks have in common: crop in threads, normalise and compute in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from fit.imitation.decoding import embed_in_batches
from fit.imitation.devices import choose_device
from fit.imitation.scorers import Embedded, Setup, Vectors

BATCH = 64
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Network:
    """A network and the preprocessing that it was published with.

    Attributes:
        module: All weights, to be moved to the device.
        features: From normalised images (n, 3, height, width) to features (n, dimensions).
        crop: From an RGB image to one of the network's size, still 0-255.
        mean: Subtracted from each channel, for pixels in [0, 1].
        deviation: By which each channel is divided then.
    """

    module: nn.Module
    features: Callable[[Tensor], Tensor]
    crop: Callable[[Image.Image], Image.Image]
    mean: Triple
    deviation: Triple


class TorchEncoder:
    """An encoder around a network; float32 on a CPU, float16 under autocast on an accelerator."""

    def __init__(self, network: Network, setup: Setup, batch: int = BATCH) -> None:
        """Move the network to the device.

        Raises:
            ModelError: There is no such device, or weights that are not finite.
        """
        self._network, self._batch = network, batch
        self._device = choose_device(setup.device)
        network.module.eval().requires_grad_(False).to(self._device)
        self._mean = torch.tensor(network.mean, device=self._device).view(1, 3, 1, 1)
        self._deviation = torch.tensor(network.deviation, device=self._device).view(1, 3, 1, 1)
        probe = np.stack([self.prepare(Image.new("RGB", (64, 64)))])
        self.dimensions = int(self.forward(probe).shape[1])

    def embed(self, images: Sequence[bytes]) -> Embedded:
        """Return unit vectors of encoded images; those that cannot be read are listed with the reason."""
        return embed_in_batches(images, self.prepare, self.forward, self.dimensions, self._batch)

    def prepare(self, image: Image.Image) -> np.ndarray:
        """Return what the network looks at, shape (height, width, 3), 0-255."""
        return np.asarray(self._network.crop(image))

    @torch.inference_mode()
    def forward(self, pixels: np.ndarray) -> Vectors:
        """Return unit vectors of prepared images (n, height, width, 3)."""
        images = torch.from_numpy(pixels)
        if self._device.type == "cuda":
            images = images.pin_memory()
        images = images.to(self._device, non_blocking=True).permute(0, 3, 1, 2).float() / 255
        with torch.autocast(self._device.type, torch.float16, enabled=self._device.type == "cuda"):
            features = self._network.features((images - self._mean) / self._deviation)
        vectors: Vectors = nn.functional.normalize(features.float(), dim=1).cpu().numpy()
        return vectors
