"""A count of very many shards, with what its process takes noted as it goes."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fit import cli, progress

CONCEPTS = ("Ada Lume", "Bo Tarn", "Cy Vell")
EVERY = 0.05  # seconds between two looks
TELL_EVERY = 1.0  # seconds between two lines of progress, a minute otherwise


@dataclass(frozen=True)
class Look:
    """What a process took at one moment.

    Attributes:
        seconds: Since it began.
        parts: Parts that were there.
        memory: Resident bytes.
        handles: Open file handles.
        said: Bytes on stderr.
    """

    seconds: float
    parts: int
    memory: int
    handles: int
    said: int


def make_corpus(home: Path, shards: int) -> None:
    """Write a folder of small shards and a list of concepts for `arguments`."""
    rng = np.random.default_rng(shards)
    folder, listed = home / "captions", home / "art-styles" / "few.csv"
    folder.mkdir()
    listed.parent.mkdir()
    listed.write_text("concept\n" + "\n".join(CONCEPTS) + "\n")
    for number in range(shards):
        named = rng.integers(0, len(CONCEPTS) + 1, 20).tolist()
        captions = [f"{[*CONCEPTS, 'nobody'][who]} at the sea, {number}" for who in named]
        pq.write_table(pa.table({"caption": captions}), folder / f"{number:05d}.parquet")


def arguments(home: Path, run: Path) -> list[str]:
    """The command that counts them, to be run in that folder."""
    what = ["--domain", "art-styles/few.csv", "--model", "demo", "--corpus", str(home / "captions")]
    return ["estimate", *what, "--until", "counts", "--run", str(run)]


def main() -> None:
    """Run a command, its looks into the first argument, its stderr into the second."""
    looks, said, run, *rest = sys.argv[1:]
    progress.MINUTE = TELL_EVERY
    sys.stderr = Path(said).open("w")  # noqa: SIM115 (until the process ends)
    watching = threading.Thread(target=watch, args=(Path(looks), Path(said), Path(run)), daemon=True)
    watching.start()
    cli.main(rest)


def watch(looks: Path, said: Path, run: Path) -> None:
    """Write a line for each look."""
    begun = time.monotonic()
    page = os.sysconf("SC_PAGE_SIZE")
    parts = run / "counts" / "parts"
    with looks.open("w") as file:
        while True:
            memory = int(Path("/proc/self/statm").read_text().split()[1]) * page
            done = sum(1 for name in os.listdir(parts) if name[0] != ".") if parts.is_dir() else 0
            row = [
                time.monotonic() - begun,
                done,
                memory,
                len(os.listdir("/proc/self/fd")),
                said.stat().st_size,
            ]
            file.write(json.dumps(row) + "\n")
            file.flush()
            time.sleep(EVERY)


def read_looks(path: Path) -> list[Look]:
    """Return the looks at the process while it made parts."""
    rows = [Look(*json.loads(line)) for line in path.read_text().splitlines()]
    return [row for row in rows if row.parts]


if __name__ == "__main__":
    main()
