"""A model at work on one device: loaded once, asked for one part after another."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from concepts.errors import ModelError
from fit.generation.memory import fitting
from fit.generation.models import Model
from fit.generation.pipelines import choose_device, compile_denoiser, load_pipeline
from fit.generation.places import locate
from fit.generation.presets import Recipe
from fit.generation.requests import Request
from fit.generation.sampling import Sample, Sampler, out_of_memory
from fit.generation.untrained import untrained

MEASURING_STEPS = 2


@dataclass(frozen=True)
class Setup:
    """What an engine is made of; small, so that it can be sent to other machines.

    Attributes:
        model: The model's row.
        recipe: How it is loaded and sampled.
        device: Torch device, or ``auto``.
        seed: Of an untrained model's weights.
        batch_size: Images sampled together; 0: as many as fit into memory.
        pinned: The places that the weights come from, of the pipeline and of its prior; empty: the row's.
    """

    model: Model
    recipe: Recipe
    device: str = "auto"
    seed: int = 0
    batch_size: int = 0
    pinned: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sampled:
    """What came of the requests of a part.

    Attributes:
        samples: One for each request, in their order.
        batch_size: Images that were sampled together.
        device: Where.
    """

    samples: tuple[Sample, ...]
    batch_size: int
    device: str


class Engine:
    """Samples requests of a model, or of the same model untrained."""

    def __init__(self, setup: Setup, data: Path) -> None:
        """Load nothing yet.

        Args:
            setup: The model and how to sample it.
            data: The data folder of this machine.
        """
        self._setup = setup
        self._data = data
        self._size = setup.batch_size
        self._sampler: Sampler | None = None
        self._blank = False

    def sample(self, requests: Sequence[Request], blank: bool = False) -> Sampled:
        """Sample requests; where a batch does not fit into memory, all again in batches half as large.

        Args:
            requests: What is asked.
            blank: Ask the untrained model.

        Raises:
            ModelError: The model cannot be loaded, or not even one image fits into memory.
        """
        sampler = self._ready(blank, requests)
        while True:
            samples = self._attempt(sampler, requests)
            if samples is not None:
                return Sampled(samples, self._size, str(sampler.device))
            if self._size == 1:
                raise ModelError(
                    f"{self._setup.model.name}: not even one image fits into the memory of {sampler.device}; "
                    "take a device with more, or a row with smaller images"
                )
            self._size = min(self._size, len(requests)) // 2 or 1

    def _attempt(self, sampler: Sampler, requests: Sequence[Request]) -> tuple[Sample, ...] | None:
        """Return what came of the requests; None where the memory did not suffice."""
        try:
            return sampler.sample(requests, self._size)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
        # Only now, when the error is gone, can what it held on to be freed.
        _free()
        return None

    def _ready(self, blank: bool, requests: Sequence[Request]) -> Sampler:
        """Return the sampler of the wanted arm, loading what is not loaded."""
        if self._sampler is None:
            setup = self._setup
            located = locate(setup.model, self._data, setup.recipe.safety_checker, setup.pinned)
            device = choose_device(setup.device)
            pipeline = load_pipeline(setup.model, self._data, device, setup.recipe, located)
            self._sampler = Sampler(pipeline, setup.recipe.sampling)
            self._size = self._size or self._measured(self._sampler, requests)
            self._compiled()
        if blank and not self._blank:
            # The trained weights make room: parts of an untrained model come last.
            pipeline = untrained(self._sampler.pipeline, self._setup.seed)
            self._sampler = Sampler(pipeline, self._setup.recipe.sampling)
            self._blank = True
            self._compiled()
            _free()
        elif self._blank and not blank:
            self._sampler, self._blank = None, False
            return self._ready(blank, requests)
        return self._sampler

    def _compiled(self) -> None:
        sampler = self._sampler
        if self._setup.recipe.compile and sampler is not None and sampler.device.type == "cuda":
            compile_denoiser(sampler.pipeline)
            self._sampler = Sampler(sampler.pipeline, sampler.sampling, padded=True)

    def _measured(self, sampler: Sampler, requests: Sequence[Request]) -> int:
        few = Sampler(sampler.pipeline, replace(sampler.sampling, steps=MEASURING_STEPS))
        try:
            return fitting(lambda n: few.sample([requests[0]] * n, n), sampler.device)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
        _free()
        return 1


def _free() -> None:
    """Give back the memory that nothing holds on to any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
