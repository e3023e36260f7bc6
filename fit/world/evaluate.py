"""Did the demo model learn its world? The figures of the card.

Measured on fresh renderings and freshly sampled images.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from diffusers import AutoencoderTiny
from PIL import Image

from concepts.domain import load_domain
from fit.generation.models import Model
from fit.generation.pipelines import load_pipeline
from fit.generation.requests import Sampling, batches, requests_for
from fit.generation.sampling import Sample, sample_batch
from fit.world.autoencoder import reconstruct
from fit.world.classifier import (
    RECIPES,
    Judge,
    fit_judge,
    mean_colour_accuracy,
    recognise,
    render_concepts,
)
from fit.world.dataset import Pixels
from fit.world.plan import Plan, planted_frequencies

SEED = 9101
FREQUENT = 300  # images from which on a concept must have been learned
BINS = ((0, 0), (1, 3), (4, 10), (11, 30), (31, 100), (101, 299), (300, 10_000))


@dataclass(frozen=True)
class Figures:
    """What was measured; shares in [0, 1].

    Attributes:
        mean_colour: Fresh renderings recognised by their mean colour alone.
        renderings: Fresh renderings recognised by the judge.
        reconstructions: The same after the autoencoder.
        frequent: Generated images of concepts with 300 or more training images that are recognised, top-1
            among all concepts.
        without: The same of concepts without training images.
        by_bin: (lowest, highest frequency, concepts, share recognised).
        images: Generated images that were judged.
    """

    mean_colour: float
    renderings: float
    reconstructions: float
    frequent: float
    without: float
    by_bin: tuple[tuple[int, int, int, float], ...]
    images: int


@dataclass(frozen=True)
class Generated:
    """Images sampled from the model, and whom they were to show.

    Attributes:
        samples: n samples, all with an image.
        wanted: shape (n,), index of the concept.
        frequency: shape (n,), training images of that concept.
    """

    samples: tuple[Sample, ...]
    wanted: npt.NDArray[np.int64]
    frequency: npt.NDArray[np.int64]

    @property
    def files(self) -> list[bytes]:
        """The images as PNG."""
        return [sample.image or b"" for sample in self.samples]

    @property
    def pixels(self) -> Pixels:
        """The images, shape (n, size, size, 3)."""
        return np.stack([np.asarray(Image.open(io.BytesIO(data))) for data in self.files])


def evaluate(plan: Plan, generated: Generated, folder: Path) -> Figures:
    """Measure all figures of the model saved in `folder`, which `generated` was sampled from."""
    judge = fit_judge(plan, RECIPES[plan.matter.name])
    pixels, concepts = render_concepts(plan, 20, SEED)
    autoencoder = AutoencoderTiny.from_pretrained(folder / "vae", dtype=torch.float32).eval()
    right = recognise(judge, generated.pixels) == generated.wanted
    return Figures(
        mean_colour=mean_colour_accuracy(plan),
        renderings=_share(judge, pixels, concepts),
        reconstructions=_share(judge, reconstruct(autoencoder, pixels), concepts),
        frequent=float(right[generated.frequency >= FREQUENT].mean()),
        without=float(right[generated.frequency == 0].mean()),
        by_bin=_by_bin(generated, right),
        images=len(right),
    )


def _by_bin(generated: Generated, right: npt.NDArray[np.bool_]) -> tuple[tuple[int, int, int, float], ...]:
    return tuple(
        (low, high, len(np.unique(generated.wanted[inside])), float(right[inside].mean()))
        for low, high in BINS
        if (inside := (generated.frequency >= low) & (generated.frequency <= high)).any()
    )


def _share(judge: Judge, pixels: Pixels, concepts: npt.NDArray[np.int64]) -> float:
    return float((recognise(judge, pixels) == concepts).mean())


def generate(plan: Plan, model: Model, folder: Path, images_per_prompt: int = 2) -> Generated:
    """Sample every concept under every prompt, with seeds that no run uses."""
    domain = load_domain(plan.matter.domain)
    names = [concept.name.name for concept in plan.concepts]
    requests = [r for n in names for r in requests_for(n, domain.prompts_for(n), images_per_prompt, SEED)]
    pipeline = load_pipeline(_saved_in(folder, model), folder, torch.device("cpu"))
    sampling = Sampling(model.steps, model.guidance, model.width, model.height)
    samples = [
        s for batch in batches(requests, model.batch_size) for s in sample_batch(pipeline, batch, sampling)
    ]
    wanted = _places(names, samples)
    return Generated(tuple(samples), wanted, planted_frequencies(plan)[wanted])


def _saved_in(folder: Path, model: Model) -> Model:
    return Model(model.name, model.title, (str(folder.absolute()),), model.source, model.licence)


def _places(names: Sequence[str], samples: Sequence[Sample]) -> npt.NDArray[np.int64]:
    place = {name: i for i, name in enumerate(names)}
    return np.array([place[sample.request.concept] for sample in samples])
