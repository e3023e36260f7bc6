"""A count by embeddings that is killed in the middle comes to the same bytes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT, fit
from tests.unit.corpus.embeddings.layouts import lists, texts, write_npy

FILES, ROWS = 12, 10_000


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embeddings")
    rng = np.random.default_rng(1)
    references = rng.standard_normal((600, 64)).astype(np.float32)
    names = [f"Concept Number{i // 6}" for i in range(600)]
    table = pa.table({"concept": names, "embedding": lists(references)})
    pq.write_table(table, folder / "references.parquet")
    (folder / "concepts.csv").write_text("concept\n" + "\n".join(dict.fromkeys(names)) + "\n")
    for number in range(FILES):
        rows = rng.standard_normal((ROWS, 64)).astype(np.float32)
        rows[::50] += 2 * references[rng.integers(0, 600, ROWS // 50)]
        captions = [f"by {names[i % 600]}" if i % 70 == 0 else f"picture {i}" for i in range(ROWS)]
        columns = {**texts(ROWS), "caption": captions}
        write_npy(folder / "corpus", f"{number:04d}", rows.astype(np.float16), **columns)
    return folder


def command(corpus: Path, out: Path, *more: str) -> list[str]:
    return [
        "count-embeddings", "--embeddings", str(corpus / "corpus"), "--cut", "0.6", "--out", str(out),
        "--references", str(corpus / "references.parquet"), "--concepts", str(corpus / "concepts.csv"), *more,
    ]  # fmt: skip


def written(out: Path) -> tuple[bytes, bytes]:
    return out.read_bytes(), out.with_name(f"{out.stem}.nearest{out.suffix}").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(corpus: Path) -> tuple[bytes, bytes]:
    done = fit(*command(corpus, corpus / "whole.parquet"))
    assert done.code == 0, done.err
    counts = pq.read_table(corpus / "whole.parquet")
    assert sum(counts["embedding_count"].to_pylist()) > 1000
    assert sum(counts["both_count"].to_pylist()) > 0
    return written(corpus / "whole.parquet")


def test_killed_in_the_middle(corpus: Path, undisturbed: tuple[bytes, bytes]) -> None:
    out = corpus / "killed.parquet"
    work = corpus / "killed.parquet.work"
    call = [sys.executable, "-c", "from fit.cli import main; main()", *command(corpus, out)]
    running = subprocess.Popen(call, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(work.glob("[!.]*.parquet")):
        assert running.poll() is None
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    running.wait()
    kept = {path: path.stat().st_mtime_ns for path in work.glob("[!.]*.parquet")}
    assert 1 <= len(kept) < FILES
    assert not out.exists()
    assert fit(*command(corpus, out)).code == 0
    assert written(out) == undisturbed
