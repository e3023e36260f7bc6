"""Checkpoints of a training: every five minutes, whole or not at all.

A killed training loses minutes at most.
"""

import os
import time
from pathlib import Path
from typing import Any

import torch

State = dict[str, Any]


class Checkpoints:
    """The newest state of one training, in one file that is replaced atomically."""

    def __init__(self, path: Path, every_seconds: float = 300.0) -> None:
        self.path, self.every = path, every_seconds
        self._last = time.monotonic()

    def load(self) -> State | None:
        """The saved state, or None where a training starts afresh."""
        if not self.path.exists():
            return None
        state: State = torch.load(self.path, map_location="cpu", weights_only=True)
        return state

    def due(self) -> bool:
        """Whether five minutes have passed since the last time."""
        return time.monotonic() - self._last >= self.every

    def save(self, state: State) -> None:
        """Write the state under a temporary name and rename it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".tmp")
        torch.save(state, temporary)
        os.replace(temporary, self.path)
        self._last = time.monotonic()
