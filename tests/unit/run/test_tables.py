"""Tables that come one by one make the file that they make together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fit.run import artefacts

SCHEMA = pa.schema({"n": pa.int64(), "text": pa.string()}).with_metadata({"made by": "a test"})
ROWS = 2 * artefacts.ROW_GROUP + 5


@pytest.mark.parametrize("cuts", [[], [0, 3, 3, 70_000], list(range(0, ROWS, 10_007))])
def test_how_they_are_cut_leaves_the_bytes_as_they_are(tmp_path: Path, cuts: list[int]) -> None:
    whole = pa.table({"n": np.arange(ROWS), "text": [f"t{i % 7}" for i in range(ROWS)]}, schema=SCHEMA)
    ends = [*cuts, ROWS]
    pieces = [whole.slice(start, end - start) for start, end in zip([0, *cuts], ends, strict=True)]
    artefacts.write_tables(tmp_path / "one.parquet", SCHEMA, [whole])
    artefacts.write_tables(tmp_path / "cut.parquet", SCHEMA, iter(pieces))
    assert (tmp_path / "cut.parquet").read_bytes() == (tmp_path / "one.parquet").read_bytes()
    found = pq.ParquetFile(tmp_path / "cut.parquet")
    assert found.read().equals(whole, check_metadata=True)
    sizes = [found.metadata.row_group(i).num_rows for i in range(found.metadata.num_row_groups)]
    assert sizes == [artefacts.ROW_GROUP, artefacts.ROW_GROUP, 5]


def test_no_table_is_a_file_without_rows(tmp_path: Path) -> None:
    artefacts.write_tables(tmp_path / "none.parquet", SCHEMA, [])
    assert pq.read_table(tmp_path / "none.parquet").equals(SCHEMA.empty_table(), check_metadata=True)
