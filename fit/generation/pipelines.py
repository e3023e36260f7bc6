"""From a model row to a diffusers pipeline that is ready to sample, on whatever device there is."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from concepts.errors import ModelError
from fit.generation.models import Model
from fit.generation.places import local_folder
from fit.generation.quiet import quiet

_DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}
# What diffusers, transformers and the hub client throw at missing, foreign, truncated or gated weights.
_UNLOADABLE = (
    OSError,
    ValueError,
    RuntimeError,
    KeyError,
    TypeError,
    AttributeError,
    ImportError,
    SafetensorError,
)
# How diffusers and transformers mention weights that no file holds or that do not fit; they may go on
# with random ones.
_MADE_UP = re.compile(
    r"Some weights of (\w+) were not initialized|(\w+) LOAD REPORT.*\b(?:MISSING|MISMATCH)\b", re.DOTALL
)
_RANDOM_PARTS = ("unet", "transformer", "text_encoder", "text_encoder_2", "text_encoder_3")


def choose_device(wanted: str) -> torch.device:
    """Return the device that a setting names; ``auto``: the first accelerator, else the CPU.

    Raises:
        ModelError: There is no such device on this machine.
    """
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.zeros(1, device=device).item()  # the device `meta` has tensors, but no numbers in them
    except (RuntimeError, AssertionError, ImportError) as error:
        raise ModelError(
            f"{wanted}: no such device here ({str(error).splitlines()[0]}); use auto or cpu"
        ) from error
    return device


def load_pipeline(model: Model, data: Path, device: torch.device) -> Any:
    """Load a pipeline as Stable Diffusion's are loaded, whatever the model.

    Weights are read from safetensors only, and code that lies beside them is never run.

    Args:
        model: The model's row.
        data: The data folder, for rows whose weights lie there.
        device: Where to put it.

    Raises:
        ModelError: The weights cannot be had or read, are not all there, or are of no text-to-image model.
    """
    from diffusers import DiffusionPipeline

    folder = local_folder(model, data)
    dtype = torch.float32 if device.type == "cpu" else _DTYPES[model.dtype]
    options: dict[str, Any] = {"revision": model.revision or None, "variant": model.variant or None}
    messages: Sequence[str] = ()
    try:
        with quiet() as messages:
            pipeline = DiffusionPipeline.from_pretrained(
                str(folder or model.weights[0]),
                dtype=dtype,
                use_safetensors=True,
                trust_remote_code=False,
                **{key: value for key, value in options.items() if value},
            )
    except _UNLOADABLE as error:
        raise ModelError(_why(model, folder, _made_up(messages) or _reason(error))) from error
    if fault := _fault(pipeline, folder, messages):
        raise ModelError(
            f"{folder or model.weights[0]}: {fault}; save the pipeline again or give another model"
        )
    pipeline.set_progress_bar_config(disable=True)
    if device.type == "cpu" and getattr(pipeline, "unet", None) is not None:
        pipeline.unet.to(memory_format=torch.channels_last)  # what the CPU's convolutions are fastest in
    return pipeline.to(device)


def _fault(pipeline: Any, folder: Path | None, messages: Sequence[str]) -> str | None:
    """Return what is wrong with a pipeline that could be loaded and would sample nonsense or nothing."""
    name = type(pipeline).__name__
    asked = inspect.signature(type(pipeline).__call__).parameters
    if "prompt" not in asked or {"image", "strength"} <= asked.keys():
        return f"{name} is not a text-to-image pipeline"
    if made_up := _made_up(messages):
        return made_up
    for part, component in pipeline.components.items():
        if folder and component is not None and not (folder / part).is_dir():
            return f"the folder {part} is missing"  # diffusers would make it from nothing
    return _foreign_tokenizer(pipeline.components)


def _made_up(messages: Sequence[str]) -> str | None:
    """Return of what network weights are random, by the libraries' own messages."""
    found = next(filter(None, map(_MADE_UP.search, messages)), None)
    return f"weights of {found[1] or found[2]} are missing or do not fit" if found else None


def _foreign_tokenizer(components: dict[str, Any]) -> str | None:
    """Return which tokenizer does not belong to its text encoder: one made without its vocabulary."""
    for number in ("", "_2", "_3"):
        words, encoder = components.get(f"tokenizer{number}"), components.get(f"text_encoder{number}")
        known = getattr(getattr(encoder, "config", None), "vocab_size", None)
        if words is not None and known and len(words) < known / 2:
            return f"tokenizer{number} has {len(words)} tokens where text_encoder{number} knows {known}"
    return None


def _reason(error: Exception) -> str:
    """Return the error's first line; with the second where the first only announces it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]


def _why(model: Model, folder: Path | None, reason: str) -> str:
    if folder is None:
        return (
            f"{model.weights[0]}: cannot be fetched from the hub or its cache ({reason}); "
            "download it, then give the folder with --model"
        )
    return f"{folder}: cannot be loaded ({reason}); save the pipeline again or give another folder"


def untrained(pipeline: Any, seed: int) -> Any:
    """Return the same pipeline with random denoiser and text encoders.

    What the architecture does before any training.

    The autoencoder stays, so that images still look like images of this corpus and only what captions
    taught is gone.
    """
    components = dict(pipeline.components)
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name in _RANDOM_PARTS:
            part = components.get(name)
            if part is not None:
                components[name] = _random_twin(part)
        blank = type(pipeline)(**components, **_settings(pipeline))
    blank.set_progress_bar_config(disable=True)
    return blank


def _random_twin(part: Any) -> Any:
    """Return a module of the same class and configuration with freshly drawn weights."""
    twin = (
        type(part).from_config(part.config) if hasattr(type(part), "from_config") else type(part)(part.config)
    )
    like = next(part.parameters())
    return twin.to(device=like.device, dtype=like.dtype).eval()


def _settings(pipeline: Any) -> dict[str, Any]:
    """Return the arguments of the pipeline's constructor that are settings, not components."""
    arguments = inspect.signature(type(pipeline).__init__).parameters
    return {
        name: pipeline.config[name]
        for name in arguments
        if name in pipeline.config and name not in pipeline.components
    }
