"""References from Parquet files, and files that hold none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import CorpusError, MalformedFile
from corpus.embeddings.cuts import read_cuts
from corpus.embeddings.files import EmbeddingFile
from corpus.embeddings.references import read_reference_vectors
from corpus.embeddings.shards import open_embeddings
from tests.unit.corpus.embeddings.layouts import lists, references

ROWS = np.array([[3, 4], [1, 0], [0, 2]], np.float32)


def write(path: Path, names: list[str | None], embedding: pa.Array, column: str = "embedding") -> Path:
    pq.write_table(pa.table({"concept": pa.array(names, pa.string()), column: embedding}), path)
    return path


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize("column", ["embedding", "vector"])
def test_concepts_stand_in_the_order_of_their_first_rows(
    tmp_path: Path, dtype: type, fixed: bool, column: str
) -> None:
    path = write(tmp_path / "r.parquet", ["b", "a", "b"], lists(ROWS.astype(dtype), fixed), column)
    found = read_reference_vectors(path)
    assert found.concepts == ("b", "a")
    assert found.vectors.tolist() == [[3, 4], [0, 2], [1, 0]]
    assert (found.starts.tolist(), found.counts.tolist(), found.dimensions) == ([0, 2, 3], [2, 1], 2)
    # 3-4-5: the unit vector is (0.6, 0.8).
    assert found.units.tolist() == np.float32([[0.6, 0.8], [0, 1], [1, 0]]).tolist()
    assert found.by_concept()["a"].tolist() == [[1, 0]]


def test_some_of_the_concepts() -> None:
    found = references(a=[[1, 0]], b=[[0, 1], [1, 1]], c=[[2, 2]]).only({"c": 1, "b": 1})
    assert found.concepts == ("b", "c")
    assert found.vectors.tolist() == [[0, 1], [1, 1], [2, 2]]


def test_the_digest_knows_names_numbers_and_whose_they_are() -> None:
    digests = {
        each.digest
        for each in (
            references(a=[[1, 0]], b=[[0, 1], [1, 1]]),
            references(a=[[1, 0], [0, 1]], b=[[1, 1]]),
            references(a=[[1, 0]], c=[[0, 1], [1, 1]]),
            references(a=[[1, 0]], b=[[0, 1], [1, 2]]),
        )
    }
    assert len(digests) == 4


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    columns = [pa.array(["a"]), lists(ROWS[:1]), lists(ROWS[:1])]
    for names in (["concept", "embedding", "embedding"], ["concept", "embedding", "concept"]):
        pq.write_table(pa.Table.from_arrays(columns, names), tmp_path / "r.parquet")
        with pytest.raises(MalformedFile, match=f"two columns '{names[2]}'; the columns are: concept, "):
            read_reference_vectors(tmp_path / "r.parquet")


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "r.parquet", ["a"], lists(ROWS[:1]))
    path.write_bytes(path.read_bytes().replace(b"concept", b"conc\xffpt"))
    with pytest.raises(MalformedFile, match="not a readable Parquet file"):
        read_reference_vectors(path)
    with pytest.raises(CorpusError, match="not a whole Parquet file"):
        open_embeddings(EmbeddingFile(path, "r", None), 2)
    path = path.rename(tmp_path / "cuts.parquet")
    with pytest.raises(MalformedFile, match="not a readable Parquet file"):
        read_cuts(path)


def no_concept(path: Path) -> str:
    write(path, ["a", None, "b"], lists(ROWS))
    return "row 1: no concept"


def nan(path: Path) -> str:
    write(path, ["a", "b", "b"], lists(np.float32([[1, 0], [0, 1], [np.nan, 1]])))
    return "row 2: the embedding of 'b' is missing, or holds NaN"


def zero(path: Path) -> str:
    write(path, ["a", "b", "b"], lists(np.float32([[1, 0], [0, 0], [1, 1]])))
    return "row 1: the embedding of 'b' is zero"


def null(path: Path) -> str:
    write(path, ["a", "b"], pa.array([[1.0, 2.0], None], pa.list_(pa.float32())))
    return "row 1: the embedding of 'b' is missing"


def mixed(path: Path) -> str:
    write(path, ["a", "b"], pa.array([[1.0, 2.0], [1.0]], pa.list_(pa.float32())))
    return "lists of 2 and of 1 numbers; all references have to come from one encoder"


def no_column(path: Path) -> str:
    write(path, ["a"], pa.array([[1.0]], pa.list_(pa.float32())), "numbers")
    return "no column 'embedding'; the columns are: concept, numbers"


def no_names(path: Path) -> str:
    pq.write_table(pa.table({"embedding": lists(ROWS)}), path)
    return "no column 'concept'; the columns are: embedding"


def texts(path: Path) -> str:
    write(path, ["a"], pa.array(["1 0"]))
    return "the column 'embedding' holds string, not lists of numbers"


def whole_numbers(path: Path) -> str:
    write(path, ["a"], pa.array([[1, 2]], pa.list_(pa.int64())))
    return "holds list<element: int64>, not lists of numbers"


def empty(path: Path) -> str:
    write(path, [], lists(ROWS[:0]))
    return "there are no references in it"


def truncated(path: Path) -> str:
    write(path, ["a", "b", "b"], lists(ROWS))
    path.write_bytes(path.read_bytes()[:-20])
    return "not a readable Parquet file"


def missing(path: Path) -> str:
    return "there is no such file"


@pytest.mark.parametrize(
    "spoil",
    [
        *(no_concept, nan, zero, null, mixed, no_column, no_names),
        *(texts, whole_numbers, empty, truncated, missing),
    ],
)
def test_files_that_are_no_references(tmp_path: Path, spoil: Callable[[Path], str]) -> None:
    message = spoil(tmp_path / "r.parquet")
    with pytest.raises(MalformedFile) as caught:
        read_reference_vectors(tmp_path / "r.parquet")
    assert message in str(caught.value)
    assert "r.parquet" in str(caught.value)
    assert "\n" not in str(caught.value)
