"""Reads a file from outside and writes ten parts."""

import hashlib
import os
import time
from pathlib import Path

import pyarrow as pa

from fit.run import Job

VERSION = 1
ITEMS = 10


def outside(job: Job) -> dict[str, str]:
    return {"source.txt": hashlib.sha256(source(job)).hexdigest()}


def work(job: Job) -> list[str]:
    return [f"{ITEMS} parts"]


def run(job: Job) -> None:
    text = source(job).decode()
    with job.progress(ITEMS, "parts") as bar:
        for item in range(ITEMS):
            if not job.has_part(f"{item:03d}"):
                time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
                log(f"first {item}")
                values = [f"{text}:{job.seed}:{item}:{row}" for row in range(200)]
                job.write_part(f"{item:03d}", pa.table({"value": values}))
            if item % 3 == 0:
                job.skip(f"concept {item}", "row 7", "does not count")
            bar.advance()


def source(job: Job) -> bytes:
    return (Path(job.settings.corpus) / "source.txt").read_bytes()


def log(line: str) -> None:
    """Note what was computed, where a test asked for it."""
    if path := os.environ.get("FAKE_LOG"):
        with Path(path).open("a") as file:
            file.write(f"{line}\n")
