"""A small convolutional style encoder: pictures in, unit vectors out.

What a style is shows in local statistics wherever they stand, so the last maps are pooled over the picture
by mean and standard deviation (Huang & Belongie 2017 use the same two statistics to move a style from one
picture to another).
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class ConvNetShape:
    """What is needed to build the network again. `size`: side of the pictures in pixels."""

    size: int = 32
    width: int = 32
    dimensions: int = 64

    def __post_init__(self) -> None:
        """Raise ValueError where a number is not a whole one above 0."""
        for name, value in asdict(self).items():
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} is {value!r}; it must be a whole number above 0")

    def to_dict(self) -> dict[str, int]:
        """As it is written to config.json."""
        return asdict(self)


def _block(inputs: int, outputs: int, stride: int, kernel: int = 3) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class ConvNet(nn.Module):
    """Five convolutions, pooled statistics, one projection."""

    def __init__(self, shape: ConvNetShape = ConvNetShape()) -> None:
        super().__init__()
        w = shape.width
        self.features = nn.Sequential(
            _block(3, w, 2, 5),
            _block(w, 2 * w, 1),
            _block(2 * w, 2 * w, 2),
            _block(2 * w, 4 * w, 1),
            _block(4 * w, 4 * w, 1),
        )
        self.project = nn.Linear(8 * w, shape.dimensions)

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 3, size, size) in [-1, 1] to unit vectors (n, dimensions)."""
        maps = self.features(images)
        spread = (maps.var((2, 3), unbiased=False) + 1e-4).sqrt()
        pooled = torch.cat([maps.mean((2, 3)), spread], dim=1)
        return nn.functional.normalize(self.project(pooled), dim=1)
