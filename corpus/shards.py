"""Caption shards: Parquet files, or pieces of a streamed data set, that hold captions; known by a digest."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from concepts.errors import CorpusError
from corpus.sources import hub
from corpus.sources.columns import CAPTION_COLUMNS, URL_COLUMNS, Wanted, pick_columns
from corpus.sources.footer import read_footer
from corpus.sources.local import Found, find_local, list_files, local_size, read_local
from corpus.sources.places import is_elsewhere, local_path, protocol_of, shown
from corpus.sources.ranges import Read
from corpus.sources.remote import find_remote, read_remote

__all__ = [
    "CAPTION_COLUMNS",
    "URL_COLUMNS",
    "Shard",
    "Survey",
    "Unreadable",
    "find_shards",
    "list_files",
    "open_shard",
    "survey_shards",
]

_READERS = 8  # footers of remote shards that are fetched at the same time


@dataclass(frozen=True, slots=True)
class Shard:
    """One Parquet file of a corpus, or one piece of a streamed data set; small enough to be sent anywhere.

    Attributes:
        location: Its absolute path, its URL, or ``hub:`` and what names the piece. May hold a secret (the
            signature of a signed link): in messages stands `place`.
        name: Its path below the folder that the search started from: the same on every machine.
        size: Its length in bytes; None for a streamed piece.
        known_rows: How many rows it has; None where only reading it to the end tells.
        columns: Its columns' names, in order.
        caption_column: The column with the captions.
        url_column: The column with the images' addresses, None when there is none.
        digest: SHA-256 (hex) of the file's size and Parquet footer, or of a streamed data set's revision:
            changes with the content, costs no scan.
    """

    location: str = field(repr=False)
    name: str
    size: int | None
    known_rows: int | None
    columns: tuple[str, ...]
    caption_column: str
    url_column: str | None
    digest: str

    @property
    def place(self) -> str:
        """Where it lies, as messages may show it."""
        return hub.shown_piece(self.location) if self.streamed else shown(self.location)

    @property
    def streamed(self) -> bool:
        """Whether it is a piece of a streamed data set, which can be read from its start only."""
        return protocol_of(self.location) == "hub"

    @property
    def rows(self) -> int:
        """How many rows it has.

        Raises:
            CorpusError: It is streamed: only reading it to the end tells.
        """
        if self.known_rows is None:
            raise CorpusError(f"{self.place}: streamed, so that its number of rows is not known beforehand")
        return self.known_rows

    @property
    def path(self) -> Path:
        """Its path on this machine.

        Raises:
            CorpusError: It lies elsewhere.
        """
        if is_elsewhere(self.location):
            raise CorpusError(f"{self.place}: not on this machine; fetch it and give the local copy")
        return Path(self.location)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A shard that is left out.

    Attributes:
        name: As of a `Shard`.
        reason: What is wrong with it, where, and what to do.
    """

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What a pattern stands for.

    Attributes:
        shards: Those that can be read, sorted by name, at least one.
        unreadable: The others.
    """

    shards: tuple[Shard, ...]
    unreadable: tuple[Unreadable, ...]


def find_shards(
    pattern: Path | str, caption_column: str | None = None, url_column: str | None = None
) -> tuple[Shard, ...]:
    """Return the shards that a pattern stands for, all of them or none; sorted by name.

    Args:
        pattern: A glob (``**`` reaches into folders), a folder (its ``*.parquet``) or a file, on this machine
            or behind a URL (``s3://``, ``hf://``, whatever fsspec knows); or ``hub:NAME[:CONFIG][@SPLIT]``.
        caption_column: The caption column; None or empty: the first of TEXT, caption, text.
        url_column: The URL column; None or empty: the first of URL, url, if any.

    Raises:
        CorpusError: Nothing matches, the place cannot be reached; or a file is no Parquet file, is truncated,
            or lacks the column.
        MissingExtra: A package is needed that is not installed.
    """
    survey = survey_shards(pattern, caption_column, url_column)
    if survey.unreadable:
        raise CorpusError(survey.unreadable[0].reason)
    return survey.shards


def survey_shards(
    pattern: Path | str, caption_column: str | None = None, url_column: str | None = None
) -> Survey:
    """Return the shards that a pattern stands for, and those that cannot be read with their reasons.

    Args:
        pattern: As for `find_shards`.
        caption_column: As for `find_shards`.
        url_column: As for `find_shards`.

    Raises:
        CorpusError: Nothing matches, the place cannot be reached, or not one of the shards can be read.
        MissingExtra: A package is needed that is not installed.
    """
    text, wanted = str(pattern), Wanted(caption_column or None, url_column or None)
    opened = _pieces(text, wanted) if protocol_of(text) == "hub" else _files(text, wanted)
    shards = tuple(each for each in opened if isinstance(each, Shard))
    unreadable = tuple(each for each in opened if isinstance(each, Unreadable))
    if not shards:
        more = f" (and {len(unreadable) - 1} more)" if len(unreadable) > 1 else ""
        raise CorpusError(unreadable[0].reason + more)
    return Survey(shards, unreadable)


def open_shard(
    place: Path | str,
    name: str | None = None,
    caption_column: str | None = None,
    url_column: str | None = None,
) -> Shard:
    """Read what the footer of one shard says.

    Args:
        place: The path or the URL of a file.
        name: The name that it gets; None: the file's.
        caption_column: As for `find_shards`.
        url_column: As for `find_shards`.

    Raises:
        CorpusError: As `find_shards`.
        MissingExtra: A package is needed that is not installed.
    """
    if protocol_of(str(place)):
        (shard,) = find_shards(place, caption_column, url_column)
        return shard if name is None else replace(shard, name=name)
    path = local_path(str(place))
    found = Found(str(path.absolute()), name or path.name)
    return _shard(found, Wanted(caption_column or None, url_column or None))


def _files(pattern: str, wanted: Wanted) -> list[Shard | Unreadable]:
    remote = bool(protocol_of(pattern))
    found = find_remote(pattern, ".parquet") if remote else find_local(str(local_path(pattern)), ".parquet")
    found = tuple(_without_opened_folders(found))
    if not found:
        raise CorpusError(
            f"{shown(pattern)}: no Parquet file matches; check the path (folders and globs are taken, "
            "** reaches into folders)"
        )
    with ThreadPoolExecutor(_READERS if remote else 1) as readers:
        return list(readers.map(partial(_try_shard, wanted=wanted), found))


def _without_opened_folders(found: Iterable[Found]) -> Iterable[Found]:
    """Leave out folders that are named like files when files in them are among the found."""
    found = tuple(found)
    files = [each.name for each in found if not each.folder]
    return (
        each
        for each in found
        if not each.folder or not any(name.startswith(f"{each.name}/") for name in files)
    )


def _try_shard(found: Found, wanted: Wanted) -> Shard | Unreadable:
    try:
        return _shard(found, wanted)
    except CorpusError as error:
        return Unreadable(found.name, str(error))


def _shard(found: Found, wanted: Wanted) -> Shard:
    """Read one file's footer.

    Raises:
        CorpusError: It is no Parquet file, is truncated, lacks a column, or cannot be read.
    """
    place = shown(found.location)
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in place):
        raise CorpusError(
            f"{place!r}: a name of bytes that are not UTF-8, or of control characters; rename it"
        )
    if found.folder:
        raise CorpusError(f"{place}: a folder, not a file; give {place}/*.parquet for what is in it")
    size, read = _readable(found, place)
    footer = read_footer(read, size, place)
    caption, url = pick_columns(footer.schema, wanted, place)
    columns = tuple(footer.schema.names)
    return Shard(found.location, found.name, size, footer.rows, columns, caption, url, footer.digest)


def _readable(found: Found, place: str) -> tuple[int, Read]:
    """Return a file's length in bytes and what reads it."""
    if not protocol_of(found.location):
        path = Path(found.location)
        return local_size(path), partial(read_local, path)
    if found.size is None:
        raise CorpusError(f"{place}: the server does not tell its length; fetch it and give the local copy")
    return found.size, partial(read_remote, found.location)


def _pieces(pattern: str, wanted: Wanted) -> list[Shard | Unreadable]:
    pieces = hub.find_pieces(pattern)
    caption, url = pick_columns(pieces.schema, wanted, pattern)
    columns = tuple(pieces.schema.names)
    return [
        Shard(piece.location, piece.name, None, None, columns, caption, url, piece.digest)
        for piece in pieces.pieces
    ]
