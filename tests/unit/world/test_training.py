"""One training loop for all networks: it resumes to the same weights and tells how it goes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fit.world.checkpoints import Checkpoints
from fit.world.training import Schedule, falling, train
from tests.unit.world.interrupted import Killed, KilledAfterTwo, same_weights
from tests.unit.world.small import quiet


class Point(nn.Module):
    """Two numbers that are drawn towards three and four."""

    def __init__(self) -> None:
        super().__init__()
        self.at = nn.Parameter(torch.zeros(2))

    def loss(self, step: int) -> Tensor:
        noise = torch.randn(2, generator=torch.Generator().manual_seed(step))
        return ((self.at - torch.tensor([3.0, 4.0]) - 0.1 * noise) ** 2).sum()


def averaged(model: nn.Module) -> AveragedModel:
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))


def test_it_learns_and_tells_the_mean_loss_every_hundred_steps(tmp_path: Path) -> None:
    point, told = Point(), []
    schedule = Schedule(300, lambda step: 0.1, clip=10.0)
    train(point, point.loss, schedule, Checkpoints(tmp_path / "p.pt"), lambda *row: told.append(row))
    assert point.at.tolist() == pytest.approx([3, 4], abs=0.2)
    assert [step for step, _ in told] == [100, 200, 300]
    # The start is 3^2 + 4^2 = 25 away; in the end the noise, 2 x 0.1^2, is what is left.
    assert 1 < told[0][1] < 25
    assert told[2][1] == pytest.approx(0.02, abs=0.02)


def test_a_killed_training_comes_to_the_same_weights(tmp_path: Path) -> None:
    whole, killed, resumed = Point(), Point(), Point()
    schedule = Schedule(6, falling(0.5, 6), clip=1.0)
    wholes_average, average = averaged(whole), averaged(killed)
    train(whole, whole.loss, schedule, Checkpoints(tmp_path / "whole.pt"), quiet, wholes_average)
    with pytest.raises(Killed):
        train(killed, killed.loss, schedule, KilledAfterTwo(tmp_path / "p.pt"), quiet, average)
    assert not same_weights(killed, whole)
    average = averaged(resumed)
    train(resumed, resumed.loss, schedule, Checkpoints(tmp_path / "p.pt"), quiet, average)
    assert same_weights(resumed, whole)
    assert same_weights(average, wholes_average)


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    point, again = Point(), Point()
    schedule = Schedule(5, lambda step: 0.1)
    train(point, point.loss, schedule, Checkpoints(tmp_path / "p.pt"), quiet)

    def never(step: int) -> Tensor:
        raise AssertionError(step)

    train(again, never, schedule, Checkpoints(tmp_path / "p.pt"), quiet)
    assert same_weights(again, point)


def test_the_rate_rises_and_falls() -> None:
    rate = falling(2.0, 1000)
    assert rate(0) == pytest.approx(1e-5)
    assert rate(50) == pytest.approx(2 * 0.5 * 0.95 + 1e-5)  # half way up, 95 % of the steps left
    assert rate(500) == pytest.approx(1 + 1e-5)
    assert rate(999) == pytest.approx(2e-3 + 1e-5)


def test_checkpoints_are_due_by_the_clock_and_replaced_whole(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "sub" / "c.pt", every_seconds=3600)
    assert checkpoints.load() is None
    assert not checkpoints.due()
    checkpoints.save({"step": 1})
    checkpoints.save({"step": 2})
    assert checkpoints.load() == {"step": 2}
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["c.pt"]
    assert Checkpoints(tmp_path / "c.pt", every_seconds=0).due()
