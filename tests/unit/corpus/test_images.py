from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import CorpusError
from corpus import images
from corpus.images import Availability, ImageStore, Missing
from tests.unit.corpus.files import write_images


def store(folder: Path) -> ImageStore:
    write_images(
        folder,
        "00000",
        [
            ("http://a", "000", "success"),
            ("http://b", "001", "success"),
            ("http://c", "002", "failed_to_download"),
        ],
        {"000.jpg": b"image a", "000.json": b"{}", "000.txt": b"caption", "001.png": b"image b" * 1000},
    )
    write_images(
        folder,
        "00001",
        [("http://c", "003", "success"), ("http://d", "004", "success"), ("http://a", "005", "success")],
        {"003.webp": b"image c", "005.jpg": b"another a"},
    )
    return ImageStore.open(folder / "*.tar")


def test_find_and_read(tmp_path: Path) -> None:
    found = store(tmp_path)
    assert len(found) == 4
    assert found.find(["http://b", "http://x", "http://a", "http://b"]) == Availability(
        present=("http://b", "http://a"), missing=(Missing("http://x", "not in the images' index"),)
    )
    assert found.read("http://a") == b"image a"  # the first file's, not the second's
    assert found.read("http://b") == b"image b" * 1000
    assert found.read("http://c") == b"image c"  # failed in the first file, there in the second
    assert found.read("http://d") == Missing("http://d", "no image 004 in 00001.tar")


def test_a_failed_download_says_so(tmp_path: Path) -> None:
    write_images(tmp_path, "00000", [("http://a", "000", "failed_to_download")], {})
    found = ImageStore.open(tmp_path)
    assert found.read("http://a") == Missing("http://a", "not downloaded: failed_to_download")
    assert len(found) == 0


def test_read_many_goes_through_the_files_in_order(tmp_path: Path) -> None:
    found = store(tmp_path)
    pairs = list(found.read_many(["http://c", "http://b", "http://x", "http://a", "http://c"]))
    assert [url for url, _ in pairs] == ["http://x", "http://a", "http://b", "http://c"]
    assert dict(pairs)["http://c"] == b"image c"


def test_members_that_could_harm_are_refused(tmp_path: Path) -> None:
    names = ["../000.jpg", "/abs/001.jpg", "a/../../002.jpg"]
    rows = [(f"http://{number}", f"{number:03}", "success") for number in range(7)]
    path = write_images(tmp_path, "00000", rows, dict.fromkeys(names, b"evil"))
    with tarfile.open(path, "a") as tar:
        for number, kind in ((3, tarfile.SYMTYPE), (4, tarfile.LNKTYPE), (5, tarfile.CHRTYPE)):
            info = tarfile.TarInfo(f"{number:03}.jpg")
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        info = tarfile.TarInfo("fine/006.JPG")
        info.size = 4
        tar.addfile(info, io.BytesIO(b"fine"))
    found = ImageStore.open(tmp_path)
    for number in range(6):
        assert found.read(f"http://{number}") == Missing(
            f"http://{number}", f"no image {number:03} in 00000.tar"
        )
    assert found.read("http://6") == b"fine"


def test_truncated_tar(tmp_path: Path) -> None:
    rows = [(f"http://{number}", f"{number:03}", "success") for number in range(3)]
    path = write_images(tmp_path, "00000", rows, {f"{number:03}.jpg": b"x" * 2000 for number in range(3)})
    # A member takes a header of 512 bytes and its data rounded up to 2048: the second one's data break off.
    path.write_bytes(path.read_bytes()[: 2560 + 512 + 700])
    found = ImageStore.open(tmp_path)
    assert found.read("http://0") == b"x" * 2000
    assert found.read("http://1") == Missing("http://1", "00000.tar is truncated")
    assert found.read("http://2") == Missing("http://2", "no image 002 in 00000.tar")


@pytest.mark.parametrize("content", [b"not a tar file at all" * 100, b""])
def test_no_tar_file(tmp_path: Path, content: bytes) -> None:
    path = write_images(tmp_path, "00000", [("http://a", "000", "success")], {})
    path.write_bytes(content)
    answer = ImageStore.open(tmp_path).read("http://a")
    assert isinstance(answer, Missing)
    assert "00000.tar" in answer.reason


def test_an_image_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAXIMUM_BYTES", 100)
    assert store(tmp_path).read("http://b") == Missing("http://b", "image of 7000 bytes, more than 100")


def test_the_index_is_needed(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no tar file matches"):
        ImageStore.open(tmp_path / "*.tar")
    path = write_images(tmp_path, "00000", [], {})
    index = path.with_suffix(".parquet")
    pq.write_table(pa.table({"url": ["x"], "key": ["y"]}), index)
    with pytest.raises(CorpusError, match="no column 'status'"):
        ImageStore.open(tmp_path)
    index.write_bytes(b"rubbish")
    with pytest.raises(CorpusError, match="not a readable Parquet index"):
        ImageStore.open(tmp_path)
    index.unlink()
    with pytest.raises(CorpusError, match="the index of the images is missing"):
        ImageStore.open(tmp_path)


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    found = store(tmp_path)
    (tmp_path / "00000.tar").unlink()
    answer = found.read("http://a")
    assert answer == Missing("http://a", "00000.tar cannot be read (No such file or directory)")
