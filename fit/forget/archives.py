"""Tar files of images (webdataset): the members of somebody's images go, the others keep their bytes."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from fit.forget.traces import Deleted, Traces

IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
TEXTS = (".json", ".txt", ".cls")


@dataclass(frozen=True)
class Group:
    """The members of one image: picture, caption, what else is known of it.

    Attributes:
        key: Their name without ending.
        entries: The members.
        tar: The archive, opened.
    """

    key: str
    entries: tuple[tarfile.TarInfo, ...]
    tar: tarfile.TarFile

    def content(self, entry: tarfile.TarInfo) -> bytes:
        """Return the content of a member."""
        file = self.tar.extractfile(entry)
        return b"" if file is None else file.read()

    def texts(self) -> Iterator[str]:
        """Yield every text in the members, of JSON each value alone."""
        yield self.key
        for entry in self.entries:
            if entry.name.endswith(TEXTS):
                text = self.content(entry).decode("utf-8", "replace")
                yield from _strings(text) if entry.name.endswith(".json") else [text]

    def pictures(self) -> Iterator[bytes]:
        """Yield the pictures."""
        for entry in self.entries:
            if entry.name.lower().endswith(IMAGES):
                yield self.content(entry)


@dataclass(frozen=True)
class Rebuilt:
    """What became of an archive.

    Attributes:
        images: Pictures that are gone.
        digests: Their SHA-256.
        moved: Where the content of each member that stays starts now, by where it started.
    """

    images: int = 0
    digests: frozenset[str] = frozenset()
    moved: dict[int, int] = field(default_factory=dict)


def clean_archive(path: Path, traces: Traces, write: bool) -> tuple[Deleted, frozenset[str]]:
    """Delete the members that are about somebody; also return the digests of their pictures."""
    found = rebuild(path, lambda group: any(traces.about(text) for text in group.texts()), write)
    return Deleted(images=found.images), found.digests


def rebuild(path: Path, doomed: Callable[[Group], bool], write: bool) -> Rebuilt:
    """Write an archive again without some groups of members.

    Args:
        path: The tar file.
        doomed: Which groups go.
        write: False looks only.
    """
    temporary = path.with_name(f".unfinished-{os.getpid()}-{path.name}")
    try:
        target = temporary if write else Path(os.devnull)
        with (
            tarfile.open(path) as old,
            target.open("wb") as file,
            tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as new,
        ):
            gone, moved = _copy(old, new, doomed)
        if write and gone:
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return Rebuilt(sum(map(len, gone)), frozenset(digest for some in gone for digest in some), moved)


def _copy(
    old: tarfile.TarFile, new: tarfile.TarFile, doomed: Callable[[Group], bool]
) -> tuple[list[list[str]], dict[int, int]]:
    """Copy what stays; return the digests of the pictures that go, by group, and where members moved."""
    gone: list[list[str]] = []
    moved: dict[int, int] = {}
    for group in _groups(old):
        if doomed(group):
            gone.append([hashlib.sha256(picture).hexdigest() for picture in group.pictures()])
            continue
        for entry in group.entries:
            start = entry.offset_data  # `addfile` gives the entry its new place
            new.addfile(entry, old.extractfile(entry) if entry.isfile() else None)
            moved[start] = new.offset - -(-entry.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    return gone, moved


def _groups(tar: tarfile.TarFile) -> Iterator[Group]:
    for key, entries in groupby(tar.getmembers(), key=lambda entry: _key(entry.name)):
        yield Group(key, tuple(entries), tar)


def _key(name: str) -> str:
    folder, slash, file = name.rpartition("/")
    return f"{folder}{slash}{file.partition('.')[0]}"


def _strings(text: str) -> Iterator[str]:
    try:
        waiting: list[Any] = [json.loads(text)]
    except ValueError:
        yield text
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            yield value
