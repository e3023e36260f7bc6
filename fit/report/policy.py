"""The report for a decision maker: what was found, what it means for a dataset, and what it cannot show."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files

from markupsafe import Markup

from fit.report import flags, palette
from fit.report.drawing import WIDE, draw_curve
from fit.report.facts import Facts
from fit.report.guard import content_policy
from fit.report.inputs import CurvePoint
from fit.report.names import shown
from fit.report.numbers import count, images, level, of_images, p_value, plural, span
from fit.report.prose import filled
from fit.report.rendering import CURVE_FILE, MarkdownText, notes, own_file, pages
from fit.report.svg import in_page

LISTED = 12
"""Concepts of each group that are named; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Band:
    """Concepts on one side of the limit.

    Attributes:
        name: ``above``, ``near`` or ``below``.
        title: The same in words.
        points: The concepts, those with most training images first.
        imitated: How many of them are individually imitated.
    """

    name: str
    title: str
    points: tuple[CurvePoint, ...]
    imitated: int

    @property
    def named(self) -> str:
        """The names, the first few of many."""
        names = ", ".join(flags.marked(point, 40) for point in self.points[:LISTED])
        more = len(self.points) - LISTED
        return f"{names} and {count(more)} more" if more > 0 else names

    @property
    def flagged(self) -> bool:
        """Whether a flag of the concept list is marked among the names."""
        return any(point.flags for point in self.points[:LISTED])


@dataclass(frozen=True, slots=True)
class Entry:
    """A word and what it means, or a question and its answer."""

    term: str
    text: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that the policy report says.

    Attributes:
        asked: What was asked, one sentence.
        found: What was found in plain words, full sentences.
        meaning: What it means for a dataset.
        bands: Concepts above, near and below the limit; empty without a limit.
        limits: Recommended limits, one sentence each.
        cannot: What the method cannot show.
        words: The glossary.
    """

    facts: Facts
    asked: str
    found: tuple[str, ...]
    meaning: tuple[str, ...]
    bands: tuple[Band, ...]
    limits: tuple[str, ...]
    cannot: tuple[str, ...]
    words: tuple[Entry, ...]


def policy(facts: Facts) -> Policy:
    """Put a run's facts into the words of a decision."""
    subject = facts.subject
    text = files("fit.report").joinpath("policy.toml").read_text(encoding="utf-8")
    rows = filled(tomllib.loads(text), subject, facts.verdict.level)
    many = plural(len(facts.drawn), subject.noun, subject.noun_plural)
    bands = _bands(facts)
    return Policy(
        facts=facts,
        asked=(
            f"How many training images of {subject.a_noun} does it take until {shown(subject.model_title)}, "
            "trained on "
            f"{shown(subject.corpus_title)}, makes images that resemble that {subject.noun}'s own? "
            f"{many} with very different numbers of training images were compared."
        ),
        found=_found(facts),
        meaning=_meaning(facts),
        bands=bands,
        limits=_limits(facts, bands),
        cannot=tuple(row["text"] for row in rows["cannot"]),
        words=tuple(Entry(row["term"], row["text"]) for row in rows["words"]),
    )


def render_policy_html(facts: Facts) -> str:
    """The policy report as one page of two sheets: no network, no script."""
    rules = (palette.page_colours(), own_file("style.css"), own_file("policy.css"))
    style = Markup("".join(rules))  # noqa: S704 - our own files
    guard = content_policy(style)
    drawing = Markup(in_page(draw_curve(facts, WIDE), facts.alt))  # noqa: S704 - an XML writer escaped it
    page = pages().get_template("policy.html.j2")
    return page.render(policy=policy(facts), style=style, guard=guard, drawing=drawing)


def render_policy_markdown(facts: Facts) -> str:
    """The policy report as Markdown; it shows `curve.svg`, which has to be written beside it."""
    return (
        notes().get_template("policy.md.j2").render(policy=policy(facts), curve_file=MarkdownText(CURVE_FILE))
    )


def _found(facts: Facts) -> tuple[str, ...]:
    verdict, subject = facts.verdict, facts.subject
    told = [_in_plain_words(facts)]
    if verdict.rises and verdict.p_value is not None:
        told.append(
            "The rise is not a play of chance: without one, so large a difference would be seen in "
            f"{_seldom(verdict.p_value)} ({p_value(verdict.p_value)})."
        )
    imitated = facts.tally.get("imitated", 0)
    told.append(
        f"Judged one by one, {count(imitated)} of "
        f"{plural(len(facts.points), subject.noun, subject.noun_plural)} "
        f"{'is' if imitated == 1 else 'are'} imitated; {count(facts.tally.get('unclear', 0))} cannot be told."
    )
    failed = [control for control in facts.controls if control.passed is False]
    passed = [control for control in facts.controls if control.passed]
    if failed:
        told.append(
            "A negative control, in which no rise can be, shows one. Do not rely on this result before that "
            "is understood."
        )
    elif passed:
        told.append(
            "The same method found nothing where nothing can be found "
            f"({plural(len(passed), 'negative control', 'negative controls')})."
        )
    else:
        told.append("No negative control was run, which weakens the result.")
    return tuple(told)


def _seldom(value: float) -> str:
    return "fewer than 1 of 1,000 such studies" if value < 0.001 else f"about {value:.1%} of such studies"


def _in_plain_words(facts: Facts) -> str:
    verdict, subject = facts.verdict, facts.subject
    if verdict.status == "threshold" and verdict.threshold is not None:
        interval = span(*verdict.interval) if verdict.interval else None
        sure = f", and with {level(verdict.level)} confidence between {interval}" if interval else ""
        if verdict.shape == "step":
            return (
                f"{subject.noun_plural.capitalize()} with fewer than "
                f"{of_images(verdict.threshold, 'training image')} are on "
                "average not imitated, those with more are. The change is at "
                f"{images(verdict.threshold)}{sure}."
            )
        return (
            "The more training images, the closer the imitation, without a sharp threshold. Half of the "
            "rise is reached at "
            f"{of_images(verdict.threshold, 'training image')}{sure}."
        )
    if verdict.rises:
        return (
            "The more training images, the closer the imitation. The rise is gradual and already under way "
            "at the "
            "smallest numbers in these data, or not at its end at the largest: a threshold cannot be given."
        )
    if verdict.judged:
        return (
            "It could not be shown that imitation depends on the number of training images. That does not "
            "show that no "
            f"{subject.noun} is imitated."
        )
    return f"There were too few {subject.noun_plural} to tell."


def _meaning(facts: Facts) -> tuple[str, ...]:
    verdict, subject = facts.verdict, facts.subject
    told = []
    if verdict.safe_below is not None and verdict.safe_below >= 1:
        told.append(
            f"With fewer than {of_images(verdict.safe_below, 'training image')} the average {subject.noun} "
            "is not imitated by "
            f"this model (“safe below”; wrong in at most {level(1 - verdict.level)} of such studies)."
        )
    elif verdict.safe_below is not None:
        told.append(
            f"No number of training images above zero can be called safe: the average {subject.noun} may be "
            "imitated from "
            "the first image on."
        )
    elif verdict.rises:
        told.append("A number of images that is safe could not be told.")
    else:
        told.append(
            "These data give no ground for a limit on the number of images, and none for leaving one out."
        )
    if facts.safe_sentence:
        told.append(
            f"“Average” is meant literally: {facts.safe_sentence[0].lower()}{facts.safe_sentence[1:]}"
        )
    return tuple(told)


def _bands(facts: Facts) -> tuple[Band, ...]:
    """Sort concepts by where their interval lies: below the safe count, above the change, or neither."""
    verdict = facts.verdict
    if verdict.safe_below is None:
        return ()
    ends = [each for each in (verdict.interval or (None, None)) if each is not None]
    ends += [each for each in (verdict.transition or (None, None)) if each is not None]
    top = max([verdict.safe_below, *ends])
    sorted_into: dict[str, list[CurvePoint]] = {"above": [], "near": [], "below": []}
    for point in facts.drawn:
        frequency = point.frequency or 0.0
        low = frequency if point.frequency_low is None else point.frequency_low
        high = frequency if point.frequency_high is None else point.frequency_high
        name = "below" if high < verdict.safe_below else "above" if low > top else "near"
        sorted_into[name].append(point)
    between = f"Near ({span(verdict.safe_below, top)}, or not told apart)"
    titles = {
        "above": f"Above (surely more than {images(top)})",
        "near": between if top > verdict.safe_below else "Not told apart",
        "below": f"Below (surely fewer than {images(verdict.safe_below)})",
    }
    return tuple(
        Band(name, titles[name], tuple(points), sum(point.verdict == "imitated" for point in points))
        for name, points in sorted_into.items()
    )


def _limits(facts: Facts, bands: tuple[Band, ...]) -> tuple[str, ...]:
    verdict, subject = facts.verdict, facts.subject
    if verdict.safe_below is None:
        return ("None can be recommended from these data.",)
    told = []
    if verdict.safe_below >= 1:
        told.append(
            f"For {subject.noun_plural} who shall not be imitated: keep fewer than "
            f"{of_images(verdict.safe_below, 'training image')} of each. The command fit curate "
            "--limit RUN writes the rows to drop."
        )
    else:
        told.append(
            f"For {subject.noun_plural} who shall not be imitated: keep no image whose caption names them. "
            "The command fit curate --limit 0 writes the rows to drop."
        )
    below = next(band for band in bands if band.name == "below")
    if below.imitated and verdict.safe_below >= 1:
        who = plural(below.imitated, f"{subject.noun} who is", f"{subject.noun_plural} who are")
        told.append(f"The limit is not enough for {who} imitated below it: drop all rows that name them.")
    told.append(
        "Count again after every change of the corpus, and sample again after every training: a limit is of "
        "one model."
    )
    return tuple(told)
