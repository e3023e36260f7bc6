"""What lies on top of a model: ``+lora:PLACE``, ``+lora@0.8:PLACE``, or a component, ``+unet:PLACE``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from concepts.errors import ModelError

LORA = "lora"
_EDIT = re.compile(r"\+(?=[a-z][a-z_0-9]*(?:@[^:+]*)?:)")


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a model's weights.

    Attributes:
        part: ``lora``, or the component whose weights are replaced, such as ``unet``.
        place: A safetensors file, a folder that holds it, or for a LoRA a hub id; local ones absolute.
        scale: How strongly a LoRA is applied; 1 for a component.
    """

    part: str
    place: str
    scale: float = 1.0

    @property
    def title(self) -> str:
        """The edit in words for readers."""
        strength = f" x {self.scale:g}" if self.scale != 1 else ""
        return f"with {'the LoRA' if self.part == LORA else self.part} {Path(self.place).name}{strength}"


def split_edits(name: str) -> tuple[str, tuple[Edit, ...]]:
    """Split ``BASE+lora:PLACE+unet:PLACE`` into the base and its edits.

    Raises:
        ModelError: An edit names no place, or its scale is no number.
    """
    base, *texts = _EDIT.split(name)
    return base, tuple(_edit(text) for text in texts)


def _edit(text: str) -> Edit:
    head, _, place = text.partition(":")
    part, at, scale = head.partition("@")
    if not place:
        raise ModelError(f"+{text}: names no place; write +{part}:FILE or +{part}:FOLDER")
    if at and part != LORA:
        raise ModelError(f"+{text}: only a LoRA has a scale; write +{part}:{place}")
    try:
        number = float(scale) if at else 1.0
    except ValueError:
        raise ModelError(f"+{text}: {scale!r} is no scale; write +{part}@0.8:{place}") from None
    local = Path(place).exists() or os.path.isabs(place) or part != LORA
    return Edit(part, os.path.abspath(place) if local else place, number)
