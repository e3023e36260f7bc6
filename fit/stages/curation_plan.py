"""Curation plans: the rows to drop as a Parquet file, and shards written without them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from concepts.errors import CorpusError, MalformedFile, UsageError
from corpus.shards import Shard, find_shards
from fit import progress
from fit.run import artefacts
from fit.stages.count_files import Captions

SCHEMA = "fit-plan/1"
_META = b"fit"
PLAN = pa.schema(
    [
        pa.field("file", pa.string(), metadata={"meaning": "the shard's name"}),
        pa.field("row", pa.int64(), metadata={"meaning": "the row's number in the file, from 0"}),
        pa.field("url", pa.string(), metadata={"meaning": "the image's address"}),
        pa.field("concept", pa.string(), metadata={"meaning": "concepts above their limit that it names"}),
        pa.field("reason", pa.string(), metadata={"meaning": "why the row is to be dropped"}),
    ]
)


def plan_table(rows: Sequence[Mapping[str, Any]], shards: Sequence[Shard]) -> pa.Table:
    """Return a plan: its rows, and in the metadata the digests of the shards that it was made for."""
    about = {"schema": SCHEMA, "shards": {shard.name: shard.digest for shard in shards}}
    table = pa.Table.from_pylist(list(rows), schema=PLAN)
    return table.replace_schema_metadata({_META: json.dumps(about, sort_keys=True).encode()})


def write_plan(out: Path, plan: pa.Table) -> None:
    """Write a plan as Parquet."""
    artefacts.write_table(out, plan)


def read_plan(path: Path) -> tuple[dict[str, list[int]], dict[str, str]]:
    """Read a plan: rows to drop by file, and the digests of the shards it was made for.

    Raises:
        MalformedFile: It is no plan.
    """
    try:
        table = artefacts.read_table(path)
        about = json.loads((table.schema.metadata or {})[_META])
    except (OSError, KeyError, ValueError) as error:
        raise MalformedFile(f"{path}: not a curation plan; make one with fit curate --out") from error
    if about.get("schema") != SCHEMA or table.schema.names != PLAN.names:
        raise MalformedFile(f"{path}: a plan of schema {about.get('schema')!r}, this fit reads {SCHEMA!r}")
    rows: dict[str, list[int]] = {}
    for file, row in zip(table["file"].to_pylist(), table["row"].to_pylist(), strict=True):
        rows.setdefault(file, []).append(row)
    return rows, about["shards"]


def apply_plan(plan: Path, captions: Captions, out: Path) -> int:
    """Write shards without the rows of a plan; all columns and metadata stay as they are.

    A shard that is there already, whole, is kept, so that running it again goes on.

    Returns:
        How many rows were dropped.

    Raises:
        MalformedFile: It is no plan.
        CorpusError: A shard is missing, or was changed since the plan was made (the plan applied, say).
        UsageError: The folder is the shards' own.
    """
    rows, digests = read_plan(plan)
    shards = {shard.name: shard for shard in find_shards(captions.pattern, captions.column or None)}
    for name, digest in digests.items():
        if name not in shards:
            raise CorpusError(f"{captions.pattern}: the plan's shard {name} is missing")
        if shards[name].digest != digest:
            raise CorpusError(
                f"{shards[name].path}: changed since the plan was made (or the plan was applied to it "
                "already); "
                "make a new plan"
            )
        if (out / name).resolve() == shards[name].path.resolve():
            raise UsageError(f"{out}: holds the shards themselves; give another folder")
    with progress.bar(len(digests), "files", "apply") as bar:
        for name in digests:
            _write_filtered(shards[name], np.array(rows.get(name, []), np.int64), out / name)
            bar.advance()
    return sum(len(each) for each in rows.values())


def _write_filtered(shard: Shard, drop: np.ndarray[Any, np.dtype[np.int64]], target: Path) -> None:
    if target.is_file() and artefacts.is_whole(target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".unfinished-{target.name}")
    with pq.ParquetFile(shard.path) as source:
        codec = (
            source.metadata.row_group(0).column(0).compression if source.metadata.num_row_groups else "SNAPPY"
        )
        with pq.ParquetWriter(
            unfinished, source.schema_arrow, compression=codec.replace("UNCOMPRESSED", "NONE")
        ) as sink:
            start = 0
            for group in range(source.metadata.num_row_groups):
                table = source.read_row_group(group)
                keep = np.ones(len(table), np.bool_)
                inside = drop[(drop >= start) & (drop < start + len(table))] - start
                keep[inside] = False
                sink.write_table(table.filter(pa.array(keep)))
                start += len(table)
    unfinished.replace(target)
