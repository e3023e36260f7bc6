from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import CorpusError
from corpus.shards import find_shards
from tests.unit.corpus.files import write_shard


def refusal(pattern: Path | str, **options: str) -> str:
    with pytest.raises(CorpusError) as caught:
        find_shards(pattern, **options)
    assert caught.value.exit_code == 12
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_glob_folder_and_file(tmp_path: Path) -> None:
    write_shard(tmp_path / "c" / "b.parquet", ["x", "y"], URL=["1", "2"])
    write_shard(tmp_path / "c" / "a.parquet", ["x"])
    (tmp_path / "c" / "note.txt").write_text("no shard")
    for pattern in (tmp_path / "c", str(tmp_path / "c" / "*.parquet")):
        shards = find_shards(pattern)
        assert [(shard.name, shard.rows, shard.url_column) for shard in shards] == [
            ("a.parquet", 1, None),
            ("b.parquet", 2, "URL"),
        ]
    (one,) = find_shards(tmp_path / "c" / "b.parquet")
    assert (one.name, one.caption_column, one.columns) == ("b.parquet", "TEXT", ("TEXT", "URL"))


def test_names_are_relative_to_the_folder_before_the_first_wildcard(tmp_path: Path) -> None:
    write_shard(tmp_path / "x" / "one" / "a.parquet", ["x"])
    write_shard(tmp_path / "x" / "two" / "a.parquet", ["x"])
    names = [shard.name for shard in find_shards(str(tmp_path / "x" / "*" / "a.parquet"))]
    assert names == ["one/a.parquet", "two/a.parquet"]
    assert [shard.name for shard in find_shards(str(tmp_path / "**" / "*.parquet"))] == [
        f"x/{n}" for n in names
    ]


@pytest.mark.parametrize("column", ["TEXT", "caption", "text"])
def test_the_caption_column_is_found_by_name(tmp_path: Path, column: str) -> None:
    pq.write_table(pa.table({"other": [1], column: ["x"], "url": ["u"]}), tmp_path / "a.parquet")
    (shard,) = find_shards(tmp_path)
    assert (shard.caption_column, shard.url_column) == (column, "url")


def test_columns_can_be_given(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.parquet", ["x"], alt=["y"], link=["z"])
    (shard,) = find_shards(tmp_path, caption_column="alt", url_column="link")
    assert (shard.caption_column, shard.url_column) == ("alt", "link")
    assert "no caption column 'alx'; the columns are: TEXT, alt, link" in refusal(
        tmp_path, caption_column="alx"
    )
    assert "no column 'URL'; the columns are: TEXT, alt, link" in refusal(tmp_path, url_column="URL")


def test_no_caption_column(tmp_path: Path) -> None:
    pq.write_table(pa.table({"title": ["x"], "size": [1]}), tmp_path / "a.parquet")
    assert "no caption column called TEXT, caption, text; the columns are: title, size;" in refusal(tmp_path)


def test_a_caption_column_of_numbers(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [1, 2]}), tmp_path / "a.parquet")
    assert "the column 'text' holds int64, not text" in refusal(tmp_path)


def test_nothing_matches(tmp_path: Path) -> None:
    assert "no Parquet file matches" in refusal(tmp_path)
    assert "no Parquet file matches" in refusal(str(tmp_path / "absent" / "*.parquet"))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"hello, this is no Parquet file", b"PAR1PAR1PAR"])
def test_no_parquet_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    assert "not a Parquet file" in refusal(tmp_path)


def test_truncated_anywhere(tmp_path: Path) -> None:
    whole = write_shard(tmp_path / "a.parquet", ["some caption"] * 50).read_bytes()
    for length in range(12, len(whole), 37):
        (tmp_path / "a.parquet").write_bytes(whole[:length])
        assert "truncated" in refusal(tmp_path)


def test_a_footer_of_rubbish(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + b"\xff" * 40 + (40).to_bytes(4, "little") + b"PAR1")
    assert "its Parquet footer cannot be read" in refusal(tmp_path)


def test_a_path_with_wildcards_of_its_own(tmp_path: Path) -> None:
    write_shard(tmp_path / "a[1].parquet", ["x"])
    assert "rename the file" in refusal(tmp_path)


def test_the_digest_tells_shards_apart(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.parquet", ["x", "y"])
    write_shard(tmp_path / "same.parquet", ["x", "y"])
    write_shard(tmp_path / "other.parquet", ["x", "zz"])
    digests = {shard.name: shard.digest for shard in find_shards(tmp_path)}
    assert digests["a.parquet"] == digests["same.parquet"] != digests["other.parquet"]
