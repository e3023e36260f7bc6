"""Rows of Parquet files: all that are about somebody go, of generated images with their pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fit.forget.archives import Rebuilt, rebuild
from fit.forget.traces import Deleted, Traces
from fit.run import artefacts

OFFSET = "offset"
DIGEST, REASON = "digest", "reason"


def clean_table(path: Path, traces: Traces, write: bool) -> Deleted:
    """Delete the rows of a table that are about somebody.

    Args:
        path: A Parquet file.
        traces: What is about them.
        write: False counts only.
    """
    table = artefacts.read_table(path)
    doomed = rows_about(table, traces)
    if not doomed.any():
        return Deleted()
    gone, kept = table.filter(pa.array(doomed)), table.filter(pa.array(~doomed))
    if write:
        artefacts.write_table(path, kept)
    return _counted(gone)


def clean_embeddings(path: Path, traces: Traces, write: bool) -> Deleted:
    """Delete embeddings of images that are, or may be, somebody's.

    The rows name nobody. Those of an image of which no table says that it is another concept's alone go as
    well: one that was looked at and became no reference, say. The run computes again what it needs.
    """
    table = artefacts.read_table(path)
    doomed = np.array([traces.may_be_theirs(digest) for digest in table[DIGEST].to_pylist()], dtype=bool)
    if not doomed.any():
        return Deleted()
    if write and doomed.all():
        path.unlink()
    elif write:
        artefacts.write_table(path, table.filter(pa.array(~doomed)))
    seen = [not reason for reason in table.filter(pa.array(doomed))[REASON].to_pylist()]
    return Deleted(rows=len(seen), embeddings=sum(seen))


def clean_generated(path: Path, traces: Traces, write: bool) -> Deleted:
    """Delete rows of generated images, and the images from the archive beside the table, if it is there."""
    table, tar = artefacts.read_table(path), path.with_suffix(".tar")
    doomed = rows_about(table, traces)
    if not doomed.any():
        return Deleted()
    gone, kept = table.filter(pa.array(doomed)), table.filter(pa.array(~doomed))
    if not tar.exists():  # fit clean deleted it: what needs the images computes the part again
        if write:
            artefacts.write_table(path, kept)
        return _counted(gone)
    offsets = {each for each in gone[OFFSET].to_pylist() if each is not None}
    groups = rebuild(tar, lambda group: any(each.offset_data in offsets for each in group.entries), write)
    if write:
        artefacts.write_table(path, _moved(kept, groups, tar))
    return _counted(gone) + Deleted(images=groups.images)


def _moved(table: pa.Table, groups: Rebuilt, tar: Path) -> pa.Table:
    """Return a table with the offsets, and in its metadata the size, of the new archive."""
    place = table.column_names.index(OFFSET)
    moved = [None if each is None else groups.moved[each] for each in table[OFFSET].to_pylist()]
    metadata = {**(table.schema.metadata or {}), b"tar_bytes": str(tar.stat().st_size).encode()}
    return table.set_column(place, OFFSET, pa.array(moved, pa.int64())).replace_schema_metadata(metadata)


def rows_about(table: pa.Table, traces: Traces) -> npt.NDArray[np.bool_]:
    """Tell of each row whether one of its texts is about somebody."""
    doomed = np.zeros(len(table), dtype=bool)
    for column in table.columns:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            found = [text is not None and traces.about(text) for text in column.to_pylist()]
        elif pa.types.is_list(kind) and pa.types.is_string(kind.value_type):
            found = [any(traces.about(text) for text in texts or ()) for texts in column.to_pylist()]
        else:
            continue
        doomed |= np.array(found, dtype=bool)
    return doomed


def _counted(gone: pa.Table) -> Deleted:
    pictures = [each.name for each in gone.schema if pa.types.is_binary(each.type)]
    vectors = any(pa.types.is_fixed_size_list(each.type) for each in gone.schema)
    return Deleted(
        rows=len(gone),
        images=sum(len(gone) - gone[name].null_count for name in pictures),
        embeddings=len(gone) if vectors else 0,
    )
