"""How fast concepts are counted by embeddings, beside a bare matrix product and beside DuckDB.

    python -m benchmarks.count_embeddings                                   # for the record: an idle machine
    python -m benchmarks.count_embeddings --rows 40000 --seconds 5 --duckdb 200                     # a try

Everything runs on the same rows in one run, with as many cores as there are. The bare product multiplies
blocks that lie in memory as float32 with all references and throws the result away: nothing is read,
converted, measured, searched or kept; it is taken before and after ours, at the faster of two block sizes.
Ours is the whole command, `fit count-embeddings`, as a process of its own on LAION's layout: start, reading
float16, lengths, the largest cosine of each concept, exact cosines where it matters, nearest rows, addresses,
captions, merging, writing. A shard is read again and again under other names, so that a run lasts long
enough. DuckDB joins some of the rows with all references by `array_cosine_similarity`, and comes to the same
counts. `results/count_embeddings.json` keeps all figures.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.count_captions import run_command, timed

OUT = Path(__file__).parent / "results" / "count_embeddings.json"
TARGET_BARE, TARGET_DUCKDB = 0.7, 10.0
CUT = 0.5
LAION = 2.3e9
IN_MEMORY = 32_768
"""Rows that the bare product goes through again and again: 100 MB, more than a cache holds."""

CHUNK = 50_000
"""Rows made at a time."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """What is counted.

    Attributes:
        dimensions: Numbers in a vector: 512 for CLIP ViT-B/32, 768 for ViT-L/14.
        concepts: How many.
        references: Of each concept: 1 stands for a text.
    """

    dimensions: int
    concepts: int
    references: int


CASES = (Case(768, 400, 20), Case(512, 400, 20), Case(768, 400, 50), Case(768, 400, 1))


def units(vectors: Vectors) -> Vectors:
    """Return the vectors at length 1."""
    scaled: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def write_corpus(folder: Path, case: Case, rows: int) -> Path:
    """Write references and one shard in LAION's layout; one row in a thousand shows a concept.

    A concept's images lie at a cosine of about 0.55 around a direction of its own, as those of an artist do;
    all others are random directions, whose cosines stay below 0.25.
    """
    rng = np.random.default_rng(0)
    d, shape = case.dimensions, (case.concepts * case.references, case.dimensions)
    directions = units(rng.standard_normal((case.concepts, d), dtype=np.float32))
    own = np.repeat(np.arange(case.concepts), case.references)
    references = units(0.75 * directions[own] + 0.66 * units(rng.standard_normal(shape, dtype=np.float32)))
    names = [f"concept {owner}" for owner in own]
    column = pa.FixedSizeListArray.from_arrays(references.ravel(), d)
    pq.write_table(pa.table({"concept": names, "embedding": column}), folder / "references.parquet")
    (folder / "shard").mkdir()
    stored = np.lib.format.open_memmap(folder / "shard/img_emb_0000.npy", "w+", np.float16, (rows, d))
    for start in range(0, rows, CHUNK):
        vectors = units(rng.standard_normal((min(CHUNK, rows - start), d), dtype=np.float32))
        shown = rng.choice(len(vectors), max(1, len(vectors) // 1000), replace=False)
        owner = rng.integers(0, case.concepts, len(shown))
        vectors[shown] = units(0.75 * directions[owner] + 0.66 * vectors[shown])
        stored[start : start + len(vectors)] = vectors
    stored.flush()
    texts = {
        "caption": [f"A picture of something in row {row}, framed, on the wall" for row in range(rows)],
        "url": [f"https://example.org/images/2014/{row % 97}/{row}.jpg" for row in range(rows)],
    }
    pq.write_table(pa.table(texts), folder / "shard/metadata_0000.parquet")
    return folder


def again(folder: Path, passes: int) -> Path:
    """Return a folder in which the shard stands several times, by hard links."""
    many = folder / f"again-{passes}"
    many.mkdir(exist_ok=True)
    for number in range(passes):
        for name in ("img_emb_{}.npy", "metadata_{}.parquet"):
            target = many / name.format(f"{number:04d}")
            if not target.exists():
                os.link(folder / "shard" / name.format("0000"), target)
    return many


def references_of(folder: Path) -> Vectors:
    """Return the references as they are multiplied, shape (n, d)."""
    from corpus.embeddings.references import read_reference_vectors

    return read_reference_vectors(folder / "references.parquet").units


def bare(folder: Path, seconds: float) -> float:
    """Return rows per second of the product alone, at the better of two block sizes."""
    rows = np.load(folder / "shard/img_emb_0000.npy", mmap_mode="r")[:IN_MEMORY].astype(np.float32)
    references = references_of(folder).T
    best = 0.0
    for block in (1024, 4096):
        starts = range(0, len(rows), block)
        done, took = 0, 0.0
        while took < seconds / 2:
            took += timed(lambda: [rows[i : i + block] @ references for i in starts])[0]  # noqa: B023
            done += len(rows)
        best = max(best, done / took)
    return best


def bare_on_gpu(folder: Path) -> float:
    """Return rows per second of the product alone on the GPU, in halves, of blocks that lie there."""
    import torch

    rows = np.load(folder / "shard/img_emb_0000.npy", mmap_mode="r")[:IN_MEMORY]
    block = torch.from_numpy(np.array(rows)).cuda()
    references = torch.from_numpy(references_of(folder)).half().cuda()

    def multiply() -> None:
        for _ in range(50):
            torch.mm(references, block.T)
        torch.cuda.synchronize()

    multiply()
    return 50 * len(rows) / timed(multiply)[0]


def ours(folder: Path, many: Path, *more: str) -> tuple[dict[str, float], list[int]]:
    """Run the whole command; return seconds and memory, and the counts."""
    out = folder / "counts.parquet"
    fit = str(Path(sys.executable).parent / "fit")
    took = run_command(
        [
            *(fit, "count-embeddings", "--embeddings", str(many), "--cut", str(CUT), "--out", str(out)),
            *("--references", str(folder / "references.parquet"), *more),
        ]
    )
    counts: list[int] = pq.read_table(out)["embedding_count"].to_pylist()
    return took, counts


def duckdb_counts(folder: Path, case: Case, rows: int) -> tuple[float, list[int]]:
    """Return seconds, and the counts of the first rows, by a cross join."""
    import duckdb

    vectors = np.load(folder / "shard/img_emb_0000.npy", mmap_mode="r")[:rows].astype(np.float32)
    stored = pa.FixedSizeListArray.from_arrays(vectors.ravel(), case.dimensions)
    session = duckdb.connect()
    images = pa.table({"row": np.arange(rows), "v": stored})
    references = pq.read_table(folder / "references.parquet")
    session.register("images", images)
    session.register("refs", references)
    size = case.dimensions
    session.execute(f"CREATE TABLE i AS SELECT row, v::FLOAT[{size}] AS v FROM images")  # noqa: S608 (a number)
    session.execute(f"CREATE TABLE r AS SELECT concept, embedding::FLOAT[{size}] AS v FROM refs")  # noqa: S608
    query = """
        SELECT concept, count(DISTINCT row) FROM i, r
        WHERE array_cosine_similarity(i.v, r.v) >= $cut GROUP BY concept
    """
    seconds, found = timed(lambda: dict(session.execute(query, {"cut": CUT}).fetchall()))
    return seconds, [found.get(f"concept {number}", 0) for number in range(case.concepts)]


def counted_alone(folder: Path, rows: int) -> list[int]:
    """Return our counts of the first rows."""
    part = folder / f"first-{rows}"
    part.mkdir()
    np.save(part / "img_emb_0000.npy", np.load(folder / "shard/img_emb_0000.npy", mmap_mode="r")[:rows])
    return ours(folder, part)[1]


def measure(folder: Path, case: Case, asked: argparse.Namespace) -> dict[str, Any]:
    """Measure one case."""
    write_corpus(folder, case, asked.rows)
    before = bare(folder, asked.seconds / 4)
    passes = max(1, math.ceil(asked.seconds * before / asked.rows))
    took, counts = ours(folder, again(folder, passes))
    after = bare(folder, asked.seconds / 4)
    product, speed = (before + after) / 2, passes * asked.rows / took["seconds"]
    seconds, theirs = duckdb_counts(folder, case, asked.duckdb)
    if theirs != counted_alone(folder, asked.duckdb):
        raise SystemExit("DuckDB comes to other counts")
    result = {
        "dimensions": case.dimensions,
        "concepts": case.concepts,
        "references": case.concepts * case.references,
        "rows": passes * asked.rows,
        "counted": sum(counts),
        "seconds": round(took["seconds"], 2),
        "rows_per_second": round(speed),
        "bare_product_per_second": [round(before), round(after)],
        "of_the_bare_product": round(speed / product, 3),
        "duckdb_rows_per_second": round(asked.duckdb / seconds, 1),
        "times_duckdb": round(speed / (asked.duckdb / seconds), 1),
        "peak_gib": round(took["gib"], 2),
        "hours_for_laion_2b": round(LAION / speed / 3600, 1),
    }
    for name, options in devices().items():
        took, same = ours(folder, again(folder, passes), *options)
        if same != counts:
            raise SystemExit(f"{name} comes to other counts")
        result[f"{name}_rows_per_second"] = round(passes * asked.rows / took["seconds"])
        if name == "gpu":
            result["gpu_bare_product_per_second"] = round(bare_on_gpu(folder))
    return result


def devices() -> dict[str, tuple[str, ...]]:
    """Return the other ways to multiply that this machine has, and their options."""
    import torch

    ways: dict[str, tuple[str, ...]] = {}
    if "amx_bf16" in Path("/proc/cpuinfo").read_text():
        ways["bfloat16"] = ("--precision", "bfloat16")
    if torch.cuda.is_available():
        ways["gpu"] = ("--device", "cuda")
    return ways


def machine() -> dict[str, Any]:
    """Return what this was measured on."""
    import torch

    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {"processor": model or platform.machine(), "cores": os.cpu_count(), "gpu": gpu}


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="rows of the shard: LAION's have a million"
    )
    parser.add_argument("--seconds", type=float, default=60, help="how long each count is to last")
    parser.add_argument("--duckdb", type=int, default=2000, help="rows for DuckDB")
    parser.add_argument("--cases", type=int, default=len(CASES), help="how many of the cases")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    rows = []
    for case in CASES[: asked.cases]:
        with tempfile.TemporaryDirectory(prefix="count-embeddings-") as folder:
            rows.append(measure(Path(folder), case, asked))
            print(json.dumps(rows[-1]), flush=True)
    result = {
        "machine": machine(),
        "cases": rows,
        "targets": {
            "of_the_bare_product": {"least": TARGET_BARE, "got": min(r["of_the_bare_product"] for r in rows)},
            "times_duckdb": {"least": TARGET_DUCKDB, "got": min(r["times_duckdb"] for r in rows)},
        },
    }
    asked.out.parent.mkdir(exist_ok=True)
    asked.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result["targets"], indent=1))


if __name__ == "__main__":
    main()
