"""How often the model saw images of a concept: captions of each phase x its passes x the hit rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fit.run import Job

_ENDS = ("", "_low", "_high")


def exposure_of(job: Job) -> dict[str, dict[str, float | None]]:
    """Return ``seen``, ``seen_low`` and ``seen_high`` of each concept, in images, repeats counted.

    The hit rate is taken to be the same in every phase. Empty where the model's row states no phase on this
    corpus, or leaves out how often one of them went over its rows: a sum without it would be too small.
    """
    if not job.has("counts", "exposure"):
        return {}
    shown: dict[str, float] = {}
    for row in job.read("counts", "exposure").to_pylist():
        if row["passes"] is None:
            return {}
        shown[row["concept"]] = shown.get(row["concept"], 0.0) + row["caption_count"] * row["passes"]
    rates = {row["concept"]: row for row in job.read("verification", "frequencies").to_pylist()}
    return {name: _seen(images, rates.get(name, {})) for name, images in shown.items()}


def _seen(shown: float, rates: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the images with their interval; None where the hit rate is not known and there are captions."""
    found = {f"seen{end}": rates.get(f"hit_rate{end}") for end in _ENDS}
    if shown == 0:
        return dict.fromkeys(found, 0.0)
    return {name: None if rate is None else shown * rate for name, rate in found.items()}
