"""How fast captions are counted, beside the speed of reading them and beside other ways to find names.

    python -m benchmarks.count_captions                      # for the record: an idle machine, half an hour
    python -m benchmarks.count_captions --captions 100000 --passes 2 --peers 100000   # a try

Everything runs on the same shards in one run, with as many cores as there are. The drain reads the caption
column through DuckDB into Arrow batches and throws them away, in one process with DuckDB's own threads, and
in as many single-threaded processes as cores. Ours is the whole command, `fit count`, in its own process:
start, compiling, reading, confirming, addresses, samples, merging, writing. Shards are read again and again
under other names, so that a run lasts long enough. `results/count_captions.json` keeps all figures.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.caption_corpus import Recipe, names, write_corpus

OUT = Path(__file__).parent / "results" / "count_captions.json"
SIZES = (400, 20_000, 100_000)
RATES = (0.001, 0.01, 0.05)
TARGET_DRAIN, TARGET_PEERS, TARGET_MEMORY = 0.6, 4.0, 1.5
LAION = 2.3e9


def drain(paths: list[str], columns: list[str], threads: int) -> int:
    """Read columns into Arrow batches and return how many rows there were."""
    import duckdb

    session = duckdb.connect(config={"threads": threads, "arrow_large_buffer_size": True})
    source = session.read_parquet(paths).select(*map(duckdb.ColumnExpression, columns))
    return sum(batch.num_rows for batch in source.to_arrow_reader(65_536))


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how many seconds something takes, and what it returns."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def drained(folder: Path, columns: list[str]) -> dict[str, float]:
    """Return rows per second of one process with threads and of processes without, and the rows."""
    paths, cores = [str(path) for path in sorted(folder.glob("*.parquet"))], os.cpu_count() or 1
    one, rows = timed(lambda: drain(paths, columns, cores))
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(drain, [paths[:1]] * cores, [columns] * cores, [1] * cores))  # they have started
        piles = [paths[core::cores] for core in range(cores)]
        many, _ = timed(lambda: list(pool.map(drain, piles, [columns] * cores, [1] * cores)))
    return {"threads": rows / one, "processes": rows / many, "rows": rows}


def memory_of(group: int) -> int:
    """Return the resident bytes of all processes of a process group, what they share counted once each."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if os.getpgid(int(status.parent.name)) == group:
                pages = int((status.parent / "statm").read_text().split()[1])
                total += pages * os.sysconf("SC_PAGESIZE")
        except (OSError, ProcessLookupError):
            continue
    return total


def run_command(command: list[str], stop_after: float | None = None) -> dict[str, float]:
    """Run a command to its end, or kill it; return seconds and the largest memory of all its processes."""
    start, peak = time.perf_counter(), 0
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(  # noqa: S603 (our own command)
        command, start_new_session=True, stdout=subprocess.DEVNULL, env=usual
    ) as process:
        while process.poll() is None:
            peak = max(peak, memory_of(process.pid))
            if stop_after is not None and time.perf_counter() - start > stop_after:
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.05)
        if process.returncode and stop_after is None:
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    return {"seconds": time.perf_counter() - start, "gib": peak / 2**30}


def count_command(corpus: Path, concepts: Path, out: Path) -> list[str]:
    """Return the command that counts a corpus, samples included."""
    fit = str(Path(sys.executable).parent / "fit")
    command = [fit, "count", "--captions", str(corpus), "--concepts", str(concepts), "--out", str(out)]
    return [*command, "--samples", str(out.with_suffix(".samples.parquet")), "--sample", "20"]


def again(folder: Path, passes: int) -> Path:
    """Return a folder in which every shard stands several times, by hard links."""
    many = folder.with_name(f"{folder.name}-again")
    many.mkdir(exist_ok=True)
    for shard in sorted(folder.glob("*.parquet")):
        for number in range(passes):
            os.link(shard, many / f"{number:03d}-{shard.name}")
    return many


def write_names(folder: Path, known: list[str]) -> Path:
    """Write a concept list."""
    path = folder / f"names-{len(known)}.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["concept"], *([name] for name in known)])
    return path


def polars_search(paths: list[str], known: list[str]) -> int:
    """Polars: any of the names as a literal, whatever the case of ASCII letters."""
    import polars as pl

    found = pl.scan_parquet(paths).select(
        pl.col("TEXT").str.contains_any(known, ascii_case_insensitive=True).sum()
    )
    return int(found.collect().item())


def aho_corasick_search(paths: list[str], known: list[str]) -> int:
    """Rust's Aho-Corasick, one caption after the other, on the captions as Arrow reads them."""
    import ahocorasick_rs
    import pyarrow.parquet as pq

    automaton = ahocorasick_rs.AhoCorasick([name.lower() for name in known])
    total = 0
    for path in paths:
        for batch in pq.ParquetFile(path).iter_batches(65_536, columns=["TEXT"]):
            texts = batch.column(0).to_pylist()
            total += sum(bool(automaton.find_matches_as_indexes(text.lower())) for text in texts)
    return total


def duckdb_search(paths: list[str], known: list[str]) -> int:
    """DuckDB's regular expressions: one alternation of all names."""
    import re

    import duckdb

    pattern = "(?i)\\b(" + "|".join(map(re.escape, known)) + ")\\b"
    query = "SELECT count(*) FILTER (regexp_matches(TEXT, $pattern)) FROM read_parquet($paths)"
    return int(duckdb.execute(query, {"pattern": pattern, "paths": paths}).fetchall()[0][0])


def peer(search: Callable[[list[str], list[str]], int], paths: list[str], known: list[str]) -> float | None:
    """Return a peer's captions per second on all cores (one process per core where it has one thread)."""
    import pyarrow.parquet as pq

    rows = sum(pq.read_metadata(path).num_rows for path in paths)
    if search is aho_corasick_search:
        cores = os.cpu_count() or 1
        with ProcessPoolExecutor(cores) as pool:
            piles = [paths[core::cores] for core in range(cores)]
            seconds, _ = timed(lambda: list(pool.map(search, piles, [known] * cores)))
    else:
        seconds, _ = timed(lambda: search(paths, known))
    return rows / seconds


def speeds(
    home: Path, asked: argparse.Namespace, rate: float, lists: dict[int, Path]
) -> list[dict[str, Any]]:
    """Count one corpus with each list, beside the drain."""
    corpus = home / f"corpus-{rate}"
    write_corpus(corpus, Recipe(asked.captions, asked.shards, rate), names(SIZES[0]))
    many = again(corpus, asked.passes)
    captions = drained(many, ["TEXT"])
    both = drained(many, ["TEXT", "URL"])
    rows = []
    for size, concepts in lists.items():
        out = home / "counts.parquet"
        took = run_command(count_command(many, concepts, out))
        speed = captions["rows"] / took["seconds"]
        rows.append(
            {
                "concepts": size,
                "matching": rate,
                "captions": captions["rows"],
                "seconds": round(took["seconds"], 2),
                "captions_per_second": round(speed),
                "of_the_drain": round(speed / captions["threads"], 3),
                "of_the_drain_by_processes": round(speed / captions["processes"], 3),
                "of_the_drain_of_captions_and_addresses": round(speed / both["threads"], 3),
                "drain_per_second": round(captions["threads"]),
                "drain_by_processes_per_second": round(captions["processes"]),
                "drain_of_both_per_second": round(both["threads"]),
                "peak_gib": round(took["gib"], 2),
                "hours_for_laion_2b": round(LAION / speed / 3600, 3),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    shutil.rmtree(many)
    return rows


def peers(home: Path, captions: int) -> list[dict[str, Any]]:
    """Run the peers on a corpus of their own; DuckDB's expression does not end at 20,000 names."""
    corpus = home / "corpus-of-peers"
    write_corpus(corpus, Recipe(captions // 2, 2, 0.01), names(SIZES[0]))
    paths = [str(path) for path in sorted(corpus.glob("*.parquet"))]
    cases = (
        ("polars contains_any", polars_search, SIZES[:2]),
        ("ahocorasick_rs", aho_corasick_search, SIZES[:2]),
        ("duckdb regexp_matches", duckdb_search, SIZES[:1]),
    )
    rows = []
    for name, search, sizes in cases:
        for size in sizes:
            speed = peer(search, paths, names(size))
            rows.append({"peer": name, "concepts": size, "captions_per_second": round(speed or 0)})
            print(json.dumps(rows[-1]), flush=True)
    return rows


def resumed(home: Path, asked: argparse.Namespace, concepts: Path) -> dict[str, Any]:
    """Kill a count half-way, run it again, and compare both with an undisturbed one."""
    many = again(home / "corpus-0.01", asked.passes * asked.longer)
    whole = run_command(count_command(many, concepts, home / "whole.parquet"))
    killed = run_command(count_command(many, concepts, home / "killed.parquet"), whole["seconds"] / 2)
    rest = run_command(count_command(many, concepts, home / "killed.parquet"))
    if (home / "whole.parquet").read_bytes() != (home / "killed.parquet").read_bytes():
        raise SystemExit("a resumed count differs from an undisturbed one")
    shutil.rmtree(many)
    total = killed["seconds"] + rest["seconds"]
    return {
        "seconds": round(whole["seconds"], 2),
        "seconds_in_two_parts": round(total, 2),
        "more": round(total / whole["seconds"] - 1, 4),
        "peak_gib": round(max(whole["gib"], rest["gib"]), 2),
    }


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=int, default=1_000_000, help="captions in a shard")
    parser.add_argument("--shards", type=int, default=4, help="different shards of a corpus")
    parser.add_argument("--passes", type=int, default=50, help="how often each shard stands in a corpus")
    parser.add_argument("--longer", type=int, default=4, help="the same for the resumed count, times passes")
    parser.add_argument("--peers", type=int, default=2_000_000, help="captions for the peers")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="count-captions-") as folder:
        home = Path(folder)
        lists = {size: write_names(home, names(size)) for size in SIZES}
        rows = [row for rate in RATES for row in speeds(home, asked, rate, lists)]
        others = peers(home, asked.peers)
        again_at_half = resumed(home, asked, lists[20_000])
    at_20k = next(row for row in rows if row["concepts"] == 20_000 and row["matching"] == 0.01)
    best = max(row["captions_per_second"] for row in others if row["concepts"] == 20_000)
    result = {
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "rows": rows,
        "peers": others,
        "times_the_best_peer_at_20000": round(at_20k["captions_per_second"] / best, 2),
        "resumed": again_at_half,
        "targets": {"of_the_drain": TARGET_DRAIN, "peers": TARGET_PEERS, "peak_gib": TARGET_MEMORY},
    }
    print(json.dumps({key: result[key] for key in ("times_the_best_peer_at_20000", "resumed")}))
    OUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
