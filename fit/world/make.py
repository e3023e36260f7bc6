"""The recipe of the demo world, from the plan to the card. Each step is skipped when its result is there."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderTiny

from fit.generation.models import load_model
from fit.imitation.convnet import ConvNetShape
from fit.imitation.style import save_encoder
from fit.world.autoencoder import LATENTS, AutoencoderRecipe, encode, new_autoencoder, train_autoencoder
from fit.world.card import write_card
from fit.world.checkpoints import Checkpoints
from fit.world.dataset import TrainingSet, read_training_set
from fit.world.diffusion import (
    DiffusionRecipe,
    keep_tokenizer,
    new_denoiser,
    prepare,
    save_pipeline,
    train_denoiser,
)
from fit.world.evaluate import evaluate
from fit.world.lists import write_list
from fit.world.pack import pack
from fit.world.plan import Plan, draw_plan
from fit.world.sources import write_sources
from fit.world.style_encoder import EncoderRecipe, paint_other_styles, train_encoder
from fit.world.training import Log

NETWORKS = ("style encoder", "autoencoder", "denoiser")


@dataclass(frozen=True)
class Places:
    """Where things go.

    Attributes:
        out: The finished world.
        lists: The list of artists.
        work: Checkpoints and logs.
    """

    out: Path
    lists: Path
    work: Path


def make_world(places: Places, device: torch.device, logger: Callable[[str], Log]) -> None:
    """Make what is not there yet.

    Args:
        places: Where things go.
        device: Where the denoiser is trained; everything else is small enough for the CPU.
        logger: Gives the log of a network by its name.
    """
    plan = draw_plan()
    if not (places.out / "truth" / "artists.parquet").exists():
        pack(plan, places.out)
    write_list(plan, places.lists)
    # Weights are written after their configuration: only they tell that a network is whole.
    if not (places.out / "style-encoder" / "model.safetensors").exists():
        _make_encoder(plan, places, logger(NETWORKS[0]))
    if not (places.out / "model" / "model_index.json").exists():
        data = read_training_set(places.out)
        autoencoder = _make_autoencoder(data, places, logger(NETWORKS[1]))
        _make_model(data, autoencoder, places, (device, logger(NETWORKS[2])))
    figures = evaluate(plan, load_model("demo"), places.out / "model")
    write_card(
        plan, figures, {name: _read_log(places.work / f"{name}.jsonl") for name in NETWORKS}, places.out
    )
    write_sources(places.out)


def _make_encoder(plan: Plan, places: Places, log: Log) -> None:
    recipe = EncoderRecipe()
    network = train_encoder(
        paint_other_styles(plan, recipe), recipe, Checkpoints(places.work / "style-encoder.pt"), log
    )
    save_encoder(network, ConvNetShape(), places.out / "style-encoder")


def _make_autoencoder(data: TrainingSet, places: Places, log: Log) -> AutoencoderTiny:
    """Train the autoencoder, or load the trained one; its latents have unit variance once scaled."""
    done = places.work / "vae"
    if not (done / "diffusion_pytorch_model.safetensors").exists():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(AutoencoderRecipe().start)
            model = new_autoencoder(data.pixels)
        train_autoencoder(
            model, data.pixels, AutoencoderRecipe(), Checkpoints(places.work / "autoencoder.pt"), log
        )
        model.register_to_config(scaling_factor=float(1 / encode(model, data.pixels[:4000]).std()))
        model.save_pretrained(done)
    return AutoencoderTiny.from_pretrained(done).eval().to(memory_format=torch.channels_last)


def _make_model(
    data: TrainingSet, autoencoder: AutoencoderTiny, places: Places, how: tuple[torch.device, Log]
) -> None:
    device, log = how
    recipe = DiffusionRecipe()
    latents = encode(autoencoder, data.pixels) * autoencoder.config.scaling_factor
    tokenizer = keep_tokenizer(data.captions, places.work / "tokenizer")
    model = new_denoiser(len(tokenizer), LATENTS, latents.shape[-1], recipe.seed).to(device)
    train_denoiser(
        model, prepare(data, latents, tokenizer), recipe, Checkpoints(places.work / "denoiser.pt"), log
    )
    save_pipeline(model.cpu(), tokenizer, autoencoder, places.out / "model")


def _read_log(path: Path) -> list[tuple[int, float]]:
    """The (step, loss) points of a log; of steps that were repeated after an interruption the last counts."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    points = {int(row["step"]): float(row["loss"]) for row in map(json.loads, lines)}
    return sorted(points.items())
