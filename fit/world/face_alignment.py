"""Aligning many faces at once for a training: five landmarks onto five standard places.

insightface fits the similarity the other way round, from the landmarks to the standard places. Where the
landmarks fit exactly both are one; where they do not, its faces come out a few percent smaller.
"""

from typing import Final

import torch
from torch import Tensor

from fit.world.face_networks import ALIGNED_SIDE

# Where ArcFace expects eyes, nose and corners of the mouth in 112 x 112 pixels (Deng et al. 2019).
STANDARD: Final = torch.tensor(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def similarity(points: Tensor) -> Tensor:
    """The least-squares similarity from the standard places to landmarks, as matrices (n, 2, 3).

    Least squares over rotation, scale and shift are linear in two numbers a, b when written
    x' = a x - b y + c, y' = b x + a y + d.

    Args:
        points: Landmarks in pixels, shape (n, 5, 2).
    """
    centre, middle = STANDARD.mean(0), points.mean(1, keepdim=True)
    p, q = STANDARD - centre, points - middle
    size = (p**2).sum()
    a = (q * p).sum((1, 2)) / size
    b = (q[..., 1] * p[:, 0] - q[..., 0] * p[:, 1]).sum(1) / size
    turn = torch.stack([torch.stack([a, -b], 1), torch.stack([b, a], 1)], 1)
    shift = middle[:, 0] - (turn @ centre)
    return torch.cat([turn, shift[:, :, None]], dim=2)


def align(images: Tensor, points: Tensor) -> Tensor:
    """Aligned faces (n, 3, 112, 112) of images (n, 3, side, side); outside is black.

    Args:
        images: Pixels in [-1, 1], black is -1.
        points: Landmarks in pixels, shape (n, 5, 2).
    """
    step = torch.arange(ALIGNED_SIDE, dtype=torch.float32)
    y, x = torch.meshgrid(step, step, indexing="ij")
    places = torch.stack([x, y, torch.ones_like(x)], dim=-1)  # (112, 112, 3)
    at = torch.einsum("nij,hwj->nhwi", similarity(points), places)
    grid = (at + 0.5) / images.shape[-1] * 2 - 1
    return torch.nn.functional.grid_sample(images + 1, grid, align_corners=False) - 1
