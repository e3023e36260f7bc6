"""Parquet shards as bytes."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def shard_bytes(label: str, rows: int, group: int = 5000) -> bytes:
    """Return a shard with captions, addresses, numbers, and a column of noise that is most of it."""
    noise = np.random.default_rng(0)
    table = pa.table(
        {
            "URL": [f"http://host/{label}/{number}" for number in range(rows)],
            "noise": [noise.bytes(100) for _ in range(rows)],
            "TEXT": [f"caption {number} of {label}" for number in range(rows)],
            "number": range(rows),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=group)
    return sink.getvalue()
