"""One concept with 1,000 generated and 100,000 training images: within 10 s and 2 GiB on 2 cores?

    python benchmarks/score.py --generated 1000 --training 100000

Vectors (768 numbers, as CSD's) are written as the run folder holds them (float16 in Parquet), then read and
scored in a process of its own: both scores, and the matched one against the training images. Beside
it the published score by its plain definition, with the matrix of all cosines, in another process.
`results/score.json` keeps what was measured.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

OUT = Path(__file__).parent / "results" / "score.json"
DIMENSIONS, PROMPTS, REFERENCES = 768, 5, 50
SECONDS, GIB = 10.0, 2.0


def write_vectors(path: Path, n: int, seed: int) -> None:
    """Write unit vectors around a common direction."""
    from fit.run import artefacts
    from fit.stages.inputs import vectors_column

    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, DIMENSIONS), dtype=np.float32) + 0.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    artefacts.write_table(path, pa.table({"vector": vectors_column(vectors)}))


def read_vectors(path: Path) -> np.ndarray:
    """Read them as the stage does."""
    from fit.stages.inputs import column_vectors

    return column_vectors(pq.read_table(path)["vector"])


def ours(home: Path) -> dict[str, float]:
    """Score as the stage does."""
    from fit.sections import Scores
    from fit.stages.scoring import Generated, Pools, alternatives_table, score_row

    generated = read_vectors(home / "generated.parquet")
    images = Generated(generated, np.arange(len(generated)) % PROMPTS)
    references = {"x": read_vectors(home / "references.parquet")}
    pools = Pools(references, {"x": read_vectors(home / "training.parquet")}, {"x": 0.5})
    row = score_row("x", images, pools, Scores())
    rows = alternatives_table(["x"], {"x": images}, pools, Scores()).to_pylist()
    return {"mimetic2": float(str(row["mimetic2"])), "training pool": rows[-1]["score"]}


def plain(home: Path) -> dict[str, float]:
    """The published score by its definition: all cosines, the ten best training images of each prompt."""
    generated, training = read_vectors(home / "generated.parquet"), read_vectors(home / "training.parquet")
    cosines = generated @ training.T
    values = []
    for prompt in range(PROMPTS):
        mean = cosines[np.arange(len(generated)) % PROMPTS == prompt].mean(axis=0)
        values.append(np.sort(mean)[-10:].mean())
    return {"mimetic2": float(np.mean(values))}


def measured(score: Callable[[Path], dict[str, float]], home: Path) -> dict[str, float]:
    """Run in a process of its own: results, seconds, and the peak of its memory."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_run, (score, home))


def _run(score: Callable[[Path], dict[str, float]], home: Path) -> dict[str, float]:
    import fit.stages.scoring  # noqa: F401 (a run has imported it long before)

    begun, spent = time.perf_counter(), time.process_time()
    found = score(home)
    times = {
        "seconds": round(time.perf_counter() - begun, 2),
        "CPU seconds": round(time.process_time() - spent, 2),
    }
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {**found, **times, "peak GiB": round(used.ru_maxrss * 1024 / 2**30, 2)}


def main() -> None:
    """Measure both and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generated", type=int, default=1000)
    parser.add_argument("--training", type=int, default=100_000)
    parser.add_argument("--keep", action="store_true", help="write results/score.json")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name, n, seed in (
            ("generated", asked.generated, 1),
            ("training", asked.training, 2),
            ("references", REFERENCES, 3),
        ):
            write_vectors(home / f"{name}.parquet", n, seed)
        rows = {"fit": measured(ours, home), "plain definition": measured(plain, home)}
    if abs(rows["fit"]["mimetic2"] - rows["plain definition"]["mimetic2"]) > 1e-5:
        raise SystemExit(f"the scores differ: {rows}")
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    result = {"generated": asked.generated, "training": asked.training, **machine, "rows": rows}
    print(json.dumps(result, indent=1))
    if asked.keep:
        OUT.write_text(json.dumps(result, indent=1) + "\n")
    if rows["fit"]["seconds"] > SECONDS or rows["fit"]["peak GiB"] > GIB:
        raise SystemExit(f"more than {SECONDS:g} s or {GIB:g} GiB")


if __name__ == "__main__":
    main()
