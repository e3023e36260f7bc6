"""The two ways in which img2dataset lays images out: in a tar file, or in a folder; each with an index.

Neither is ever unpacked or walked: a shard lists its images, and one is read by its place in the list.
Entries that could lead elsewhere (absolute paths, ``..``, links, devices) are left out of the list.
"""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from concepts.errors import CorpusError, unknown
from corpus.shards import list_files

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif")


@dataclass(frozen=True, slots=True)
class Member:
    """An image of a shard.

    Attributes:
        name: Its file name; in a tar file that of the tar file.
        offset: Where its bytes start.
        size: How many there are.
    """

    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class ImageShard:
    """Some thousand images and the Parquet file that says which.

    Attributes:
        path: The tar file or the folder.
        name: The index's path below the folder that the search started from: the same on every machine.
        index: The Parquet file.
    """

    path: Path
    name: str
    index: Path


@dataclass(frozen=True, slots=True)
class Layout:
    """How the images of a shard lie.

    Attributes:
        suffix: Of the files that a glob or a folder stands for.
        shard: (file, name) -> the shard.
        members: Shard's path -> key -> image, or why they cannot be listed.
        read: (shard's path, images) -> the bytes of each in turn; fewer than its size where it breaks off.
    """

    suffix: str
    shard: Callable[[Path, str], ImageShard]
    members: Callable[[Path], dict[str, Member] | str]
    read: Callable[[Path, Sequence[Member]], Iterator[bytes]]


def layout_of(name: str) -> Layout:
    """Return a layout by its name.

    Raises:
        CorpusError: There is no such layout.
    """
    if name not in LAYOUTS:
        raise CorpusError(unknown("layout of images", name, LAYOUTS))
    return LAYOUTS[name]


def find_image_shards(pattern: Path | str, layout: str) -> tuple[ImageShard, ...]:
    """Return the shards that a glob, a folder or one file stands for, sorted by name; none where none is.

    Args:
        pattern: Of ``webdataset``: tar files, or their folder. Of ``files``: Parquet files, or their folder.
        layout: ``webdataset`` or ``files``.
    """
    found = layout_of(layout)
    return tuple(found.shard(path, name) for path, name in list_files(str(pattern), found.suffix))


def _tar_members(path: Path) -> dict[str, Member] | str:
    """List the images of a tar file; one that breaks off yields the members before the break."""
    members: dict[str, Member] = {}
    try:
        with tarfile.open(path, "r:") as tar:  # "r:": uncompressed, or there are no offsets to read at
            for info in tar:
                name = PurePosixPath(info.name)
                harmless = (
                    info.isreg() and not info.issparse() and not name.is_absolute() and ".." not in name.parts
                )
                if harmless and name.suffix.lower() in SUFFIXES:
                    members.setdefault(name.stem, Member(path.name, info.offset_data, info.size))
    except tarfile.ReadError as error:
        return members or f"{path.name} cannot be read ({error})"
    except OSError as error:
        return f"{path.name} cannot be read ({error.strerror or error})"
    return members


def _read_tar(path: Path, members: Sequence[Member]) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            for member in members:
                file.seek(member.offset)
                yield file.read(member.size)
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror or error})") from error


def _folder_members(path: Path) -> dict[str, Member] | str:
    """List the images of a folder: regular files, no links; of two with one key the first by name."""
    members: dict[str, Member] = {}
    try:
        with os.scandir(path) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                name = PurePosixPath(entry.name)
                if name.suffix.lower() in SUFFIXES and entry.is_file(follow_symlinks=False):
                    size = entry.stat(follow_symlinks=False).st_size
                    members.setdefault(name.stem, Member(entry.name, 0, size))
    except OSError as error:
        return f"{path.name} cannot be read ({error.strerror or error})"
    return members


def _read_folder(path: Path, members: Sequence[Member]) -> Iterator[bytes]:
    for member in members:
        try:
            # A link or a pipe put there since the folder was listed is not followed and not waited for.
            handle = os.open(path / member.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            yield b""
            continue
        with os.fdopen(handle, "rb") as file:
            yield file.read(member.size) if stat.S_ISREG(os.fstat(handle).st_mode) else b""


LAYOUTS = {
    "webdataset": Layout(
        ".tar",
        lambda path, name: ImageShard(path, name, path.with_suffix(".parquet")),
        _tar_members,
        _read_tar,
    ),
    "files": Layout(
        ".parquet",
        lambda path, name: ImageShard(path.with_suffix(""), name, path),
        _folder_members,
        _read_folder,
    ),
}
