"""Sampling requests: a seed for each image, batches over concepts and prompts, pixels out as PNG.

While one batch is denoised, the one before it is decoded and compressed in threads.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from concepts.errors import ModelError
from fit.generation.families import Texts, decode, encode, family_of, unpack
from fit.generation.quiet import quiet
from fit.generation.requests import Request, Sampling, batches

AHEAD = 2  # batches that may wait to be decoded: bounds the memory
DECODED_PIXELS = 1 << 21  # decoded together: the autoencoder needs more memory for a pixel than the denoiser
COMPRESSION = 3  # of zlib: higher levels take twice as long for a tenth of the size
_CPU_OUT_OF_MEMORY = "can't allocate memory"


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


@dataclass(frozen=True)
class _Drawn:
    """A denoised batch: latents or finished images, and what tells a GPU's other streams that it is ready."""

    latents: Tensor | None
    images: Any
    blocked: Sequence[bool] | None
    ready: Any = None


def sample_batch(pipeline: Any, requests: Sequence[Request], sampling: Sampling) -> tuple[Sample, ...]:
    """Sample one image for each request, all in one batch.

    Raises:
        ModelError: So many images at once do not fit into the device's memory.
    """
    try:
        return Sampler(pipeline, sampling).sample(requests, max(1, len(requests)))
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        raise ModelError(
            f"{len(requests)} images at once do not fit into the device's memory; "
            "set generation.batch_size lower"
        ) from error


def out_of_memory(error: BaseException) -> bool:
    """Tell whether an error is that a device, or the machine, has no memory left."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or _CPU_OUT_OF_MEMORY in str(error)


class Sampler:
    """A pipeline that samples requests.

    Attributes:
        pipeline: The pipeline.
        sampling: Steps, guidance and size.
        padded: Whether each batch is filled up to the same size, which a compiled denoiser needs to be quick.
        device: Where it samples.
    """

    def __init__(self, pipeline: Any, sampling: Sampling, padded: bool = False) -> None:
        self.pipeline = pipeline
        self.sampling = sampling
        self.padded = padded
        self.device = torch.device(getattr(pipeline, "device", "cpu"))
        self._family = family_of(pipeline)
        self._stream: Any = None
        if self.device.type == "cuda":
            self._stream = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        if self._family.latents and _overflows(pipeline.vae):
            pipeline.vae.to(torch.float32)

    def sample(self, requests: Sequence[Request], size: int) -> tuple[Sample, ...]:
        """Return what came of each request, in their order.

        Each image's noise comes from its own seed, drawn on the CPU so that it is the same on every device.

        Args:
            requests: What is asked; each different prompt is encoded once.
            size: Images in a batch, at least 1.

        Raises:
            torch.OutOfMemoryError: So many at once do not fit; MemoryError and RuntimeError on a CPU.
        """
        threads = max(1, min(8, os.cpu_count() or 1))
        with torch.inference_mode(), quiet():
            texts = encode(self.pipeline, [r.prompt for r in requests], self.sampling.guidance)
            with ThreadPoolExecutor(1) as decoding, ThreadPoolExecutor(threads) as writing:
                waiting: list[Future[list[Future[Sample]]]] = []
                for batch in batches(requests, size):
                    drawn = self._draw(batch, texts, size)
                    if self._stream:
                        waiting.append(decoding.submit(self._finish, batch, drawn, writing))
                    else:  # A CPU has nothing to decode with while it denoises.
                        waiting.append(_done(self._finish(batch, drawn, writing)))
                    _wait(waiting, AHEAD)
                return tuple(each.result() for batch_done in waiting for each in batch_done.result())

    def _draw(self, batch: Sequence[Request], texts: Texts, size: int) -> _Drawn:
        """Denoise a batch."""
        asked = list(batch)
        if self.padded:
            asked += [batch[-1]] * (size - len(batch))
        output = self.pipeline(
            generator=[torch.Generator().manual_seed(request.seed) for request in asked],
            output_type="latent" if self._family.latents else "np",
            **texts.arguments([request.prompt for request in asked]),
            **self.sampling.arguments(),
        )
        images, blocked = output.images[: len(batch)], getattr(output, "nsfw_content_detected", None)
        if not self._family.latents:
            return _Drawn(None, images, blocked or None)
        ready = None
        if self._stream:
            ready = torch.cuda.Event()  # type: ignore[no-untyped-call]
            ready.record(torch.cuda.current_stream(self.device))
        latents = unpack(self.pipeline, images, self.sampling.width, self.sampling.height)
        return _Drawn(latents, None, None, ready)

    @torch.inference_mode()
    def _finish(
        self, batch: Sequence[Request], drawn: _Drawn, writing: ThreadPoolExecutor
    ) -> list[Future[Sample]]:
        """Decode a batch and hand its images to the threads that compress them."""
        if drawn.latents is None:
            images = torch.from_numpy(np.asarray(drawn.images)).permute(0, 3, 1, 2)
            return self._hand_out(batch, images, drawn.blocked, writing)
        written: list[Future[Sample]] = []
        with torch.cuda.stream(self._stream) if self._stream else nullcontext():
            if self._stream:
                self._stream.wait_event(drawn.ready)
                drawn.latents.record_stream(self._stream)
            step = max(1, DECODED_PIXELS // self._pixels(drawn.latents))
            for start in range(0, len(batch), step):
                image = decode(self.pipeline, drawn.latents[start : start + step])
                blocked = self._blocked(image)
                written += self._hand_out(
                    batch[start : start + step], image.float() / 2 + 0.5, blocked, writing
                )
        return written

    def _hand_out(
        self,
        batch: Sequence[Request],
        images: Tensor,
        blocked: Sequence[bool] | None,
        writing: ThreadPoolExecutor,
    ) -> list[Future[Sample]]:
        """Turn images in [0, 1] into bytes on the CPU, and let them be compressed."""
        finite = torch.isfinite(images).flatten(1).all(1).tolist()
        pixels = (images * 255).round().clamp(0, 255).to(torch.uint8).cpu()
        hidden = blocked or [False] * len(batch)
        rows = zip(batch, pixels, finite, hidden, strict=True)
        return [writing.submit(_sample, *row) for row in rows]

    def _pixels(self, latents: Tensor) -> int:
        scale = int(getattr(self.pipeline, "vae_scale_factor", 8))
        return int(latents.shape[-1]) * int(latents.shape[-2]) * scale**2

    def _blocked(self, image: Tensor) -> Sequence[bool] | None:
        """Ask the pipeline's safety checker, where it has one."""
        if getattr(self.pipeline, "safety_checker", None) is None:
            return None
        # It blackens what it blocks, in place; what is blocked is not kept anyway.
        _, blocked = self.pipeline.run_safety_checker(image.clone(), self.device, image.dtype)
        return blocked if blocked is None else [bool(each) for each in blocked]


def _done(result: list[Future[Sample]]) -> Future[list[Future[Sample]]]:
    future: Future[list[Future[Sample]]] = Future()
    future.set_result(result)
    return future


def _wait(waiting: Sequence[Future[Any]], ahead: int) -> None:
    if len(waiting) > ahead:
        waiting[-1 - ahead].result()


def _overflows(vae: Any) -> bool:
    """Tell whether an autoencoder says that it overflows in float16 and is kept so."""
    return vae.dtype == torch.float16 and bool(getattr(vae.config, "force_upcast", False))


def _sample(request: Request, pixels: Tensor, finite: bool, hidden: bool) -> Sample:
    if hidden:
        return Sample(request, None, "blanked by the safety checker")
    if not finite:
        return Sample(request, None, "not finite: the model's arithmetic overflowed")
    return Sample(request, png(pixels))


def png(pixels: Tensor) -> bytes:
    """Return pixels (3, height, width), uint8, as PNG. Other threads run meanwhile: it holds no lock."""
    from torchvision.io import encode_png

    encoded: bytes = encode_png(pixels.contiguous(), COMPRESSION).numpy().tobytes()
    return encoded
