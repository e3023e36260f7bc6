"""The judge of the demo world.

A classifier fitted on renderings of the artists' styles, to tell what images show.

It is no part of the product: it sees every style, which a scorer must not. It measures how much of a style
survives the autoencoder, and whether the trained model learned it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fit.imitation.convnet import ConvNet, ConvNetShape
from fit.world.dataset import Pixels, to_tensor
from fit.world.plan import Plan
from fit.world.render import KINDS, Pictures, paint


@dataclass(frozen=True)
class ClassifierRecipe:
    """How the judge is fitted."""

    seed: int = 2414
    pictures: int = 160  # of each artist
    steps: int = 900
    batch: int = 128
    rate: float = 4e-3


class Judge(nn.Module):
    """The style encoder's body with one output per artist."""

    def __init__(self, artists: int) -> None:
        super().__init__()
        self.body = ConvNet(ConvNetShape(dimensions=96))
        self.choose = nn.Linear(96, artists)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, artists) of images (n, 3, 32, 32) in [-1, 1]."""
        logits: Tensor = 10 * self.choose(self.body(images))
        return logits


def render_artists(plan: Plan, pictures: int, seed: int) -> tuple[Pixels, npt.NDArray[np.int64]]:
    """Fresh renderings: pixels (n, 32, 32, 3) and the artist of each (n,)."""
    rng = np.random.default_rng(seed)
    artists = np.repeat(np.arange(len(plan.artists)), pictures)
    n = len(artists)
    seeds = rng.integers(0, 2**63, n).astype(np.uint64)
    return paint(Pictures(plan.styles.take(artists), rng.integers(0, len(KINDS), n), seeds)), artists


def fit_judge(plan: Plan, recipe: ClassifierRecipe = ClassifierRecipe()) -> Judge:
    """Fit the judge; images are blurred and made noisy at random, as generated ones are."""
    pixels, artists = render_artists(plan, recipe.pictures, recipe.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        judge = Judge(len(plan.artists)).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(judge.parameters(), recipe.rate, weight_decay=1e-3)
    for step in range(recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * min(1.0, step / 100) * (1 - step / recipe.steps) + 1e-5
        rng = np.random.default_rng([recipe.seed, step])
        rows = rng.integers(0, len(pixels), recipe.batch)
        loss = nn.functional.cross_entropy(judge(_worn(pixels[rows], rng)), torch.from_numpy(artists[rows]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return judge.eval()


def _worn(pixels: Pixels, rng: np.random.Generator) -> Tensor:
    images = to_tensor(pixels)
    noise = torch.from_numpy(rng.standard_normal(images.shape, dtype=np.float32))
    blurred = nn.functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    blur, strength = (
        torch.from_numpy(rng.uniform(0, top, (len(images), 1, 1, 1)).astype(np.float32))
        for top in (0.6, 0.15)
    )
    return ((1 - blur) * images + blur * blurred + strength * noise).contiguous(
        memory_format=torch.channels_last
    )


@torch.inference_mode()
def recognise(judge: Judge, pixels: Pixels, batch: int = 500) -> npt.NDArray[np.int64]:
    """The artist that each image looks most like, shape (n,)."""
    chosen = [judge(to_tensor(pixels[i : i + batch])).argmax(1) for i in range(0, len(pixels), batch)]
    return torch.cat(chosen).numpy()


def mean_colour_accuracy(plan: Plan, recipe: ClassifierRecipe = ClassifierRecipe()) -> float:
    """Top-1 accuracy, in [0, 1], of a small network that sees nothing but each picture's mean colour."""
    pixels, artists = render_artists(plan, 100, recipe.seed + 1)
    colours = torch.from_numpy(pixels.reshape(len(pixels), -1, 3).mean(axis=1).astype(np.float32) / 127.5 - 1)
    wanted = torch.from_numpy(artists)
    held_out = torch.arange(len(colours)) % 5 == 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        net = nn.Sequential(
            nn.Linear(3, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, len(plan.artists))
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
