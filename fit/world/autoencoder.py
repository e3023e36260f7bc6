"""The demo model's autoencoder.

32 x 32 pixels to 8 x 8 latents of 16 channels, in diffusers' `AutoencoderTiny` layout.

An encoder without non-linear blocks is a linear map, and the best linear map of 4 x 4 patches to 16 numbers
is their principal components. So the encoder starts there (exactly), and training only has to teach the
decoder to paint from them: measured, three minutes reach what a random start does not in fifteen.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from diffusers import AutoencoderTiny
from torch import Tensor

from fit.world.checkpoints import Checkpoints
from fit.world.dataset import Pixels, to_tensor
from fit.world.training import Log, Schedule, falling, train

LATENTS: Final = 16
_PATCH: Final = 4
_NUMBERS: Final = _PATCH * _PATCH * 3


@dataclass(frozen=True)
class AutoencoderRecipe:
    """How the autoencoder is trained.

    `noise`: sd of the noise put on latents, so that the decoder forgives sampling errors.
    """

    seed: int = 2411
    start: int = 0  # seed of the decoder's first weights
    steps: int = 1800
    batch: int = 48
    rate: float = 2e-3
    noise: float = 0.05


def new_autoencoder(pixels: Pixels, width: int = 48) -> AutoencoderTiny:
    """An untrained autoencoder whose encoder projects on the principal components of the images' patches."""
    model = AutoencoderTiny(
        encoder_block_out_channels=(_NUMBERS,) * 3,
        decoder_block_out_channels=(width,) * 3,
        latent_channels=LATENTS,
        num_encoder_blocks=(0, 0, 0),
        num_decoder_blocks=(2, 1, 0),
    )
    mean, components = _principal_components(pixels[:4000])
    with torch.no_grad():
        _gather_patches(model, mean, components)
    return model.to(memory_format=torch.channels_last)


def _principal_components(pixels: Pixels) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean (48,) and components (48, 16) of the patches, scaled halfway to equal variance."""
    n, side = len(pixels), pixels.shape[1] // _PATCH
    grid = pixels.reshape(n, side, _PATCH, side, _PATCH, 3).transpose(0, 1, 3, 2, 4, 5)
    patches = grid.reshape(-1, _NUMBERS).astype(np.float32) / 255
    mean = patches.mean(0)
    variances, vectors = np.linalg.eigh(np.cov((patches - mean).T))
    top = np.argsort(variances)[::-1][:LATENTS]
    vectors = vectors[:, top] * np.sign(vectors[np.abs(vectors[:, top]).argmax(0), top])
    scale = variances[top] ** -0.25
    return mean, (vectors * scale / np.mean(scale * np.sqrt(variances[top]))).astype(np.float32)


def _gather_patches(
    model: AutoencoderTiny, mean: npt.NDArray[np.float32], components: npt.NDArray[np.float32]
) -> None:
    """Set the encoder's four convolutions to: take 2 x 2 pixels together, twice; subtract the mean.

    Project.
    """
    first, second, third, last = model.encoder.layers
    for layer in (first, second, third, last):
        layer.weight.zero_()
    first.bias.zero_()
    first.weight[torch.arange(3), torch.arange(3), 1, 1] = 1
    for layer, channels in ((second, 3), (third, 12)):
        for dy in range(2):
            for dx in range(2):
                to = (dy * 2 + dx) * channels + torch.arange(channels)
                layer.weight[to, torch.arange(channels), 1 + dy, 1 + dx] = 1
    order = np.arange(_NUMBERS).reshape(2, 2, 2, 2, 3).transpose(0, 2, 1, 3, 4).reshape(-1)
    last.weight[:, :, 1, 1] = torch.from_numpy(components[order].T.copy())
    last.bias.copy_(torch.from_numpy(-(mean @ components)))


def train_autoencoder(
    model: AutoencoderTiny, pixels: Pixels, recipe: AutoencoderRecipe, checkpoints: Checkpoints, log: Log
) -> None:
    """Train in place; resumes from the newest checkpoint."""
    schedule = Schedule(recipe.steps, falling(recipe.rate, recipe.steps), betas=(0.9, 0.95))
    train(model, lambda step: _loss(model, pixels, recipe, step), schedule, checkpoints, log)


def _loss(model: AutoencoderTiny, pixels: Pixels, recipe: AutoencoderRecipe, step: int) -> Tensor:
    """Absolute error of the pixels and of their differences to the neighbours: edges make a style."""
    rows = np.random.default_rng([recipe.seed, step]).integers(0, len(pixels), recipe.batch)
    images = to_tensor(pixels[rows])
    latents = model.encoder(images)
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(recipe.seed * 100_000 + step))
    error = model.decoder(latents + recipe.noise * noise) - images
    right, down = error[..., 1:] - error[..., :-1], error[..., 1:, :] - error[..., :-1, :]
    # The decoder squashes latents beyond about 3, so keep them inside.
    beyond = 0.01 * (latents.abs() - 2.5).clamp(min=0).mean()
    total: Tensor = error.abs().mean() + right.abs().mean() + down.abs().mean() + beyond
    return total


@torch.no_grad()
def encode(model: AutoencoderTiny, pixels: Pixels, batch: int = 500) -> Tensor:
    """Latents of all images, shape (n, 16, 8, 8), not yet scaled."""
    return torch.cat([model.encoder(to_tensor(pixels[i : i + batch])) for i in range(0, len(pixels), batch)])


@torch.no_grad()
def reconstruct(model: AutoencoderTiny, pixels: Pixels, batch: int = 500) -> Pixels:
    """Every image encoded and decoded again, shape (n, 32, 32, 3), 0-255."""
    out = [
        model.decoder(model.encoder(to_tensor(pixels[i : i + batch]))) for i in range(0, len(pixels), batch)
    ]
    return ((torch.cat(out) + 1) * 127.5 + 0.5).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
