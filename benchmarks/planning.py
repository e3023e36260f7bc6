"""Is the power that `fit plan` predicts the power that the estimator has? Within 5 points in six cells.

    python benchmarks/planning.py --runs 1000 --workers 2

Predictions come from `prospect`; the truth is the share of planted curves of other seeds on which `estimate`
shows a rise. `results/planning.json` keeps both.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from fit.threshold import Noise, NoThreshold, Threshold, Truth, estimate, planted_curve
from fit.threshold.planning import prospect

OUT = Path(__file__).parent / "results" / "planning.json"
CELLS = (
    (40, 0.12, 0.1),
    (60, 0.12, 0.1),
    (60, 0.07, 0.05),
    (100, 0.12, 0.08),
    (200, 0.12, 0.05),
    (418, 0.12, 0.04),
)


def risen(cell: tuple[int, float, float], run: int) -> bool:
    """Whether the estimator shows a rise on one planted curve."""
    n, sd, rise = cell
    seed = 1_000_000 + run
    at = float(np.random.default_rng(seed).uniform(0.2, 0.8))
    curve = planted_curve(Truth("step", rise=rise, at=at), n=n, noise=Noise(sd), seed=seed).curve
    verdict = estimate(curve, replicates=1000, seed=run)
    return isinstance(verdict, Threshold) or (
        isinstance(verdict, NoThreshold) and verdict.reason == "no plateau"
    )


def main() -> None:
    """Run all cells, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    rows = []
    with ProcessPoolExecutor(asked.workers) as workers:
        for cell in CELLS:
            n, sd, rise = cell
            told = prospect(rise, n, sd)
            seen = float(np.mean(list(workers.map(partial(risen, cell), range(asked.runs), chunksize=25))))
            row = {"concepts": n, "sd": sd, "rise": rise, "predicted": told.power, "simulated": seen}
            rows.append(row | {"points apart": round(100 * abs(told.power - seen), 1)})
            print(json.dumps(rows[-1]), flush=True)
    OUT.write_text(json.dumps({"runs": asked.runs, "rows": rows}, indent=1) + "\n")
    if max(row["points apart"] for row in rows) > 5:
        raise SystemExit("a prediction is more than 5 points off")


if __name__ == "__main__":
    main()
