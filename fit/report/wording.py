"""The sentences in which a verdict may be told, worded as the contract asks."""

from dataclasses import dataclass

from fit.report.inputs import Subject
from fit.report.numbers import DASH, images, level, of_images, p_value, plural, score, span
from fit.report.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a run.

    Attributes:
        headline: the finding, without a full stop.
        detail: interval, number of concepts and p-value, without brackets.
        more: what follows from it and what does not, full sentences.
    """

    headline: str
    detail: str
    more: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The whole answer in one sentence."""
        return f"{self.headline} ({self.detail})." if self.detail else f"{self.headline}."


def answer(verdict: Verdict, subject: Subject) -> Answer:
    """The answer in words. Only the shape `step` may say that the threshold *is* a number."""
    about = f"In the imitation of {subject.noun_plural} by {subject.model_title}"
    if verdict.status == "threshold" and verdict.threshold is not None:
        if verdict.method == "mimetic2":
            headline = f"{about}, {_as_published(verdict)}"
        elif verdict.shape == "step":
            headline = f"{about}, the threshold is {of_images(verdict.threshold, 'training image')}"
        else:
            headline = f"{about} there is {half_way(verdict)}"
    elif verdict.rises:
        headline = f"{about} there is a rise, but no threshold can be given: {why_none(verdict)}"
        headline += _by_rate(verdict, subject)
    elif verdict.judged:
        headline = f"{about}, no threshold was found: {why_none(verdict)}"
    else:
        headline = f"{about}, no threshold can be given: {why_none(verdict)}"
    return Answer(headline, _detail(verdict, subject), _more(verdict, subject))


def _by_rate(verdict: Verdict, subject: Subject) -> str:
    """The second, absolute definition as a clause, for a rise that has no threshold by the first."""
    if verdict.rate_threshold is None:
        return ""
    bounds = span(*verdict.rate_interval) if verdict.rate_interval else None
    interval = f", {level(verdict.level)} interval {bounds}" if bounds else ""
    return (
        f"; half of the generated images pass as the {subject.noun}'s own from "
        f"{of_images(verdict.rate_threshold, 'training image')} on{interval}"
    )


def half_way(verdict: Verdict) -> str:
    """The contract's words for a rise that is not shown to be sharp."""
    half = of_images(verdict.threshold or 0.0)
    ends = verdict.transition or (None, None)
    if ends[0] is not None and ends[1] is not None:
        return (
            f"no sharp threshold: half of the rise is reached at {half}, "
            f"10{DASH}90 % of it between {images(ends[0])} and {images(ends[1])}"
        )
    return (
        f"no sharp threshold: half of the rise is reached at {half}, "
        f"and the range of 10{DASH}90 % of it is not determined"
    )


def why_none(verdict: Verdict) -> str:
    """The reason for which there is no threshold, as half a sentence."""
    lacking = {"below": "baseline", "above": "ceiling"}.get(verdict.censored or "", "baseline or its ceiling")
    known = {
        "flat": "the imitation score is not shown to rise with the number of training images",
        "falls": "the imitation score falls with the number of training images",
        "no plateau": f"the score rises gradually, and its {lacking} is not reached within the data",
        "too few concepts": verdict.detail or "the concepts are too few to tell",
    }
    reason = verdict.reason or "no reason was recorded"
    return known.get(reason, reason.rstrip("."))


def finding(verdict: Verdict) -> str:
    """A verdict in half a line, for comparisons."""
    if verdict.status == "threshold" and verdict.threshold is not None:
        if verdict.method == "mimetic2":
            return _as_published(verdict)
        if verdict.shape == "step":
            return f"the threshold is {of_images(verdict.threshold)}"
        return half_way(verdict)
    return why_none(verdict)


def _as_published(verdict: Verdict) -> str:
    return f"the published method puts a change at {of_images(verdict.threshold or 0.0)}, without a test"


def _detail(verdict: Verdict, subject: Subject) -> str:
    parts = []
    interval = span(*verdict.interval) if verdict.interval else None
    if interval and verdict.status == "threshold":
        parts.append(f"{level(verdict.level)} interval {interval} images")
    parts.append(plural(verdict.n_concepts, subject.noun, subject.noun_plural))
    if verdict.p_value is not None:
        parts.append(p_value(verdict.p_value))
    return "; ".join(parts)


def _more(verdict: Verdict, subject: Subject) -> tuple[str, ...]:
    sentences = []
    if verdict.rises:
        sentences += [_heights(verdict), _shape(verdict, subject)]
        if verdict.status == "threshold" and verdict.interval is None and verdict.method != "mimetic2":
            sentences.append("The data do not bound the change on either side.")
    elif verdict.judged:
        sentences.append(
            "That no threshold was found is a result; it does not say that "
            f"no {subject.noun} is imitated, only that the score does not depend on the frequency in a way "
            "that these data can show."
        )
        if verdict.smallest_detectable_rise is not None:
            rise = score(verdict.smallest_detectable_rise)
            sentences.append(
                f"A rise of {rise} in score would have been found in 80 % of samples like this one."
            )
    else:
        sentences.append(f"More {subject.noun_plural}, spread over the frequencies, are needed.")
    return tuple(sentence for sentence in sentences if sentence)


def _heights(verdict: Verdict) -> str:
    if verdict.baseline is None or verdict.ceiling is None:
        return ""
    low, high = score(verdict.baseline), score(verdict.ceiling)
    return f"The mean imitation score rises from {low} (baseline) to {high} (ceiling)."


def _shape(verdict: Verdict, subject: Subject) -> str:
    if verdict.method == "mimetic2":
        return "This method does not test whether there is a rise, nor which shape it has."
    if verdict.shape == "step":
        return "The change is sharp: a step describes the curve, and a wide transition is ruled out."
    if verdict.shape == "gradual":
        return "The rise is gradual: a step does not describe it, so one number would hide the transition."
    many = plural(verdict.n_concepts, subject.noun, subject.noun_plural)
    return f"A rise is shown, but whether it is sharp or gradual cannot be told from {many}."
