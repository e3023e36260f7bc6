"""How fast curation plans are made, beside counting the captions of the same shards in the same run.

    python -m benchmarks.curate                                    # for the record: an idle machine
    python -m benchmarks.curate --captions 50000 --passes 2        # a try

Both are whole commands as processes of their own: start, compiling, reading, confirming, addresses, merging,
writing. They take turns, and the medians are compared. Curation runs plainly, with a column that the best are
kept by, and with an opt-out list of domains and address patterns, which reads every address. Applying a plan
reads and writes all columns; it has no peer here and is told beside. `results/curate.json` keeps all figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.caption_corpus import Recipe, names, write_corpus
from benchmarks.count_captions import again, count_command, run_command, write_names

OUT = Path(__file__).parent / "results" / "curate.json"
TARGET_OF_COUNT, TARGET_MEMORY = 0.5, 1.5
CONCEPTS, MATCHING, LIMIT = 400, 0.01, 100


def curate_command(corpus: Path, out: Path, *more: str) -> list[str]:
    """Return a `fit curate` command."""
    fit = str(Path(sys.executable).parent / "fit")
    return [fit, "curate", "--captions", str(corpus), "--out", str(out), *more]


def write_opt_outs(folder: Path) -> Path:
    """Write an opt-out list: 1,000 domains, two of them in the corpus, and 50 patterns, one of which fits."""
    domains = [f"site{number}.example.org" for number in range(998)]
    lines = [f"domain,{domain}" for domain in (*domains, "cdn3.example.com", "cdn5.example.com")]
    lines += [f"url,*/album-{number}/*" for number in range(49)] + ["url,*/00000012?/large.jpg"]
    path = folder / "opt-out.csv"
    path.write_text("\n".join(["kind,value", *lines]) + "\n")
    return path


def measured(home: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Count and curate in turns."""
    corpus = home / "corpus"
    write_corpus(corpus, Recipe(asked.captions, asked.shards, MATCHING), names(CONCEPTS))
    many = again(corpus, asked.passes)
    listed, plan = write_names(home, names(CONCEPTS)), home / "plan.parquet"
    made = ["--concepts", str(listed), "--limit", str(LIMIT)]
    commands = {
        "count": count_command(many, listed, home / "counts.parquet"),
        "curate": curate_command(many, plan, *made),
        "curate by a column": curate_command(many, plan, *made, "--keep-best", "punsafe"),
        "curate with opt-outs": curate_command(many, plan, *made, "--opt-out", str(write_opt_outs(home))),
    }
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for turn in range(asked.turns):
        for name, command in commands.items():
            runs[name].append(run_command(command))
            print(json.dumps({"turn": turn, "what": name, **runs[name][-1]}), flush=True)
    rows = asked.captions * asked.shards * asked.passes
    counted = statistics.median(each["seconds"] for each in runs["count"])
    found = {name: _row(took, rows, counted) for name, took in runs.items()}
    found["apply"] = _row(
        [run_command(curate_command(many, plan, "--apply", str(home / "new")))], rows, counted
    )
    shutil.rmtree(many)
    return {"captions": rows, "matching": MATCHING, "concepts": CONCEPTS, "limit": LIMIT, "rows": found}


def _row(took: list[dict[str, float]], rows: int, counted: float) -> dict[str, float]:
    seconds = statistics.median(each["seconds"] for each in took)
    return {
        "seconds": round(seconds, 2),
        "captions_per_second": round(rows / seconds),
        "of_the_speed_of_count": round(counted / seconds, 3),
        "peak_gib": round(max(each["gib"] for each in took), 3),
    }


def gathered(rows: int) -> dict[str, float]:
    """Choose among as many naming rows as a large corpus has: what one process needs when shards are done."""
    code = f"from benchmarks.curate import choose_many; choose_many({rows})"
    took = run_command([sys.executable, "-c", code])
    return {"naming_rows": rows, "seconds": round(took["seconds"], 2), "peak_gib": round(took["gib"], 3)}


def choose_many(rows: int) -> None:
    """Choose among rows of 400 concepts, a tenth of which name two."""
    import numpy as np

    from fit.curation.choice import NamingRows, choose

    rng = np.random.default_rng(0)
    sets = [(each,) for each in range(CONCEPTS)]
    sets += sorted({tuple(sorted(rng.choice(CONCEPTS, 2, replace=False).tolist())) for _ in range(5_000)})
    alone = rng.integers(0, CONCEPTS, rows, dtype=np.int32)
    both = rng.random(rows, dtype=np.float32) < 0.1
    alone[both] = rng.integers(CONCEPTS, len(sets), int(both.sum()), dtype=np.int32)
    found = choose(
        NamingRows(sets, alone, rng.random(rows), np.zeros(len(sets), np.int64)),
        dict.fromkeys(range(CONCEPTS), LIMIT),
        CONCEPTS,
    )
    if found.after.max() > LIMIT:
        raise SystemExit("a concept is above its limit")


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=int, default=1_000_000, help="captions in a shard")
    parser.add_argument("--shards", type=int, default=4, help="different shards of the corpus")
    parser.add_argument("--passes", type=int, default=20, help="how often each shard stands in the corpus")
    parser.add_argument("--turns", type=int, default=3, help="how often each command is run")
    parser.add_argument("--naming", type=int, default=23_000_000, help="naming rows to choose among")
    parser.add_argument("--out", type=Path, default=OUT, help="where the figures go")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="curate-") as folder:
        found = measured(Path(folder), asked)
    found["choice"] = gathered(asked.naming)
    planning = [found["rows"][name] for name in found["rows"] if name.startswith("curate")]
    result = {
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        **found,
        "least_of_the_speed_of_count": min(row["of_the_speed_of_count"] for row in planning),
        "peak_gib": max([*(row["peak_gib"] for row in planning), found["choice"]["peak_gib"]]),
        "targets": {"of_the_speed_of_count": TARGET_OF_COUNT, "peak_gib": TARGET_MEMORY},
    }
    print(json.dumps(result, indent=1))
    asked.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
