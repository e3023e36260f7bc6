"""The images of a corpus's rows, offline: img2dataset's webdataset layout, addressed by URL.

``NNNNN.tar`` holds the images as ``KEY.jpg`` (or png, webp); ``NNNNN.parquet`` beside it has a row per
attempted download with ``url``, ``key`` and ``status``. A tar file is indexed when its first image is wanted;
an image is then read at its offset. Nothing is ever unpacked, and members that could harm one who unpacks
(absolute paths, ``..``, links, devices) are refused.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from concepts.errors import CorpusError
from corpus.shards import list_files

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
MAXIMUM_BYTES = 64 * 2**20
"""Largest image that is read, in bytes; img2dataset writes images of some hundred kilobytes."""

SUCCESS = "success"
_NEEDED = ("url", "key", "status")


@dataclass(frozen=True, slots=True)
class Missing:
    """An image that cannot be had.

    Attributes:
        url: Its address.
        reason: Why, for ``skipped.parquet``.
    """

    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class Availability:
    """Which images are there, by the indexes (a damaged tar file shows only when it is read).

    Attributes:
        present: Addresses of images that are there, each once, in the order asked.
        missing: The others, with reasons.
    """

    present: tuple[str, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """The tar file (its position in the store) and the key of an image."""

    tar: int
    key: str


@dataclass(frozen=True, slots=True)
class Member:
    """An image inside a tar file: where its bytes start, and how many there are."""

    offset: int
    size: int


class ImageStore:
    """Images of a webdataset, by URL."""

    def __init__(self, tars: Sequence[Path], places: dict[str, _Place | Missing]) -> None:
        """Take what `open` read."""
        self._tars = tuple(tars)
        self._places = places
        self._members: dict[int, dict[str, Member] | str] = {}

    @classmethod
    def open(cls, pattern: Path | str) -> ImageStore:
        """Read the Parquet indexes beside the tar files of a glob or a folder.

        A URL that stands in several rows is taken from the first that succeeded, in file order.

        Raises:
            CorpusError: No tar file matches, or one has no readable index beside it.
        """
        tars = [path for path, _ in list_files(str(pattern), ".tar")]
        if not tars:
            raise CorpusError(f"{pattern}: no tar file matches; give a folder or glob of webdataset shards")
        places: dict[str, _Place | Missing] = {}
        for position, tar in enumerate(tars):
            for url, key, status in _index_rows(tar.with_suffix(".parquet")):
                if status == SUCCESS:
                    if not isinstance(places.get(url), _Place):
                        places[url] = _Place(position, key)
                else:
                    places.setdefault(url, Missing(url, f"not downloaded: {status}"))
        return cls(tars, places)

    def __len__(self) -> int:
        """Return how many images the indexes say there are."""
        return sum(isinstance(place, _Place) for place in self._places.values())

    def find(self, urls: Iterable[str]) -> Availability:
        """Tell which images are there, without reading any."""
        found = {url: self._place(url) for url in urls}
        return Availability(
            present=tuple(url for url, place in found.items() if isinstance(place, _Place)),
            missing=tuple(place for place in found.values() if isinstance(place, Missing)),
        )

    def read(self, url: str) -> bytes | Missing:
        """Return an image's bytes as they are stored, or why they cannot be had."""
        return next(self.read_many((url,)))[1]

    def read_many(self, urls: Iterable[str]) -> Iterator[tuple[str, bytes | Missing]]:
        """Yield (URL, bytes or why not), each URL once; the images in the order of the files."""
        wanted: list[tuple[int, int, str, Member]] = []
        for url in dict.fromkeys(urls):
            place = self._place(url)
            member = self._member(url, place) if isinstance(place, _Place) else place
            if isinstance(member, Missing):
                yield url, member
            elif isinstance(place, _Place):
                wanted.append((place.tar, member.offset, url, member))
        by_tar: dict[int, list[tuple[str, Member]]] = {}
        for tar, _, url, member in sorted(wanted, key=lambda each: each[:3]):
            by_tar.setdefault(tar, []).append((url, member))
        for tar, members in by_tar.items():
            yield from _read_members(self._tars[tar], members)

    def _place(self, url: str) -> _Place | Missing:
        return self._places.get(url) or Missing(url, "not in the images' index")

    def _member(self, url: str, place: _Place) -> Member | Missing:
        if place.tar not in self._members:
            self._members[place.tar] = _tar_members(self._tars[place.tar])
        members = self._members[place.tar]
        if isinstance(members, str):
            return Missing(url, members)
        member = members.get(place.key)
        if member is None:
            return Missing(url, f"no image {place.key} in {self._tars[place.tar].name}")
        if member.size > MAXIMUM_BYTES:
            return Missing(url, f"image of {member.size} bytes, more than {MAXIMUM_BYTES}")
        return member


def _index_rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (url, key, status) of every row that has a URL and a key."""
    try:
        with pq.ParquetFile(path) as file:
            absent = [name for name in _NEEDED if name not in file.schema_arrow.names]
            if absent:
                raise CorpusError(
                    f"{path}: no column {absent[0]!r}; write it with img2dataset's webdataset output"
                )
            for batch in file.iter_batches(columns=list(_NEEDED)):
                for url, key, status in zip(
                    *(batch.column(name).to_pylist() for name in _NEEDED), strict=True
                ):
                    if url and key is not None:
                        yield str(url), str(key), str(status)
    except FileNotFoundError as error:
        raise CorpusError(
            f"{path}: the index of the images is missing; it belongs beside the tar file"
        ) from error
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: not a readable Parquet index ({str(error).splitlines()[0]})") from error


def _tar_members(path: Path) -> dict[str, Member] | str:
    """Return key -> member of the images of a tar file, or why it cannot be read.

    A file that breaks off yields the members before the break.
    """
    members: dict[str, Member] = {}
    try:
        with tarfile.open(path, "r:") as tar:  # "r:": uncompressed, or there are no offsets to read at
            for info in tar:
                name = PurePosixPath(info.name)
                harmless = (
                    info.isreg() and not info.issparse() and not name.is_absolute() and ".." not in name.parts
                )
                if harmless and name.suffix.lower() in SUFFIXES:
                    members.setdefault(name.stem, Member(info.offset_data, info.size))
    except tarfile.ReadError as error:
        return members or f"{path.name} cannot be read ({error})"
    except OSError as error:
        return f"{path.name} cannot be read ({error.strerror or error})"
    return members


def _read_members(path: Path, members: Sequence[tuple[str, Member]]) -> Iterator[tuple[str, bytes | Missing]]:
    try:
        with path.open("rb") as file:
            for url, member in members:
                file.seek(member.offset)
                data = file.read(member.size)
                if len(data) == member.size:
                    yield url, data
                else:
                    yield url, Missing(url, f"{path.name} is truncated")
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror or error})") from error
