"""What Ray costs over the process pool on one machine, for the same shards: at most 15 % more time.

    python benchmarks/executors.py --captions 500000 --shards 8 --passes 12 --repeats 3

Both count the same caption shards (each several times, to save disk space) with as many workers as there
are cores, one engine after the other, again and again. A time runs from `map` to the last outcome, so the
workers' start is in it; the start of the cluster is not, it stands beside. The results of both must be equal.
`results/executors.json` keeps the times, and the median of the ratios within the repeats.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.executors import Done, Executor, cores, make_executor

OUT = Path(__file__).parent / "results" / "executors.json"
TARGET = 1.15
NAMING = 0.01  # share of the captions that name a concept


def write_captions(folder: Path, shards: int, captions: int, names: Sequence[str]) -> None:
    """Write shards of captions of ten invented words, of which one in a hundred names a concept."""
    rng = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlu"))
    words = ["".join(letters[rng.integers(0, 12, rng.integers(2, 10))]) for _ in range(20_000)]
    pool = [" ".join(words[each] for each in row) for row in rng.integers(0, len(words), (100_000, 10))]
    for at in rng.choice(len(pool), int(NAMING * len(pool)), replace=False):
        pool[at] = f"{pool[at][:30]} by {names[rng.integers(len(names))]}"
    texts = pa.array(pool)
    for number in range(shards):
        rows = rng.integers(0, len(pool), captions)
        urls = pa.array([f"https://example.org/{row}.jpg" for row in rows])
        table = pa.table({"URL": urls, "TEXT": texts.take(pa.array(rows))})
        pq.write_table(table, folder / f"{number:03d}.parquet")


def counting(folder: Path, asked: argparse.Namespace) -> tuple[Callable[[Any], Any], list[Any]]:
    """Write shards, and return what counts one, and all of them as often as they are to be counted."""
    from concepts.catalogue import find_catalogue
    from corpus.captions import CaptionCounter, CaptionQuery
    from corpus.shards import find_shards

    concepts = find_catalogue("art-styles/classical").concepts
    write_captions(folder, asked.shards, asked.captions, [concept.name for concept in concepts])
    return CaptionCounter(CaptionQuery(concepts)), list(find_shards(str(folder))) * asked.passes


def seconds(executor: Executor, task: Callable[[Any], Any], items: Sequence[Any]) -> tuple[float, list[Any]]:
    """Return how long a `map` takes, and the results in the items' order."""
    start = time.perf_counter()
    outcomes = list(executor.map(task, items))
    took = time.perf_counter() - start
    if not all(isinstance(outcome, Done) for outcome in outcomes):
        raise SystemExit(f"not every shard was counted: {outcomes}")
    return took, [outcome.result for outcome in sorted(outcomes, key=lambda each: each.index)]


def measure(task: Callable[[Any], Any], items: Sequence[Any], workers: int, repeats: int) -> dict[str, Any]:
    """Return the times of both engines."""
    with make_executor("local", workers) as pool, make_executor("ray", workers) as ray:
        start, _ = seconds(ray, str, [0])  # the cluster starts with the first item
        rows = []
        for _ in range(repeats):
            (pool_s, expected), (ray_s, found) = seconds(pool, task, items), seconds(ray, task, items)
            if found != expected:
                raise SystemExit("the pool and Ray count differently")
            rows.append({"pool s": round(pool_s, 3), "ray s": round(ray_s, 3), "ratio": ray_s / pool_s})
            print(json.dumps(rows[-1]), flush=True)
    return {"cluster start s": round(start, 3), "rows": rows}


def main() -> None:
    """Write the shards, run both engines in turn, print and keep the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=int, default=500_000, help="captions of a shard")
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--passes", type=int, default=12, help="how often each shard is counted")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=cores())
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        task, shards = counting(Path(folder), asked)
        measured = measure(task, shards, asked.workers, asked.repeats)
    ratio = median(row["ratio"] for row in measured["rows"])
    facts = {
        "captions": asked.captions * asked.shards * asked.passes,
        "shards": asked.shards * asked.passes,
        "workers": asked.workers,
        "cores": cores(),
        "python": platform.python_version(),
        "ratio": round(ratio, 3),
        "target": TARGET,
    }
    asked.out.parent.mkdir(exist_ok=True)
    asked.out.write_text(json.dumps(facts | measured, indent=1) + "\n")
    print(json.dumps(facts | {"cluster start s": measured["cluster start s"]}))
    if ratio > TARGET:
        raise SystemExit(f"Ray takes {ratio:.2f} times as long as the pool; the target is {TARGET}")


if __name__ == "__main__":
    main()
