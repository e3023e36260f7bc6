"""The judge of a demo world: a classifier fitted on renderings of its concepts, to tell what images show.

It is no part of the product: it sees every concept, which a scorer must not. It measures how much of a look
survives the autoencoder, and whether the trained model learned it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fit.imitation.convnet import ConvNet, ConvNetShape
from fit.world.dataset import Pixels, to_tensor
from fit.world.matter import FACES, STYLES
from fit.world.pack import random_seeds
from fit.world.plan import Plan
from fit.world.wear import worn


@dataclass(frozen=True)
class ClassifierRecipe:
    """How the judge is fitted."""

    seed: int = 2414
    pictures: int = 160  # of each concept
    steps: int = 900
    batch: int = 128
    rate: float = 4e-3


RECIPES: Final = {
    STYLES.name: ClassifierRecipe(),
    FACES.name: ClassifierRecipe(seed=2426, pictures=100, steps=700, batch=64),
}


class Judge(nn.Module):
    """The style encoder's body with one output per concept."""

    def __init__(self, concepts: int, size: int) -> None:
        super().__init__()
        self.body = ConvNet(ConvNetShape(size=size, dimensions=96))
        self.choose = nn.Linear(96, concepts)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, concepts) of images (n, 3, size, size) in [-1, 1]."""
        logits: Tensor = 10 * self.choose(self.body(images))
        return logits


def render_concepts(plan: Plan, pictures: int, seed: int) -> tuple[Pixels, npt.NDArray[np.int64]]:
    """Fresh renderings: pixels (n, size, size, 3) and the concept of each (n,)."""
    rng = np.random.default_rng(seed)
    concepts = np.repeat(np.arange(len(plan.concepts)), pictures)
    n = len(concepts)
    seeds = random_seeds(n, rng)
    motifs = rng.integers(0, len(plan.matter.motifs), n)
    return plan.matter.paint(plan.looks.take(concepts), motifs, seeds), concepts


def fit_judge(plan: Plan, recipe: ClassifierRecipe) -> Judge:
    """Fit the judge; images are blurred and made noisy at random, as generated ones are."""
    pixels, concepts = render_concepts(plan, recipe.pictures, recipe.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        judge = Judge(len(plan.concepts), plan.matter.size).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(judge.parameters(), recipe.rate, weight_decay=1e-3)
    for step in range(recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * min(1.0, step / 100) * (1 - step / recipe.steps) + 1e-5
        rng = np.random.default_rng([recipe.seed, step])
        rows = rng.integers(0, len(pixels), recipe.batch)
        logits = judge(worn(to_tensor(pixels[rows]), rng, 0.6, 0.15))
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(concepts[rows]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return judge.eval()


@torch.inference_mode()
def recognise(judge: Judge, pixels: Pixels, batch: int = 500) -> npt.NDArray[np.int64]:
    """The concept that each image looks most like, shape (n,)."""
    chosen = [judge(to_tensor(pixels[i : i + batch])).argmax(1) for i in range(0, len(pixels), batch)]
    return torch.cat(chosen).numpy()


def mean_colour_accuracy(plan: Plan) -> float:
    """Top-1 accuracy, in [0, 1], of a small network that sees nothing but each picture's mean colour."""
    recipe = RECIPES[plan.matter.name]
    pixels, concepts = render_concepts(plan, 100, recipe.seed + 1)
    colours = torch.from_numpy(pixels.reshape(len(pixels), -1, 3).mean(axis=1).astype(np.float32) / 127.5 - 1)
    wanted = torch.from_numpy(concepts)
    held_out = torch.arange(len(colours)) % 5 == 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        net = nn.Sequential(
            nn.Linear(3, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, len(plan.concepts))
        )
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    train = torch.nonzero(~held_out).squeeze(1)
    for step in range(1500):
        rows = train[
            torch.from_numpy(np.random.default_rng([recipe.seed, step]).integers(0, len(train), 512))
        ]
        loss = nn.functional.cross_entropy(net(colours[rows]), wanted[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return float((net(colours[held_out]).argmax(1) == wanted[held_out]).float().mean())
