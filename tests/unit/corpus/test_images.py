from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import CorpusError
from corpus import images
from corpus.images import Availability, ImageStore, Missing
from tests.unit.corpus.files import write_image_files, write_images


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


def files_store(folder: Path) -> ImageStore:
    write_image_files(
        folder,
        "00000",
        [
            ("http://a", "000000000", "success"),
            ("http://b", "000000001", "success"),
            ("http://c", "000000002", "failed_to_download"),
        ],
        {"000000000.jpg": b"image a", "000000000.json": b"{}", "000000001.png": b"image b" * 1000},
    )
    write_image_files(
        folder,
        "00001",
        [("http://c", "000010000", "success"), ("http://d", "000010001", "success")],
        {"000010000.webp": b"image c"},
    )
    return ImageStore.open(folder, "files")


def test_folders_of_files(tmp_path: Path) -> None:
    found = files_store(tmp_path)
    assert len(found) == 4
    assert found.read("http://a") == b"image a"
    assert found.read("http://b") == b"image b" * 1000
    assert found.read("http://c") == b"image c"  # failed in the first folder, there in the second
    assert found.read("http://d") == Missing("http://d", "no image 000010001 in 00001")
    pairs = found.read_many(["http://c", "http://b", "http://x", "http://a"])
    assert [url for url, _ in pairs] == ["http://x", "http://a", "http://b", "http://c"]
    assert len(ImageStore.open(tmp_path / "*1.parquet", "files")) == 2


@pytest.mark.parametrize(
    "key",
    ["../secret", "../../secret", "/etc/secret", "inner/000", "..", ".", "", "000\0.jpg", "x" * 300, "*"],
)
def test_no_key_leaves_the_folder(tmp_path: Path, key: str) -> None:
    for place in (tmp_path / "secret.jpg", tmp_path / "shards" / "secret.jpg"):
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"secret")
    write_image_files(tmp_path / "shards", "00000", [("http://a", key, "success")], {"000.jpg": b"fine"})
    (tmp_path / "shards" / "00000" / "inner").mkdir()
    (tmp_path / "shards" / "00000" / "inner" / "000.jpg").write_bytes(b"inner")
    answer = ImageStore.open(tmp_path / "shards", "files").read("http://a")
    assert answer == Missing("http://a", f"no image {key} in 00000")


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "2.jpg").write_bytes(b"secret")
    shards = tmp_path / "shards"
    rows = [(f"http://{i}", str(i), "success") for i in range(4)]
    write_image_files(shards, "00000", rows, {"1.jpg": b"fine"})
    (shards / "00000" / "0.jpg").symlink_to(tmp_path / "secret.jpg")
    (shards / "00000" / "2.jpg").mkdir()
    os.mkfifo(shards / "00000" / "3.jpg")
    write_image_files(shards, "00001", [("http://linked", "2", "success")], {})
    (shards / "00001").rmdir()
    (shards / "00001").symlink_to(tmp_path / "elsewhere")
    found = ImageStore.open(shards, "files")
    for i in (0, 2, 3):
        expected = f"{i}.jpg is no plain file (links are not followed)"
        assert found.read(f"http://{i}") == Missing(f"http://{i}", expected)
    assert found.read("http://1") == b"fine"
    answer = found.read("http://linked")
    assert isinstance(answer, Missing)
    assert answer.reason.startswith("00001 cannot be read")


@pytest.mark.parametrize("now", ["link", "pipe", "shorter", "gone"])
def test_a_file_that_is_replaced_after_it_was_listed(tmp_path: Path, now: str) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret!")
    found = files_store(tmp_path / "shards")
    file = tmp_path / "shards" / "00000" / "000000000.jpg"
    assert found.find(["http://a"]).present == ("http://a",)
    assert found.read("http://a") == b"image a"  # listed now
    file.unlink()
    if now == "link":
        file.symlink_to(tmp_path / "secret.jpg")
    elif now == "pipe":
        os.mkfifo(file)
    elif now == "shorter":
        file.write_bytes(b"im")
    answer = found.read("http://a")
    assert isinstance(answer, Missing)
    assert answer.reason.startswith("000000000.jpg ")


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    write_image_files(tmp_path, "00000", [("http://a", "0", "success")], {})
    (tmp_path / "00000").rmdir()
    expected = "00000 cannot be read (No such file or directory)"
    assert ImageStore.open(tmp_path, "files").read("http://a") == Missing("http://a", expected)


def test_a_layout_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"unknown layout of images \(did you mean files\?\)"):
        ImageStore.open(tmp_path, "file")
    with pytest.raises(CorpusError, match="no parquet file matches"):
        ImageStore.open(tmp_path, "files")


def test_a_reason_is_told_before_a_status(tmp_path: Path) -> None:
    path = write_images(tmp_path, "00000", [], {})
    columns = {
        "url": ["http://a"],
        "key": ["0"],
        "status": ["failed_to_download"],
        "error_message": ["HTTP 410"],
    }
    pq.write_table(pa.table(columns), path.with_suffix(".parquet"))
    assert ImageStore.open(tmp_path).read("http://a") == Missing("http://a", "not downloaded: HTTP 410")
