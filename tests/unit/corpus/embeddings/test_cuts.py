"""Cuts: a number, a file of one's own, or what a run has calibrated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import MalformedFile, UsageError
from corpus.embeddings.cuts import aligned, parse_cut, read_cuts


def test_a_number_or_a_file() -> None:
    assert parse_cut("0.3") == 0.3
    assert parse_cut("1") == 1.0
    assert parse_cut("cuts.csv") is None


@pytest.mark.parametrize("text", ["1.01", "-1", "nan", "inf", "30"])
def test_numbers_that_are_no_cosine(text: str) -> None:
    with pytest.raises(UsageError, match=r"a cosine lies in \(-1, 1\]"):
        parse_cut(text)


def test_a_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "cuts.csv"
    path.write_text('\ufeffcut,concept\n0.25,"Monet, Claude"\n\n -0.5 , b\n', "utf-8")
    assert read_cuts(path) == {"Monet, Claude": 0.25, "b": -0.5}


def test_a_calibration_of_a_run(tmp_path: Path) -> None:
    path = tmp_path / "calibration.parquet"
    pq.write_table(pa.table({"concept": ["a", "b"], "value": [0.25, 0.5], "own_total": [3, 4]}), path)
    assert read_cuts(path) == {"a": 0.25, "b": 0.5}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"concept,cut\na,0.1\na,0.2\n", "line 3: 'a' stands twice"),
        (b"concept,cut\n,0.1\n", "line 2: no concept"),
        (b"concept,cut\na,much\n", "line 2: the cut of 'a' is 'much', no number in (-1, 1]"),
        (b"concept,cut\na,\n", "the cut of 'a' is ''"),
        (b"concept,cut\na,2\n", "the cut of 'a' is '2'"),
        (b"concept,cut\na,nan\n", "the cut of 'a' is 'nan'"),
        (b"concept,threshold\na,0.2\n", "no column 'cut'; the columns are: concept, threshold"),
        (b"name,cut\na,0.2\n", "no column 'concept'; the columns are: name, cut"),
        (b"", "no column 'concept'; the columns are: none"),
        (b"concept,cut\na\n", "row 1: 1 cells under 2 columns"),
        (b"concept,cut\n\xff,1\n", "not a CSV file in UTF-8"),
        (b'concept,cut\n"a,1\n', "not a CSV file in UTF-8"),
    ],
)
def test_malformed_files(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "cuts.csv"
    path.write_bytes(content)
    with pytest.raises(MalformedFile) as caught:
        read_cuts(path)
    assert message in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile, match=r"No such file.*a number or a file"):
        read_cuts(tmp_path / "none.csv")
    (tmp_path / "cuts.parquet").write_bytes(b"PAR1")
    with pytest.raises(MalformedFile, match="not a readable Parquet file"):
        read_cuts(tmp_path / "cuts.parquet")


def test_each_concept_has_a_cut() -> None:
    assert aligned(0.3, ("a", "b"), "").tolist() == [np.float32(0.3)] * 2
    assert aligned({"b": 0.5, "a": 0.25, "c": 1.0}, ("a", "b"), "f").tolist() == [0.25, 0.5]
    with pytest.raises(MalformedFile, match=r"f: no cut for 'x' and 1 more; add a row"):
        aligned({"b": 0.5}, ("x", "b", "y"), "f")
