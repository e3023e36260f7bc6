"""From a model row to a diffusers pipeline that is ready to sample, on whatever device there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from concepts.errors import ModelError
from fit.generation.models import Model, local_folder

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
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
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
        ModelError: The weights cannot be had or read.
    """
    from diffusers import DiffusionPipeline

    folder = local_folder(model, data)
    dtype = torch.float32 if device.type == "cpu" else _DTYPES[model.dtype]
    options: dict[str, Any] = {"revision": model.revision or None, "variant": model.variant or None}
    try:
        with _quiet():
            pipeline = DiffusionPipeline.from_pretrained(
                str(folder or model.weights),
                dtype=dtype,
                use_safetensors=True,
                trust_remote_code=False,
                **{key: value for key, value in options.items() if value},
            )
    except _UNLOADABLE as error:
        raise ModelError(_why(model, folder, error)) from error
    pipeline.set_progress_bar_config(disable=True)
    if device.type == "cpu" and hasattr(pipeline, "unet"):
        pipeline.unet.to(memory_format=torch.channels_last)  # what the CPU's convolutions are fastest in
    return pipeline.to(device)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' progress bars and hints off stderr, which carries our own lines only."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    shown = [log for log in (diffusers_logging, transformers_logging) if log.is_progress_bar_enabled()]
    levels = [(log, log.get_verbosity()) for log in (diffusers_logging, transformers_logging)]
    try:
        for log, _ in levels:
            log.set_verbosity_error()
            log.disable_progress_bar()
        yield
    finally:
        for log, level in levels:
            log.set_verbosity(level)
        for log in shown:
            log.enable_progress_bar()


def _why(model: Model, folder: Path | None, error: Exception) -> str:
    reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    if folder is None:
        return (
            f"{model.weights}: cannot be fetched from the hub or its cache ({reason}); "
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
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name in _RANDOM_PARTS:
            part = components.get(name)
            if part is not None:
                components[name] = _random_twin(part)
    blank = type(pipeline)(**components, **_unregistered(pipeline))
    blank.set_progress_bar_config(disable=True)
    return blank


def _random_twin(part: Any) -> Any:
    """Return a module of the same class and configuration with freshly drawn weights."""
    twin = (
        type(part).from_config(part.config) if hasattr(type(part), "from_config") else type(part)(part.config)
    )
    like = next(part.parameters())
    return twin.to(device=like.device, dtype=like.dtype).eval()


def _unregistered(pipeline: Any) -> dict[str, Any]:
    """Return constructor arguments of the pipeline that are settings, not components."""
    return {"requires_safety_checker": False} if "requires_safety_checker" in pipeline.config else {}
