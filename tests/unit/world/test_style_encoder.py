"""The style encoder learns on styles of no artist, and the judge on those of all."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fit.imitation.convnet import ConvNetShape
from fit.imitation.style import StyleEncoder, save_encoder
from fit.world.checkpoints import Checkpoints
from fit.world.classifier import ClassifierRecipe, fit_judge, recognise, render_concepts
from fit.world.dataset import Pixels, to_tensor
from fit.world.plan import Plan, draw_plan
from fit.world.style_encoder import EncoderRecipe, contrast, paint_other_styles, train_encoder
from tests.unit.world.interrupted import Killed, KilledAfterTwo, same_weights
from tests.unit.world.small import SMALL, quiet

RECIPE = EncoderRecipe(styles=16, pictures=4, steps=4, batch=6)


@pytest.fixture(scope="module")
def pixels(small_plan: Plan) -> Pixels:
    return paint_other_styles(small_plan, RECIPE)


def test_pictures_of_one_style_differ(pixels: Pixels) -> None:
    assert pixels.shape == (16, 4, 32, 32, 3)
    assert len(np.unique(pixels.reshape(64, -1), axis=0)) == 64


def test_the_loss_is_the_cross_entropy_of_finding_the_partner() -> None:
    # Two styles, partners equal, strangers at right angles, temperature 1: each picture finds its partner
    # (cosine 1) among three others with chance e / (e + 1 + 1).
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    e = float(np.e)
    assert float(contrast(vectors, 1.0)) == pytest.approx(-np.log(e / (e + 2)), abs=1e-5)


def test_a_killed_training_comes_to_the_same_weights(pixels: Pixels, tmp_path: Path) -> None:
    whole = train_encoder(pixels, RECIPE, Checkpoints(tmp_path / "whole.pt"), quiet)
    with pytest.raises(Killed):
        train_encoder(pixels, RECIPE, KilledAfterTwo(tmp_path / "e.pt"), quiet)
    resumed = train_encoder(pixels, RECIPE, Checkpoints(tmp_path / "e.pt"), quiet)
    assert same_weights(resumed, whole)
    fewer = train_encoder(pixels, replace(RECIPE, steps=2), Checkpoints(tmp_path / "few.pt"), quiet)
    assert not same_weights(fewer, whole)


def test_the_saved_encoder_gives_the_networks_vectors(pixels: Pixels, tmp_path: Path) -> None:
    network = train_encoder(pixels, RECIPE, Checkpoints(tmp_path / "e.pt"), quiet)
    save_encoder(network, ConvNetShape(), tmp_path / "encoder")
    buffer = io.BytesIO()
    Image.fromarray(pixels[0, 0]).save(buffer, "PNG")
    found = StyleEncoder(tmp_path / "encoder").embed([buffer.getvalue(), b"no image"])
    with torch.no_grad():
        expected = network(to_tensor(pixels[0, :1])).numpy()
    assert found.vectors == pytest.approx(expected, abs=5e-3)  # weights are kept as float16
    assert float(np.linalg.norm(found.vectors[0])) == pytest.approx(1, abs=1e-5)
    assert [each.index for each in found.unreadable] == [1]


def test_the_judge_tells_a_few_artists_apart() -> None:
    plan = draw_plan(replace(SMALL, concepts=4, without=1))
    judge = fit_judge(plan, ClassifierRecipe(pictures=40, steps=40, batch=16, rate=2e-2))
    pixels, artists = render_concepts(plan, 20, seed=99)
    assert list(np.bincount(artists)) == [20] * 4
    assert (recognise(judge, pixels, batch=30) == artists).mean() > 0.6  # by chance 0.25
