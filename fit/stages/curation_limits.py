"""How many captions of each concept may stay: a number for all, or a run's safe count by its hit rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from concepts.concept import Concept
from concepts.errors import TooLittleData, UsageError
from fit.report.numbers import plural
from fit.run import artefacts, folder


@dataclass(frozen=True)
class Limits:
    """Limits by position of the concept, in captions, and what a user should know about them."""

    rows: dict[int, int]
    notes: tuple[str, ...] = ()


def limits_of(limit: str, concepts: Sequence[Concept], *, upper: bool = False) -> Limits:
    """Return the limits.

    Args:
        limit: A whole number of captions, or a run folder.
        concepts: The concepts that get one.
        upper: With a run, the bound of the hit rate that is taken (see `_by_run`).

    Raises:
        UsageError: It is neither, or a negative number.
        TooLittleData: The run gives no safe count.
        RunFolderError: The run cannot be read.
    """
    try:
        number = int(limit)
    except ValueError:
        return _by_run(Path(limit), concepts, upper=upper)
    if number < 0:
        raise UsageError(f"--limit {number}: a limit below 0 means nothing; 0 drops every row")
    return Limits(dict.fromkeys(range(len(concepts)), number))


def _by_run(home: Path, concepts: Sequence[Concept], *, upper: bool) -> Limits:
    """Turn a run's `safe_below` (images) into captions by each concept's hit rate.

    With the lower bound h of the hit rate safe_below / h captions may stay: at least as many as the safe
    count allows. With the upper bound no more images than it stay, wherever in its interval the rate is.
    """
    if not home.is_dir():
        raise UsageError(f"--limit {home}: neither a number of captions nor a run folder")
    run = folder.load(home)
    found = artefacts.read_json(run.folder / "threshold" / "threshold.json")
    safe = found["safe_below"]
    if safe is None:
        raise TooLittleData(
            f"{home}: no rise was found, so there is no safe count; give a number of captions"
        )
    rates = {
        row["concept"]: row
        for row in artefacts.read_table(run.folder / "verification" / "frequencies.parquet").to_pylist()
    }
    rows, unknown, loose = {}, 0, 0
    for place, concept in enumerate(concepts):
        row = rates.get(concept.name) or {}
        low, high = row.get("hit_rate_low"), row.get("hit_rate_high")
        rate = high if upper else low
        if not rate:
            # Nothing is known of its images, or a bound of 0 sets no limit: every caption counts as one.
            unknown += 1
            rate = 1.0
        rows[place] = math.floor(safe / rate)
        loose += high is not None and rows[place] * high > safe
    bound = "upper" if upper else "lower"
    notes = [f"{safe:.3g} images (safe below, {home}), as captions by the {bound} bound of each hit rate"]
    if unknown:
        notes.append(
            f"{plural(unknown, 'concept', 'concepts')} without a usable hit rate: each caption was counted "
            "as one image"
        )
    if loose:
        notes.append(
            f"{plural(loose, 'concept', 'concepts')} could keep more than {safe:.3g} images if the hit rate "
            "is at its upper bound; --cautious takes that bound"
        )
    return Limits(rows, tuple(notes))
