from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import CorpusError
from corpus.scan import repaired, scan
from corpus.shards import Shard, Unreadable, find_shards, survey_shards
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


ODD = (
    "a[1].parquet",
    "a*.parquet",
    "what?.parquet",
    "a'b; --.parquet",
    "s p%20#c.parquet",
    "k=v.parquet",
    "é.parquet",
)


@pytest.mark.parametrize("folder", ["in", "in [1]"])
@pytest.mark.parametrize("name", ODD)
def test_a_path_with_wildcards_of_its_own(tmp_path: Path, folder: str, name: str) -> None:
    for other in ("a1.parquet", "ab.parquet", "whats.parquet"):  # what the name would match as a glob
        write_shard(tmp_path / folder / other, ["other"])
    write_shard(tmp_path / folder / name, ["mine"])
    (one,) = find_shards(tmp_path / folder / name)
    listed = {shard.name: shard for shard in find_shards(tmp_path / folder)}
    for shard in (one, listed[name]):
        assert [text for batch in scan(shard) for text in batch.captions.to_pylist()] == ["mine"]


def test_a_folder_named_like_a_column_hides_none(tmp_path: Path) -> None:
    write_shard(tmp_path / "TEXT=hidden" / "a.parquet", ["mine"])
    (shard,) = find_shards(str(tmp_path / "**" / "*.parquet"))
    assert [text for batch in scan(shard) for text in batch.captions.to_pylist()] == ["mine"]


def test_names_that_cannot_be_told(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.parquet", ["x"])
    write_shard(tmp_path / "two\nlines.parquet", ["x"])
    (tmp_path / "a.parquet").rename(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.parquet"))
    for reason in (each.reason for each in _all_unreadable(tmp_path)):
        assert "a name of bytes that are not UTF-8, or of control characters; rename it" in reason
        assert reason.isprintable()


def _all_unreadable(folder: Path) -> tuple[Unreadable, ...]:
    write_shard(folder / "good.parquet", ["x"])
    survey = survey_shards(folder)
    assert [shard.name for shard in survey.shards] == ["good.parquet"]
    return survey.unreadable


def test_names_that_differ_in_case(tmp_path: Path) -> None:
    columns = {"text": ["lower"], "TEXT": ["upper"]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    assert "the columns text, TEXT and TEXT differ in case at most" in refusal(tmp_path)
    twice = pa.table([pa.array(["x"]), pa.array(["y"])], names=["TEXT", "TEXT"])
    pq.write_table(twice, tmp_path / "a.parquet")
    assert "the columns TEXT, TEXT and TEXT differ in case at most" in refusal(tmp_path)
    pq.write_table(pa.table({"TEXT": ["x"], "File_Row_Number": [1]}), tmp_path / "a.parquet")
    assert "a column may not be called file_row_number; rename it" in refusal(tmp_path)


def test_shards_that_cannot_be_read_leave_the_others(tmp_path: Path) -> None:
    whole = write_shard(tmp_path / "b.parquet", ["x"] * 40).read_bytes()
    write_shard(tmp_path / "f.parquet", [])
    (tmp_path / "a.parquet").write_bytes(b"")
    (tmp_path / "c.parquet").write_bytes(whole[:-9])
    pq.write_table(pa.table({"title": ["x"]}), tmp_path / "d.parquet")
    (tmp_path / "e.parquet").mkdir()
    (tmp_path / "g.parquet").symlink_to(tmp_path / "nowhere.parquet")
    (tmp_path / ".unfinished-h.parquet").write_bytes(b"PAR1")
    survey = survey_shards(tmp_path)
    assert [(shard.name, shard.rows) for shard in survey.shards] == [("b.parquet", 40), ("f.parquet", 0)]
    reasons = {each.name: each.reason for each in survey.unreadable}
    assert sorted(reasons) == ["a.parquet", "c.parquet", "d.parquet", "e.parquet", "g.parquet"]
    assert "not a Parquet file (0 bytes)" in reasons["a.parquet"]
    assert "truncated" in reasons["c.parquet"]
    assert "no caption column" in reasons["d.parquet"]
    assert reasons["e.parquet"] == (
        f"{tmp_path}/e.parquet: a folder, not a file; give {tmp_path}/e.parquet/*.parquet for what is in it"
    )
    assert "cannot be read (No such file or directory)" in reasons["g.parquet"]
    assert refusal(tmp_path) == reasons["a.parquet"]


def test_not_one_can_be_read(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.parquet").write_bytes(b"")
    with pytest.raises(CorpusError, match=r"a\.parquet: not a Parquet file .*\(and 2 more\)$"):
        survey_shards(tmp_path)


def test_a_folder_whose_files_are_found_is_none_of_them(tmp_path: Path) -> None:
    write_shard(tmp_path / "set.parquet" / "part-0.parquet", ["x"])
    (shard,) = find_shards(str(tmp_path / "**" / "*.parquet"))
    assert shard.name == "set.parquet/part-0.parquet"
    (shard,) = find_shards(tmp_path / "set.parquet")
    assert shard.name == "part-0.parquet"


@pytest.fixture
def nobody() -> Iterator[None]:
    """Be a user to whom modes of files apply."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(65_534)
    yield
    os.seteuid(me)


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder that anybody may read, with a shard and a folder that nobody may."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_shard(folder / "open.parquet", ["x"]).chmod(0o644)
        write_shard(folder / "locked.parquet", ["x"]).chmod(0)
        (folder / "room").mkdir(0)
        folder.chmod(0o755)
        yield folder
        (folder / "room").chmod(0o755)


@pytest.mark.usefixtures("nobody")
def test_no_permission(locked: Path) -> None:
    survey = survey_shards(locked)
    assert [shard.name for shard in survey.shards] == ["open.parquet"]
    (left_out,) = survey.unreadable
    assert left_out.reason == f"{locked}/locked.parquet: cannot be read (Permission denied)"
    assert refusal(locked / "room") == f"{locked}/room: cannot be read (Permission denied)"


KINDS = (
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.large_binary(),
    pa.binary_view(),
    pa.dictionary(pa.int32(), pa.string()),
    pa.dictionary(pa.int8(), pa.large_string()),
)


def test_shards_of_several_schemas(tmp_path: Path) -> None:
    texts = ["by Monet", None, ""]
    for number, kind in enumerate(KINDS):
        more = {"x" * (number + 1): [1.5] * 3} if number % 2 else {}
        table = pa.table(
            {**more, "caption" if number % 3 else "TEXT": pa.array(texts).cast(kind), "url": texts}
        )
        pq.write_table(table, tmp_path / f"{number}.parquet")
    shards = find_shards(tmp_path)
    assert len(shards) == len(KINDS)
    for shard in shards:
        read = repaired if "binary" in str(KINDS[int(shard.name[0])]) else scan
        assert [text for batch in read(shard) for text in batch.captions.to_pylist()] == texts


@pytest.mark.parametrize("column", [[["x"]], [{"a": "x"}], [True], [1.5]])
def test_a_caption_column_of_something_else(tmp_path: Path, column: list[object]) -> None:
    pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet")
    assert "not text; name another column" in refusal(tmp_path)


def test_a_shard_is_found_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shard(tmp_path / "a.parquet", ["x"])
    monkeypatch.chdir(tmp_path)
    (shard,) = find_shards("a.parquet")
    monkeypatch.chdir("/")
    assert shard.path == tmp_path / "a.parquet"
    assert [text for batch in scan(pickle.loads(pickle.dumps(shard))) for text in batch.captions] != []  # noqa: S301


def test_a_file_url(tmp_path: Path) -> None:
    write_shard(tmp_path / "a b.parquet", ["x"])
    (shard,) = find_shards(f"file://{tmp_path}/a%20b.parquet")
    assert shard.path == tmp_path / "a b.parquet"


def test_an_encrypted_shard(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PARE" + bytes(100) + b"\x10\0\0\0PARE")
    assert "an encrypted Parquet file; decrypt it first" in refusal(tmp_path)


def test_a_footer_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.parquet", ["x"], **{f"{'column' * 10} {n}": [n] for n in range(2000)})
    (shard,) = find_shards(tmp_path)
    assert (shard.rows, len(shard.columns)) == (1, 2001)
    assert shard.size is not None
    assert shard.size > 2 * 65_536


def test_where_a_shard_lies_elsewhere() -> None:
    shard = Shard("s3://bucket/a.parquet", "a.parquet", 1, 1, ("TEXT",), "TEXT", None, "")
    with pytest.raises(CorpusError, match=r"^s3://bucket/a\.parquet: not on this machine; fetch it"):
        _ = shard.path
    streamed = Shard(
        "hub:?name=o&config=&split=train&revision=&piece=0&of=2", "", None, None, (), "", None, ""
    )
    assert (streamed.streamed, streamed.place) == (True, "hub:o@train (piece 1 of 2)")
    with pytest.raises(CorpusError, match=r"^hub:o@train \(piece 1 of 2\): streamed, so that its number"):
        _ = streamed.rows


def test_the_digest_tells_shards_apart(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.parquet", ["x", "y"])
    write_shard(tmp_path / "same.parquet", ["x", "y"])
    write_shard(tmp_path / "other.parquet", ["x", "zz"])
    digests = {shard.name: shard.digest for shard in find_shards(tmp_path)}
    assert digests["a.parquet"] == digests["same.parquet"] != digests["other.parquet"]
