"""Curation plans: the rows to drop as a Parquet file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from concepts.errors import MalformedFile
from corpus.shards import Shard
from fit.run import artefacts

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


def write_plan(out: Path, shards: Sequence[Shard], rows: Iterable[pa.Table]) -> None:
    """Write a plan: its rows, and in the metadata the digests of the shards that it is made for.

    Args:
        out: Where it goes.
        shards: All shards that were looked at.
        rows: Tables of schema `PLAN`, by shard and row.
    """
    about = {"schema": SCHEMA, "shards": {shard.name: shard.digest for shard in shards}}
    schema = PLAN.with_metadata({_META: json.dumps(about, sort_keys=True).encode()})
    artefacts.write_tables(out, schema, (table.cast(schema) for table in rows))


@dataclass(frozen=True)
class Plan:
    """A plan that is there.

    Attributes:
        path: Its file.
        digest: SHA-256 (hex) of the file.
        shards: Digests of the shards that it is made for, by name.
        rows: How many rows it drops.
    """

    path: Path
    digest: str
    shards: Mapping[str, str]
    rows: int

    def rows_of(self, shard: Shard) -> NDArray[np.int64]:
        """Return the rows of a shard that are to go, ascending, shape (n,).

        Raises:
            MalformedFile: The plan is damaged or names a row that the shard has not.
        """
        try:
            # Row groups of other shards are passed over: the rows are sorted by file.
            found = pq.read_table(
                self.path,
                columns=["row"],
                filters=[("file", "=", shard.name)],
                page_checksum_verification=True,
            )
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise MalformedFile(f"{self.path}: damaged; make the plan again") from error
        rows: NDArray[np.int64] = np.unique(found["row"].to_numpy())
        if rows.size and not (rows[0] >= 0 and rows[-1] < shard.rows):
            wrong = int(rows[0] if rows[0] < 0 else rows[-1])
            raise MalformedFile(f"{self.path}: {shard.name} has no row {wrong}; make the plan again")
        return rows


def read_plan(path: Path) -> Plan:
    """Read what a plan says of itself.

    Raises:
        MalformedFile: It is no plan.
    """
    try:
        metadata, schema = pq.read_metadata(path), pq.read_schema(path)
        about = json.loads((schema.metadata or {})[_META])
    except (OSError, KeyError, ValueError) as error:
        raise MalformedFile(f"{path}: not a curation plan; make one with fit curate --out") from error
    if about.get("schema") != SCHEMA or schema.names != PLAN.names:
        raise MalformedFile(f"{path}: a plan of schema {about.get('schema')!r}, this fit reads {SCHEMA!r}")
    return Plan(path, artefacts.digest_file(path), about["shards"], metadata.num_rows)
