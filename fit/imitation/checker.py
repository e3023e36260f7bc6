"""Flags images that must not be kept: a safety checker as Stable Diffusion's pipelines bring it.

The folder is that of `diffusers`: ``config.json`` and ``model.safetensors`` of its
`StableDiffusionSafetyChecker`, and the preprocessor's ``preprocessor_config.json`` in it or in the pipeline's
``feature_extractor`` beside it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from concepts.errors import ModelError
from fit.imitation.decoding import decode

FLAGGED = "unsafe"
_PREPROCESSOR = "preprocessor_config.json"


class SafetyChecker:
    """A safety checker on the CPU; call it with an encoded image."""

    def __init__(self, folder: Path) -> None:
        """Load it.

        Raises:
            ModelError: A file is missing or damaged.
        """
        from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
        from safetensors import SafetensorError
        from transformers import CLIPImageProcessor

        own = folder if (folder / _PREPROCESSOR).is_file() else folder.parent / "feature_extractor"
        try:
            loaded: Any = StableDiffusionSafetyChecker.from_pretrained(
                folder, local_files_only=True, use_safetensors=True
            )
            self._preprocess: Any = CLIPImageProcessor.from_pretrained(own, local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"{folder}: cannot be loaded as a safety checker ({' '.join(str(error).split())[:200]}); "
                "give the folder safety_checker of a Stable Diffusion pipeline"
            ) from error
        self._network = loaded.eval()

    def __call__(self, data: bytes) -> str | None:
        """Return why an image must not be kept, None where it may.

        One that cannot be decoded cannot be checked and is flagged.
        """
        import torch

        image = decode(data)
        if isinstance(image, str):
            return "cannot be checked"
        pixels = self._preprocess(images=image, return_tensors="pt").pixel_values
        with torch.inference_mode():
            _, flags = self._network(clip_input=pixels, images=torch.zeros(1, 1))
        return FLAGGED if flags[0] else None


def checker_digest(folder: Path) -> str:
    """Return a digest of a checker's files.

    Raises:
        ModelError: There are none.
    """
    paths = sorted(path for path in folder.glob("*") if path.is_file())
    if not paths:
        raise ModelError(f"{folder}: no safety checker there; give the folder safety_checker of a pipeline")
    whole = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            whole.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
