"""What differs between diffusers' pipelines: what their text encoders return, how latents become pixels.

A pipeline that has no row here is asked with the prompts themselves and decodes its images itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

ENCODED_TOGETHER = 32  # prompts: bounds the memory of the text encoders


@dataclass(frozen=True, slots=True)
class Family:
    """Pipelines that are asked alike.

    Attributes:
        texts: What ``encode_prompt`` returns, under the names by which the call takes it; empty: it does not.
            Without any, the prompts themselves are given.
        latents: Whether the call's latents can be decoded by `decode`, apart from the call.
    """

    texts: tuple[str, ...] = ()
    latents: bool = False


_PAIR = ("prompt_embeds", "negative_prompt_embeds")
_POOLED = (*_PAIR, "pooled_prompt_embeds", "negative_pooled_prompt_embeds")
_MASKED = (
    "prompt_embeds",
    "prompt_attention_mask",
    "negative_prompt_embeds",
    "negative_prompt_attention_mask",
)
FAMILIES: Mapping[str, Family] = {
    "StableDiffusionPipeline": Family(_PAIR, latents=True),
    "StableDiffusionXLPipeline": Family(_POOLED, latents=True),
    "StableDiffusion3Pipeline": Family(_POOLED, latents=True),
    "FluxPipeline": Family(("prompt_embeds", "pooled_prompt_embeds", ""), latents=True),
    # They draw at the nearest size of their training and cut the picture to size after decoding it.
    "PixArtAlphaPipeline": Family(_MASKED),
    "PixArtSigmaPipeline": Family(_MASKED),
}


def family_of(pipeline: Any) -> Family:
    """Return the family of a pipeline."""
    return FAMILIES.get(type(pipeline).__name__, Family())


@dataclass(frozen=True)
class Texts:
    """Prompts, each encoded once.

    Attributes:
        place: Each prompt's row.
        tensors: What the call takes, one row for each prompt; empty: the prompts themselves.
    """

    place: Mapping[str, int]
    tensors: Mapping[str, Tensor]

    def arguments(self, prompts: Sequence[str]) -> dict[str, Any]:
        """Return what the call takes for these prompts, in their order."""
        if not self.tensors:
            return {"prompt": list(prompts)}
        rows = [self.place[prompt] for prompt in prompts]
        # Some calls have a default for what they do not take beside embeddings.
        return {"negative_prompt": None, **{name: tensor[rows] for name, tensor in self.tensors.items()}}


def encode(pipeline: Any, prompts: Sequence[str], guidance: float) -> Texts:
    """Encode each different prompt once, in the order in which they come.

    Args:
        pipeline: The pipeline.
        prompts: Any number of prompts.
        guidance: Guidance scale; 0: the pipeline's default.
    """
    different = list(dict.fromkeys(prompts))
    names = family_of(pipeline).texts
    place = {prompt: row for row, prompt in enumerate(different)}
    if not names:
        return Texts(place, {})
    scale = guidance or _default(pipeline, "guidance_scale")
    parts = [
        _encoded(pipeline, different[start : start + ENCODED_TOGETHER], guided=scale > 1)
        for start in range(0, len(different), ENCODED_TOGETHER)
    ]
    columns = zip(names, zip(*parts, strict=True), strict=True)
    return Texts(place, {name: torch.cat(found) for name, found in columns if name and found[0] is not None})


def _encoded(pipeline: Any, prompts: list[str], guided: bool) -> tuple[Tensor | None, ...]:
    """Encode prompts as the pipeline's own call would: with the same defaults."""
    given = {
        "prompt": prompts,
        "device": pipeline._execution_device,
        "num_images_per_prompt": 1,
        "do_classifier_free_guidance": guided,
    }
    called = inspect.signature(pipeline.__call__).parameters
    arguments = {}
    for name, own in inspect.signature(pipeline.encode_prompt).parameters.items():
        default = called[name].default if name in called else own.default
        if name in given:
            arguments[name] = given[name]
        elif own.kind is not own.VAR_KEYWORD:
            arguments[name] = None if default is own.empty else default
    encoded: tuple[Tensor | None, ...] = pipeline.encode_prompt(**arguments)
    return encoded


def _default(pipeline: Any, name: str) -> float:
    """Return the default of an argument of the pipeline's call."""
    return float(inspect.signature(pipeline.__call__).parameters[name].default)


def decode(pipeline: Any, latents: Tensor) -> Tensor:
    """Return the images of latents, (n, 3, height, width) in about [-1, 1].

    Args:
        pipeline: One of a family with `latents`.
        latents: As its call returns them, unpacked.
    """
    settings = pipeline.vae.config
    mean, std = getattr(settings, "latents_mean", None), getattr(settings, "latents_std", None)
    latents = latents.to(pipeline.vae.dtype)
    if mean is not None and std is not None:
        latents = latents * _channels(std, latents) / settings.scaling_factor + _channels(mean, latents)
    else:
        latents = latents / settings.scaling_factor + (getattr(settings, "shift_factor", None) or 0.0)
    image: Tensor = pipeline.vae.decode(latents, return_dict=False)[0]
    return image


def unpack(pipeline: Any, latents: Tensor, width: int, height: int) -> Tensor:
    """Return latents as (n, channels, height, width); some pipelines keep them as sequences of patches."""
    if latents.ndim == 4:
        return latents
    side = pipeline.default_sample_size * pipeline.vae_scale_factor
    unpacked: Tensor = pipeline._unpack_latents(
        latents, height or side, width or side, pipeline.vae_scale_factor
    )
    return unpacked


def _channels(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, device=like.device, dtype=like.dtype).view(1, -1, 1, 1)
