"""The simulation table of the estimator: how often it is right where the truth is planted.

    python benchmarks/threshold.py --runs 1000 --workers 2
    python benchmarks/threshold.py --table

Every cell is a file of its own and is resumed run by run; run i of a cell has the same seed whatever was run
before, so more runs continue a table. Cells without a rise get ten times as many runs. `--table` sums up what
there is in `results/threshold.json` and prints it against what was asked. `mimetic2` stands beside ours.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from fit.threshold import (
    ImitationCurve,
    Noise,
    NoThreshold,
    Planted,
    Threshold,
    Truth,
    estimate,
    planted_curve,
)
from fit.threshold.estimate import confidence_set
from fit.threshold.mimetic2 import change_points, published_threshold
from fit.threshold.planted import published_frequencies

SIZES = (60, 100, 418)
SDS = (0.07, 0.12)
RISES = (0.1, 0.2, 0.3)
BATCH = 50
RESULTS = Path(__file__).parent / "results" / "threshold.json"


@dataclass(frozen=True)
class Cell:
    """One row of the table: a truth, noise, and a number of concepts."""

    name: str
    truth: Truth
    noise: Noise
    n: int
    scores: str = "planted"

    @property
    def alarms(self) -> bool:
        """Whether it counts our false alarms."""
        return self.truth.shape == "flat" and self.scores != "best10"


def cells() -> Iterator[Cell]:
    """All cells, in the order of the table."""
    for n in SIZES:
        for sd in SDS:
            end = f"n{n}-sd{sd:g}"
            yield Cell(f"flat-{end}", Truth("flat"), Noise(sd), n)
            yield Cell(f"falling-{end}", Truth("falling", baseline=0.2, rise=0.1), Noise(sd), n)
            yield Cell(f"logistic-{end}", Truth("logistic", rise=0.25, width=1.0), Noise(sd), n)
            yield Cell(f"ramp-{end}", Truth("ramp", baseline=0.05, rise=0.4), Noise(sd), n)
            for rise in RISES:
                yield Cell(f"step{rise:g}-{end}", Truth("step", rise=rise), Noise(sd), n)
        yield Cell(f"flat-n{n}-narrowing", Truth("flat"), Noise(0.12, 0.05), n)
        yield Cell(f"flat-n{n}-widening", Truth("flat"), Noise(0.05, 0.12), n)
        yield Cell(f"flat-n{n}-t3", Truth("flat"), Noise(0.07, tails="t3"), n)
        yield Cell(f"flat-n{n}-outliers", Truth("flat"), Noise(0.07, outliers=0.03), n)
        for rise in RISES[:2]:
            yield Cell(f"step{rise:g}-n{n}-t3", Truth("step", rise=rise), Noise(0.07, tails="t3"), n)
            yield Cell(f"step{rise:g}-n{n}-outliers", Truth("step", rise=rise), Noise(0.07, outliers=0.03), n)
            uncertain = Noise(0.07, frequency_factor=1.3)
            yield Cell(f"step{rise:g}-n{n}-uncertain", Truth("step", rise=rise), uncertain, n)
        yield Cell(f"null-n{n}-matched", Truth("flat"), Noise(), n, scores="matched")
        yield Cell(f"null-n{n}-best10", Truth("flat"), Noise(), n, scores="best10")


def one_run(cell: Cell, run: int, replicates: int) -> dict[str, Any]:
    """Plant, estimate, and compare with the truth."""
    seed = int.from_bytes(sha256(f"{cell.name}/{run}".encode()).digest()[:6], "big")
    at = 0.2 + 0.6 * np.random.default_rng(seed).random()
    if cell.scores == "planted":
        truth = Truth(**{**asdict(cell.truth), "at": at})
        planted = planted_curve(truth, n=cell.n, noise=cell.noise, seed=seed)
    else:
        planted = Planted(no_imitation(cell, seed), cell.truth, (np.nan, np.nan), np.nan)
    started = time.perf_counter()
    verdict = estimate(planted.curve, replicates=replicates, seed=seed % 2**31)
    row: dict[str, Any] = {"run": run, "at": at, "seconds": time.perf_counter() - started}
    row |= {"shape": verdict.shape, "p": verdict.found.p_value, "found": isinstance(verdict, Threshold)}
    row["reason"] = verdict.reason if isinstance(verdict, NoThreshold) else None
    row["rise"] = row["found"] or row["reason"] == "no plateau"
    row["safe"] = verdict.found.safe_below
    row["ed10"] = None if np.isnan(planted.ed10) else planted.ed10
    published = published_threshold(planted.curve)
    row["mimetic2"] = None if published is None else published[0]
    if cell.truth.shape in ("step", "logistic"):
        interval = verdict.interval if isinstance(verdict, Threshold) else None
        interval = interval or confidence_set(planted.curve, replicates=replicates, seed=seed % 2**31)
        row |= _compare(planted, interval, cell)
    return row


def _compare(planted: Planted, interval: tuple[float, float] | None, cell: Cell) -> dict[str, Any]:
    if interval is None:
        return {"covered": False, "log_width": None, "oracle": None}
    low, high = interval
    below, above = planted.change
    if cell.truth.shape == "logistic":
        covered = low < below <= high
    elif cell.noise.frequency_factor > 1:
        # Any count in the gap would have done; take its middle on the axis.
        truth = np.sqrt((1 + below) * (1 + above)) - 1
        covered = low < truth <= high
    else:
        covered = low <= below and above <= high
    log_width = float(np.log10((1 + high) / (1 + low)))
    oracle = None if cell.truth.shape != "step" else oracle_width(planted, cell)
    return {"covered": bool(covered), "log_width": log_width, "oracle": oracle}


def oracle_width(planted: Planted, cell: Cell) -> float:
    """Log-width of the likelihood-ratio set told the true means and standard deviation."""
    curve, truth = planted.curve, planted.truth
    middle = truth.baseline + truth.rise / 2
    walk = np.concatenate(([0.0], np.cumsum(middle - curve.score)))
    allowed = np.flatnonzero(np.diff(curve.frequency) > 0) + 1
    ratio = 2 * truth.rise / cell.noise.sd**2 * (walk[allowed].max() - walk[allowed])
    kept = allowed[ratio <= oracle_critical(truth.rise / cell.noise.sd)]
    return float(np.log10((1 + curve.frequency[kept[-1]]) / (1 + curve.frequency[kept[0] - 1])))


@lru_cache
def oracle_critical(signal: float) -> float:
    """95 % quantile of the likelihood ratio of the true change, means and sd known (40,000 draws)."""
    rng = np.random.default_rng(1)
    sides = [np.zeros(40_000), np.zeros(40_000)]
    for side in sides:
        walk = np.zeros(40_000)
        for _ in range(200):
            walk += signal * rng.standard_normal(40_000) - signal**2 / 2
            np.maximum(side, walk, out=side)
    return float(np.quantile(2 * np.maximum(*sides), 0.95))


def no_imitation(cell: Cell, seed: int) -> ImitationCurve:
    """Similarities that have nothing to do with the frequency, scored by a statistic of the best."""
    rng = np.random.default_rng(seed)
    frequency = np.sort(published_frequencies(cell.n, rng))
    own = 0.2 + 0.04 * rng.standard_normal(cell.n)
    score = np.array([s + _scored(cell.scores, f, rng) for s, f in zip(own, frequency, strict=True)])
    names = [f"{i:05d}" for i in range(cell.n)]
    columns = {"concept": names, "frequency": frequency, "score": np.clip(score, -1, 1)}
    return ImitationCurve.from_columns(columns)


def _scored(kind: str, frequency: float, rng: np.random.Generator) -> float:
    references = int(rng.integers(8, 51))
    if kind == "best10":
        images = int(frequency) if frequency >= 10 else references
        similarity = np.sort(0.05 * rng.standard_normal(min(images, 100_000)))[::-1]
        return float(similarity[:10].mean())
    similarity = np.sort(0.05 * rng.standard_normal(references))[::-1]
    return float(similarity @ _matched_weights(references))


@lru_cache(maxsize=128)
def _matched_weights(size: int, pool: int = 8, best: int = 3) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Weights of the sorted similarities in the mean of the top 3 of a random 8 (hypergeometric)."""
    from scipy.stats import hypergeom

    ahead = np.arange(size)
    chosen = pool / size
    weights = chosen * hypergeom.cdf(best - 1, size - 1, ahead, pool - 1) / best
    return np.asarray(weights)


def run_cell(cell: Cell, runs: int, replicates: int, out: Path) -> None:
    """Complete a cell up to a number of runs."""
    path = out / f"{cell.name}.jsonl"
    done = {json.loads(line)["run"] for line in path.read_text().splitlines()} if path.exists() else set()
    todo = [i for i in range(runs) if i not in done]
    for first in range(0, len(todo), BATCH):
        rows = [one_run(cell, run, replicates) for run in todo[first : first + BATCH]]
        with path.open("a") as file:
            file.write("".join(json.dumps(row) + "\n" for row in rows))


def summary(cell: Cell, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One row of the table, in percent where not said otherwise."""

    def share(of: Callable[[dict[str, Any]], Any], among: list[dict[str, Any]] = rows) -> float | None:
        return round(100 * float(np.mean([bool(of(r)) for r in among])), 1) if among else None

    found = [r for r in rows if r["found"]]
    line: dict[str, Any] = {"cell": cell.name, "runs": len(rows)}
    line |= {"found": share(lambda r: r["found"]), "rise": share(lambda r: r["rise"])}
    line |= {"mimetic2": share(lambda r: r["mimetic2"] is not None)}
    for shape in ("step", "gradual", "undetermined"):
        line[shape] = share(lambda r, shape=shape: r["shape"] == shape)  # type: ignore[misc]
    if "covered" in rows[0]:
        line["covered"] = share(lambda r: r["covered"])
        line["covered_found"] = share(lambda r: r["covered"], found)
        for third, low in (("low", 0.2), ("mid", 0.4), ("high", 0.6)):
            line[f"covered_{third}"] = share(
                lambda r: r["covered"], [r for r in rows if low <= r["at"] < low + 0.2]
            )
        width = float(np.median([r["log_width"] if r["log_width"] is not None else 9.0 for r in rows]))
        line["log_width"] = round(width, 3)
        if rows[0].get("oracle") is not None:
            line["to_oracle"] = round(width / float(np.median([r["oracle"] for r in rows])), 2)
    told = [r for r in rows if r["safe"] is not None and r["ed10"] is not None]
    if told:
        line["safe_holds"] = share(lambda r: r["safe"] <= r["ed10"] * (1 + 1e-9), told)
        line["safe_median"] = round(float(np.median([r["safe"] / r["ed10"] for r in told])), 2)
    line["ms"] = round(1000 * float(np.median([r["seconds"] for r in rows])))
    return line


@dataclass(frozen=True)
class Ask:
    """What is asked of some cells: a figure of their summary within limits."""

    row: str
    cells: str
    figure: str
    least: float | None = None
    most: float | None = None

    def met(self, line: dict[str, Any]) -> bool | None:
        """Whether a cell keeps it; None where its runs do not tell (nothing was found)."""
        value = line.get(self.figure)
        if value is None:
            return None
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def asks() -> list[Ask]:
    """The table of what is asked, in its order; shares in percent."""
    return [
        Ask("flat: a threshold claimed", "flat-n*-sd*", "found", most=5.7),
        Ask("flat, noise changes with frequency: claimed", "flat-n*-narrowing", "found", most=6.5),
        Ask("flat, noise changes with frequency: claimed", "flat-n*-widening", "found", most=6.5),
        Ask("falling: claimed", "falling-*", "found", most=0.5),
        Ask("step 0.10, n = 418: found", "step0.1-n418-sd*", "found", least=97),
        Ask("step: covered, all runs", "step0.?-n*-sd*", "covered", least=93),
        Ask("step: covered, found runs", "step0.?-n*-sd*", "covered_found", least=93),
        Ask("step: median width / oracle's", "step0.?-n*-sd*", "to_oracle", most=1.5),
        Ask("step 0.20 and 0.30, n = 418: step", "step0.[23]-n418-sd*", "step", least=85),
        Ask("step 0.20 and 0.30, n = 418: gradual", "step0.[23]-n418-sd*", "gradual", most=5),
        Ask("logistic, n = 418: gradual", "logistic-n418-*", "gradual", least=95),
        Ask("logistic: called step", "logistic-*", "step", most=5),
        Ask("logistic: midpoint covered", "logistic-*", "covered", least=93),
        Ask("ramp: called step", "ramp-*", "step", most=5),
        Ask("ramp, n = 418: gradual", "ramp-n418-*", "gradual", least=95),
        Ask("safe count at most the true ED10", "step0.?-n*-sd*", "safe_holds", least=93),
        Ask("safe count at most the true ED10", "logistic-*", "safe_holds", least=93),
        Ask("safe count at most the true ED10", "ramp-*", "safe_holds", least=93),
        Ask("safe count / ED10, median, n = 418", "step0.?-n418-sd*", "safe_median", least=0.3),
        Ask("safe count / ED10, median, n = 418", "logistic-n418-*", "safe_median", least=0.3),
        Ask("safe count / ED10, median, n = 418", "ramp-n418-*", "safe_median", least=0.3),
        Ask("heavy tails, outliers: covered", "step0.?-n*-t3", "covered", least=90),
        Ask("heavy tails, outliers: covered", "step0.?-n*-outliers", "covered", least=90),
        Ask("heavy tails, outliers: claimed on flat", "flat-n*-t3", "found", most=6.5),
        Ask("heavy tails, outliers: claimed on flat", "flat-n*-outliers", "found", most=6.5),
        Ask("uncertain frequencies: covered", "step0.?-n*-uncertain", "covered", least=92),
        Ask("no imitation, matched scores: claimed", "null-n*-matched", "found", most=6),
        Ask("no imitation, best 10 of N (published score): claimed", "null-n*-best10", "found"),
    ]


def table(out: Path, pattern: str, into: Path | None = None) -> None:
    """Print every cell that has runs, then what was asked; keep both in `results/threshold.json`.

    A page `into` which the second goes needs the marks `<!-- table -->` and `<!-- end of table -->`.
    """
    lines = []
    for cell in cells():
        path = out / f"{cell.name}.jsonl"
        if path.exists() and fnmatch.fnmatch(cell.name, pattern):
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            lines.append(summary(cell, rows))
            print("  ".join(f"{k}={v}" for k, v in lines[-1].items() if v is not None))
    if lines and pattern == "*":
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps({"cells": lines}, indent=1) + "\n")
    print(markdown(lines))
    if into is not None:
        begin, end = "<!-- table -->", "<!-- end of table -->"
        before, _, rest = into.read_text().partition(begin)
        into.write_text(f"{before}{begin}\n{markdown(lines)}\n{end}{rest.partition(end)[2]}")


def markdown(lines: list[dict[str, Any]]) -> str:
    """What was asked beside what was found: over the cells of a row, the worst, and which ones miss it."""
    rows: dict[str, list[tuple[Ask, dict[str, Any]]]] = {}
    for ask in asks():
        rows.setdefault(ask.row, []).extend(
            (ask, line) for line in lines if fnmatch.fnmatch(line["cell"], ask.cells)
        )
    text = ["| asked | limit | found, worst and best cell | `mimetic2` finds a threshold in | kept in |"]
    text.append("|---|---|---|---|---|")
    for row, pairs in rows.items():
        known = [(ask, line) for ask, line in pairs if line.get(ask.figure) is not None]
        if not known:
            continue
        ask = known[0][0]
        limit = (
            f"≥ {ask.least:g}"
            if ask.least is not None
            else f"≤ {ask.most:g}"
            if ask.most is not None
            else "-"
        )
        values = sorted(line[ask.figure] for ask, line in known)
        values = values if ask.least is not None else values[::-1]
        published = [line["mimetic2"] for _, line in known]
        missed = [line["cell"] for ask, line in known if ask.met(line) is False]
        kept = f"{len(known) - len(missed)} of {len(known)}" + (
            f" (not {', '.join(missed)})" if missed else ""
        )
        span = f"{min(published):g}–{max(published):g} %"
        text.append(f"| {row} | {limit} | {values[0]:g} … {values[-1]:g} | {span} | {kept} |")
    return "\n".join(text)


def speed() -> dict[str, float]:
    """Seconds of `auto` with 2,000 replicates and of one call of ruptures on the same curve, n = 418."""
    import ruptures

    curve = planted_curve(Truth("logistic"), noise=Noise(0.12), seed=1).curve
    estimate(curve)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        estimate(curve)
        times.append(time.perf_counter() - started)
    started = time.perf_counter()
    theirs = ruptures.Pelt(model="l2", min_size=1, jump=1).fit(np.asarray(curve.score)).predict(pen=0.9)
    pelt = time.perf_counter() - started
    if theirs != change_points(curve.score):
        raise SystemExit("our mimetic2 differs from ruptures")
    return {"auto_seconds": float(np.median(times)), "ruptures_seconds": pelt}


def main() -> None:
    """Run cells, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--cells", default="*", help="pattern of cell names, such as 'step*-n418-*'")
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/threshold"))
    parser.add_argument("--table", action="store_true", help="only print what is there")
    parser.add_argument("--into", type=Path, help="page to write the table into, such as docs/method.md")
    parser.add_argument("--speed", action="store_true", help="only time one estimate beside ruptures")
    asked = parser.parse_args()
    if asked.speed:
        print(json.dumps(speed()))
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    if not asked.table:
        chosen = [c for c in cells() if fnmatch.fnmatch(c.name, asked.cells)]
        with ProcessPoolExecutor(asked.workers) as workers:
            jobs = [
                workers.submit(run_cell, c, asked.runs * (10 if c.alarms else 1), asked.replicates, asked.out)
                for c in chosen
            ]
            for job in jobs:
                job.result()
    table(asked.out, asked.cells, asked.into)


if __name__ == "__main__":
    main()
