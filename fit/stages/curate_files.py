"""From captions, concepts and a limit to the plan of rows to drop, and to filtered shards."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from concepts.catalogue import read_catalogue
from concepts.concept import Concept
from concepts.errors import CorpusError, MalformedFile
from corpus.captions import CaptionCounter, CaptionQuery
from corpus.sampling import base_of, keys_of
from corpus.shards import Shard, find_shards
from fit import progress
from fit.curation.choice import Choice, NamingRows, Places, choose
from fit.curation.optout import OptOuts, merge_names, read_opt_outs
from fit.run import artefacts
from fit.stages.count_files import Captions
from fit.stages.curation_limits import Limits, limits_of
from fit.stages.curation_plan import plan_table


@dataclass(frozen=True)
class Asked:
    """What was asked.

    Attributes:
        captions: Where the captions are.
        concepts: CSV of the concepts that have a limit.
        limit: A number of captions, or a run folder.
        keep_best: Column whose largest values are kept; empty keeps at random.
        opt_out: List of names, domains and address patterns whose rows go in any case.
        upper: With a run: take each hit rate at its upper bound, so that no more images than safe stay.
        seed: Of the random choice.
    """

    captions: Captions
    concepts: Path
    limit: str
    keep_best: str = ""
    opt_out: Path | None = None
    upper: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Plan:
    """A plan.

    Attributes:
        table: The rows to drop, with the shards' digests in its metadata.
        summary: What it does, as JSON values.
        lines: The same in words.
    """

    table: pa.Table
    summary: Mapping[str, Any]
    lines: tuple[str, ...]


def curate(asked: Asked, work: Path) -> Plan:
    """Make a plan.

    Args:
        asked: What was asked.
        work: Folder for finished shards, so that an interrupted plan goes on; the caller removes it.

    Raises:
        UsageError, MalformedFile, ConceptsError, CorpusError, SettingsError: Something asked for is wrong.
    """
    catalogue = read_catalogue(asked.concepts)
    outs = _opt_outs(asked.opt_out)
    extra = merge_names([concept.name for concept in catalogue.concepts], outs.names)
    concepts = (*catalogue.concepts, *(Concept(name) for name in extra))
    limits = limits_of(asked.limit, concepts[: len(catalogue.concepts)], upper=asked.upper)
    rows_allowed = limits.rows | {i: 0 for i, c in enumerate(concepts) if c.name in outs.names}
    shards = find_shards(asked.captions.pattern, asked.captions.column or None)
    counter = CaptionCounter(CaptionQuery(concepts, asked.seed, 0, asked.captions.where))
    parts = list(_parts(asked, counter, shards, outs, work))
    rows, starts = _rows(parts)
    choice = choose(rows, rows_allowed, len(concepts))
    reasons = _Reasons(concepts, rows_allowed, outs)
    table = plan_table(list(_dropped(choice, parts, starts, reasons, shards)), shards)
    return Plan(table, *_summary(choice, shards, concepts, rows_allowed, limits))


def _opt_outs(path: Path | None) -> OptOuts:
    if path is None:
        return OptOuts()
    try:
        return read_opt_outs(path.read_text("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise MalformedFile(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise MalformedFile(f"{path}: cannot be read ({error.strerror})") from error


def _parts(
    asked: Asked, counter: CaptionCounter, shards: Sequence[Shard], outs: OptOuts, work: Path
) -> Iterator[pa.Table]:
    """Yield each shard's rows, from the work folder where they are finished."""
    key = artefacts.digest(
        {
            "concepts": [asdict(concept) for concept in counter.query.concepts],
            "where": counter.query.where,
            "keep_best": asked.keep_best,
            "seed": asked.seed,
            "outs": [sorted(outs.domains), outs.urls],
        }
    )
    with progress.bar(len(shards), "files", "curate") as bar:
        for shard in shards:
            path = work / f"{artefacts.digest([key, shard.name, shard.digest])[:32]}.parquet"
            if not path.is_file():
                artefacts.write_table(path, _shard_rows(asked, counter, shard, outs))
            yield artefacts.read_table(path)
            bar.advance()


def _shard_rows(asked: Asked, counter: CaptionCounter, shard: Shard, outs: OptOuts) -> pa.Table:
    """Rows of a shard that name a concept or are opted out: number, address, concepts, worth, why."""
    found: dict[int, tuple[str | None, tuple[int, ...], str | None]] = {
        row: (url, owners, outs.why(url)) for row, url, owners in counter.naming_rows(shard)
    }
    if (outs.domains or outs.urls) and shard.url_column is not None:
        for row, url in enumerate(_column(shard, shard.url_column).to_pylist()):
            if row not in found and (why := outs.why(url)) is not None:
                found[row] = (url, (), why)
    order = sorted(found)
    return pa.table(
        {
            "row": pa.array(order, pa.int64()),
            "url": pa.array([found[row][0] for row in order], pa.string()),
            "owners": pa.array([found[row][1] for row in order], pa.list_(pa.int32())),
            "why": pa.array([found[row][2] for row in order], pa.string()),
            "worth": pa.array(_worth(asked, shard, order), pa.float64()),
        }
    )


def _worth(asked: Asked, shard: Shard, rows: Sequence[int]) -> list[float]:
    """What a row is worth keeping for: the column's value, what has none last; or a seeded random number."""
    if not asked.keep_best:
        base = np.uint64(base_of(asked.seed, "curate", shard.name))
        return [key / 2**64 for key in keys_of(base, np.array(rows, np.int64)).tolist()]
    if asked.keep_best not in shard.columns:
        listed = ", ".join(shard.columns)
        raise CorpusError(
            f"{shard.path}: no column {asked.keep_best!r} to keep the best by; the columns are: {listed}"
        )
    column = _column(shard, asked.keep_best)
    try:
        values = column.take(pa.array(rows, pa.int64())).cast(pa.float64()).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise CorpusError(f"{shard.path}: the column {asked.keep_best!r} holds no numbers") from error
    return [-np.inf if value is None or np.isnan(value) else value for value in values]


def _column(shard: Shard, name: str) -> pa.ChunkedArray:
    try:
        return pq.read_table(shard.path, columns=[name])[name]
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(
            f"{shard.path}: cannot be read ({str(error).splitlines()[0]}); fetch it again"
        ) from error


def _rows(parts: Sequence[pa.Table]) -> tuple[NamingRows, Places]:
    """Bring the shards' rows together; shard i's begin at the i-th of the starts."""
    names: dict[tuple[int, ...], int] = {}
    kind = array("i")
    for part in parts:
        kind.extend(names.setdefault(tuple(owners), len(names)) for owners in part["owners"].to_pylist())
    worth = [part["worth"].to_numpy() for part in parts]
    forced = [part["why"].is_valid().to_numpy() for part in parts]
    rows = NamingRows(
        list(names),
        np.array(kind, np.int32),
        np.concatenate(worth) if worth else np.empty(0),
        np.concatenate(forced) if forced else np.empty(0, np.bool_),
    )
    return rows, np.cumsum([0, *(len(part) for part in parts)])


@dataclass(frozen=True)
class _Reasons:
    """Why a row goes that names certain concepts."""

    concepts: Sequence[Concept]
    limits: Mapping[int, int]
    outs: OptOuts

    def told(self, above: tuple[int, ...]) -> str:
        each = (self._of(self.concepts[owner], self.limits[owner]) for owner in above)
        return "; ".join(dict.fromkeys(each))

    def _of(self, concept: Concept, limit: int) -> str:
        return (
            f"opted out: {concept.name}"
            if concept.name in self.outs.names
            else f"above the limit of {limit:,}"
        )


def _dropped(
    choice: Choice, parts: Sequence[pa.Table], starts: Places, reasons: _Reasons, shards: Sequence[Shard]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the plan, by file and row."""
    for number, (part, shard) in enumerate(zip(parts, shards, strict=True)):
        first, last = np.searchsorted(choice.dropped, starts[number : number + 2])
        inside = part.select(["row", "url", "why"]).take(
            pa.array(choice.dropped[first:last] - starts[number])
        )
        for row, above in zip(inside.to_pylist(), choice.above[first:last], strict=True):
            yield {
                "file": shard.name,
                "row": row["row"],
                "url": row["url"],
                "concept": "|".join(reasons.concepts[owner].name for owner in above),
                "reason": row["why"] or reasons.told(above),
            }


def _summary(
    choice: Choice,
    shards: Sequence[Shard],
    concepts: Sequence[Concept],
    allowed: Mapping[int, int],
    limits: Limits,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    total, dropped = sum(shard.rows for shard in shards), int(choice.dropped.size)
    listed: list[dict[str, Any]] = [
        {
            "concept": concept.name,
            "before": int(choice.before[i]),
            "after": int(choice.after[i]),
            "limit": allowed.get(i),
        }
        for i, concept in enumerate(concepts)
    ]
    changed = [c.name for i, c in enumerate(concepts) if i in allowed and choice.before[i] > allowed[i]]
    best = (
        "no plan drops fewer"
        if not choice.at_most_too_many
        else f"the best plan drops at most {choice.at_most_too_many:,} fewer"
    )
    lines = (
        f"{dropped:,} of {total:,} rows to drop ({dropped / max(total, 1):.3%}); {best}",
        f"{len(changed):,} of {len(listed):,} concepts go from above their limit to it",
        *limits.notes,
    )
    summary = {
        "rows": total,
        "dropped": dropped,
        "share": dropped / max(total, 1),
        "at_most_too_many": choice.at_most_too_many,
        "brought_to_their_limit": changed,
        "concepts": listed,
        "notes": list(limits.notes),
    }
    return summary, lines
