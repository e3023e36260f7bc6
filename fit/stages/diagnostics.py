"""What the threshold stage says of the assumptions A1-A4 and of what moves the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from fit.run import Job
from fit.stages.inputs import concepts_of
from fit.threshold import ImitationCurve
from fit.threshold import diagnostics as look
from fit.threshold.comparison import take

Values = dict[str, float]


def diagnostics(job: Job, curve: ImitationCurve) -> list[dict[str, Any]]:
    """Return the diagnostics of a run's curve as JSON values, in the order of the report."""
    frequencies = {row["concept"]: row for row in job.read("verification", "frequencies").to_pylist()}
    found: list[look.Diagnostic | None] = [
        look.equally_hard(curve),
        look.confounders(curve, _variables(job, frequencies), job.seed),
        look.copies(curve, _distinct(frequencies), job.seed),
        look.unnamed({}, {}),
        look.outliers(curve),
        look.leave_one_group_out(curve, job.seed),
        look.alternatives("prompts and pools", dict(_alternatives(job, curve)), job.seed),
        look.penalties(curve),
    ]
    return [_plain(each) for each in found if each is not None]


def _plain(found: look.Diagnostic) -> dict[str, Any]:
    row = asdict(found)
    row["numbers"] = dict(found.numbers or {})
    row["named"] = [list(pair) for pair in found.named]
    return row


def _variables(job: Job, frequencies: dict[str, dict[str, Any]]) -> dict[str, Values]:
    """Return what is known of the concepts besides frequency and score."""
    aliases = {c.name: float(len(c.phrases)) for c in concepts_of(job)}
    words = {c.name: float(len(c.name)) for c in concepts_of(job)}
    hits = {name: row["hit_rate"] for name, row in frequencies.items() if row["hit_rate"] is not None}
    return {"number of names": aliases, "length of the name": words, "hit rate": hits}


def _distinct(frequencies: dict[str, dict[str, Any]]) -> Values:
    """Return the frequency with each address counted once, copies being taken to hit as often as others."""
    found = {}
    for name, row in frequencies.items():
        if row["frequency"] is not None and row["distinct_url_count"] is not None:
            share = row["distinct_url_count"] / row["caption_count"] if row["caption_count"] else 1.0
            found[name] = row["frequency"] * share
    return found


def _alternatives(job: Job, curve: ImitationCurve) -> Iterator[tuple[str, ImitationCurve]]:
    """Yield the curve with the scores of each single prompt, and with training images as the pool."""
    variants: dict[str, Values] = {}
    for row in job.read("scores", "alternatives").to_pylist():
        variants.setdefault(row["variant"], {})[row["concept"]] = row["score"]
    for variant, scores in variants.items():
        has = np.array([concept in scores for concept in curve.concepts])
        some = take(curve, has)
        columns = {
            "concept": some.concepts,
            "frequency": some.frequency,
            "frequency_low": some.frequency_low,
            "frequency_high": some.frequency_high,
            "score": [scores[concept] for concept in some.concepts],
        }
        yield variant, ImitationCurve.from_columns(columns)
