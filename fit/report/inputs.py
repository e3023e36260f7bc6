"""What the report is made from: numbers, names and image bytes, gathered by the report stage."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

ConceptVerdict = Literal["imitated", "not", "unclear"]
"""What the scores say of one concept: imitated, not imitated, or neither can be told."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was asked: which concepts, of which model, trained on which corpus.

    Attributes:
        domain: name of the domain, e.g. ``art-styles``.
        domain_title: readable title of the domain, e.g. ``Art styles``.
        noun: one concept in words, e.g. ``artist``.
        noun_plural: several concepts in words, e.g. ``artists``.
        concept_set: title of the list of concepts.
        model: short name of the model, e.g. ``demo``.
        model_title: readable title, without an article, e.g. ``Demo model`` or ``Stable Diffusion 1.5``.
        corpus: short name of the corpus.
        corpus_title: readable title of the corpus.
    """

    domain: str
    domain_title: str
    noun: str
    noun_plural: str
    concept_set: str
    model: str
    model_title: str
    corpus: str
    corpus_title: str

    @property
    def a_noun(self) -> str:
        """One concept with its article: ``an artist``."""
        return f"{'an' if self.noun[:1].lower() in set('aeiou') else 'a'} {self.noun}"


@dataclass(frozen=True, slots=True)
class Provenance:
    """How the run can be repeated. Nothing here may change between two runs of the same artefacts.

    Attributes:
        fit_version: version of `fit` that made the run.
        seed: seed of the run.
        device: where the model ran, e.g. ``cpu``.
        git_commit: commit of `fit`, where known.
        model_source, model_licence, corpus_source, corpus_licence: as the registries say.
        command: the command that repeats the run.
        digests: (what, digest) of inputs and artefacts.
        packages: (package, version) of what the numbers depend on.
        date: date of the run in words; None keeps the report free of time.
    """

    fit_version: str
    seed: int
    device: str
    git_commit: str | None = None
    model_source: str | None = None
    model_licence: str | None = None
    corpus_source: str | None = None
    corpus_licence: str | None = None
    command: str | None = None
    digests: tuple[tuple[str, str], ...] = ()
    packages: tuple[tuple[str, str], ...] = ()
    date: str | None = None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One concept. None is "not measured"; a NaN counts as None.

    Attributes:
        concept: name of the concept.
        frequency: estimated training images, >= 0, with ``frequency_low`` and ``frequency_high`` around it.
        score: imitation score in [-1, 1], with its standard error ``score_se`` (same unit, >= 0).
        group: group of the concept, if any.
        caption_count: captions that name the concept.
        unfiltered_count: the same without the condition on the corpus's rows.
        distinct_url_count: the same with the condition, each address once.
        hit_rate: share of those captions' images that show the concept, in [0, 1], with interval.
        mimetic2_score: score of the published method, in [-1, 1].
        baseline: score that images of other concepts reach against this concept's references, in [-1, 1].
        verdict: what the scores say of this concept; None where no verdict was attempted.
        flags: warnings of the concept list, such as ``ambiguous: also a river``.
        distinct_frequency: different pictures among the frequency's images: a lower-bound estimate, with
            interval; the interval alone is shown.
        seen: how often the model saw an image of the concept, repeats counted, with interval; of the passes
            that its row states.
        copies: share of the checked images of the concept that repeat a picture, in [0, 1].
    """

    concept: str
    frequency: float | None = None
    score: float | None = None
    group: str | None = None
    caption_count: int | None = None
    distinct_url_count: int | None = None
    hit_rate: float | None = None
    hit_rate_low: float | None = None
    hit_rate_high: float | None = None
    frequency_low: float | None = None
    frequency_high: float | None = None
    score_se: float | None = None
    mimetic2_score: float | None = None
    baseline: float | None = None
    verdict: ConceptVerdict | None = None
    flags: tuple[str, ...] = ()
    distinct_frequency: float | None = None
    distinct_frequency_low: float | None = None
    distinct_frequency_high: float | None = None
    copies: float | None = None
    unfiltered_count: int | None = None
    seen: float | None = None
    seen_low: float | None = None
    seen_high: float | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """The same estimate on data where no rise can be; finding one would cast doubt on the method.

    Attributes:
        name: short name, e.g. ``shuffled``.
        title: readable title, e.g. ``Frequencies shuffled``.
        threshold: the contract's object for this control.
        curve: its points; only ``frequency`` and ``score`` are drawn.
        sentence: what was done, e.g. ``Every artist was given the frequency of another, drawn at random.``
    """

    name: str
    title: str
    threshold: Mapping[str, Any]
    curve: tuple[CurvePoint, ...] = ()
    sentence: str | None = None


@dataclass(frozen=True, slots=True)
class Strip:
    """Generated beside reference images of one concept, each an encoded PNG, JPEG, GIF or WebP."""

    concept: str
    generated: tuple[bytes, ...] = ()
    references: tuple[bytes, ...] = ()
    frequency: float | None = None
    score: float | None = None
    verdict: ConceptVerdict | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkippedItem:
    """Something that was left out: one row of ``skipped.parquet``."""

    stage: str
    concept: str | None
    item: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class StageRecord:
    """What a stage did, in numbers (``200,000 captions searched for 131 artists``), and its settings."""

    stage: str
    done: str
    settings: Mapping[str, Any]
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One look at an assumption or at what moves the answer.

    Attributes:
        name: short name, such as ``A1``.
        sentence: what was found and what it means.
        p_value: of "the assumption holds"; None where nothing was tested.
    """

    name: str
    sentence: str
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """Everything a report may speak of.

    Attributes:
        subject: what was asked.
        provenance: how it was made.
        curve: one point per concept; order does not matter.
        threshold: the contract's object of ``fit threshold --json``. Added fields that are used when present:
            ``fits`` (step, logistic, isotonic -> list of (frequency, score)), ``detail``, ``interval_open``
            and ``smallest_detectable_rise``.
        published: the same object for the method ``mimetic2``; None when it was not run.
        controls: negative controls; an empty tuple is said to be "not run".
        strips: pictures that lie open; an empty tuple is said with ``no_pictures_because``.
        panels: pictures of further concepts, each in a panel that the reader opens.
        checks: assumptions looked at, and what moves the answer.
        skipped: everything that was left out.
        stages: what each stage did, in the order of the run.
        settings_toml: the complete settings.
        notes: warnings and notes on accuracy, each a full sentence.
        no_pictures_because: why there are no pictures, a full sentence.
        score_title: name of the score on the axis.
    """

    subject: Subject
    provenance: Provenance
    curve: tuple[CurvePoint, ...]
    threshold: Mapping[str, Any]
    published: Mapping[str, Any] | None = None
    controls: tuple[Control, ...] = ()
    strips: tuple[Strip, ...] = ()
    panels: tuple[Strip, ...] = ()
    checks: tuple[Check, ...] = ()
    skipped: tuple[SkippedItem, ...] = ()
    stages: tuple[StageRecord, ...] = ()
    settings_toml: str = ""
    notes: tuple[str, ...] = ()
    no_pictures_because: str | None = None
    score_title: str = "matched"
