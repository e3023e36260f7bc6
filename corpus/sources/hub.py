"""Data sets that are not Parquet (JSON lines, CSV, webdataset, ...), streamed by `datasets`, piece by piece.

``hub:NAME[:CONFIG][@SPLIT]`` names a data set of the hub, or a folder or file of this machine. A piece is
what `datasets` reads for itself, mostly one file. Code of a data set is never run.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pyarrow as pa

from concepts.errors import CorpusError
from corpus.sources.faults import attempt, faults, situation, told
from corpus.sources.places import HUB

_OPEN: dict[DataSet, Any] = {}  # this process's data sets: opening one asks the hub several things


@dataclass(frozen=True, slots=True)
class DataSet:
    """A split of a data set.

    Attributes:
        name: Its name on the hub, or a folder or file of this machine.
        config: Its configuration; empty: the only one.
        split: Its split.
        revision: The commit on the hub; empty on this machine.
    """

    name: str
    config: str
    split: str
    revision: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a data set.

    Attributes:
        location: ``hub:`` and what names it.
        name: As of a shard.
        digest: SHA-256 (hex) of the data set's revision, or of its files' names and times, and of its place.
    """

    location: str
    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Pieces:
    """A data set's pieces, in order, and its columns."""

    schema: pa.Schema
    pieces: tuple[Piece, ...]


def find_pieces(pattern: str) -> Pieces:
    """Return the pieces of a data set.

    Args:
        pattern: ``hub:NAME[:CONFIG][@SPLIT]``; the split may be left out when there is only one.

    Raises:
        CorpusError: There is no such data set, configuration or split, or it cannot be reached.
    """
    asked = parse(pattern)
    if not Path(asked.name).exists():
        asked = replace(asked, revision=_revision(asked.name, pattern))
    builder = _guarded(lambda: _builder(asked), pattern)
    splits = _guarded(builder.as_streaming_dataset, pattern)
    data_set = replace(asked, split=_only(splits, asked.split, pattern))
    opened = _OPEN[data_set] = splits[data_set.split]
    schema = _guarded(lambda: _schema(opened), pattern)
    count = opened.num_shards
    mark = [builder.hash, _origin(builder, data_set.split), *asdict(data_set).values(), count]
    return Pieces(
        schema,
        tuple(
            Piece(
                location=f"{HUB}?{urlencode({**asdict(data_set), 'piece': number, 'of': count})}",
                name=f"{data_set.split}-{number:05d}-of-{count:05d}",
                digest=hashlib.sha256(json.dumps([mark, number]).encode()).hexdigest(),
            )
            for number in range(count)
        ),
    )


def batches(location: str, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield a piece's columns.

    Args:
        location: As of a `Piece`.
        columns: The columns' names.
        rows: Rows per batch, at most.

    Raises:
        CorpusError: It cannot be read to its end, or the data set has changed.
    """
    data_set, number, count = _located(location)
    if data_set not in _OPEN:
        builder = _guarded(lambda: _builder(data_set), location)
        _OPEN[data_set] = _guarded(lambda: builder.as_streaming_dataset(split=data_set.split), location)
    opened = _OPEN[data_set]
    if opened.num_shards != count:
        raise CorpusError(f"{shown_piece(location)}: the data set has changed since; run again")
    stream = opened.select_columns(columns).shard(num_shards=count, index=number)
    tables = stream.with_format("arrow").iter(batch_size=rows)
    while (table := _guarded(lambda: next(tables, None), location)) is not None:
        yield from table.combine_chunks().to_batches()


def parse(pattern: str) -> DataSet:
    """Return the data set that ``hub:NAME[:CONFIG][@SPLIT]`` names; what is left out is empty.

    Raises:
        CorpusError: There is no name.
    """
    name, split, config = pattern.removeprefix(HUB), "", ""
    if not Path(name).exists():
        name, _, split = name.partition("@")
    if not Path(name).exists():
        name, _, config = name.partition(":")
    if not name:
        raise CorpusError(f"{pattern}: no name; give hub:NAME, hub:NAME:CONFIG or hub:NAME@SPLIT")
    return DataSet(str(Path(name).absolute()) if Path(name).exists() else name, config, split, "")


def shown_piece(location: str) -> str:
    """Return a piece's location, or a pattern, as messages show it."""
    if not location.startswith(f"{HUB}?"):
        return location
    data_set, number, count = _located(location)
    config = f":{data_set.config}" if data_set.config else ""
    return f"{HUB}{data_set.name}{config}@{data_set.split} (piece {number + 1} of {count})"


def _located(location: str) -> tuple[DataSet, int, int]:
    values = {
        key: found[0]
        for key, found in parse_qs(location.removeprefix(f"{HUB}?"), keep_blank_values=True).items()
    }
    number, count = int(values.pop("piece")), int(values.pop("of"))
    return DataSet(**values), number, count


def _revision(name: str, pattern: str) -> str:
    from huggingface_hub import HfApi

    hub = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    return str(attempt(lambda: hub.dataset_info(name), pattern).sha)


def _builder(data_set: DataSet) -> Any:
    """Return what reads a data set; a file stands for a data set of that file alone."""
    import datasets

    path, files = Path(data_set.name), None
    if path.is_file():
        path, files = path.parent, path.name
    return datasets.load_dataset_builder(
        str(path) if files else data_set.name,
        data_set.config or None,
        data_files=files,
        revision=data_set.revision or None,
    )


def _only(splits: dict[str, Any], asked: str, pattern: str) -> str:
    """Return the split that was asked for, or the only one."""
    listed = ", ".join(splits)
    if asked in splits:
        return asked
    if asked:
        raise CorpusError(f"{pattern}: no split {asked!r}; the splits are: {listed}")
    if len(splits) > 1:
        raise CorpusError(f"{pattern}: several splits ({listed}); name one: {pattern}@{next(iter(splits))}")
    return next(iter(splits))


def _schema(opened: Any) -> pa.Schema:
    """Return a data set's columns, from its first rows when nothing else tells."""
    if opened.features is not None:
        return opened.features.arrow_schema
    first = next(iter(opened.with_format("arrow").iter(batch_size=1)), None)
    return pa.schema([]) if first is None else first.schema


def _origin(builder: Any, split: str) -> list[list[str]]:
    """Return what tells versions of the files apart: the commit, or their times."""
    files = (builder.config.data_files or {}).get(split)
    return [] if files is None else [list(map(str, each)) for each in files.origin_metadata]


def _guarded(call: Any, location: str) -> Any:
    """Return what a call of `datasets` returns, which tries again by itself; its errors told in one line."""
    place = shown_piece(location)
    try:
        return call()
    except CorpusError:
        raise
    except pa.ArrowException as error:
        raise CorpusError(f"{place}: cannot be read ({told(error)}); check the files") from None
    except faults(RuntimeError, TypeError, KeyError) as error:
        raise situation(error, place) from None
