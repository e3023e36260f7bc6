"""A micro world: the demo's recipe with 24 artists and 400 captions, its model untrained.

A whole `fit estimate` takes seconds in it, and everything but the quality of the images is as in the demo.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import torch

from fit import cli
from fit.imitation.convnet import ConvNetShape
from fit.imitation.style import save_encoder
from fit.run import artefacts
from fit.world.autoencoder import LATENTS, AutoencoderShape, new_autoencoder
from fit.world.checkpoints import Checkpoints
from fit.world.dataset import read_training_set
from fit.world.diffusion import new_denoiser, save_pipeline, train_tokenizer
from fit.world.lists import write_list
from fit.world.pack import pack
from fit.world.plan import Plan, Recipe, draw_plan
from fit.world.style_encoder import EncoderRecipe, paint_other_styles, train_encoder

RECIPE = Recipe(
    seed=11, concepts=24, without=4, most=12, rows=400, caption_shards=2, image_shards=1, references=10
)
LIST = "art-styles/micro.csv"  # below the folder that the commands are run in
SETTINGS = (
    "generation.images_per_prompt=1",
    "generation.steps=2",
    "generation.part_images=24",
    "threshold.replicates=200",
    "report.strips=3",
)


@dataclass(frozen=True)
class Micro:
    """The micro world on disk.

    Attributes:
        home: The folder that commands are run in; the list of artists lies below it.
        data: The data folder, `FIT_DATA`.
        plan: Its plan, with the planted truth.
    """

    home: Path
    data: Path
    plan: Plan

    def estimate(self, run: Path, *more: str) -> list[str]:
        """The arguments of `fit estimate` for a run; a new one takes few steps and images."""
        new = [] if (run / "config.toml").exists() else [f"--set={each}" for each in SETTINGS]
        return ["estimate", "--domain", LIST, "--model", "demo", "--run", str(run), *new, *more]

    def start(self, arguments: list[str], log: Path) -> BaseProcess:
        """Run the command in a process of its own, which writes into a log.

        It is forked from a process that has imported torch and diffusers, which takes longer than a run.
        """
        return forked(run_here, arguments, self, log)


_HEAVY = [
    "torch",
    "duckdb",
    "vl_convert",
    "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion",
    "fit.stages.report",
    "fit.stages.verification",
]


def forked(target: Callable[..., None], *arguments: object) -> BaseProcess:
    """Call a function in a process that is forked from one that has imported what takes long."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_HEAVY, __name__])
    process = context.Process(target=target, args=arguments)
    process.start()
    return process


def run_here(arguments: list[str], micro: Micro, log: Path) -> None:
    """Run the command in this process, which ends with it, and write what it says into a log."""
    os.chdir(micro.home)
    os.environ["FIT_DATA"] = str(micro.data)
    with log.open("a", encoding="utf-8") as file:
        sys.stdout = sys.stderr = file
        cli.main(arguments)


def make_micro(home: Path, recipe: Recipe = RECIPE) -> Micro:
    """Paint and pack the world, and write networks that have learned next to nothing."""
    plan = draw_plan(recipe)
    world = home / "data" / "demo"
    pack(plan, world)
    write_list(plan, home)
    for path in (home / "art-styles").iterdir():
        path.rename(path.with_stem("micro"))
    _write_encoder(plan, home)
    _write_model(world)
    return Micro(home, home / "data", plan)


def _write_encoder(plan: Plan, home: Path) -> None:
    recipe = EncoderRecipe(styles=32, pictures=4, steps=12, batch=16)
    pixels = paint_other_styles(plan, recipe)
    network = train_encoder(pixels, recipe, Checkpoints(home / "encoder.pt"), lambda step, loss: None)
    save_encoder(network, ConvNetShape(), home / "data" / "demo" / "style-encoder")


def _write_model(world: Path) -> None:
    data = read_training_set(world)
    tokenizer = train_tokenizer(data.captions, vocabulary=400)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        autoencoder = new_autoencoder(data.pixels, AutoencoderShape(width=16))
    denoiser = new_denoiser(len(tokenizer), LATENTS, 8, seed=2)
    save_pipeline(denoiser, tokenizer, autoencoder, world / "model")


def artefacts_of(run: Path) -> dict[str, str]:
    """Digests of every file but run.json, which holds times and hosts."""
    files = (path for path in sorted(run.rglob("*")) if path.is_file() and path != run / "run.json")
    return {str(path.relative_to(run)): artefacts.digest_file(path) for path in files}


def times(run: Path) -> dict[str, int]:
    """When each file of a run was written, in nanoseconds."""
    return {str(path.relative_to(run)): path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}


def finished(run: Path) -> int:
    """How many files of its stages a run has finished."""
    return sum(1 for path in artefacts.finished_files(run) if path.parent != run) if run.is_dir() else 0


def moments(total: int, n: int, seed: int) -> list[tuple[int, float]]:
    """`n` moments of a run of `total` files: (files finished, seconds after that), ascending."""
    rng = np.random.default_rng(seed)
    files = np.sort(rng.choice(np.arange(1, total), n, replace=False))
    return [(int(file), float(rng.uniform(0, 0.1))) for file in files]
