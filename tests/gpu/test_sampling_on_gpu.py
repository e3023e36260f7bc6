"""Sampling where there is a GPU: streams, half precision, compiling, memory that runs out for real."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from fit.generation.engine import Engine, Setup
from fit.generation.models import Model
from fit.generation.presets import Recipe
from fit.generation.quiet import quiet
from fit.generation.requests import Sampling, requests_for
from fit.generation.sampling import Sample
from tests.unit.generation import families
from tests.unit.generation.tiny import SIDE

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]
REQUESTS = requests_for("bako", ("a painting in the style of bako", "a sketch by dulo"), 8, run_seed=1)


def engine(name: str, home: Path, **changes: object) -> Engine:
    with quiet():
        folder = families.save(name, home / name)
    row = Model(name, name, (str(folder),), "a test", "none")
    recipe = Recipe(Sampling(4, 3.0, SIDE, SIDE), dtype="float32")
    setup = Setup(row, recipe, device="cuda", batch_size=4)
    recipe_changes = {key: changes.pop(key) for key in ("dtype", "compile") if key in changes}
    return Engine(replace(setup, recipe=replace(recipe, **recipe_changes), **changes), home)  # type: ignore[arg-type]


def pixels(samples: tuple[Sample, ...]) -> npt.NDArray[np.int64]:
    images = [np.asarray(Image.open(io.BytesIO(sample.image or b""))) for sample in samples]
    return np.stack(images).astype(np.int64)


@pytest.mark.parametrize("name", ["sd1", "sd2", "sdxl", "sd3", "flux"])
def test_images_are_those_of_the_cpu(name: str, tmp_path: Path) -> None:
    on_gpu = pixels(engine(name, tmp_path).sample(REQUESTS).samples)
    on_cpu = pixels(engine(name, tmp_path, device="cpu").sample(REQUESTS).samples)
    assert np.abs(on_gpu - on_cpu).mean() < 2
    again = engine(name, tmp_path).sample(REQUESTS)
    assert (pixels(again.samples) == on_gpu).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_near(dtype: str, tmp_path: Path) -> None:
    exact = pixels(engine("sd1", tmp_path).sample(REQUESTS).samples)
    near = pixels(engine("sd1", tmp_path, dtype=dtype).sample(REQUESTS).samples)
    assert np.abs(near - exact).mean() < 12


def test_a_compiled_denoiser_draws_the_same(tmp_path: Path) -> None:
    plain = pixels(engine("sd1", tmp_path).sample(REQUESTS[:6]).samples)
    compiled = pixels(engine("sd1", tmp_path, compile=True).sample(REQUESTS[:6]).samples)
    assert np.abs(plain - compiled).mean() < 2


def test_the_batch_is_as_large_as_memory_allows(tmp_path: Path) -> None:
    found = engine("sd1", tmp_path, batch_size=0).sample(REQUESTS)
    assert found.batch_size & (found.batch_size - 1) == 0
    assert found.batch_size > 1


def test_memory_that_runs_out_halves_the_batch(tmp_path: Path) -> None:
    total = torch.cuda.get_device_properties(0).total_memory
    large = Sampling(2, 3.0, 1024, 1024)
    big = engine("sd1", tmp_path, batch_size=16)
    big._setup = replace(big._setup, recipe=replace(big._setup.recipe, sampling=large))
    torch.cuda.set_per_process_memory_fraction(min(1.0, 3e9 / total))
    try:
        found = big.sample(REQUESTS)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()
    assert found.batch_size < 16
    assert all(sample.image for sample in found.samples)
