"""Shards written again without the rows of a curation plan, everything else as it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from concepts.errors import CorpusError, StageIncomplete, UsageError
from corpus.shards import Shard, Survey, find_shards
from corpus.sources.faults import told
from fit.run import artefacts
from fit.sections import Execution
from fit.stages.count_files import Captions
from fit.stages.curation_plan import Plan, read_plan
from fit.stages.shard_work import KeptIn, over_shards, remove_work, work_beside


def apply_plan(path: Path, captions: Captions, out: Path, execution: Execution) -> int:
    """Write shards without the rows of a plan; all columns and metadata stay as they are.

    Args:
        path: The plan.
        captions: Where its shards are.
        out: Folder for the new ones. It has to be empty, or to hold what an interrupted application of the
            same plan has left: then it is completed.
        execution: Who does it. A worker holds one row group at a time.

    Returns:
        How many rows were left out.

    Raises:
        MalformedFile: It is no plan.
        CorpusError: A shard is missing, lies elsewhere, or was changed since the plan was made.
        UsageError: The folder is the shards' own, or holds something else.
        StageIncomplete: Some shards cannot be read to their ends.
    """
    plan = read_plan(path)
    shards = _shards(plan, captions, out)
    work = work_beside(out)
    kept = KeptIn(work, plan.digest)
    if out.is_dir() and any(out.iterdir()) and not _begun(work, plan).is_file():
        raise UsageError(f"{out}: holds something already; give a new folder")
    artefacts.write_bytes(_begun(work, plan), b"")
    unreadable = over_shards(WriteShard(plan, out), Survey(shards, ()), kept, execution, "apply")
    if unreadable:
        raise StageIncomplete(
            f"{len(unreadable):,} of {len(shards):,} shards are left out of {out}; mend them and make a new "
            f"plan; the first: {unreadable[0].reason}"
        )
    remove_work(work)
    return plan.rows


def _begun(work: Path, plan: Plan) -> Path:
    """Return the mark of a plan whose application has begun."""
    return work / f"plan-{plan.digest[:32]}"


def _shards(plan: Plan, captions: Captions, out: Path) -> tuple[Shard, ...]:
    """Return the shards of a plan, each as it was when the plan was made."""
    found = {shard.name: shard for shard in find_shards(captions.pattern, captions.column or None)}
    for name, digest in plan.shards.items():
        if name not in found:
            raise CorpusError(f"{captions.pattern}: the plan's shard {name} is missing")
        shard = found[name]
        if shard.digest != digest:
            raise CorpusError(
                f"{shard.place}: changed since the plan was made (or the plan was applied to it already); "
                "make a new plan"
            )
        if (out / name).resolve() == shard.path.resolve():
            raise UsageError(f"{out}: holds the shards themselves; give another folder")
    return tuple(found[name] for name in plan.shards)


@dataclass(frozen=True)
class WriteShard:
    """Writes a shard without the rows of a plan into a folder. It can be pickled.

    Attributes:
        plan: The plan.
        out: The folder, which the workers share.
    """

    plan: Plan
    out: Path

    def __call__(self, shard: Shard) -> pa.Table:
        """Write it and return how many rows were left out.

        Raises:
            CorpusError: It cannot be read to its end.
            MalformedFile: The plan is damaged.
        """
        drop, target = self.plan.rows_of(shard), self.out / shard.name
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".unfinished-{target.name}")
        try:
            _filter(shard, drop, unfinished)
            unfinished.replace(target)
        except pa.ArrowException as error:
            raise CorpusError(f"{shard.place}: cannot be read ({told(error)}); fetch it again") from error
        finally:
            unfinished.unlink(missing_ok=True)
        return pa.table({"rows": [len(drop)]})


def _filter(shard: Shard, drop: NDArray[np.int64], target: Path) -> None:
    """Write row group by row group, so that they stay what they were, if smaller."""
    with pq.ParquetFile(shard.path) as source, _writer(source, target) as sink:
        start = 0
        for group in range(source.metadata.num_row_groups):
            table = source.read_row_group(group)
            first, last = np.searchsorted(drop, [start, start + len(table)])
            keep = np.ones(len(table), np.bool_)
            keep[drop[first:last] - start] = False
            left = table.filter(pa.array(keep)) if last > first else table
            sink.write_table(left, row_group_size=max(len(left), 1))
            start += len(table)


def _writer(source: pq.ParquetFile, target: Path) -> pq.ParquetWriter:
    """Return a writer that compresses and encodes as the source does, column by column."""
    columns = (
        [source.metadata.row_group(0).column(i) for i in range(source.metadata.num_columns)]
        if source.metadata.num_row_groups
        else []
    )
    codecs = {each.path_in_schema: each.compression.replace("UNCOMPRESSED", "NONE") for each in columns}
    return pq.ParquetWriter(
        target,
        source.schema_arrow,
        compression=codecs or "snappy",
        use_dictionary=[each.path_in_schema for each in columns if "DICTIONARY" in "".join(each.encodings)],
        write_statistics=[each.path_in_schema for each in columns if each.is_stats_set],
        use_deprecated_int96_timestamps=any(each.physical_type == "INT96" for each in columns),
        write_page_index=any(each.has_column_index for each in columns),
        store_schema=b"ARROW:schema" in (source.metadata.metadata or {}),
    )
