"""How img2dataset lays images out on disk: a shard is a tar file or a folder, with a Parquet index beside it.

A row of `LAYOUTS` for each layout; a corpus names the row in ``images = {layout, path}``. A shard is listed
when its first image is wanted; an image is then read where it lies. Nothing is ever unpacked or followed: tar
members that could harm one who unpacks (absolute paths, ``..``, links, devices) and links on disk are
refused.
"""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Protocol

from concepts.errors import CorpusError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif")


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """An image inside a shard.

    Attributes:
        offset: Where its bytes start in a tar file; 0 for a file of its own.
        name: Its name in the shard.
        size: How many bytes it has.
    """

    offset: int
    name: str
    size: int


class ImageShard(Protocol):
    """The images of one shard."""

    path: Path

    def find(self, key: str) -> Member | str:
        """Return the image of a key, or why it cannot be had."""

    def read(self, members: Sequence[Member]) -> Iterator[bytes | str]:
        """Yield the bytes of images, or why they cannot be had, in the order asked.

        Raises:
            CorpusError: The shard cannot be opened.
        """


class TarShard:
    """An uncompressed tar file with the images as ``KEY.jpg``."""

    def __init__(self, path: Path) -> None:
        """Take the tar file; it is opened when an image is wanted."""
        self.path = path

    def find(self, key: str) -> Member | str:
        """Return the image of a key, or why it cannot be had."""
        if isinstance(self._members, str):
            return self._members
        return self._members.get(key, f"no image {key} in {self.path.name}")

    def read(self, members: Sequence[Member]) -> Iterator[bytes | str]:
        """Yield the bytes of images; raises CorpusError where the file cannot be opened."""
        try:
            with self.path.open("rb") as file:
                for member in members:
                    file.seek(member.offset)
                    data = file.read(member.size)
                    yield data if len(data) == member.size else f"{self.path.name} is truncated"
        except OSError as error:
            raise CorpusError(f"{self.path}: cannot be read ({error.strerror or error})") from error

    @cached_property
    def _members(self) -> dict[str, Member] | str:
        """Key -> image, or why the file cannot be read; one that breaks off has those before the break."""
        members: dict[str, Member] = {}
        try:
            with tarfile.open(
                self.path, "r:"
            ) as tar:  # "r:": uncompressed, or there are no offsets to read at
                for info in tar:
                    name = PurePosixPath(info.name)
                    if _harmless(info, name) and name.suffix.lower() in SUFFIXES:
                        members.setdefault(name.stem, Member(info.offset_data, info.name, info.size))
        except tarfile.ReadError as error:
            return members or f"{self.path.name} cannot be read ({error})"
        except OSError as error:
            return f"{self.path.name} cannot be read ({error.strerror or error})"
        return members


def _harmless(info: tarfile.TarInfo, name: PurePosixPath) -> bool:
    return info.isreg() and not info.issparse() and not name.is_absolute() and ".." not in name.parts


class FolderShard:
    """A folder with the images as ``KEY.jpg``, each a plain file directly in it.

    Names come from listing the folder and files are opened relative to it without following links, so that no
    index, however it was written, reaches a file outside.
    """

    def __init__(self, index: Path) -> None:
        """Take the Parquet index beside the folder."""
        self.path = index.with_suffix("")

    def find(self, key: str) -> Member | str:
        """Return the image of a key, or why it cannot be had."""
        if isinstance(self._members, str):
            return self._members
        return self._members.get(key, f"no image {key} in {self.path.name}")

    def read(self, members: Sequence[Member]) -> Iterator[bytes | str]:
        """Yield the bytes of images; raises CorpusError where the folder cannot be opened."""
        try:
            folder = _open_folder(self.path)
        except OSError as error:
            raise CorpusError(f"{self.path}: cannot be read ({error.strerror or error})") from error
        try:
            for member in members:
                yield _read_file(folder, member)
        finally:
            os.close(folder)

    @cached_property
    def _members(self) -> dict[str, Member | str] | str:
        """Key -> image, or why it cannot be had; a text where the folder cannot be read."""
        members: dict[str, Member | str] = {}
        try:
            folder = _open_folder(self.path)
        except OSError as error:
            return f"{self.path.name} cannot be read ({error.strerror or error})"
        try:
            with os.scandir(folder) as entries:
                for entry in sorted(entries, key=lambda each: each.name):
                    name = PurePosixPath(entry.name)
                    if name.suffix.lower() in SUFFIXES:
                        members.setdefault(name.stem, _member(entry))
        finally:
            os.close(folder)
        return members


def _member(entry: os.DirEntry[str]) -> Member | str:
    if not entry.is_file(follow_symlinks=False):
        return f"{entry.name} is no plain file (links are not followed)"
    return Member(0, entry.name, entry.stat(follow_symlinks=False).st_size)


def _open_folder(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _read_file(folder: int, member: Member) -> bytes | str:
    """Read a file that was listed; it may have been put in another's place since."""
    try:  # not blocking: a pipe that took the file's place must not stop us
        handle = os.open(member.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        return f"{member.name} cannot be read ({error.strerror or error})"
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return f"{member.name} is no plain file"
        data = file.read(member.size)
    return data if len(data) == member.size else f"{member.name} is truncated"


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout.

    Attributes:
        suffix: Which files a corpus's path stands for.
        shard: Makes a shard of such a file.
    """

    suffix: str
    shard: Callable[[Path], ImageShard]


LAYOUTS: Mapping[str, Layout] = {
    "webdataset": Layout(".tar", TarShard),
    "files": Layout(".parquet", FolderShard),
}
