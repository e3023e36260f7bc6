"""Files of embeddings: their rows in blocks and single, and every way in which they are not in order."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import CorpusError
from corpus.embeddings.shards import open_embeddings, read_blocks, read_rows
from tests.unit.corpus.embeddings.layouts import only_file, texts, write_npy, write_parquet

ROWS = np.arange(40, dtype=np.float32).reshape(10, 4)


def npy(folder: Path, dtype: type) -> None:
    write_npy(folder, "0", ROWS.astype(dtype), **texts(10))


def fixed(folder: Path, dtype: type) -> None:
    write_parquet(folder / "0.parquet", ROWS.astype(dtype))


def variable(folder: Path, dtype: type) -> None:
    write_parquet(folder / "0.parquet", ROWS.astype(dtype), fixed=False)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("write", [npy, fixed, variable])
@pytest.mark.parametrize("most", [1, 3, 4, 100])
def test_blocks_hold_every_row_once(
    tmp_path: Path, write: Callable[[Path, type], None], dtype: type, most: int
) -> None:
    write(tmp_path, dtype)
    shard = open_embeddings(only_file(tmp_path), 4)
    assert (shard.rows, shard.dtype) == (10, np.dtype(dtype).name)
    blocks = list(read_blocks(shard, 4, most))
    assert all(len(rows) <= most for _, rows in blocks)
    assert [start for start, _ in blocks] == np.cumsum([0] + [len(rows) for _, rows in blocks[:-1]]).tolist()
    whole = np.concatenate([np.asarray(rows) for _, rows in blocks])
    assert whole.dtype == dtype
    assert whole.tolist() == ROWS.tolist()


@pytest.mark.parametrize("write", [npy, fixed, variable])
@pytest.mark.parametrize("rows", [[], [0], [9], [2, 3], [0, 1, 5, 8, 9], list(range(10))])
def test_single_rows(tmp_path: Path, write: Callable[[Path, type], None], rows: list[int]) -> None:
    write(tmp_path, np.float16)
    shard = open_embeddings(only_file(tmp_path), 4)
    found = read_rows(shard, 4, np.array(rows, np.int64))
    assert found.tolist() == ROWS[rows].tolist()
    assert found.shape == (len(rows), 4)


@pytest.mark.parametrize("write", [npy, fixed, variable])
def test_a_file_without_rows(tmp_path: Path, write: Callable[[Path, type], None]) -> None:
    global ROWS  # noqa: PLW0603 (the writers' rows)
    whole, ROWS = ROWS, ROWS[:0]
    try:
        write(tmp_path, np.float16)
    finally:
        ROWS = whole
    (tmp_path / "metadata_0.parquet").unlink(missing_ok=True)
    shard = open_embeddings(only_file(tmp_path), 4)
    assert shard.rows == 0
    assert sum(len(rows) for _, rows in read_blocks(shard, 4, 3)) == 0


def header(text: str) -> bytes:
    """Return the head of an npy file, version 1.0, with any text in it."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


HALF = "{'descr': '<f2', 'fortran_order': False, 'shape': %s}\n"


def saved(array: np.ndarray, pickled: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=pickled)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no NumPy file"),
        (b"PAR1", "no NumPy file"),
        (pickle.dumps(ROWS), "no NumPy file"),
        (saved(np.array([{}], object), pickled=True), "holds object; embeddings have to be float16"),
        (saved(ROWS.astype(np.float64)), "holds float64"),
        (saved(ROWS.astype(np.int8)), "holds int8"),
        (saved(ROWS.astype(">f2")), "holds >f2"),
        (saved(np.zeros(3, "f2,f2")), "holds [('f0', '<f2'), ('f1', '<f2')]"),
        (saved(ROWS[0]), "shape (4,); it has to be (rows, dimensions)"),
        (saved(np.zeros((2, 3, 4), np.float16)), "shape (2, 3, 4)"),
        (saved(np.float16(1)), "shape ()"),
        (saved(np.asfortranarray(ROWS)), "shape (10, 4) by columns"),
        (saved(ROWS[:, :3]), "3 dimensions, but the references have 4"),
        (saved(ROWS[:, :0]), "0 dimensions, but the references have 4"),
        (saved(ROWS)[:-1], "truncated (287 bytes where its header tells of 288)"),
        (saved(ROWS)[:60], "no NumPy file"),
        (header(HALF % "(-1, 4)"), "shape (-1, 4)"),
        (header(HALF % "(1000000000000, 4)"), "truncated"),
        (header(HALF % "['a']"), "no NumPy file"),
        (header("{'descr': '<f2'"), "no NumPy file"),
        (header("__import__('os').abort()"), "no NumPy file"),
        (header("(" * 9000), "no NumPy file"),
        (header("é"), "no NumPy file"),
        (b"\x93NUMPY\x09\x00" + bytes(100), "no NumPy file (version (9, 0) of the format)"),
    ],
)
def test_npy_files_that_are_not_in_order(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "img_emb_0.npy").write_bytes(content)
    with pytest.raises(CorpusError) as caught:
        open_embeddings(only_file(tmp_path), 4)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'img_emb_0.npy'}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("length", [9, 11])
def test_metadata_of_another_length(tmp_path: Path, length: int) -> None:
    write_npy(tmp_path, "0", ROWS, **texts(length))
    with pytest.raises(CorpusError, match=rf"10 rows, but .*metadata_0.parquet has {length}; they do not"):
        open_embeddings(only_file(tmp_path), 4)


def test_metadata_that_is_truncated(tmp_path: Path) -> None:
    write_npy(tmp_path, "0", ROWS, **texts(10))
    metadata = tmp_path / "metadata_0.parquet"
    metadata.write_bytes(metadata.read_bytes()[:-9])
    with pytest.raises(CorpusError, match=r"metadata_0.parquet: not a whole Parquet file"):
        open_embeddings(only_file(tmp_path), 4)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"url": ["a"]}), "no column of embeddings called embedding, image_embedding"),
        (
            pa.Table.from_arrays([pa.array([[0.5]])] * 2, ["embedding", "embedding"]),
            "no column of embeddings called embedding, image_embedding",
        ),
        (pa.table({"embedding": ["a"]}), "the column 'embedding' holds string, not lists of numbers"),
        (pa.table({"embedding": [[1, 2]]}), "holds list<element: int64>, not lists of numbers"),
        (
            pa.table({"embedding": pa.FixedSizeListArray.from_arrays(pa.array([1.0, 2, 3]), 3)}),
            "3 dimensions, but the references have 4",
        ),
    ],
)
def test_parquet_files_that_are_not_in_order(tmp_path: Path, table: pa.Table, message: str) -> None:
    pq.write_table(table, tmp_path / "0.parquet")
    with pytest.raises(CorpusError) as caught:
        open_embeddings(only_file(tmp_path), 4)
    assert message in str(caught.value)


def test_a_column_that_is_named(tmp_path: Path) -> None:
    write_parquet(tmp_path / "0.parquet", ROWS)
    with pytest.raises(CorpusError, match="no column of embeddings 'emb'; the columns are: embedding"):
        open_embeddings(only_file(tmp_path), 4, "emb")
    assert open_embeddings(only_file(tmp_path), 4, "embedding").column == "embedding"


def test_lists_of_mixed_lengths(tmp_path: Path) -> None:
    table = pa.table({"embedding": pa.array([[1.0] * 4, [1.0] * 3], pa.list_(pa.float32()))})
    pq.write_table(table, tmp_path / "0.parquet")
    shard = open_embeddings(only_file(tmp_path), 4)
    with pytest.raises(CorpusError, match=r"lists of 4 and of 3 numbers in the column 'embedding'"):
        list(read_blocks(shard, 4, 10))


def test_a_null_is_a_row_without_numbers(tmp_path: Path) -> None:
    table = pa.table({"embedding": pa.array([[1.0] * 4, None], pa.list_(pa.float32()))})
    pq.write_table(table, tmp_path / "0.parquet")
    ((_, rows),) = read_blocks(open_embeddings(only_file(tmp_path), 4), 4, 10)
    assert rows[0].tolist() == [1] * 4
    assert np.isnan(rows[1]).all()


@pytest.mark.parametrize("write", [npy, fixed])
def test_a_file_that_becomes_shorter_while_it_is_read(
    tmp_path: Path, write: Callable[[Path, type], None]
) -> None:
    write(tmp_path, np.float16)
    shard = open_embeddings(only_file(tmp_path), 4)
    shard.file.path.write_bytes(shard.file.path.read_bytes()[:-70])
    with pytest.raises(CorpusError, match=r"has become shorter|cannot be read"):
        [np.asarray(rows) for _, rows in read_blocks(shard, 4, 10)]
    with pytest.raises(CorpusError, match=r"has become shorter|cannot be read"):
        read_rows(shard, 4, np.array([9]))


def test_a_damaged_page(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "0.parquet", ROWS)
    content = bytearray(path.read_bytes())
    content[4:40] = b"\xff" * 36
    path.write_bytes(bytes(content))
    shard = open_embeddings(only_file(tmp_path), 4)
    with pytest.raises(CorpusError, match="cannot be read to its end"):
        list(read_blocks(shard, 4, 10))
