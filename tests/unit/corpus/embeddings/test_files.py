"""Which files hold embeddings, which metadata belongs to them, and what tells their contents apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from concepts.errors import CorpusError
from corpus.embeddings.files import content_digest, find_embeddings
from tests.unit.corpus.embeddings.layouts import texts, write_npy, write_parquet

ROWS = np.eye(4, dtype=np.float16)


def names(place: Path | str) -> list[str]:
    return [each.name for each in find_embeddings(str(place))]


def test_a_folder_in_the_layout_of_laion(tmp_path: Path) -> None:
    write_npy(tmp_path, "0001", ROWS)
    write_npy(tmp_path, "0000", ROWS, **texts(4))
    np.save(tmp_path / "text_emb_0000.npy", ROWS)
    first, second = find_embeddings(str(tmp_path))
    assert (first.name, second.name) == ("img_emb_0000.npy", "img_emb_0001.npy")
    assert first.metadata == tmp_path / "metadata_0000.parquet"
    assert second.metadata is None


def test_folders_for_embeddings_and_metadata(tmp_path: Path) -> None:
    write_npy(tmp_path / "img_emb", "0", ROWS)
    (write_npy(tmp_path / "metadata", "0", ROWS, **texts(4))).unlink()
    (file,) = find_embeddings(str(tmp_path))
    assert (file.name, file.metadata) == ("img_emb/img_emb_0.npy", tmp_path / "metadata/metadata_0.parquet")
    assert names(tmp_path / "img_emb/*.npy") == ["img_emb_0.npy"]


def test_metadata_in_a_folder_that_is_named(tmp_path: Path) -> None:
    write_npy(tmp_path / "here", "7", ROWS)
    write_npy(tmp_path / "there", "7", ROWS, **texts(4))
    (file,) = find_embeddings(str(tmp_path / "here"), tmp_path / "there")
    assert file.metadata == tmp_path / "there/metadata_7.parquet"


def test_parquet_files_are_their_own_metadata(tmp_path: Path) -> None:
    write_parquet(tmp_path / "b.parquet", ROWS)
    write_parquet(tmp_path / "a.parquet", ROWS)
    write_parquet(tmp_path / "metadata_0.parquet", ROWS)
    files = find_embeddings(str(tmp_path))
    assert [each.name for each in files] == ["a.parquet", "b.parquet"]
    assert all(each.metadata == each.path for each in files)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no embeddings match; give a folder"):
        find_embeddings(str(tmp_path))
    with pytest.raises(CorpusError, match=r"\*\.npy: no embeddings match"):
        find_embeddings(str(tmp_path / "*.npy"))


def test_a_glob_that_matches_too_much(tmp_path: Path) -> None:
    write_npy(tmp_path, "0", ROWS)
    (tmp_path / "README.md").write_text("read me")
    with pytest.raises(CorpusError, match=r"README.md: neither .npy nor .parquet"):
        find_embeddings(str(tmp_path / "*"))


def test_the_digest_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    digests = set()
    for content in (b"", b"a", b"b", b"a" * 5000, b"a" * 5001, bytes(4_000_000), bytes(3_999_999) + b"a"):
        path.write_bytes(content)
        digests.add(content_digest(path))
    # In the middle: a hole of 4,096 bytes is larger than the gap between two pieces of this file.
    path.write_bytes(bytes(2_000_000) + b"x" * 20_000 + bytes(1_980_000))
    digests.add(content_digest(path))
    assert len(digests) == 8
    with pytest.raises(CorpusError, match="cannot be read"):
        content_digest(tmp_path / "none")
