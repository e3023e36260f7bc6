"""Files of a run are whole or absent, and their bytes depend on their content alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fit.run import artefacts


@pytest.fixture
def table() -> pa.Table:
    field = pa.field("score", pa.float64(), metadata={"unit": "1"})
    return pa.table([pa.array(np.arange(5000) / 7)], schema=pa.schema([field]))


def test_bytes_do_not_depend_on_chunks_or_the_order_of_metadata(tmp_path: Path, table: pa.Table) -> None:
    artefacts.write_table(tmp_path / "a.parquet", table, {"x": "1", "y": "2"})
    chunks = pa.concat_tables([table.slice(0, 3), table.slice(3)])
    artefacts.write_table(tmp_path / "b.parquet", chunks, {"y": "2", "x": "1"})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_metadata_of_file_and_fields_is_kept(tmp_path: Path, table: pa.Table) -> None:
    artefacts.write_table(tmp_path / "a.parquet", table, {"what": "scores"})
    schema = pq.read_schema(tmp_path / "a.parquet")
    assert schema.metadata[b"what"] == b"scores"
    assert schema.field("score").metadata[b"unit"] == b"1"


def test_a_flipped_bit_in_a_page_is_found(tmp_path: Path, table: pa.Table) -> None:
    path = tmp_path / "a.parquet"
    artefacts.write_table(path, table)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 3] ^= 0b100
    path.write_bytes(bytes(whole))
    assert artefacts.is_whole(path)  # its two ends are
    with pytest.raises(artefacts.DamagedFile, match=r"a\.parquet: damaged"):
        artefacts.read_table(path)
    path.write_bytes(bytes(whole[:-5]))
    assert not artefacts.is_whole(path)
    with pytest.raises(artefacts.DamagedFile, match=r"a\.parquet: damaged"):
        artefacts.read_table(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        artefacts.read_table(path)


def test_a_name_that_is_not_utf8_is_damage(tmp_path: Path, table: pa.Table) -> None:
    path = tmp_path / "a.parquet"
    artefacts.write_table(path, table)
    path.write_bytes(path.read_bytes().replace(b"score", b"sc\xffre"))
    assert not artefacts.is_whole(path)
    with pytest.raises(artefacts.DamagedFile, match=r"a\.parquet: damaged"):
        artefacts.read_table(path)


def test_json_nested_without_end_is_damage(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"[" * 100_000)
    with pytest.raises(artefacts.DamagedFile, match=r"a\.json: damaged"):
        artefacts.read_json(tmp_path / "a.json")


def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    artefacts.write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        artefacts.write_json(path, {"a": float("nan")})
    with pytest.raises(TypeError):
        artefacts.write_bytes(path, "text")  # type: ignore[arg-type]
    assert artefacts.read_json(path) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_who_reads_while_we_write_reads_the_old_file_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a"
    artefacts.write_bytes(path, b"old")
    with path.open("rb") as reader:
        artefacts.write_bytes(path, b"new")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"


def test_leftovers_are_no_finished_files(tmp_path: Path) -> None:
    artefacts.write_bytes(tmp_path / "deep" / "b", b"1")
    artefacts.write_bytes(tmp_path / "a", b"1")
    (tmp_path / "deep" / ".unfinished-1-c").write_bytes(b"half")
    assert [str(p.relative_to(tmp_path)) for p in artefacts.finished_files(tmp_path)] == ["a", "deep/b"]
    artefacts.remove_leftovers(tmp_path)
    assert not (tmp_path / "deep" / ".unfinished-1-c").exists()


def test_one_spelling_for_each_content() -> None:
    assert artefacts.canonical_json({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()
    # printf '{"a":1}' | sha256sum
    expected = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    assert artefacts.digest({"a": 1}) == expected


def test_clearing_a_folder_does_not_follow_links(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("keep")
    folder = tmp_path / "stage"
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "x").write_text("go")
    (folder / "link").symlink_to(precious)
    artefacts.clear(folder, first=("receipt.json",))
    assert list(folder.iterdir()) == []
    assert (precious / "file").read_text() == "keep"


def test_clearing_a_folder_keeps_what_cannot_be_had_again(tmp_path: Path) -> None:
    for name in ("images/00000.tar", "parts/00000.parquet", "receipt.json", "table.parquet"):
        artefacts.write_bytes(tmp_path / name, b"content")
    artefacts.clear(tmp_path, first=("receipt.json",), keep=("images",))
    assert [path.name for path in tmp_path.rglob("*")] == ["images", "00000.tar"]
