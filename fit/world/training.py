"""The one training loop of the demo world's networks: resumes, logs, checkpoints every five minutes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from fit.world.checkpoints import Checkpoints, State

Log = Callable[[int, float], None]
LOGGED = 100  # steps between two points of a log, each the mean loss since the last


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: Optimiser steps.
        rate: Learning rate of a step, from 0.
        betas: AdamW's decay rates.
        decay: AdamW's weight decay.
        clip: Largest norm of a gradient; 0: not clipped.
    """

    steps: int
    rate: Callable[[int], float]
    betas: tuple[float, float] = (0.9, 0.99)
    decay: float = 0.01
    clip: float = 0.0


def train(
    model: nn.Module,
    loss_of: Callable[[int], Tensor],
    schedule: Schedule,
    checkpoints: Checkpoints,
    log: Log,
    average: AveragedModel | None = None,
) -> None:
    """Train in place, from the newest checkpoint on.

    Args:
        model: What is trained.
        loss_of: Loss of a step; all chance in it has to follow from the step, or a resumed training differs.
        schedule: How long and how fast.
        checkpoints: Where the state is kept.
        log: Told (step, mean loss) every hundred steps.
        average: A running average of the model's weights, with `update_parameters`.
    """
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=schedule.rate(0), betas=schedule.betas, weight_decay=schedule.decay, fused=True
    )
    parts: dict[str, Any] = {"model": model, "optimizer": optimizer}
    if average is not None:
        parts["average"] = average
    losses: list[float] = []
    for step in range(_restore(parts, checkpoints.load()), schedule.steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate(step)
        loss = loss_of(step)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if schedule.clip:
            nn.utils.clip_grad_norm_(model.parameters(), schedule.clip)
        optimizer.step()
        if average is not None:
            average.update_parameters(model)
        losses.append(float(loss.detach()))
        if (step + 1) % LOGGED == 0:
            log(step + 1, float(np.mean(losses)))
            losses.clear()
        if checkpoints.due():
            checkpoints.save(_state(parts, step + 1))
    checkpoints.save(_state(parts, schedule.steps))


def _state(parts: dict[str, Any], step: int) -> State:
    return {name: part.state_dict() for name, part in parts.items()} | {"step": step}


def _restore(parts: dict[str, Any], state: State | None) -> int:
    """Load a checkpoint and return the step to go on with."""
    if state is None:
        return 0
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return int(state["step"])


def falling(rate: float, steps: int) -> Callable[[int], float]:
    """A rate that rises over a hundred steps and then falls linearly towards zero."""
    return lambda step: rate * min(1.0, step / 100) * (1 - step / steps) + 1e-5
