"""What is asked of a model: one image of one concept under one prompt, with a seed of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """One image to sample.

    Attributes:
        concept: Name of the concept.
        prompt_index: Which of the domain's prompts, from 0.
        prompt: The prompt with the concept's name in it.
        image_index: Which image of this concept and prompt, from 0.
        seed: Seed of the image's noise, in [0, 2**63).
    """

    concept: str
    prompt_index: int
    prompt: str
    image_index: int
    seed: int


@dataclass(frozen=True)
class Sampling:
    """How images are sampled; 0 leaves a number to the pipeline.

    Attributes:
        steps: Denoising steps.
        guidance: Classifier-free guidance scale.
        width: In pixels.
        height: In pixels.
    """

    steps: int
    guidance: float
    width: int
    height: int

    def arguments(self) -> dict[str, float]:
        """As the pipeline's call takes them."""
        named = {
            "num_inference_steps": self.steps,
            "guidance_scale": self.guidance,
            "width": self.width,
            "height": self.height,
        }
        return {key: value for key, value in named.items() if value}


def image_seed(run_seed: int, concept: str, prompt: str, image_index: int) -> int:
    """Return the seed of an image.

    A digest of what it is, so that batches, order and devices change nothing.
    """
    text = f"{run_seed}\0{concept}\0{prompt}\0{image_index}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def requests_for(
    concept: str, prompts: Sequence[str], images_per_prompt: int, run_seed: int
) -> tuple[Request, ...]:
    """Return all requests of a concept, prompt by prompt."""
    return tuple(
        Request(concept, p, prompt, i, image_seed(run_seed, concept, prompt, i))
        for p, prompt in enumerate(prompts)
        for i in range(images_per_prompt)
    )


def batches(requests: Sequence[Request], size: int) -> tuple[tuple[Request, ...], ...]:
    """Cut requests into batches of a fixed size; the last may be shorter.

    Which images are sampled together can change their last bits, so the cut depends on nothing but the list.
    """
    return tuple(tuple(requests[i : i + size]) for i in range(0, len(requests), size))
