"""Training the style encoder on styles that no artist of the world has.

It judges them as a stranger would.

Supervised contrastive learning (Khosla et al. 2020): two pictures of one style attract each other, pictures
of different styles repel. Subjects, colours and places vary between the two, so what they share is the
style.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fit.imitation.convnet import ConvNet, ConvNetShape
from fit.world.checkpoints import Checkpoints
from fit.world.dataset import Pixels, to_tensor
from fit.world.matter import other_styles
from fit.world.plan import Plan
from fit.world.render import KINDS, Pictures, paint
from fit.world.training import Log, Schedule, falling, train
from fit.world.wear import worn


@dataclass(frozen=True)
class EncoderRecipe:
    """How the encoder is trained: `styles` other styles, `pictures` of each.

    Batches of `batch` styles, two pictures each.
    """

    seed: int = 2413
    styles: int = 4000
    pictures: int = 10
    steps: int = 900
    batch: int = 96
    rate: float = 3e-3
    temperature: float = 0.1


def paint_other_styles(plan: Plan, recipe: EncoderRecipe) -> Pixels:
    """Pictures of styles that keep the recipe's margin to every artist.

    Shape (styles, pictures, 32, 32, 3).
    """
    rng = np.random.default_rng(recipe.seed)
    artists = plan.looks.take(np.arange(len(plan.concepts)))
    styles = other_styles(recipe.styles, artists, plan.recipe.margin, rng)
    n = recipe.styles * recipe.pictures
    rows = np.repeat(np.arange(recipe.styles), recipe.pictures)
    seeds = rng.integers(0, 2**63, n).astype(np.uint64)
    pixels = paint(Pictures(styles.take(rows), rng.integers(0, len(KINDS), n), seeds))
    return pixels.reshape(recipe.styles, recipe.pictures, *pixels.shape[1:])


def train_encoder(pixels: Pixels, recipe: EncoderRecipe, checkpoints: Checkpoints, log: Log) -> ConvNet:
    """Train an encoder from random weights; resumes from the newest checkpoint."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = ConvNet(ConvNetShape()).to(memory_format=torch.channels_last)
    schedule = Schedule(recipe.steps, falling(recipe.rate, recipe.steps), betas=(0.9, 0.999), decay=1e-3)

    def loss_of(step: int) -> Tensor:
        return contrast(model(_batch(pixels, recipe, step)), recipe.temperature)

    train(model, loss_of, schedule, checkpoints, log)
    return model.eval()


def _batch(pixels: Pixels, recipe: EncoderRecipe, step: int) -> Tensor:
    """Two pictures of each of `batch` styles, first all firsts, then all seconds.

    Blurred and noisy like generated ones.
    """
    rng = np.random.default_rng([recipe.seed, step])
    styles = rng.choice(len(pixels), recipe.batch, replace=False)
    pair = np.stack([rng.choice(pixels.shape[1], 2, replace=False) for _ in styles])
    images = to_tensor(np.concatenate([pixels[styles, pair[:, 0]], pixels[styles, pair[:, 1]]]))
    return worn(images, rng, 0.7, 0.12)


def contrast(vectors: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of finding a picture's partner among all other pictures of the batch."""
    n = len(vectors)
    similarity = vectors @ vectors.T / temperature
    similarity = similarity.masked_fill(torch.eye(n, dtype=torch.bool), float("-inf"))
    partner = (torch.arange(n) + n // 2) % n
    return torch.nn.functional.cross_entropy(similarity, partner)
