"""How often are curves with the same place of the rise said to differ? At most in 6 % at a level of 5 %.

    python benchmarks/comparison.py --runs 2000 --workers 2

Curves differ in baseline, rise and frequencies; the place is the same, except in the last row, which shows
that a difference is found. `results/comparison.json` keeps the shares.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from fit.threshold import ImitationCurve
from fit.threshold.comparison import compare_curves, place_test

OUT = Path(__file__).parent / "results" / "comparison.json"


@dataclass(frozen=True)
class Case:
    """Curves of `n` concepts each: the width of the rise in decades (0: a step), and each one's midpoint."""

    name: str
    n: int
    width: float
    middles: tuple[float, ...]
    rise: float = 0.2
    paired: bool = False


CASES = (
    Case("two groups, step", 60, 0.0, (2.0, 2.0)),
    Case("three groups, step", 60, 0.0, (2.0, 2.0, 2.0)),
    Case("two groups, logistic", 60, 1.0, (2.0, 2.0)),
    Case("two groups, no rise", 60, 0.0, (2.0, 2.0), rise=0.0),
    Case("two models, same concepts, step", 100, 0.0, (2.0, 2.0), paired=True),
    Case("two models, same concepts, logistic", 100, 1.0, (2.0, 2.0), paired=True),
    Case("two groups, step, one decade apart", 60, 0.0, (2.0, 3.0)),
)


def curves(case: Case, seed: int) -> Iterator[ImitationCurve]:
    """Log-uniform frequencies, noise sd 0.1; of the same concepts with half of the variance in common."""
    rng = np.random.default_rng(seed)
    frequency = np.round(10 ** rng.uniform(0, 4, case.n))
    common = rng.normal(0, 0.1 * np.sqrt(0.5), case.n)
    for number, middle in enumerate(case.middles):
        if not case.paired:
            frequency = np.round(10 ** rng.uniform(0, 4, case.n))
        x = np.log10(1 + frequency)
        risen = (
            (x > middle) if case.width == 0 else 1 / (1 + np.exp(-(x - middle) * 2 * np.log(9) / case.width))
        )
        noise = rng.normal(0, 0.1 * np.sqrt(0.5), case.n) + (
            common if case.paired else rng.normal(0, 0.1 * np.sqrt(0.5), case.n)
        )
        score = 0.1 + 0.05 * number + case.rise * (1 + 0.5 * number) * risen + noise
        label = "" if case.paired else f"{number}-"
        names = [f"{label}{i:04d}" for i in range(case.n)]
        columns = {"concept": names, "frequency": frequency, "score": np.clip(score, -1, 1)}
        yield ImitationCurve.from_columns(columns)


def one(case: Case, run: int) -> float:
    """P-value of one run."""
    return place_test(list(curves(case, run)), paired=case.paired, replicates=500, seed=run)


def main() -> None:
    """Run all cases, print and keep the shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    rows = []
    with ProcessPoolExecutor(asked.workers) as workers:
        for case in CASES:
            p = np.array(list(workers.map(partial(one, case), range(asked.runs), chunksize=50)))
            rows.append(
                {"case": case.name, "runs": asked.runs, "differ at 5 %": round(float((p <= 0.05).mean()), 4)}
            )
            print(json.dumps(rows[-1]), flush=True)
    shown = compare_curves({str(i): c for i, c in enumerate(curves(CASES[1], 0))}, replicates=500)
    print(shown.sentence)
    OUT.write_text(json.dumps({"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
