"""A model before any training: the negative control that must show no rise."""

from __future__ import annotations

import inspect
from typing import Any

import torch

from fit.generation.lora import DENOISERS
from fit.generation.pipelines import AUTOENCODERS, channels_last
from fit.generation.places import CHECKER
from fit.generation.quiet import quiet

# What an untrained model shares with the trained one.
_KEPT = (*AUTOENCODERS, CHECKER, "image_encoder", "prior_image_encoder")


def untrained(pipeline: Any, seed: int) -> Any:
    """Return the same pipeline with random denoiser and text encoders: the architecture before any training.

    The autoencoder stays, so that images still look like images of this corpus and only what captions
    taught is gone.
    """
    components = dict(pipeline.components)
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name in sorted(components, key=lambda each: each not in DENOISERS):
            if isinstance(components[name], torch.nn.Module) and name not in _KEPT:
                components[name] = _random_twin(components[name])
        blank = type(pipeline)(**components, **_settings(pipeline))
    blank.set_progress_bar_config(disable=True)
    return blank


def _random_twin(part: Any) -> Any:
    """Return a module of the same class and configuration with freshly drawn weights."""
    twin = (
        type(part).from_config(part.config) if hasattr(type(part), "from_config") else type(part)(part.config)
    )
    like = next(part.parameters())
    channels_last(twin)
    return twin.to(device=like.device, dtype=like.dtype).eval()


def _settings(pipeline: Any) -> dict[str, Any]:
    """Return the arguments of the pipeline's constructor that are settings, not components."""
    arguments = inspect.signature(type(pipeline).__init__).parameters
    return {
        name: pipeline.config[name]
        for name in arguments
        if name in pipeline.config and name not in pipeline.components
    }
