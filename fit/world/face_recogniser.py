"""Training the face pack's recogniser on strangers: two portraits of one person attract, others repel."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from fit.world.checkpoints import Checkpoints
from fit.world.dataset import to_tensor
from fit.world.face_alignment import align
from fit.world.face_networks import Recogniser
from fit.world.strangers import Strangers
from fit.world.style_encoder import contrast
from fit.world.training import Log, Schedule, falling, train
from fit.world.wear import worn


@dataclass(frozen=True)
class RecogniserRecipe:
    """How the recogniser is trained: batches of `batch` people, two portraits each.

    `astray`: standard deviation of the landmarks' errors in pixels, as a detector makes them.
    """

    seed: int = 2425
    steps: int = 900
    batch: int = 80
    rate: float = 3e-3
    temperature: float = 0.1
    astray: float = 0.7


def train_recogniser(
    strangers: Strangers, recipe: RecogniserRecipe, checkpoints: Checkpoints, log: Log
) -> Recogniser:
    """Train a recogniser from random weights; resumes from the newest checkpoint."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = Recogniser().to(memory_format=torch.channels_last)
    schedule = Schedule(recipe.steps, falling(recipe.rate, recipe.steps), betas=(0.9, 0.999), decay=1e-3)

    def loss_of(step: int) -> Tensor:
        vectors = nn.functional.normalize(model(_batch(strangers, recipe, step)))
        return contrast(vectors, recipe.temperature)

    train(model, loss_of, schedule, checkpoints, log)
    return model.eval()


def _batch(strangers: Strangers, recipe: RecogniserRecipe, step: int) -> Tensor:
    """Two aligned portraits of each of `batch` people, first all firsts, then all seconds."""
    rng = np.random.default_rng([recipe.seed, step])
    people, pictures = strangers.pixels.shape[:2]
    who = rng.choice(people, recipe.batch, replace=False)
    pair = np.stack([rng.choice(pictures, 2, replace=False) for _ in who])
    rows = np.concatenate([who * pictures + pair[:, 0], who * pictures + pair[:, 1]])
    points = strangers.places.points[rows] + rng.normal(0, recipe.astray, (len(rows), 5, 2)).astype(
        np.float32
    )
    images = worn(to_tensor(strangers.flat[rows]), rng, 0.8, 0.12)
    return align(images, torch.from_numpy(points)).contiguous(memory_format=torch.channels_last)
