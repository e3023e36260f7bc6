"""The images of a corpus's rows, offline: img2dataset's output, addressed by URL.

Each shard (a tar file or a folder, see `corpus.image_layouts`) has an index beside it, ``NNNNN.parquet`` with
a row per attempted download: ``url``, ``key``, ``status`` and, for the failed ones, ``error_message``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from concepts.errors import CorpusError, unknown
from corpus.image_layouts import LAYOUTS, ImageShard, Member
from corpus.shards import list_files

MAXIMUM_BYTES = 64 * 2**20
"""Largest image that is read, in bytes; img2dataset writes images of some hundred kilobytes."""

SUCCESS = "success"
_NEEDED = ("url", "key", "status")
_REASON = "error_message"


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
    """Which images are there, by the indexes (a damaged shard shows only when it is read).

    Attributes:
        present: Addresses of images that are there, each once, in the order asked.
        missing: The others, with reasons.
    """

    present: tuple[str, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """The shard (its position in the store) and the key of an image."""

    shard: int
    key: str


def list_shards(pattern: Path | str, layout: str) -> tuple[tuple[Path, str], ...]:
    """Return (index, name) of the image shards that a folder or a glob stands for, sorted by name.

    Raises:
        CorpusError: There is no such layout.
    """
    if layout not in LAYOUTS:
        raise CorpusError(unknown("layout of images", layout, LAYOUTS))
    found = list_files(str(pattern), LAYOUTS[layout].suffix)
    return tuple((path.with_suffix(".parquet"), name) for path, name in found)


class ImageStore:
    """Images of img2dataset's shards, by URL."""

    def __init__(self, shards: Sequence[ImageShard], places: dict[str, _Place | Missing]) -> None:
        """Take what `open` read."""
        self._shards = tuple(shards)
        self._places = places

    @classmethod
    def open(cls, pattern: Path | str, layout: str = "webdataset") -> ImageStore:
        """Read the Parquet indexes of a glob or a folder.

        A URL that stands in several rows is taken from the first that succeeded, in file order.

        Args:
            pattern: A folder, or a glob of the tar files (webdataset) or of the indexes (files).
            layout: A row of `corpus.image_layouts.LAYOUTS`.

        Raises:
            CorpusError: No shard matches, or one has no readable index beside it.
        """
        indexes = list_shards(pattern, layout)
        row = LAYOUTS[layout]
        if not indexes:
            raise CorpusError(
                f"{pattern}: no {row.suffix[1:]} file matches; give a folder or glob of {layout} shards"
            )
        places: dict[str, _Place | Missing] = {}
        for position, (index, _) in enumerate(indexes):
            for url, key, reason in _index_rows(index):
                if reason:
                    places.setdefault(url, Missing(url, f"not downloaded: {reason}"))
                elif not isinstance(places.get(url), _Place):
                    places[url] = _Place(position, key)
        return cls([row.shard(index.with_suffix(row.suffix)) for index, _ in indexes], places)

    @classmethod
    def empty(cls) -> ImageStore:
        """Return a store without any image."""
        return cls((), {})

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
        wanted: list[tuple[int, Member, str]] = []
        for url in dict.fromkeys(urls):
            place = self._place(url)
            member = self._member(url, place) if isinstance(place, _Place) else place
            if isinstance(member, Missing):
                yield url, member
            elif isinstance(place, _Place):
                wanted.append((place.shard, member, url))
        by_shard: dict[int, list[tuple[Member, str]]] = {}
        for shard, member, url in sorted(wanted):
            by_shard.setdefault(shard, []).append((member, url))
        for shard, pairs in by_shard.items():
            read = self._shards[shard].read([member for member, _ in pairs])
            for (_, url), data in zip(pairs, read, strict=True):
                yield url, Missing(url, data) if isinstance(data, str) else data

    def _place(self, url: str) -> _Place | Missing:
        return self._places.get(url) or Missing(url, "not in the images' index")

    def _member(self, url: str, place: _Place) -> Member | Missing:
        member = self._shards[place.shard].find(place.key)
        if isinstance(member, str):
            return Missing(url, member)
        if member.size > MAXIMUM_BYTES:
            return Missing(url, f"image of {member.size} bytes, more than {MAXIMUM_BYTES}")
        return member


def _index_rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (url, key, why it was not downloaded, else "") of every row that has a URL and a key."""
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            absent = [name for name in _NEEDED if name not in names]
            if absent:
                raise CorpusError(
                    f"{path}: no column {absent[0]!r}; write it with img2dataset's webdataset or files output"
                )
            told = [_REASON] if _REASON in names else []
            for batch in file.iter_batches(columns=[*_NEEDED, *told]):
                columns = {name: batch.column(name).to_pylist() for name in (*_NEEDED, *told)}
                reasons = columns.get(_REASON, [None] * batch.num_rows)
                for url, key, status, reason in zip(*(columns[n] for n in _NEEDED), reasons, strict=True):
                    if url and key is not None:
                        yield str(url), str(key), "" if status == SUCCESS else str(reason or status)
    except FileNotFoundError as error:
        raise CorpusError(
            f"{path}: the index of the images is missing; it belongs beside the tar file or folder"
        ) from error
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: not a readable Parquet index ({str(error).splitlines()[0]})") from error
