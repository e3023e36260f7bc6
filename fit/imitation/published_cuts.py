"""Cuts that others have published, as rows of ``cuts.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files

from concepts.errors import SettingsError, unknown

CALIBRATED = "calibrated"
"""What a setting says that wants no published cut."""

NEAREST, TEXT = "nearest", "text"
"""What a cut is applied to: an image's largest cosine to any reference, or its cosine with a text."""


@dataclass(frozen=True, slots=True)
class PublishedCut:
    """A published cut.

    Attributes:
        preset: What a setting calls it.
        scorer: The scorer that it is for.
        concepts: The concept list that it is for; empty: every list.
        value: Images at or above it count.
        applied_to: ``nearest`` (largest cosine to any reference) or ``text`` (cosine with a text).
        source: Where it was published, and what for.
    """

    preset: str
    scorer: str
    concepts: str
    value: float
    applied_to: str
    source: str


def published_cuts() -> tuple[PublishedCut, ...]:
    """Return all rows in their order."""
    text = files("fit.imitation").joinpath("cuts.toml").read_text(encoding="utf-8")
    return tuple(PublishedCut(**row) for row in tomllib.loads(text)["cut"])


def check_preset(preset: str) -> None:
    """Check that cuts are published under a name, or that it asks for calibrated ones.

    Raises:
        SettingsError: No preset is called so.
    """
    if preset == CALIBRATED:
        return
    names = {row.preset for row in published_cuts()}
    if preset not in names:
        raise SettingsError(unknown("preset of cuts", preset, {CALIBRATED, *names}))


def published_cut(preset: str, scorer: str, concepts: str, applied_to: str = NEAREST) -> PublishedCut:
    """Return the published cut of a scorer for a concept list and a statistic.

    Raises:
        SettingsError: No preset is called so, or it has no cut for them.
    """
    check_preset(preset)
    rows = [row for row in published_cuts() if (row.preset, row.applied_to) == (preset, applied_to)]
    for row in rows:
        if row.scorer == scorer and row.concepts in ("", concepts):
            return row
    there = ", ".join(f"{row.scorer} on {row.concepts or 'any list'}" for row in rows)
    raise SettingsError(f"{preset}: has no cut for {scorer} on {concepts}; it has some for {there}")
