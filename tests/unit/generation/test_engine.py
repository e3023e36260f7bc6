"""A model at work: batches that memory decides, one arm after the other, loaded once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from concepts.errors import ModelError
from fit.generation import engine as module
from fit.generation import memory
from fit.generation.engine import Engine, Setup
from fit.generation.memory import fitting, size_for
from fit.generation.models import load_model
from fit.generation.presets import Recipe
from fit.generation.requests import Sampling, requests_for
from tests.unit.generation.tiny import SIDE

RECIPE = Recipe(Sampling(steps=2, guidance=3.0, width=SIDE, height=SIDE), dtype="float16")
REQUESTS = requests_for("bako", ("a painting in the style of bako", "a sketch by bako"), 4, run_seed=1)
GIB = 1 << 30


@pytest.fixture
def setup(folder: Path) -> Setup:
    return Setup(load_model(str(folder)), RECIPE, device="cpu", seed=7)


def out_of_memory_above(images: int, error: Exception) -> Callable[[Any], None]:
    """A memory that holds so many images: the denoiser sees each twice, with and without its prompt."""

    def limit(pipeline: Any) -> None:
        forward = pipeline.unet.forward

        def limited(sample: torch.Tensor, *args: Any, **more: Any) -> Any:
            if len(sample) > 2 * images:
                raise error
            return forward(sample, *args, **more)

        pipeline.unet.forward = limited

    return limit


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Exception], list[int]]:
    """Let every pipeline that is loaded run out of memory; returns how often one was loaded."""

    def apply(images: int, error: Exception) -> list[int]:
        loads: list[int] = []
        load = module.load_pipeline

        def loaded(*args: Any) -> Any:
            pipeline = load(*args)
            loads.append(1)
            out_of_memory_above(images, error)(pipeline)
            return pipeline

        monkeypatch.setattr(module, "load_pipeline", loaded)
        return loads

    return apply


ERRORS = {
    "a GPU": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.\nMore"),
    "a CPU": RuntimeError(
        "[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you"
    ),
    "Python": MemoryError(),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS.keys())
def test_a_batch_that_does_not_fit_is_halved_and_done_again(
    setup: Setup, folder: Path, limited: Callable[..., list[int]], error: Exception
) -> None:
    small = Engine(replace(setup, batch_size=2), folder).sample(REQUESTS)
    loads = limited(3, error)
    engine = Engine(replace(setup, batch_size=64), folder)
    found = engine.sample(REQUESTS)
    # 8 requests in a batch do not fit, 4 neither, 2 do; then all are those of batches of 2, bit for bit.
    assert found.batch_size == 2
    assert found.samples == small.samples
    assert engine.sample(REQUESTS[:3]).batch_size == 2
    assert len(loads) == 1


def test_memory_for_not_even_one_image_is_one_line(
    setup: Setup, folder: Path, limited: Callable[..., list[int]]
) -> None:
    limited(0, ERRORS["a GPU"])
    with pytest.raises(ModelError, match=r"not even one image fits into the memory of cpu; take a") as caught:
        Engine(replace(setup, batch_size=4), folder).sample(REQUESTS)
    assert caught.value.exit_code == 14
    with pytest.raises(ModelError, match="not even one image fits"):
        Engine(setup, folder).sample(REQUESTS)  # already when it is measured


def test_other_errors_are_not_taken_for_it(
    setup: Setup, folder: Path, limited: Callable[..., list[int]]
) -> None:
    limited(1, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        Engine(replace(setup, batch_size=4), folder).sample(REQUESTS)


def test_the_untrained_model_takes_the_place_of_the_trained_one(setup: Setup, folder: Path) -> None:
    engine = Engine(replace(setup, batch_size=4), folder)
    trained, blank = engine.sample(REQUESTS), engine.sample(REQUESTS, blank=True)
    assert all(a.image != b.image for a, b in zip(trained.samples, blank.samples, strict=True))
    assert engine.sample(REQUESTS, blank=True) == blank
    assert engine.sample(REQUESTS) == trained  # loaded again
    other = Engine(replace(setup, batch_size=4, seed=8), folder).sample(REQUESTS, blank=True)
    assert other.samples != blank.samples


@pytest.mark.parametrize(
    ("room", "each", "most", "size"),
    [
        (0, 1, 8, 1),  # nothing left beside the first image
        (1, 1, 8, 2),
        (6, 1, 8, 4),  # 3 further images fit; 7 for a batch of 8 do not
        (7, 1, 8, 8),
        (10**12, 1, 128, 128),
        (70 * GIB, 2.5 * GIB, 128, 16),  # 28 further images
        (5, 0, 16, 4),  # images that seem to need nothing count one byte
        (-5, 1, 8, 1),
    ],
)
def test_sizes_are_powers_of_two_that_fit(room: float, each: float, most: int, size: int) -> None:
    assert size_for(room, each, most) == size


def test_a_gpus_memory_is_measured_on_one_and_two_images(monkeypatch: pytest.MonkeyPatch) -> None:
    now = {"peak": 0}
    for name in ("synchronize", "reset_peak_memory_stats"):
        monkeypatch.setattr(torch.cuda, name, lambda _: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: now["peak"])
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 6 * GIB)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (74 * GIB, 80 * GIB))

    def sample(images: int) -> None:
        now["peak"] = 4 * GIB + images * 3 * GIB  # weights, and 3 GiB an image

    # 85 % of 80 GiB are 68; 7 are taken by the weights and the first image, so 20 further images fit: 16.
    assert fitting(sample, torch.device("cuda")) == 16


def test_a_cpus_memory_is_measured_on_one_image(monkeypatch: pytest.MonkeyPatch) -> None:
    resident = iter([2 * GIB, 5 * GIB])
    monkeypatch.setattr(memory, "_resident", lambda: next(resident))
    monkeypatch.setattr(memory, "_available", lambda: 20 * GIB)
    # Half of 20 GiB; 3 GiB an image: 3 further ones.
    assert fitting(lambda _: None, torch.device("cpu")) == 4


def test_what_the_machine_tells_of_its_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert memory._resident() > 50 << 20
    told = tmp_path / "meminfo"
    told.write_text("MemTotal: 8 kB\nMemAvailable:       4 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", told)
    assert memory._available() == 4096
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "none")
    assert memory._available() == 4 * GIB
