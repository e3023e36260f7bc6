from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import CorpusError
from corpus.references import ReferenceImage, read_references


def write(path: Path) -> Path:
    table = {
        "concept": ["Monet", "Banksy", "Monet", "Monet", None],
        "key": ["b", "x", "a", "c", "y"],
        "image": pa.array([b"2", b"9", b"1", None, b"8"], pa.binary()),
        "more": [1, 2, 3, 4, 5],
    }
    pq.write_table(pa.table(table), path)
    return path


def test_by_concept_and_key(tmp_path: Path) -> None:
    found = read_references(write(tmp_path / "r.parquet"), ["Monet", "Nobody"])
    assert found == {"Monet": (ReferenceImage("a", b"1"), ReferenceImage("b", b"2")), "Nobody": ()}


def test_maximum(tmp_path: Path) -> None:
    found = read_references(write(tmp_path / "r.parquet"), ["Monet", "Banksy"], maximum=1)
    assert found == {"Monet": (ReferenceImage("a", b"1"),), "Banksy": (ReferenceImage("x", b"9"),)}


def test_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="there is no such file"):
        read_references(tmp_path / "absent.parquet", [])
    (tmp_path / "text.parquet").write_text("no Parquet")
    with pytest.raises(CorpusError, match="not a readable Parquet file"):
        read_references(tmp_path / "text.parquet", [])
    pq.write_table(pa.table({"concept": ["x"], "key": ["y"]}), tmp_path / "r.parquet")
    with pytest.raises(CorpusError, match="no column 'image'; the columns are: concept, key"):
        read_references(tmp_path / "r.parquet", [])
