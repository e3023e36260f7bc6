"""Every number and sentence that a report may print, computed once for all its forms."""

import math
from dataclasses import asdict, dataclass, replace

from fit.report import flags
from fit.report.inputs import Check, Control, CurvePoint, Provenance, ReportInputs, StageRecord, Subject
from fit.report.names import shown
from fit.report.numbers import count, finite, of_images, p_value, plural, score
from fit.report.pictures import StripFact, strip_facts
from fit.report.prose import Prose, standing_texts
from fit.report.tallies import (
    Below,
    Figure,
    LeftOut,
    below_limit,
    key_figures,
    left_out,
    safe_sentence,
    verdict_tally,
)
from fit.report.verdict import Verdict, read_verdict
from fit.report.wording import Answer, answer, finding, why_none

TABLE_ROWS = 2_000
"""Concepts that the Markdown lists at most; the rest is said to be in the run's files."""

MARKS = 5_000
"""Concepts that a drawing marks at most; of more, those evenly spread over the ranks of frequency."""


@dataclass(frozen=True, slots=True)
class ControlFact:
    """A negative control: what was done and found, and whether it is as it must be (None: not judged)."""

    name: str
    title: str
    done: str | None
    found: str
    passed: bool | None
    verdict: Verdict
    points: tuple[CurvePoint, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report may print.

    Attributes:
        title: what was asked, as a heading.
        answer: the answer in words.
        figures: the numbers at a glance.
        points: concepts without NaN, from the most frequent to the rarest, unknown frequencies last.
        drawn: those of them that have a frequency and a score.
        marked: those of them that the drawing marks.
        listed: those that the Markdown's table shows.
        tally: number of concepts by verdict as written.
        alt: the curve in words, for those who do not see it.
        published_sentence: what the published method says; None when it was not run.
        checks: what was found of the assumptions, and what moves the answer.
        warnings: what a reader has to know before trusting the answer.
    """

    subject: Subject
    provenance: Provenance
    title: str
    answer: Answer
    verdict: Verdict
    published: Verdict | None
    published_sentence: str | None
    safe_sentence: str | None
    figures: tuple[Figure, ...]
    points: tuple[CurvePoint, ...]
    drawn: tuple[CurvePoint, ...]
    marked: tuple[CurvePoint, ...]
    listed: tuple[CurvePoint, ...]
    tally: dict[str, int]
    alt: str
    prose: Prose
    controls: tuple[ControlFact, ...]
    checks: tuple[Check, ...]
    strips: tuple[StripFact, ...]
    panels: tuple[StripFact, ...]
    no_pictures_because: str
    left_out: tuple[LeftOut, ...]
    stages: tuple[StageRecord, ...]
    settings_toml: str
    warnings: tuple[str, ...]
    score_title: str


def build_facts(inputs: ReportInputs) -> Facts:
    """Computes everything that a report may print.

    Raises:
        ValueError: a threshold object without a status of the contract, a negative frequency, or a picture in
            a format that is none of PNG, JPEG, GIF and WebP.
    """
    verdict, subject = read_verdict(inputs.threshold), _shown_subject(inputs.subject)
    published = read_verdict(inputs.published) if inputs.published is not None else None
    points = tuple(sorted(map(_clean, inputs.curve), key=_rarer_last))
    drawn = tuple(point for point in points if point.frequency is not None and point.score is not None)
    numbers = {point.concept: number for number, point in enumerate(points)}
    below = below_limit(points, verdict.safe_below)
    controls = tuple(_control(control) for control in inputs.controls)
    return Facts(
        subject=subject,
        provenance=inputs.provenance,
        title=f"Imitation of {subject.noun_plural} by {subject.model_title}",
        answer=answer(verdict, subject),
        verdict=verdict,
        published=published,
        published_sentence=_published(published, verdict),
        safe_sentence=_safe(below, verdict, subject),
        figures=key_figures(verdict, published, below),
        points=points,
        drawn=drawn,
        marked=spread(drawn, MARKS),
        listed=points[:TABLE_ROWS],
        tally=verdict_tally(points),
        alt=_alt(drawn, verdict, subject),
        prose=standing_texts(subject, verdict.level),
        controls=controls,
        checks=tuple(Check(shown(c.name, 40), shown(c.sentence, 600), c.p_value) for c in inputs.checks),
        strips=strip_facts(inputs.strips, numbers),
        panels=strip_facts(inputs.panels, numbers),
        no_pictures_because=inputs.no_pictures_because or "No pictures were handed to this report.",
        left_out=left_out(inputs.skipped),
        stages=inputs.stages,
        settings_toml=inputs.settings_toml,
        warnings=(*inputs.notes, *flags.summary(points, subject), *_alarms(controls)),
        score_title=inputs.score_title,
    )


def spread(points: tuple[CurvePoint, ...], most: int) -> tuple[CurvePoint, ...]:
    """At most so many of the points (>= 2), evenly spread over their order, both ends among them."""
    if len(points) <= most:
        return points
    return tuple(points[round(rank * (len(points) - 1) / (most - 1))] for rank in range(most))


def _shown_subject(subject: Subject) -> Subject:
    """A model may be any folder or address that a user names, so these words are strangers' words too."""
    return Subject(**{name: shown(words, 80) for name, words in asdict(subject).items()})


def _clean(point: CurvePoint) -> CurvePoint:
    clean = replace(
        point,
        frequency=finite(point.frequency),
        frequency_low=finite(point.frequency_low),
        frequency_high=finite(point.frequency_high),
        hit_rate=finite(point.hit_rate),
        hit_rate_low=finite(point.hit_rate_low),
        hit_rate_high=finite(point.hit_rate_high),
        score=finite(point.score),
        score_se=finite(point.score_se),
        mimetic2_score=finite(point.mimetic2_score),
        baseline=finite(point.baseline),
        distinct_frequency=finite(point.distinct_frequency),
        distinct_frequency_low=finite(point.distinct_frequency_low),
        distinct_frequency_high=finite(point.distinct_frequency_high),
        copies=finite(point.copies),
    )
    if clean.frequency is not None and clean.frequency < 0:
        raise ValueError(f"frequency of {clean.concept!r} is {clean.frequency}, must be 0 or more")
    return clean


def _rarer_last(point: CurvePoint) -> tuple[float, str]:
    return (math.inf if point.frequency is None else -point.frequency, point.concept)


def _published(published: Verdict | None, verdict: Verdict) -> str | None:
    if published is None:
        return None
    method = "The published method (MIMETIC², change point by PELT with penalty 0.9)"
    if published.threshold is None:
        return f"{method} finds no change in these data."
    caution = "It gives no interval and no test"
    if verdict.shape != "step":
        caution += ", and reports a threshold for gradual rises and for noise too"
    return f"{method} would report {of_images(published.threshold)}. {caution}."


def _safe(below: Below | None, verdict: Verdict, subject: Subject) -> str | None:
    if below is None or verdict.safe_below is None:
        return None
    return safe_sentence(verdict.safe_below, below, verdict, subject)


def _alt(drawn: tuple[CurvePoint, ...], verdict: Verdict, subject: Subject) -> str:
    if not drawn:
        return "There is nothing to draw: no concept has both a frequency and a score."
    scores = [point.score for point in drawn if point.score is not None]
    zero = sum(point.frequency == 0 for point in drawn)
    tally = ", ".join(f"{count(number)} {words}" for words, number in verdict_tally(drawn).items())
    return (
        f"Imitation score against the number of training images for "
        f"{plural(len(drawn), subject.noun, subject.noun_plural)}, {count(zero)} of them without any: "
        f"{tally}. Scores lie between {score(min(scores))} and {score(max(scores))}. "
        f"In short: {finding(verdict)}. All values stand in the table of concepts."
    )


def _control(control: Control) -> ControlFact:
    verdict = read_verdict(control.threshold)
    points = tuple(_clean(point) for point in control.curve)
    drawn = tuple(point for point in points if point.frequency is not None and point.score is not None)
    chance = f" ({p_value(verdict.p_value)})" if verdict.p_value is not None else ""
    passed: bool | None
    if verdict.rises:
        passed, found = False, f"A rise was found where there can be none{chance}: {finding(verdict)}."
    elif verdict.judged:
        passed, found = True, f"No rise was found, as it must be{chance}."
    else:
        passed, found = None, f"Not judged: {why_none(verdict)}."
    title, done = shown(control.title), shown(control.sentence, 400) if control.sentence else None
    return ControlFact(control.name, title, done, found, passed, verdict, drawn)


def _alarms(controls: tuple[ControlFact, ...]) -> tuple[str, ...]:
    return tuple(
        f"The negative control “{control.title}” shows a rise where there can be none; do not rely on the "
        "answer before this is understood."
        for control in controls
        if control.passed is False
    )
