"""A training that is killed after two steps."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from fit.world.checkpoints import Checkpoints, State


class Killed(Exception):  # noqa: N818 (what happens to a process)
    """The process dies here."""


class KilledAfterTwo(Checkpoints):
    """Checkpoints of a training that dies right after its second step was saved."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked = 0

    def due(self) -> bool:
        self.asked += 1
        return self.asked == 2

    def save(self, state: State) -> None:
        super().save(state)
        raise Killed


def same_weights(a: nn.Module, b: nn.Module) -> bool:
    """Bit for bit."""
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)
