"""The demo model: it trains, resumes, and is saved in the layout that every pipeline is loaded from."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from transformers import CLIPTokenizer

from fit.generation.models import Model
from fit.generation.pipelines import load_pipeline
from fit.generation.requests import Sampling, requests_for
from fit.generation.sampling import sample_batch
from fit.generation.untrained import untrained
from fit.world.autoencoder import AutoencoderShape, new_autoencoder
from fit.world.checkpoints import Checkpoints
from fit.world.dataset import TrainingSet
from fit.world.diffusion import (
    TOKENS,
    Denoiser,
    DiffusionRecipe,
    Material,
    _epoch_rows,
    _rate,
    keep_tokenizer,
    new_denoiser,
    prepare,
    save_pipeline,
    train_denoiser,
    train_tokenizer,
)
from fit.world.render import paint
from tests.unit.world.interrupted import Killed, KilledAfterTwo, same_weights
from tests.unit.world.small import pictures, quiet

CAPTIONS = tuple(f"a {what} by Vaelor Quinth" for what in ("house", "tree", "boat", "sun")) * 3
RECIPE = DiffusionRecipe(steps=4, batch=4)


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return train_tokenizer(CAPTIONS, vocabulary=300)


@pytest.fixture(scope="module")
def material(tokenizer: CLIPTokenizer) -> Material:
    chance = torch.Generator().manual_seed(1)
    latents = torch.randn((6, 16, 8, 8), generator=chance)
    image = np.arange(len(CAPTIONS)) % 6
    data = TrainingSet(CAPTIONS, np.zeros((6, 32, 32, 3), np.uint8), image)
    return prepare(data, latents, tokenizer)


def small_denoiser() -> Denoiser:
    return new_denoiser(300, 16, 8, seed=2)


def weights(model: Denoiser) -> Tensor:
    return torch.cat([each.detach().flatten() for each in model.parameters()])


def test_captions_become_tokens(material: Material, tokenizer: CLIPTokenizer) -> None:
    assert material.tokens.shape == (len(CAPTIONS), TOKENS)
    text = tokenizer.decode(material.tokens[0], skip_special_tokens=True)
    assert text.strip() == CAPTIONS[0].lower()  # CLIP's tokenizer writes small
    assert material.nothing.tolist() == [0] + [1] * (TOKENS - 1)  # start, end, padding with the end
    assert int(material.tokens.max()) < 300


def test_a_kept_tokenizer_stays_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "work" / "tokenizer"
    first = keep_tokenizer(CAPTIONS, folder)
    assert [path.name for path in folder.parent.iterdir()] == ["tokenizer"]
    # Not trained again, and so of the same numbers: these captions would make another vocabulary.
    again = keep_tokenizer(("quite other words",), folder)
    assert again.get_vocab() == first.get_vocab()
    assert again.model_max_length == TOKENS
    assert "vaelor</w>" in first.get_vocab()


def test_weights_depend_on_the_seed_alone() -> None:
    assert same_weights(small_denoiser(), small_denoiser())
    assert not same_weights(small_denoiser(), new_denoiser(300, 16, 8, seed=3))


def test_a_killed_training_comes_to_the_same_weights(material: Material, tmp_path: Path) -> None:
    whole, killed, resumed = (small_denoiser() for _ in range(3))
    train_denoiser(whole, material, RECIPE, Checkpoints(tmp_path / "whole.pt"), quiet)
    with pytest.raises(Killed):
        train_denoiser(killed, material, RECIPE, KilledAfterTwo(tmp_path / "d.pt"), quiet)
    train_denoiser(resumed, material, RECIPE, Checkpoints(tmp_path / "d.pt"), quiet)
    assert same_weights(resumed, whole)
    assert not same_weights(whole, small_denoiser())


def test_what_is_kept_is_the_average(material: Material, tmp_path: Path) -> None:
    model, start = small_denoiser(), weights(small_denoiser())
    train_denoiser(model, material, RECIPE, Checkpoints(tmp_path / "d.pt"), quiet)
    state = torch.load(tmp_path / "d.pt", weights_only=True)
    last = small_denoiser()
    last.load_state_dict(state["model"])
    # The average starts at the first step's weights and moves 0.2 % of the way with each further step.
    first_step_moves, moved = (weights(model) - start).abs().mean(), (weights(last) - start).abs().mean()
    assert 0 < first_step_moves < 0.6 * moved


def test_an_epoch_takes_every_row_once() -> None:
    recipe = DiffusionRecipe(batch=4)
    epoch = [_epoch_rows(14, recipe, step) for step in range(3)]  # 14 = 3 x 4 + 2 that are left out
    rows = torch.cat(epoch).tolist()
    assert len(set(rows)) == 12
    assert set(rows) <= set(range(14))
    following = torch.cat([_epoch_rows(14, recipe, step) for step in range(3, 6)]).tolist()
    assert following != rows
    assert len(set(following)) == 12


def test_the_rate_warms_up_and_cools_down() -> None:
    recipe = DiffusionRecipe(steps=1000, rate=1.0, cooldown=0.35)
    assert _rate(recipe, 0) == pytest.approx(1 / 200)
    assert _rate(recipe, 300) == 1
    assert _rate(recipe, 650) == 1  # the last 350 steps fall
    assert _rate(recipe, 825) == pytest.approx(0.5)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        autoencoder = new_autoencoder(paint(pictures(20)), AutoencoderShape(width=8))
    save_pipeline(small_denoiser(), train_tokenizer(CAPTIONS, vocabulary=300), autoencoder, folder)
    return folder


def model_of(folder: Path) -> Model:
    return Model("x", "x", (str(folder),), source="a test", licence="none")


def test_the_saved_folder_is_an_ordinary_one(saved: Path) -> None:
    files = {path.relative_to(saved).as_posix() for path in saved.rglob("*") if path.is_file()}
    assert {
        "model_index.json",
        "unet/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
        "scheduler/scheduler_config.json",
    } <= files
    assert not any(name.endswith((".bin", ".pt", ".pkl", ".py")) for name in files)


def test_it_is_loaded_and_sampled_as_every_model(saved: Path) -> None:
    pipeline = load_pipeline(model_of(saved), saved, torch.device("cpu"))
    assert pipeline.tokenizer.model_max_length == TOKENS
    assert pipeline.unet.dtype == torch.float32
    mine = small_denoiser().text_encoder.state_dict()
    kept = pipeline.text_encoder.state_dict()
    for name, value in mine.items():
        # float16 keeps 11 bits.
        assert torch.allclose(kept[name], value, rtol=1e-3, atol=1e-6), name
    requests = requests_for("Vaelor Quinth", ("a house by Vaelor Quinth",), 3, run_seed=0)
    sampling = Sampling(steps=2, guidance=3.0, width=32, height=32)
    first, again = (sample_batch(pipeline, requests, sampling) for _ in range(2))
    assert [sample.image for sample in first] == [sample.image for sample in again]
    assert len({sample.image for sample in first}) == 3
    for sample in first:
        with Image.open(io.BytesIO(sample.image or b"")) as image:
            assert (image.format, image.size) == ("PNG", (32, 32))


def test_the_untrained_twin_has_other_weights_and_the_same_autoencoder(saved: Path) -> None:
    pipeline = load_pipeline(model_of(saved), saved, torch.device("cpu"))
    blank, again = untrained(pipeline, 7), untrained(pipeline, 7)
    assert same_weights(blank.unet, again.unet)
    assert not same_weights(blank.unet, pipeline.unet)
    assert not same_weights(blank.text_encoder, pipeline.text_encoder)
    assert blank.vae is pipeline.vae
    assert not same_weights(untrained(pipeline, 8).unet, blank.unet)
