"""Presets as rows of ``presets.toml``, and how a model is sampled with one."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files

from concepts.errors import SettingsError, unknown
from fit.generation.models import Model
from fit.generation.requests import Sampling


@dataclass(frozen=True, slots=True)
class Preset:
    """How images are sampled where a run does not say it.

    Attributes:
        name: The key, as in ``generation.preset``.
        title: What it is, for readers.
        images_per_prompt: Images of each concept and prompt.
        published_dtype: Whether the arithmetic is that of the published study.
        safety_checker: Whether the pipeline's safety checker is used.
        compile: Whether the denoiser may be compiled.
    """

    name: str
    title: str
    images_per_prompt: int
    published_dtype: bool
    safety_checker: bool
    compile: bool


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides how a model is loaded and its images sampled, apart from requests and machine.

    Attributes:
        sampling: Steps, guidance, size.
        dtype: Arithmetic on an accelerator.
        scheduler: Class of diffusers; empty: the pipeline's own.
        safety_checker: Whether the pipeline's safety checker is used, where it has one.
        compile: Whether the denoiser is compiled on a GPU.
    """

    sampling: Sampling
    dtype: str
    scheduler: str = ""
    safety_checker: bool = True
    compile: bool = False


def presets() -> tuple[Preset, ...]:
    """Return all presets in the order of their names."""
    table = tomllib.loads(files("fit.generation").joinpath("presets.toml").read_text(encoding="utf-8"))
    return tuple(Preset(name=name, **table[name]) for name in sorted(table))


def load_preset(name: str) -> Preset:
    """Return a preset by its name.

    Raises:
        SettingsError: There is no such preset.
    """
    known = {preset.name: preset for preset in presets()}
    if name not in known:
        raise SettingsError("generation.preset: " + unknown("preset", name, known))
    return known[name]


def recipe_of(model: Model, preset: Preset, steps: int = 0, guidance: float = 0.0) -> Recipe:
    """Return how a model is sampled with a preset.

    Args:
        model: The model's row.
        preset: The preset.
        steps: Instead of the row's; 0: the row's.
        guidance: Instead of the row's; 0: the row's.
    """
    return Recipe(
        Sampling(steps or model.steps, guidance or model.guidance, model.width, model.height),
        dtype=(model.published_dtype if preset.published_dtype else "") or model.dtype,
        scheduler=model.scheduler,
        safety_checker=preset.safety_checker,
        compile=preset.compile,
    )


def notes_on(model: Model, preset: Preset, recipe: Recipe) -> tuple[str, ...]:
    """Return what a user should know of a preset that was asked for, one line each."""
    if preset.name == "default":
        return ()
    lines = [f"preset {preset.name}: {preset.title}"]
    if preset.published_dtype and not model.published_dtype:
        lines.append(
            f"preset {preset.name}: the published study did not use {model.name}; "
            f"its row's settings are taken ({recipe.dtype})"
        )
    if not recipe.safety_checker:
        lines.append(f"preset {preset.name}: the safety checker is off, as in the published study")
    return tuple(lines)
