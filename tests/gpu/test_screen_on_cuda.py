"""A count by embeddings on a GPU equals the one on the CPU, row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from corpus.embeddings.tables import shard_table
from fit.imitation.screen_on_torch import PRECISIONS, TorchScreen
from tests.unit.corpus.embeddings.layouts import count, counter, references, write_npy

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
]


@pytest.mark.parametrize("precision", sorted(PRECISIONS))
def test_the_counts_are_those_of_the_cpu(tmp_path: Path, precision: str) -> None:
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((60_000, 512)).astype(np.float16)
    rows[7], rows[8, 3] = 0, np.nan
    of = references(**{f"c{i}": (rng.standard_normal((1 + i % 9, 512))).tolist() for i in range(300)})
    for number in range(0, 60_000, 100):
        rows[number + 50] += np.float16(2) * of.vectors[number % len(of.vectors)].astype(np.float16)
    write_npy(tmp_path, "0", rows)
    wanted = count(counter(of, 0.15, top=20), tmp_path)
    found = count(counter(of, 0.15, 20, TorchScreen(of, "cuda", precision), threads=2), tmp_path)
    assert wanted.counts.sum() > 600
    assert shard_table(found).equals(shard_table(wanted), check_metadata=True)
