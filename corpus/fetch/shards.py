"""Shards of a fetch: written as img2dataset's webdataset output, whole or not at all.

``NNNNN.tar`` holds the images as ``KEY.jpg`` in the order of their keys, ``NNNNN.parquet`` a row per address.
The index is put in place first and the tar file last, so that a shard is there exactly when its tar file is.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from concepts.errors import CorpusError
from corpus.fetch.outcomes import Picture, Refusal, Status
from corpus.image_layouts import Member

_TEMPORARY = ".unfinished-"  # a leading dot keeps it out of every glob of finished files
_KEEPING = b"fit.fetch"
_END = 1024  # a tar file ends with two empty blocks of 512 bytes


def _column(name: str, kind: pa.DataType, unit: str, meaning: str) -> pa.Field:
    return pa.field(name, kind, metadata={"unit": unit, "meaning": meaning})


INDEX = pa.schema(
    [
        _column("url", pa.string(), "-", "the image's address"),
        _column("key", pa.string(), "-", "the image's name in the tar file, without its ending"),
        _column("status", pa.string(), "-", "success, or why there is no image"),
        _column("error_message", pa.string(), "-", "the reason in words; null for a success"),
        _column("caption", pa.string(), "-", "a caption of the image"),
        _column("width", pa.int32(), "pixels", "width; null without an image"),
        _column("height", pa.int32(), "pixels", "height; null without an image"),
        _column("sha256", pa.string(), "-", "SHA-256 of the image's bytes, in hexadecimal"),
    ]
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An address to be fetched.

    Attributes:
        url: The address.
        caption: A caption of the image, for the index.
        refusal: Why it is not even asked for; None: it is.
    """

    url: str
    caption: str | None = None
    refusal: Refusal | None = None


class Spool:
    """The images of the shard at work, in a file without a name: gone with the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        """Make the file, on the disk where the shard will be."""
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`

    def add(self, name: str, data: bytes) -> Member:
        """Append an image and return where it is."""
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(data)
        return Member(offset, name, len(data))

    def read(self, member: Member) -> bytes:
        """Return an image's bytes."""
        self._file.seek(member.offset)
        return self._file.read(member.size)

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class Kept:
    """An image of the shard at work.

    Attributes:
        member: Where it is in the spool, under its name in the tar file.
        width, height: In pixels.
        sha256: Digest of its bytes, in hexadecimal.
    """

    member: Member
    width: int
    height: int
    sha256: str


def keep(spool: Spool, key: str, picture: Picture) -> Kept:
    """Put an image into the spool."""
    member = spool.add(f"{key}{picture.suffix}", picture.data)
    return Kept(member, picture.width, picture.height, hashlib.sha256(picture.data).hexdigest())


def shard_key(number: int, place: int) -> str:
    """Return the key of the image at a place of a shard, as img2dataset writes it."""
    return f"{number:05d}{place:04d}"


def write_shard(
    target: tuple[Path, int],
    wanted: Sequence[Wanted],
    found: Sequence[Kept | Refusal],
    spool: Spool,
    keeping: str,
) -> None:
    """Write a shard; its bytes depend on the arguments alone.

    Args:
        target: The folder and the shard's number.
        wanted: The addresses of the shard.
        found: What became of each.
        spool: Where the images are.
        keeping: Digest of what decides which images are kept.
    """
    folder, number = target
    rows = [_row(number, i, each, became) for i, (each, became) in enumerate(zip(wanted, found, strict=True))]
    index = pa.Table.from_pylist(rows, schema=INDEX.with_metadata({_KEEPING: keeping}))
    tar = folder / f"{number:05d}.tar"
    with (
        _whole(tar, lambda file: _fill_tar(file, found, spool)),
        _whole(tar.with_suffix(".parquet"), lambda file: pq.write_table(index, file, compression="zstd")),
    ):
        pass  # the blocks end in the opposite order: first the index gets its name


def finished_shards(folder: Path, keeping: str) -> dict[int, tuple[str, ...]]:
    """Return number -> addresses of the whole shards that were kept by these rules; remove the others.

    Args:
        folder: Where the shards are.
        keeping: Digest of what decides which images are kept.

    Raises:
        CorpusError: The folder holds shards that no fetch has made; nothing is removed.
    """
    found = {tar: _addresses(tar, keeping) for tar in sorted(folder.glob("[0-9]*.tar"))}
    whole = {tar: urls for tar, urls in found.items() if urls is not None}
    ours = {path for tar in whole for path in (tar, tar.with_suffix(".parquet"))}
    for pattern in ("[0-9]*.tar", "[0-9]*.parquet", f"{_TEMPORARY}*"):
        for path in folder.glob(pattern):
            if path not in ours:
                path.unlink()
    return {int(tar.stem): urls for tar, urls in whole.items()}


def _addresses(tar: Path, keeping: str) -> tuple[str, ...] | None:
    """Return the addresses of a shard; None where it is damaged or was kept by other rules."""
    try:
        with tar.open("rb") as file:
            file.seek(-_END, os.SEEK_END)
            whole = not any(file.read())
        table = pq.read_table(tar.with_suffix(".parquet"))
    except (OSError, pa.ArrowException, UnicodeDecodeError):
        return None
    kept_by = (table.schema.metadata or {}).get(_KEEPING)
    if kept_by is None:
        raise CorpusError(f"{tar}: not made by a fetch of fit; images are fetched into a folder of their own")
    return tuple(table["url"].to_pylist()) if whole and kept_by == keeping.encode() else None


def _row(number: int, place: int, wanted: Wanted, found: Kept | Refusal) -> dict[str, str | int | None]:
    row: dict[str, str | int | None] = {
        "url": wanted.url,
        "key": shard_key(number, place),
        "caption": wanted.caption,
    }
    if isinstance(found, Refusal):
        return {**row, "status": str(found.status), "error_message": found.reason}
    facts: dict[str, str | int | None] = {
        "width": found.width,
        "height": found.height,
        "sha256": found.sha256,
    }
    return {**row, "status": str(Status.SUCCESS), **facts}


def _fill_tar(file: IO[bytes], found: Sequence[Kept | Refusal], spool: Spool) -> None:
    """Write an uncompressed tar whose bytes depend on its members alone."""
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for each in found:
            if isinstance(each, Kept):
                info = tarfile.TarInfo(each.member.name)
                info.size = each.member.size
                tar.addfile(info, io.BytesIO(spool.read(each.member)))


@contextmanager
def _whole(path: Path, fill: Callable[[IO[bytes]], object]) -> Iterator[None]:
    """Write a file under a temporary name; it gets its own when the block ends without an error."""
    temporary = path.with_name(f"{_TEMPORARY}{os.getpid()}-{path.name}")
    try:
        with temporary.open("wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        yield
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
