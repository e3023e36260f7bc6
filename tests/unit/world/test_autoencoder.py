"""The autoencoder starts at the principal components and learns from there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny

from fit.world.autoencoder import (
    LATENTS,
    STYLE_SHAPE,
    AutoencoderRecipe,
    _loss,
    encode,
    new_autoencoder,
    reconstruct,
    train_autoencoder,
)
from fit.world.checkpoints import Checkpoints
from fit.world.dataset import Pixels
from fit.world.render import paint
from tests.unit.world.interrupted import Killed, KilledAfterTwo, same_weights
from tests.unit.world.small import pictures, quiet

RECIPE = AutoencoderRecipe(steps=4, batch=4)


@pytest.fixture(scope="module")
def pixels() -> Pixels:
    return paint(pictures(60))


def small_autoencoder(pixels: Pixels) -> AutoencoderTiny:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return new_autoencoder(pixels, replace(STYLE_SHAPE, width=8))


def test_the_start_is_the_projection_on_principal_components(pixels: Pixels) -> None:
    # Patches of 4 x 4 pixels in the order of the picture, by plain indexing.
    patches = np.stack(
        [
            picture[4 * r : 4 * r + 4, 4 * c : 4 * c + 4].ravel()
            for picture in pixels
            for r in range(8)
            for c in range(8)
        ]
    ).astype(float)
    centred = patches / 255 - (patches / 255).mean(axis=0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    variance = singular[:LATENTS] ** 2 / (len(patches) - 1)
    # Half way to equal variance: standard deviations go with the fourth root, and their mean is 1.
    scale = variance**0.25 / np.mean(variance**0.25) / np.sqrt(variance)
    expected = centred @ directions[:LATENTS].T * scale
    found = encode(small_autoencoder(pixels), pixels, batch=7)
    assert found.shape == (60, LATENTS, 8, 8)
    flat = found.permute(0, 2, 3, 1).reshape(-1, LATENTS).numpy()
    sign = np.sign((flat * expected).sum(axis=0))  # a direction and its opposite are equally principal
    assert np.abs(flat - sign * expected).max() < 2e-3
    assert flat.std(axis=0).mean() == pytest.approx(1, abs=1e-3)


def test_a_few_steps_lower_the_loss(pixels: Pixels, tmp_path: Path) -> None:
    model = small_autoencoder(pixels)
    recipe = AutoencoderRecipe(steps=30, batch=8, rate=2e-2)

    def loss() -> float:
        with torch.no_grad():
            return float(np.mean([float(_loss(model, pixels, recipe, step)) for step in (1000, 1001)]))

    before = loss()
    train_autoencoder(model, pixels, recipe, Checkpoints(tmp_path / "a.pt"), quiet)
    assert loss() < 0.9 * before


def test_a_killed_training_comes_to_the_same_weights(pixels: Pixels, tmp_path: Path) -> None:
    whole, killed, resumed = (small_autoencoder(pixels) for _ in range(3))
    start = small_autoencoder(pixels)
    train_autoencoder(whole, pixels, RECIPE, Checkpoints(tmp_path / "whole.pt"), quiet)
    with pytest.raises(Killed):
        train_autoencoder(killed, pixels, RECIPE, KilledAfterTwo(tmp_path / "a.pt"), quiet)
    train_autoencoder(resumed, pixels, RECIPE, Checkpoints(tmp_path / "a.pt"), quiet)
    assert same_weights(resumed, whole)
    assert not same_weights(whole, start)


def test_pictures_come_back_as_pictures(pixels: Pixels) -> None:
    again = reconstruct(small_autoencoder(pixels), pixels, batch=25)
    assert again.shape == pixels.shape
    assert again.dtype == np.uint8
