"""The recipe of a demo world, from the plan to the card. Each step is skipped when its result is there."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from diffusers import AutoencoderTiny

from fit.generation.models import load_model
from fit.world.autoencoder import (
    FACE_SHAPE,
    STYLE_SHAPE,
    AutoencoderRecipe,
    AutoencoderShape,
    encode,
    new_autoencoder,
    train_autoencoder,
)
from fit.world.card import Training, write_card
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
from fit.world.evaluate import evaluate, generate
from fit.world.evaluate_faces import evaluate_pack
from fit.world.lists import write_list
from fit.world.make_scorers import SCORERS
from fit.world.matter import FACES, STYLES
from fit.world.pack import pack
from fit.world.plan import RECIPES, Plan, draw_plan
from fit.world.sources import write_sources
from fit.world.training import Log


@dataclass(frozen=True)
class Networks:
    """How the networks of a world's text-to-image model are built and trained."""

    shape: AutoencoderShape
    autoencoder: AutoencoderRecipe
    diffusion: DiffusionRecipe


WORLDS: Final = {matter.name: matter for matter in (STYLES, FACES)}
NETWORKS: Final = {
    STYLES.name: Networks(STYLE_SHAPE, AutoencoderRecipe(), DiffusionRecipe()),
    FACES.name: Networks(
        FACE_SHAPE,
        AutoencoderRecipe(seed=2421, steps=1200, batch=32, noise=0.03, tune=False),
        DiffusionRecipe(seed=2422, steps=2600, channels=(64, 96)),
    ),
}


@dataclass(frozen=True)
class Places:
    """Where things go.

    Attributes:
        out: The finished world.
        lists: Folder of all concept lists.
        work: Checkpoints and logs.
    """

    out: Path
    lists: Path
    work: Path


def make_world(name: str, places: Places, device: torch.device, logger: Callable[[str], Log]) -> None:
    """Make what is not there yet.

    Args:
        name: Of the world, a key of `WORLDS`.
        places: Where things go.
        device: Where the denoiser is trained; everything else is small enough for the CPU.
        logger: Gives the log of a network by its name.
    """
    plan = draw_plan(RECIPES[name], WORLDS[name])
    if not (places.out / "truth" / plan.matter.truth).exists():
        pack(plan, places.out)
    write_list(plan, places.lists)
    scorer = SCORERS[name]
    # Weights are written after their configuration: only they tell that a network is whole.
    if not (places.out / scorer.last_file).exists():
        scorer.make(plan, places.out, places.work, logger)
    if not (places.out / "model" / "model_index.json").exists():
        data = read_training_set(places.out)
        autoencoder = _make_autoencoder(data, places, logger("autoencoder"))
        _make_model(data, autoencoder, places, (device, logger("denoiser")))
    _write_card(plan, places, (*scorer.networks, "autoencoder", "denoiser"))
    write_sources(places.out)


def _write_card(plan: Plan, places: Places, networks: tuple[str, ...]) -> None:
    folder = places.out / "model"
    generated = generate(plan, load_model(plan.matter.name), folder)
    figures = evaluate(plan, generated, folder)
    faces = evaluate_pack(plan, generated, places.out / "face-pack") if plan.matter is FACES else None
    losses: Training = {name: _read_log(places.work / f"{name}.jsonl") for name in networks}
    write_card(plan, (figures, faces), losses, places.out)


def _make_autoencoder(data: TrainingSet, places: Places, log: Log) -> AutoencoderTiny:
    """Train the autoencoder, or load the trained one; its latents have unit variance once scaled."""
    done, networks = places.work / "vae", NETWORKS[places.out.name]
    if not (done / "diffusion_pytorch_model.safetensors").exists():
        recipe = networks.autoencoder
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.start)
            model = new_autoencoder(data.pixels, networks.shape)
        train_autoencoder(model, data.pixels, recipe, Checkpoints(places.work / "autoencoder.pt"), log)
        model.register_to_config(scaling_factor=float(1 / encode(model, data.pixels[:4000]).std()))
        model.save_pretrained(done)
    return AutoencoderTiny.from_pretrained(done).eval().to(memory_format=torch.channels_last)


def _make_model(
    data: TrainingSet, autoencoder: AutoencoderTiny, places: Places, how: tuple[torch.device, Log]
) -> None:
    device, log = how
    recipe = NETWORKS[places.out.name].diffusion
    latents = encode(autoencoder, data.pixels) * autoencoder.config.scaling_factor
    tokenizer = keep_tokenizer(data.captions, places.work / "tokenizer")
    shape = (len(tokenizer), latents.shape[1], latents.shape[-1])
    model = new_denoiser(*shape, recipe.seed, recipe.channels).to(device)
    train_denoiser(
        model, prepare(data, latents, tokenizer), recipe, Checkpoints(places.work / "denoiser.pt"), log
    )
    save_pipeline(model.cpu(), tokenizer, autoencoder, places.out / "model")


def _read_log(path: Path) -> list[tuple[int, float]]:
    """The (step, loss) points of a log; of steps that were repeated after an interruption the last counts."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    points = {int(row["step"]): float(row["loss"]) for row in map(json.loads, lines)}
    return sorted(points.items())
