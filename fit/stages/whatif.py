"""What would be expected of a concept that had another number of training images, from a run's curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fit
from concepts.concept import Concept
from concepts.errors import ConceptsError, TooLittleData, UsageError
from fit.run import Job, Run, folder
from fit.stages.lookup import named, nearest
from fit.stages.report_inputs import READ_STAGES
from fit.threshold import ImitationCurve
from fit.threshold.rate import expected_rate
from fit.threshold.whatif import Expected, NoExpectation, Replicates, expectation

Span = tuple[float, float]


@dataclass(frozen=True)
class Count:
    """A number of training images, as it was asked for.

    Attributes:
        images: The number.
        interval: Where it lies, 95 %; equal ends where it was given as it is.
        captions: The number of captions that it was worked out from, None where it was not.
        hit_rate: The share of them that shows the concept, None likewise.
    """

    images: float
    interval: Span
    captions: int | None = None
    hit_rate: float | None = None


@dataclass(frozen=True)
class WhatIf:
    """What is expected.

    Attributes:
        document: As JSON values.
        lines: The same in words.
    """

    document: Mapping[str, Any]
    lines: tuple[str, ...]


def what_if(home: Path, name: str | None, images: float | None, captions: int | None) -> WhatIf:
    """Tell the score and the rate that the average concept reaches at a count.

    Args:
        home: A run folder whose threshold is there.
        name: A concept of the run; None: the average concept alone.
        images: Training images; None: from the captions, or else the concept's own frequency.
        captions: Captions that name the concept, turned into images by its hit rate.

    Raises:
        UsageError: What was given does not say one count.
        ConceptsError: The run has no such concept.
        TooLittleData: The concept's hit rate or frequency is not known, or nothing can be expected.
        StageIncomplete: The run has no curve yet.
    """
    run = folder.load(home)
    concept = None if name is None else _concept(run, name)
    return at_count(Job(run, "report", READ_STAGES), concept, images, captions)


def at_count(job: Job, concept: Concept | None, images: float | None, captions: int | None) -> WhatIf:
    """Tell the same of the run that a job reads."""
    count = _count(job, concept, images, captions)
    curve = ImitationCurve.from_columns(job.read("threshold", "curve").to_pydict())
    asked = job.settings.threshold
    found = expectation(
        curve, level=asked.level, replicates=asked.replicates, seed=job.seed, robust=asked.robust
    )
    if isinstance(found, NoExpectation):
        raise TooLittleData(f"nothing can be expected at another count: {found.reason}")
    document = _document(curve, found, count, concept)
    return _worded(document | _at_a_step(job, document))


def _at_a_step(job: Job, document: Mapping[str, Any]) -> dict[str, Any]:
    """Widen the interval where the run's verdict is a step that may lie on either side of the count.

    A smooth curve is sure of a height half-way up a step that no concept has.
    """
    verdict = job.read_json("threshold", "threshold")
    low, high = document["images_interval"]
    if verdict["shape"] != "step" or high < verdict["interval"][0] or low > verdict["interval"][1]:
        return {"at_a_step": None}
    ends = _hull([document["score_interval"], (verdict["baseline"], verdict["ceiling"])])
    return {"at_a_step": verdict["interval"], "score_interval": ends}


def _concept(run: Run, name: str) -> Concept:
    for concept in named(run, name):
        return concept
    near = nearest(name, [run])
    hint = f" (did you mean {', '.join(near)}?)" if near else ""
    raise ConceptsError(f"{name}: no concept of {run.folder}{hint}; see fit lookup for a name outside it")


def _count(job: Job, concept: Concept | None, images: float | None, captions: int | None) -> Count:
    if images is not None and captions is not None:
        raise UsageError("give --images or --captions, not both")
    if images is not None:
        return Count(images, (images, images))
    if concept is None:
        raise UsageError("give --images, or --concept with or without --captions: its hit rate is needed")
    rows = job.read("verification", "frequencies").to_pylist()
    row: dict[str, Any] = next((row for row in rows if row["concept"] == concept.name), {})
    what = ("frequency", "frequency_low", "frequency_high")
    if captions is not None:
        what = ("hit_rate", "hit_rate_low", "hit_rate_high")
    numbers = [float(row[each]) for each in what if row.get(each) is not None]
    if len(numbers) < len(what):
        raise TooLittleData(f"{concept.name}: its {what[0].replace('_', ' ')} is not known; give --images")
    value, low, high = (number * (1 if captions is None else captions) for number in numbers)
    return Count(value, (low, high), captions, None if captions is None else numbers[0])


def _document(
    curve: ImitationCurve, found: Replicates, count: Count, concept: Concept | None
) -> dict[str, Any]:
    at, *ends = (found.at(images) for images in (count.images, *count.interval))
    rates = [expected_rate(curve, images, found.level) for images in (count.images, *count.interval)]
    data = (float(curve.frequency[0]), float(curve.frequency[-1]))
    return {
        "concept": None if concept is None else concept.name,
        "images": count.images,
        "images_interval": list(count.interval),
        "captions": count.captions,
        "hit_rate": count.hit_rate,
        "level": found.level,
        "curve": at.curve,
        "score": at.score,
        "score_interval": _hull([at.interval, *(each.interval for each in ends)]),
        "score_of_one_concept": _hull([at.single, *(each.single for each in ends)]),
        "rate": None if rates[0] is None else rates[0][0],
        "rate_interval": None if rates[0] is None else _hull([each[1] for each in rates if each]),
        "data": list(data),
        "extrapolated": not data[0] <= count.images <= data[1],
        "now": None if concept is None else _now(curve, found, concept),
        "fit_version": fit.__version__,
    }


def _hull(spans: list[Span]) -> list[float]:
    """Return the smallest interval that holds all: the count itself is not known better."""
    return [min(low for low, _ in spans), max(high for _, high in spans)]


def _now(curve: ImitationCurve, found: Replicates, concept: Concept) -> dict[str, float] | None:
    """Where the concept stands now; None where it is not on the curve."""
    if concept.name not in curve.concepts:
        return None
    place = curve.concepts.index(concept.name)
    images, score = float(curve.frequency[place]), float(curve.score[place])
    expected: Expected = found.at(images)
    return {"images": images, "score": score, "average": expected.score}


def _worded(document: dict[str, Any]) -> WhatIf:
    level = f"{100 * document['level']:.3g} %"
    low, high = document["score_interval"]
    one_low, one_high = document["score_of_one_concept"]
    shown = f"{_number(document['images'])} training images"
    if document["captions"] is not None:
        shown = (
            f"{document['captions']:,} captions, about {shown} by a hit rate of {document['hit_rate']:.3g},"
        )
    lines = [
        f"With {shown} the average concept scores {document['score']:.3f} "
        f"({level}: {low:.3f} to {high:.3f}).",
        f"Concepts differ: one of that count scores between {one_low:.3f} and {one_high:.3f} ({level}).",
    ]
    if document["rate"] is not None:
        low, high = document["rate_interval"]
        lines.append(
            f"Of its images {document['rate']:.1%} pass as the concept ({level}: {low:.1%} to {high:.1%})."
        )
    if document["curve"] == "flat":
        lines.append("No rise was shown: the score is the mean of all concepts, the same at every count.")
    if document["at_a_step"] is not None:
        low, high = document["at_a_step"]
        lines.append(
            f"The score jumps between {_number(low)} and {_number(high)} images: this count may lie "
            "on either side."
        )
    if document["extrapolated"]:
        first, last = document["data"]
        lines.append(
            f"Extrapolated: no concept of the run lies beyond {_number(first)} to {_number(last)} images; "
            "the intervals hold only if the curve goes on as fitted."
        )
    if document["now"] is not None:
        lines.append(_stands(document["concept"], document["now"]))
    lines.append("This compares concepts of different counts; no model was trained with another count.")
    return WhatIf(document, tuple(lines))


def _number(images: float) -> str:
    return f"{images:,.0f}" if images >= 100 else f"{images:.3g}"


def _stands(name: str, now: Mapping[str, float]) -> str:
    gap = now["score"] - now["average"]
    side = "above" if gap >= 0 else "below"
    return (
        f"{name} itself scores {now['score']:.3f} at {_number(now['images'])} images, {abs(gap):.3f} {side} "
        "the average concept of that count; whether it would stay so is not known."
    )
