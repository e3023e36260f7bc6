"""A plan on files: noise and frequencies from a pilot, prospects from `fit.threshold.planning`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from concepts.errors import StageIncomplete, UsageError
from fit.run import folder
from fit.stages.curve_file import read_curve
from fit.threshold import ImitationCurve, require_enough
from fit.threshold.planning import (
    DEFAULT_NOISE,
    RISES,
    Prospect,
    ScoreNoise,
    Spending,
    next_images,
    pilot_noise,
    prospect,
)

_NAMED = 5


@dataclass(frozen=True)
class Design:
    """A study to be planned: concepts (>= 10), images of each (>= 1), confidence level, seed."""

    concepts: int
    images: int
    level: float
    seed: int


@dataclass(frozen=True)
class Plan:
    """A plan in words and figures.

    Attributes:
        heading: What was planned, with which noise.
        rows: One for each size of the rise.
        notes: What to read into it, and where the next images should go.
        document: The same for programs.
    """

    heading: str
    rows: tuple[Mapping[str, str], ...]
    notes: tuple[str, ...]
    document: Mapping[str, Any]


def plan(design: Design, pilot: Path | None = None, extra: int = 0) -> Plan:
    """Plan a study.

    Args:
        design: The study.
        pilot: Curve or run that gives noise and frequencies; None: the demo's noise and the published
            frequencies.
        extra: Images to spend next on the pilot's concepts; 0: not asked.

    Raises:
        UsageError: `extra` without a pilot, or a pilot without standard errors.
        MalformedFile: The pilot is malformed.
        StageIncomplete: The pilot is a run without a curve.
        TooLittleData: The pilot has too few concepts.
    """
    curve = None if pilot is None else _pilot(pilot)
    if extra and curve is None:
        raise UsageError("--extra says where images of a pilot's concepts should go; name it with --pilot")
    noise = DEFAULT_NOISE if curve is None else pilot_noise(curve, str(pilot))
    frequencies = None if curve is None else _spread(curve, design.concepts)
    sd = noise.sd(design.images)
    found = [
        prospect(rise, design.concepts, sd, level=design.level, frequencies=frequencies, seed=design.seed)
        for rise in RISES
    ]
    spending = None
    if extra and curve is not None:
        spending = next_images(curve, extra)
        if spending is None:
            raise UsageError(
                f"{pilot}: has no standard errors and numbers of images, or no rise; --extra needs both"
            )
    return _worded(design, noise, found, spending)


def _pilot(path: Path) -> ImitationCurve:
    if path.is_dir():
        home = folder.load(path).folder / "threshold" / "curve.parquet"
        if not home.is_file():
            raise StageIncomplete(f"{home}: not there; run fit estimate --until threshold first")
        path = home
    curve = read_curve(path)
    require_enough(curve)
    return curve


def _spread(curve: ImitationCurve, concepts: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Frequencies of so many concepts, spread like the pilot's."""
    return np.quantile(curve.frequency, (np.arange(concepts) + 0.5) / concepts, method="inverted_cdf")


def _worded(design: Design, noise: ScoreNoise, found: list[Prospect], spending: Spending | None) -> Plan:
    sd = noise.sd(design.images)
    heading = (
        f"{design.concepts:,} concepts, {design.images:,} images of each: scores scatter by {sd:.3f} "
        f"(between concepts {noise.between:.3f}, one image {noise.image:.3f}; from {noise.source})"
    )
    rows = tuple(
        {
            "rise in score": f"{each.rise:g}",
            "found in": f"{each.power:.0%}",
            "typical interval": "-" if each.factor is None else f"a factor of {each.factor:,.3g}",
        }
        for each in found
    )
    notes = [_advice(design, noise)]
    if spending is not None:
        notes.append(spending.sentence)
        named = ", ".join(f"{name} ({number:,})" for name, number in spending.concepts[:_NAMED])
        notes.append(f"First of all: {named}.")
    document = {
        "concepts": design.concepts,
        "images": design.images,
        "level": design.level,
        "noise": {**asdict(noise), "sd": sd},
        "prospects": [{**asdict(each), "factor": each.factor} for each in found],
        "next_images": None if spending is None else asdict(spending),
        "notes": notes,
    }
    return Plan(heading, rows, tuple(notes), document)


def _advice(design: Design, noise: ScoreNoise) -> str:
    """What limits the study: the number of images, or of concepts."""
    share = noise.image**2 / design.images / max(noise.sd(design.images) ** 2, 1e-300)
    if share < 0.1:
        return (
            f"Images make {share:.0%} of the scatter's variance: more of them help little, more concepts do."
        )
    return f"Images make {share:.0%} of the scatter's variance: more of them help, as do more concepts."
