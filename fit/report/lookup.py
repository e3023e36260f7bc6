"""What a run says of one concept, in numbers and in sentences that may be quoted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from markupsafe import Markup

from fit.report import flags, palette
from fit.report.guard import content_policy
from fit.report.inputs import CurvePoint, Subject
from fit.report.names import shown
from fit.report.numbers import count, images, level, of_images, plural, score, share, span
from fit.report.rendering import own_file, pages
from fit.report.tallies import VERDICTS
from fit.report.verdict import Verdict

SCHEMA = "fit-lookup/1"


@dataclass(frozen=True, slots=True)
class Example:
    """A row of the corpus whose caption names the concept: file, number in it, address and caption."""

    file: str
    row: int
    url: str | None
    caption: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found of a concept.

    Attributes:
        point: The concept with its figures; one that is counted only has captions alone.
        aliases: The phrases that name it besides its name.
        rarer: How many other concepts of the run have a lower frequency.
        others: How many other concepts have a frequency.
        examples: Some of its captions.
        left_out: Why parts of it are missing.
        in_run: Whether the run has this concept; False: it was only counted now.
        false_discovery_rate: Share of wrong ones that the test allows among those called imitated, in (0, 1).
    """

    point: CurvePoint
    aliases: tuple[str, ...] = ()
    rarer: int = 0
    others: int = 0
    examples: tuple[Example, ...] = ()
    left_out: tuple[str, ...] = ()
    in_run: bool = True
    false_discovery_rate: float = 0.05


@dataclass(frozen=True, slots=True)
class Sheet:
    """A look-up in words.

    Attributes:
        looked: The figures.
        subject: What the run asked.
        verdict: The verdict on the whole curve.
        made: The version, seed and digest of the run.
        sentences: What was found, in order: captions, images, standing, imitation.
        quote: One sentence that says all of it and how to check it.
    """

    looked: Looked
    subject: Subject
    verdict: Verdict | None
    made: str
    sentences: tuple[str, ...]
    quote: str


def sheet(looked: Looked, subject: Subject, verdict: Verdict | None, made: str) -> Sheet:
    """Put a look-up into words.

    Args:
        looked: What was found.
        subject: What the run asked.
        verdict: The verdict on the run's curve; None where there is none yet.
        made: Version, seed and digest of the run, for the quotation.
    """
    told = (
        _captions(looked, subject),
        _images(looked.point) if looked.in_run else "",
        _standing(looked, verdict, subject),
        _imitation(looked, subject),
        *flags.sentences(looked.point.flags),
    )
    sentences = tuple(sentence for sentence in told if sentence)
    return Sheet(looked, subject, verdict, made, sentences, _quote(looked, subject, made))


def sheet_json(found: Sheet) -> dict[str, Any]:
    """A look-up as JSON values."""
    point = asdict(found.looked.point)
    return {
        "schema": SCHEMA,
        "name": found.looked.point.concept,
        "in_run": found.looked.in_run,
        "aliases": list(found.looked.aliases),
        **{key: point[key] for key in point if key != "concept"},
        "rarer": found.looked.rarer,
        "others": found.looked.others,
        "safe_below": None if found.verdict is None else found.verdict.safe_below,
        "threshold": None if found.verdict is None else found.verdict.threshold,
        "examples": [asdict(example) for example in found.looked.examples],
        "left_out": list(found.looked.left_out),
        "sentences": list(found.sentences),
        "quote": found.quote,
    }


def render_sheet(found: Sheet) -> str:
    """The evidence sheet: one page, no network, no script."""
    style = Markup(palette.page_colours() + own_file("style.css"))  # noqa: S704 - our own file
    return (
        pages().get_template("lookup.html.j2").render(sheet=found, style=style, guard=content_policy(style))
    )


def sheet_lines(found: Sheet) -> list[str]:
    """A look-up as lines for a terminal."""
    lines = [shown(found.looked.point.concept)]
    lines += [f"  {sentence}" for sentence in found.sentences]
    if found.looked.examples:
        lines.append("  For example:")
        lines += [
            f"    {shown(each.caption, 100)}  [{each.file}, row {each.row}]" for each in found.looked.examples
        ]
    lines += [f"  Left out: {shown(reason, 200)}." for reason in found.looked.left_out]
    return [*lines, f"  To quote: {found.quote}"]


def _captions(looked: Looked, subject: Subject) -> str:
    point = looked.point
    if point.caption_count is None:
        return "Its captions were not counted."
    many = (
        "No caption names"
        if point.caption_count == 0
        else f"{plural(point.caption_count, 'caption names', 'captions name')}"
    )
    distinct = ""
    if point.distinct_url_count is not None and point.distinct_url_count != point.caption_count:
        distinct = f", {plural(point.distinct_url_count, 'distinct address', 'distinct addresses')}"
    if point.unfiltered_count is not None and point.unfiltered_count != point.caption_count:
        distinct += f"; {count(point.unfiltered_count)} without the condition on the rows"
    also = f" (or {_listed(looked.aliases)})" if looked.aliases else ""
    return f"{many} it{also} in {shown(subject.corpus_title)}{distinct}."


def _listed(names: tuple[str, ...], most: int = 4) -> str:
    more = len(names) - most
    head = ", ".join(f"“{shown(name, 60)}”" for name in names[:most])
    return f"{head} and {more} more" if more > 0 else head


def _images(point: CurvePoint) -> str:
    if point.frequency is None:
        return (
            "How many of their images show it is not known: none could be checked."
            if point.caption_count
            else ""
        )
    bounds = span(point.frequency_low, point.frequency_high)
    interval = f" (95 % interval {bounds})" if bounds else ""
    hits = "" if point.hit_rate is None else f"; {share(point.hit_rate)} of the captions' images show it"
    pictures = span(point.distinct_frequency_low, point.distinct_frequency_high)
    distinct = f"; different pictures among them: {pictures}" if pictures and point.frequency else ""
    passes = span(point.seen_low, point.seen_high)
    often = f" In its training the model saw them {passes} times in all, repeats counted." if passes else ""
    return f"Estimated training images: {images(point.frequency)}{interval}{hits}{distinct}.{often}"


def _standing(looked: Looked, verdict: Verdict | None, subject: Subject) -> str:
    frequency = looked.point.frequency
    if frequency is None or not looked.others:
        return ""
    many = plural(looked.others, f"other {subject.noun}", f"other {subject.noun_plural}")
    standing = f"It is more frequent than {count(looked.rarer)} of the {many} of this run"
    if verdict is None or not verdict.rises:
        return f"{standing}; no rise of the score was shown, so its place says nothing of imitation."
    if verdict.safe_below is not None:
        side = "below" if frequency < verdict.safe_below else "not below"
        limit = f"under which the average {subject.noun} is not imitated ({images(verdict.safe_below)})"
        standing += f", {side} the count {limit}"
    if verdict.threshold is None or verdict.interval is None:
        return f"{standing}."
    return f"{standing}; {_side(looked.point, verdict)}."


def _side(point: CurvePoint, verdict: Verdict) -> str:
    """On which side of the threshold's interval the concept's own interval lies."""
    what = "the threshold" if verdict.shape == "step" else "half of the rise"
    lowest, highest = verdict.interval or (None, None)
    interval = f"{level(verdict.level)} interval {span(lowest, highest)}"
    place = f"{what} ({of_images(verdict.threshold or 0)}, {interval})"
    own_low = point.frequency if point.frequency_low is None else point.frequency_low
    own_high = point.frequency if point.frequency_high is None else point.frequency_high
    if highest is not None and own_low is not None and own_low > highest:
        return f"it lies above {place}"
    if lowest is not None and own_high is not None and own_high < lowest:
        return f"it lies below {place}"
    return f"whether it lies above or below {place} cannot be told"


def _imitation(looked: Looked, subject: Subject) -> str:
    point = looked.point
    if not looked.in_run:
        return f"It is no {subject.noun} of this run: nothing was sampled, and its captions were counted now."
    if point.score is None:
        return "It has no imitation score."
    against = (
        ""
        if point.baseline is None
        else f", where other {subject.noun_plural}' images reach {score(point.baseline)}"
    )
    verdict = {
        "imitated": f"The model imitates it: score {score(point.score)}{against}.",
        "not": f"No imitation is shown: score {score(point.score)}{against}.",
        "unclear": f"Whether the model imitates it is unclear: score {score(point.score)}{against}.",
    }
    return verdict.get(
        point.verdict or "", f"Its score is {score(point.score)}{against}; there is no verdict."
    )


def _quote(looked: Looked, subject: Subject, made: str) -> str:
    point, name = looked.point, shown(looked.point.concept)
    named = (
        "an unknown number of captions"
        if point.caption_count is None
        else plural(point.caption_count, "caption", "captions")
    )
    about = f"{shown(subject.corpus_title)} holds {named} naming “{name}”"
    if point.frequency is not None:
        bounds = span(point.frequency_low, point.frequency_high)
        about += f", an estimated {of_images(point.frequency, 'image')} of it"
        about += f" (95 % interval {bounds})" if bounds else ""
    if not looked.in_run or point.score is None:
        return f"{about} ({made})."
    verdict = VERDICTS[point.verdict]
    found = {"no verdict": "gives no verdict on it", "unclear": "cannot tell whether it is imitated"}.get(
        verdict, f"finds it {verdict}"
    )
    of = "" if point.baseline is None else f" against {score(point.baseline)} by chance"
    return (
        f"{about}; of images by {shown(subject.model_title)}, the test at a false-discovery rate "
        f"of {level(looked.false_discovery_rate)} {found} (score {score(point.score)}{of}; {made})."
    )
