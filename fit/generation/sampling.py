"""Sampling a batch of requests: seed per image, pixels out."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from concepts.errors import ModelError
from fit.generation.quiet import quiet
from fit.generation.requests import Request, Sampling


@dataclass(frozen=True)
class Sample:
    """What came of a request.

    Attributes:
        request: The request.
        image: The image as PNG, None where there is none.
        reason: Why there is none; empty where there is one.
    """

    request: Request
    image: bytes | None
    reason: str = ""


def sample_batch(pipeline: Any, requests: Sequence[Request], sampling: Sampling) -> tuple[Sample, ...]:
    """Sample one image for each request, all in one batch.

    Each image's noise comes from its own seed, drawn on the CPU so that it is the same on every device.

    Raises:
        ModelError: So many images at once do not fit into the device's memory.
    """
    generators = [torch.Generator().manual_seed(request.seed) for request in requests]
    try:
        with torch.inference_mode(), quiet():
            output = pipeline(
                prompt=[request.prompt for request in requests],
                generator=generators,
                output_type="np",
                **sampling.arguments(),
            )
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"{len(requests)} images at once do not fit into the device's memory; "
            "set generation.batch_size lower"
        ) from error
    blocked = getattr(output, "nsfw_content_detected", None) or [False] * len(requests)
    return tuple(
        Sample(request, None, "blanked by the safety checker") if hidden else _sample(request, image)
        for request, image, hidden in zip(requests, output.images, blocked, strict=True)
    )


def _sample(request: Request, image: npt.NDArray[np.float32]) -> Sample:
    if not np.isfinite(image).all():
        return Sample(request, None, "not finite: the model's arithmetic overflowed")
    pixels = (image * 255).round().clip(0, 255).astype(np.uint8)
    return Sample(request, _png(pixels))


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
