"""The images of a corpus's rows, offline: img2dataset's output, addressed by URL.

Of the layout ``webdataset``, ``NNNNN.tar`` holds the images as ``KEY.jpg`` (or png, webp, gif); of the layout
``files``, the folder ``NNNNN``. ``NNNNN.parquet`` beside it has a row per attempted download with ``url``,
``key`` and ``status``. A shard is listed when its first image is wanted; an image is then read at its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from concepts.errors import CorpusError
from corpus.image_files import ImageShard, Layout, Member, find_image_shards, layout_of

MAXIMUM_BYTES = 64 * 2**20
"""Largest image that is read, in bytes; img2dataset writes images of some hundred kilobytes."""

SUCCESS = "success"
UNTRIED = "not in the images' index"
"""The reason of a URL that nobody tried to fetch, in contrast to one that was tried in vain."""

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
    """Which images are there, by the indexes (a damaged tar file shows only when it is read).

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


class ImageStore:
    """Images of img2dataset's output, by URL."""

    def __init__(
        self, layout: Layout, shards: Sequence[ImageShard], places: dict[str, _Place | Missing]
    ) -> None:
        """Take what `open` read."""
        self._layout = layout
        self._shards = tuple(shards)
        self._places = places
        self._members: dict[int, dict[str, Member] | str] = {}

    @classmethod
    def open(cls, pattern: Path | str, layout: str = "webdataset") -> ImageStore:
        """Read the Parquet indexes of the shards of a glob or a folder.

        A URL that stands in several rows is taken from the first that succeeded, in file order.

        Args:
            pattern: Of ``webdataset``: tar files, or their folder. Of ``files``: Parquet files, or their
                folder.
            layout: ``webdataset`` or ``files``.

        Raises:
            CorpusError: Nothing matches, a shard has no readable index, or there is no such layout.
        """
        how = layout_of(layout)
        shards = find_image_shards(pattern, layout)
        if not shards:
            raise CorpusError(
                f"{pattern}: no {how.suffix[1:]} file matches; give a folder or glob of {layout} shards"
            )
        places: dict[str, _Place | Missing] = {}
        for position, shard in enumerate(shards):
            for url, key, status, reason in _index_rows(shard.index):
                if status == SUCCESS:
                    if not isinstance(places.get(url), _Place):
                        places[url] = _Place(position, key)
                elif not isinstance(places.get(url), _Place):  # of several failures the last one tells
                    why = f"{status} ({reason})" if reason else status
                    places[url] = Missing(url, f"not downloaded: {why}")
        return cls(how, shards, places)

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
                wanted.append((place.shard, member.offset, url, member))
        by_shard: dict[int, list[tuple[str, Member]]] = {}
        for shard, _, url, member in sorted(wanted, key=lambda each: each[:3]):
            by_shard.setdefault(shard, []).append((url, member))
        for shard, members in by_shard.items():
            path = self._shards[shard].path
            images = self._layout.read(path, [member for _, member in members])
            for (url, member), data in zip(members, images, strict=True):
                whole = len(data) == member.size
                yield url, data if whole else Missing(url, f"{member.name} is truncated")

    def _place(self, url: str) -> _Place | Missing:
        return self._places.get(url) or Missing(url, UNTRIED)

    def _member(self, url: str, place: _Place) -> Member | Missing:
        path = self._shards[place.shard].path
        if place.shard not in self._members:
            self._members[place.shard] = self._layout.members(path)
        members = self._members[place.shard]
        if isinstance(members, str):
            return Missing(url, members)
        member = members.get(place.key)
        if member is None:
            return Missing(url, f"no image {place.key} in {path.name}")
        if member.size > MAXIMUM_BYTES:
            return Missing(url, f"image of {member.size} bytes, more than {MAXIMUM_BYTES}")
        return member


def _index_rows(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield (url, key, status, reason) of every row that has a URL and a key."""
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            absent = [name for name in _NEEDED if name not in names]
            if absent:
                raise CorpusError(f"{path}: no column {absent[0]!r}; write it with img2dataset")
            columns = [*_NEEDED, *([_REASON] if _REASON in names else [])]
            for batch in file.iter_batches(columns=columns):
                rows = zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
                for url, key, status, *reason in rows:
                    if url and key is not None:
                        yield str(url), str(key), str(status), str(reason[0] or "") if reason else ""
    except FileNotFoundError as error:
        raise CorpusError(f"{path}: the index of the images is missing; it belongs beside them") from error
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: not a readable Parquet index ({str(error).splitlines()[0]})") from error
