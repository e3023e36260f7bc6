"""Reads the first stage's parts and writes one table whose content need not change with them."""

import os
import time

import pyarrow as pa

from fit.run import Job
from tests.e2e.fakes.first import log

VERSION = 1


def outside(job: Job) -> dict[str, str]:
    return {}


def work(job: Job) -> list[str]:
    return ["one table"]


def run(job: Job) -> None:
    log("second")
    rows = job.read_parts("first")
    for step in range(5):
        time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
        job.write(
            f"table-{step}", pa.table({"rows": [rows.num_rows], "level": [job.settings.threshold.level]})
        )
    job.skip("concept 1", "all", "too few")
