"""Cuts that others have published, as rows of ``cuts.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files

from concepts.errors import SettingsError, unknown


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


def published_cut(preset: str, scorer: str, concepts: str) -> PublishedCut:
    """Return the published cut of a scorer for a concept list.

    Raises:
        SettingsError: No preset is called so, or it has no cut for them.
    """
    rows = published_cuts()
    names = {row.preset for row in rows}
    if preset not in names:
        raise SettingsError(unknown("preset of cuts", preset, {*names, "calibrated"}))
    of_scorer = [row for row in rows if (row.preset, row.scorer) == (preset, scorer)]
    for row in of_scorer:
        if row.concepts in ("", concepts):
            return row
    there = ", ".join(f"{row.scorer} on {row.concepts or 'any list'}" for row in rows if row.preset == preset)
    raise SettingsError(f"{preset}: has no cut for {scorer} on {concepts}; it has some for {there}")
