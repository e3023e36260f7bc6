"""Reads the second stage and writes JSON and bytes."""

from fit.run import Job
from tests.e2e.fakes.first import log

VERSION = 1


def outside(job: Job) -> dict[str, str]:
    return {}


def work(job: Job) -> list[str]:
    return ["one answer"]


def run(job: Job) -> None:
    log("third")
    table = job.read("second", "table-4")
    job.write_json("answer", {"rows": table["rows"][0].as_py(), "strips": job.settings.report.strips})
    job.write_bytes("pictures/dot.bin", b"\x00\x01")
