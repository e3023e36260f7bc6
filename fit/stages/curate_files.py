"""From captions, concepts and a limit to the plan of rows to drop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from concepts.catalogue import read_catalogue
from concepts.concept import Concept
from concepts.errors import CorpusError, MalformedFile
from corpus.captions import CaptionCounter, CaptionQuery
from corpus.row_values import column_of, numbers_in
from corpus.shards import Shard, Survey, find_shards
from fit.curation.addresses import OptedOut
from fit.curation.choice import Choice, choose
from fit.curation.optout import OptOuts, merge_names, read_opt_outs
from fit.sections import Execution
from fit.stages.count_files import Captions
from fit.stages.curation_limits import Limits, limits_of
from fit.stages.curation_plan import PLAN, write_plan
from fit.stages.curation_rows import FindRows, Gathered, gather, read_part
from fit.stages.shard_work import KeptIn, over_shards


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
class Planned:
    """What a plan does.

    Attributes:
        summary: As JSON values.
        lines: The same in words.
    """

    summary: Mapping[str, Any]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class _Limited:
    """The concepts, those that were only opted out at the end, and how many rows each may keep."""

    concepts: tuple[Concept, ...]
    rows: Mapping[int, int]
    opted_out: frozenset[str]
    notes: tuple[str, ...]


def curate(asked: Asked, out: Path, work: Path, execution: Execution) -> Planned:
    """Make a plan and write it.

    Args:
        asked: What was asked.
        out: Where the plan goes.
        work: Folder for finished shards, so that an interrupted plan goes on; the caller removes it.
        execution: Who reads the shards.

    Raises:
        UsageError, MalformedFile, ConceptsError, SettingsError: Something asked for is wrong.
        CorpusError: A shard cannot be read: a plan without its rows would be none.
    """
    outs = _opt_outs(asked.opt_out)
    limited = _limited(asked, outs)
    shards = find_shards(asked.captions.pattern, asked.captions.column or None)
    total = sum(shard.rows for shard in shards)
    _check_column(asked.keep_best, shards)
    counter = CaptionCounter(CaptionQuery(limited.concepts, asked.seed, 0, asked.captions.where))
    task = FindRows(counter, OptedOut(outs), asked.keep_best, asked.seed)
    kept = KeptIn(work, task.digest)
    unreadable = over_shards(task, Survey(shards, ()), kept, execution, "curate")
    if unreadable:
        raise CorpusError(
            f"{len(unreadable):,} of {len(shards):,} shards cannot be read, so that a plan would miss their "
            f"rows; mend them and run again: what is done is kept; the first: {unreadable[0].reason}"
        )
    found = gather([kept.path(shard) for shard in shards])
    choice = choose(found.rows, limited.rows, len(limited.concepts))
    write_plan(out, shards, _dropped(found, choice, limited, kept, shards))
    return _told(found, choice, limited, total)


def _opt_outs(path: Path | None) -> OptOuts:
    if path is None:
        return OptOuts()
    try:
        return read_opt_outs(path.read_text("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise MalformedFile(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise MalformedFile(f"{path}: cannot be read ({error.strerror})") from error


def _limited(asked: Asked, outs: OptOuts) -> _Limited:
    listed = read_catalogue(asked.concepts).concepts
    extra = merge_names([concept.name for concept in listed], outs.names)
    limits: Limits = limits_of(asked.limit, listed, upper=asked.upper)
    concepts = (*listed, *(Concept(name) for name in extra))
    opted_out = frozenset(outs.names)
    none = {place: 0 for place, concept in enumerate(concepts) if concept.name in opted_out}
    return _Limited(concepts, limits.rows | none, opted_out, limits.notes)


def _check_column(column: str, shards: Sequence[Shard]) -> None:
    """Refuse a column that a shard has not, or that holds no numbers, before the captions are read."""
    if not column:
        return
    for shard in shards:
        if column_of(shard, column) is None:
            raise CorpusError(
                f"{shard.place}: no column {column!r} to keep the best by; "
                f"the columns are: {', '.join(shard.columns)}"
            )
    first = next((shard for shard in shards if shard.rows), None)
    if first is not None:
        numbers_in(first, column, np.zeros(1, np.int64))


def _dropped(
    found: Gathered, choice: Choice, limited: _Limited, kept: KeptIn, shards: Sequence[Shard]
) -> Iterator[pa.Table]:
    """Yield the rows of the plan, shard by shard."""
    named = pa.array(["|".join(limited.concepts[c].name for c in each) for each in choice.above], pa.string())
    reasons = pa.array([_reason(each, limited) for each in choice.above], pa.string())
    for number, shard in enumerate(shards):
        mine = slice(*found.starts[number : number + 2].tolist())
        gone = choice.gone[mine]
        part = read_part(kept.path(shard), ["row", "url", "why"])
        stays = part["why"].is_null().to_numpy()
        goes = ~stays
        goes[stays] = gone
        kinds = np.full(len(goes), -1, np.int64)
        kinds[stays] = found.rows.kind[mine]
        rows = part.filter(pa.array(goes))
        of_set = pa.array(kinds[goes], mask=kinds[goes] < 0)
        yield pa.table(
            {
                "file": pa.repeat(pa.scalar(shard.name), rows.num_rows),
                "row": rows["row"],
                "url": rows["url"],
                "concept": named.take(of_set).fill_null(""),
                "reason": pc.coalesce(rows["why"], reasons.take(of_set)),
            },
            schema=PLAN,
        )


def _reason(above: Sequence[int], limited: _Limited) -> str:
    """Return why a row goes that names certain concepts above their limits."""
    each = (
        f"opted out: {limited.concepts[c].name}"
        if limited.concepts[c].name in limited.opted_out
        else f"above the limit of {limited.rows[c]:,}"
        for c in above
    )
    return "; ".join(dict.fromkeys(each))


def _told(found: Gathered, choice: Choice, limited: _Limited, total: int) -> Planned:
    dropped = found.opted_out + int(np.count_nonzero(choice.gone))
    listed: list[dict[str, Any]] = [
        {
            "concept": concept.name,
            "before": int(choice.before[place]),
            "after": int(choice.after[place]),
            "limit": limited.rows.get(place),
        }
        for place, concept in enumerate(limited.concepts)
    ]
    changed = [each["concept"] for each in listed if each["before"] > each["limit"]]
    best = (
        "no plan drops fewer"
        if not choice.at_most_too_many
        else f"the best plan drops at most {choice.at_most_too_many:,} fewer"
    )
    share = dropped / max(total, 1)
    lines = (
        f"{dropped:,} of {total:,} rows to drop ({share:.3%}); {best}",
        f"{len(changed):,} of {len(listed):,} concepts go from above their limit to it",
        *limited.notes,
    )
    summary = {
        "rows": total,
        "dropped": dropped,
        "opted_out_by_address": found.opted_out,
        "share": share,
        "at_most_too_many": choice.at_most_too_many,
        "brought_to_their_limit": changed,
        "concepts": listed,
        "notes": list(limited.notes),
    }
    return Planned(summary, lines)
