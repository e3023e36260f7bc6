"""Step or gradual? Two tests, one precedence."""

from dataclasses import dataclass
from typing import Final, Literal

from fit.threshold.family import NARROW
from fit.threshold.inversion import Inversion

Shape = Literal["step", "gradual", "undetermined", "none"]

SHAPE_SHARE: Final = 0.5
"""Share of 1 - level at which either shape is rejected, so that each is seldom called by the other's name."""


@dataclass(frozen=True)
class ShapeVerdict:
    """What the curve says about its shape.

    Attributes:
        shape: `gradual` when the step is rejected; else `step` when a transition of half a decade or more is
            rejected; else `undetermined`.
        p_step: p-value of "the rise is a step".
        p_wide: p-value of "the rise takes half a decade or more from 10 % to 90 %".
    """

    shape: Shape
    p_step: float
    p_wide: float


def judge_shape(inversion: Inversion, level: float) -> ShapeVerdict:
    """Decide the shape of a rise that was shown.

    Args:
        inversion: over a family with steps and logistics.
        level: confidence level in (0, 1).
    """
    family = inversion.family
    p_step = inversion.p_value(family.is_step)
    p_wide = inversion.p_value(family.width >= NARROW)
    shape: Shape = "undetermined"
    if p_step <= SHAPE_SHARE * (1.0 - level):
        shape = "gradual"
    elif p_wide <= SHAPE_SHARE * (1.0 - level):
        shape = "step"
    return ShapeVerdict(shape=shape, p_step=p_step, p_wide=p_wide)
