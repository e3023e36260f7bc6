"""Stage `threshold`: frequencies and scores become the imitation curve, the verdict.

The verdicts on the negative controls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from fit.run import Job
from fit.stages.curve_file import judged
from fit.stages.diagnostics import diagnostics
from fit.stages.inputs import concepts_of
from fit.threshold import ImitationCurve, require_enough

VERSION = 2
SHUFFLED, UNTRAINED = "shuffled", "untrained"


def outside(_job: Job) -> dict[str, str]:
    """Nothing: all inputs are stages."""
    return {}


def work(job: Job) -> list[str]:
    """Say how the curve is to be judged."""
    settings = job.settings.threshold
    return [f"a curve and two controls by method {settings.method}, {settings.replicates:,} replicates each"]


def run(job: Job) -> None:
    """Write the curve as `fit threshold` reads it, the verdicts on it and on the controls, diagnostics."""
    columns = _columns(job, "scores")
    job.write("curve", pa.table(columns))
    curve = ImitationCurve.from_columns(columns)
    job.write_json("threshold", judged(curve, job.settings.threshold, job.seed))
    require_enough(curve)
    job.write_json("published", _published(job, curve))
    job.write_json("controls", _controls(job, columns))
    job.write_json("diagnostics", diagnostics(job, curve))


def _columns(job: Job, table: str) -> dict[str, list[Any]]:
    """Join frequencies and scores; a concept that lacks one of them is noted and left out."""
    frequencies = {row["concept"]: row for row in job.read("verification", "frequencies").to_pylist()}
    scores = {row["concept"]: row for row in job.read("scores", table).to_pylist()}
    groups = {concept.name: concept.group or "" for concept in concepts_of(job)}
    score = job.settings.scores.score
    rows = []
    for name, group in groups.items():
        f, s = frequencies.get(name), scores.get(name)
        if f is None or f["frequency"] is None or s is None:
            if table == "scores":
                job.skip(name, name, "not on the curve: " + ("no score" if s is None else "no frequency"))
            continue
        rows.append(
            {
                "concept": name,
                "frequency": f["frequency"],
                "frequency_low": f["frequency_low"],
                "frequency_high": f["frequency_high"],
                "score": s[score],
                "score_se": s[f"{score}_se"],
                "group": group,
                "images": s["images"],
                "passed": s["passed"],
            }
        )
    return _tidy(
        {key: [row[key] for row in rows] for key in rows[0]}
        if rows
        else {"concept": [], "frequency": [], "score": []}
    )


def _tidy(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Leave out optional columns that are not known for every concept, and groups that say nothing."""
    needed = ("concept", "frequency", "score")
    kept = {k: v for k, v in columns.items() if k in needed or not any(value is None for value in v)}
    if not any(kept.get("group", [])):
        kept.pop("group", None)
    if "passed" not in kept:
        kept.pop("images", None)
    return kept


def _published(job: Job, curve: ImitationCurve) -> dict[str, Any]:
    """The published method whole: its own score, its own change point."""
    scores = {row["concept"]: row["mimetic2"] for row in job.read("scores", "scores").to_pylist()}
    own = ImitationCurve.from_columns(
        {
            "concept": curve.concepts,
            "frequency": curve.frequency,
            "score": [scores[name] for name in curve.concepts],
        }
    )
    return judged(own, job.settings.threshold.model_copy(update={"method": "mimetic2"}), job.seed)


def _controls(job: Job, columns: Mapping[str, list[Any]]) -> dict[str, Any]:
    """The same estimate where no rise can be.

    Frequencies dealt out at random, and the untrained model's images.
    """
    # Of a control only one thing is asked: is there a rise?
    asked, plain = job.settings.threshold, ("group",)
    shuffled = shuffle_frequencies(columns, job.seed)
    controls = {SHUFFLED: (shuffled, judged(_without(shuffled, plain), asked, job.seed))}
    if job.read("scores", "control").num_rows:
        blank = _columns(job, "control")
        controls[UNTRAINED] = (blank, judged(_without(blank, plain), asked, job.seed))
    return {
        name: {"threshold": verdict, "curve": {k: list(c[k]) for k in ("concept", "frequency", "score")}}
        for name, (c, verdict) in controls.items()
    }


def _without(columns: Mapping[str, list[Any]], names: tuple[str, ...]) -> ImitationCurve:
    return ImitationCurve.from_columns({k: v for k, v in columns.items() if k not in names})


def shuffle_frequencies(columns: Mapping[str, list[Any]], seed: int) -> dict[str, list[Any]]:
    """Give every concept the frequency of another, drawn at random; scores stay where they are.

    The draw depends on the seed and on the names, not on the order of the rows.
    """
    names = columns["concept"]
    by_name = sorted(range(len(names)), key=lambda i: names[i])
    digest = hashlib.blake2b(f"{seed}\0shuffled".encode(), digest_size=8).digest()
    drawn = np.random.default_rng(int.from_bytes(digest, "little")).permutation(len(names))
    source = np.empty(len(names), dtype=int)
    source[by_name] = np.array(by_name, dtype=int)[drawn]
    moved = {key for key in columns if key.startswith("frequency")}
    return {
        k: [v[source[i]] for i in range(len(names))] if k in moved else list(v) for k, v in columns.items()
    }
