"""Wear: blur and noise at random, so that a network trained on clean pictures also reads generated ones."""

import numpy as np
import torch
from torch import Tensor, nn


def worn(images: Tensor, rng: np.random.Generator, blur: float, noise: float) -> Tensor:
    """Images (n, c, h, w), each mixed with its blurred self and with noise.

    Args:
        images: In [-1, 1].
        rng: Chance.
        blur: Largest share of the blurred image.
        noise: Largest standard deviation of the noise.
    """
    grain = torch.from_numpy(rng.standard_normal(images.shape, dtype=np.float32))
    blurred = nn.functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    share, strength = (
        torch.from_numpy(rng.uniform(0, most, (len(images), 1, 1, 1)).astype(np.float32))
        for most in (blur, noise)
    )
    mixed = (1 - share) * images + share * blurred + strength * grain
    return mixed.contiguous(memory_format=torch.channels_last)
