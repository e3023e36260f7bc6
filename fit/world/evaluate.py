"""Did the demo model learn its world? The figures of the card.

Measured on fresh renderings and freshly sampled images.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from PIL import Image

from concepts.domain import load_domain
from fit.generation.models import Model
from fit.generation.pipelines import load_pipeline
from fit.generation.requests import Sampling, batches, requests_for
from fit.generation.sampling import sample_batch
from fit.world.autoencoder import reconstruct
from fit.world.classifier import Judge, fit_judge, mean_colour_accuracy, recognise, render_artists
from fit.world.dataset import Pixels
from fit.world.plan import Plan, planted_frequencies

SEED = 9101
FREQUENT = 300  # images from which on an artist must have been learned
BINS = ((0, 0), (1, 3), (4, 10), (11, 30), (31, 100), (101, 299), (300, 10_000))


@dataclass(frozen=True)
class Figures:
    """What was measured; shares in [0, 1].

    Attributes:
        mean_colour: Fresh renderings recognised by their mean colour alone.
        renderings: Fresh renderings recognised by the judge.
        reconstructions: The same after the autoencoder.
        frequent: Generated images of artists with 300 or more training images that are recognised, top-1
            among all artists.
        without: The same of artists without training images.
        by_bin: (lowest, highest frequency, artists, share recognised).
        images: Generated images that were judged.
    """

    mean_colour: float
    renderings: float
    reconstructions: float
    frequent: float
    without: float
    by_bin: tuple[tuple[int, int, int, float], ...]
    images: int


def evaluate(plan: Plan, model: Model, folder: Path, images_per_prompt: int = 2) -> Figures:
    """Measure all figures of the model saved in `folder`."""
    judge = fit_judge(plan)
    pixels, artists = render_artists(plan, 20, SEED)
    autoencoder = AutoencoderTiny.from_pretrained(folder / "vae", dtype=torch.float32).eval()
    generated, wanted = _generate(plan, model, folder, images_per_prompt)
    right = recognise(judge, generated) == wanted
    frequency = planted_frequencies(plan)[wanted]
    by_bin = tuple(
        (low, high, len(np.unique(wanted[inside])), float(right[inside].mean()))
        for low, high in BINS
        if (inside := (frequency >= low) & (frequency <= high)).any()
    )
    return Figures(
        mean_colour=mean_colour_accuracy(plan),
        renderings=_share(judge, pixels, artists),
        reconstructions=_share(judge, reconstruct(autoencoder, pixels), artists),
        frequent=float(right[frequency >= FREQUENT].mean()),
        without=float(right[frequency == 0].mean()),
        by_bin=by_bin,
        images=len(right),
    )


def _share(judge: Judge, pixels: Pixels, artists: np.ndarray) -> float:
    return float((recognise(judge, pixels) == artists).mean())


def _generate(plan: Plan, model: Model, folder: Path, images: int) -> tuple[Pixels, np.ndarray]:
    """Sample every artist under every prompt, with seeds that no run uses."""
    domain = load_domain("art-styles")
    names = [artist.name.name for artist in plan.concepts]
    requests = [r for name in names for r in requests_for(name, domain.prompts_for(name), images, SEED)]
    here = Model(model.name, model.title, (str(folder.absolute()),), model.source, model.licence)
    pipeline = load_pipeline(here, folder, torch.device("cpu"))
    sampling = Sampling(model.steps, model.guidance, model.width, model.height)
    samples = [
        s for batch in batches(requests, model.batch_size) for s in sample_batch(pipeline, batch, sampling)
    ]
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(s.image or b""))) for s in samples])
    place = {name: i for i, name in enumerate(names)}
    return pixels, np.array([place[s.request.concept] for s in samples])
