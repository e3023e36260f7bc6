"""The demo models' autoencoders, in diffusers' `AutoencoderTiny` layout.

32 x 32 pixels to 8 x 8 latents of 16 channels for the styles, 64 x 64 pixels to 8 x 8 of 32 for the faces.

An encoder without non-linear blocks is a linear map, and the best linear map of patches to a few numbers is
their principal components. So the encoder starts there (exactly), and training only has to teach the
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
_CHANNELS: Final = 48  # of the encoder: 4 x 4 pixels of three colours
_GATHERING: Final = 2  # convolutions that only take pixels together, up to 4 x 4


@dataclass(frozen=True)
class AutoencoderShape:
    """What is needed to build an autoencoder.

    Attributes:
        patch: Side of the patches that become one latent, 4 or 8 pixels.
        latents: Channels of the latents.
        width: Channels of the decoder.
        blocks: Residual blocks of the decoder, from the latents' size up.
        evenness: How far the components are scaled towards equal variance, in [0, 1].
        scale: Mean standard deviation of the latents. The decoder squashes them beyond about 3, so where they
            have long tails it has to be small.
    """

    patch: int = 4
    latents: int = LATENTS
    width: int = 48
    blocks: tuple[int, ...] = (2, 1, 0)
    evenness: float = 0.5
    scale: float = 1.0


STYLE_SHAPE: Final = AutoencoderShape()
FACE_SHAPE: Final = AutoencoderShape(patch=8, latents=32, blocks=(2, 2, 1, 0), evenness=0.67, scale=0.4)


@dataclass(frozen=True)
class AutoencoderRecipe:
    """How the autoencoder is trained.

    `noise`: sd of the noise put on latents, so that the decoder forgives sampling errors. `tune`: whether the
    encoder is trained too or stays the principal components.
    """

    seed: int = 2411
    start: int = 0  # seed of the decoder's first weights
    steps: int = 1800
    batch: int = 48
    rate: float = 2e-3
    noise: float = 0.05
    tune: bool = True


def new_autoencoder(pixels: Pixels, shape: AutoencoderShape = STYLE_SHAPE) -> AutoencoderTiny:
    """An untrained autoencoder whose encoder projects on the principal components of the images' patches."""
    stages = len(shape.blocks)
    model = AutoencoderTiny(
        encoder_block_out_channels=(_CHANNELS,) * stages,
        decoder_block_out_channels=(shape.width,) * stages,
        latent_channels=shape.latents,
        num_encoder_blocks=(0,) * stages,
        num_decoder_blocks=shape.blocks,
    )
    mean, components = _principal_components(pixels[:4000], shape)
    with torch.no_grad():
        _gather_patches(model, mean, components)
    return model.to(memory_format=torch.channels_last)


def _principal_components(
    pixels: Pixels, shape: AutoencoderShape
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean (numbers,) and components (numbers, latents) of the patches, scaled towards equal variance."""
    n, side, patch = len(pixels), pixels.shape[1] // shape.patch, shape.patch
    grid = pixels.reshape(n, side, patch, side, patch, 3).transpose(0, 1, 3, 2, 4, 5)
    patches = grid.reshape(-1, patch * patch * 3).astype(np.float32) / 255
    mean = patches.mean(0)
    variances, vectors = np.linalg.eigh(np.cov((patches - mean).T))
    top = np.argsort(variances)[::-1][: shape.latents]
    vectors = vectors[:, top] * np.sign(vectors[np.abs(vectors[:, top]).argmax(0), top])
    scale = variances[top] ** (-shape.evenness / 2)
    scale *= shape.scale / np.mean(scale * np.sqrt(variances[top]))
    return mean, (vectors * scale).astype(np.float32)


def _gather_patches(
    model: AutoencoderTiny, mean: npt.NDArray[np.float32], components: npt.NDArray[np.float32]
) -> None:
    """Set the encoder's convolutions to: take 2 x 2 pixels together, twice; project; subtract the mean."""
    layers = list(model.encoder.layers)
    for layer in layers:
        layer.weight.zero_()
    layers[0].bias.zero_()
    layers[0].weight[torch.arange(3), torch.arange(3), 1, 1] = 1
    for layer, channels in zip(layers[1 : 1 + _GATHERING], (3, 12), strict=True):
        for place, (dy, dx) in enumerate(_QUADRANTS):
            to = place * channels + torch.arange(channels)
            layer.weight[to, torch.arange(channels), 1 + dy, 1 + dx] = 1
    weights = torch.from_numpy(components[_gathered(len(mean))].T.copy())
    layers[-1].bias.copy_(torch.from_numpy(-(mean @ components)))
    if len(layers) == 2 + _GATHERING:
        layers[-1].weight[:, :, 1, 1] = weights
        return
    # Patches of 8 x 8: the third convolution takes four patches of 4 x 4 together and projects them at once.
    latents = torch.arange(len(weights))
    for part, (dy, dx) in zip(torch.split(weights, _CHANNELS, dim=1), _QUADRANTS, strict=True):
        layers[-2].weight[latents, :, 1 + dy, 1 + dx] = part
    layers[-1].weight[latents, latents, 1, 1] = 1


_QUADRANTS: Final = ((0, 0), (0, 1), (1, 0), (1, 1))


def _gathered(numbers: int) -> npt.NDArray[np.int64]:
    """For each channel of the gathered patches the number of the plain patch (rows, columns, colours)."""
    levels = int(np.log2(numbers // 3)) // 2
    plain = np.arange(numbers).reshape((2,) * (2 * levels) + (3,))
    pairs = [axis for level in range(levels) for axis in (level, levels + level)]
    return plain.transpose(*pairs, 2 * levels).reshape(-1)


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
    with torch.set_grad_enabled(recipe.tune):
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
    """Latents of all images, shape (n, channels, side, side), not yet scaled."""
    return torch.cat([model.encoder(to_tensor(pixels[i : i + batch])) for i in range(0, len(pixels), batch)])


@torch.no_grad()
def reconstruct(model: AutoencoderTiny, pixels: Pixels, batch: int = 500) -> Pixels:
    """Every image encoded and decoded again, shape as given, 0-255."""
    out = [
        model.decoder(model.encoder(to_tensor(pixels[i : i + batch]))) for i in range(0, len(pixels), batch)
    ]
    return ((torch.cat(out) + 1) * 127.5 + 0.5).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
