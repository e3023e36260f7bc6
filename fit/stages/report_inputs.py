"""Gathering a run's results for its report."""

from __future__ import annotations

from typing import Any

import fit
from corpus.registry import Corpus
from fit import config
from fit.generation.models import Model, load_model
from fit.report import inputs
from fit.run import Job
from fit.stages.exposure import exposure_of
from fit.stages.inputs import corpus_of, domain_of, scorer_of
from fit.stages.report_pictures import Shown, has_all_images, pictures
from fit.stages.report_records import receipt_of, stage_records
from fit.stages.threshold import SHUFFLED, UNTRAINED

MOST_DIGESTS = 3  # outside inputs of a stage that the report lists; more stand in the receipt
INVENTED = "invented"
READ_STAGES = ("concepts", "counts", "references", "verification", "generation", "scores", "threshold")


def report_inputs(job: Job) -> inputs.ReportInputs:
    """Read everything that the report speaks of."""
    model, corpus = load_model(job.settings.model), corpus_of(job.settings)
    curve = curve_of(job)
    hidden = _hidden_because(job)
    shown = Shown() if hidden else pictures(job, curve)
    return inputs.ReportInputs(
        subject=subject_of(job, model, corpus),
        provenance=_provenance(job, model, corpus),
        curve=curve,
        threshold=job.read_json("threshold", "threshold"),
        published=job.read_json("threshold", "published"),
        controls=_controls(job),
        strips=shown.strips,
        panels=shown.panels,
        checks=_checks(job),
        skipped=_skipped(job),
        stages=stage_records(job),
        settings_toml=config.dump_toml(job.settings),
        notes=_notes(job, model, corpus),
        no_pictures_because=hidden,
        score_title=job.settings.scores.score,
    )


def shows_real_people(job: Job) -> bool:
    """Tell whether pictures may show real people: the domain's do, and the list calls none invented."""
    people = job.read_json("concepts", "catalogue").get("people", "")
    return domain_of(job.settings).people and people != INVENTED


def _hidden_because(job: Job) -> str | None:
    """Return why the report shows no pictures, a full sentence; None where it does."""
    settings = job.settings.report
    if not settings.images:
        return "Pictures were switched off (report.images = false)."
    if shows_real_people(job) and not settings.real_people:
        return (
            "Pictures of real people are left out; they are in the run folder alone "
            "(report.real_people = true puts them in here)."
        )
    if not has_all_images(job):
        return "The generated images were deleted to free disk (fit clean) before this report was written."
    return None


def subject_of(job: Job, model: Model, corpus: Corpus) -> inputs.Subject:
    """Return what the run asks, in words."""
    domain = domain_of(job.settings)
    return inputs.Subject(
        domain=domain.name,
        domain_title=domain.title,
        noun=domain.noun,
        noun_plural=domain.noun_plural,
        concept_set=job.read_json("concepts", "catalogue")["title"],
        model=model.name,
        model_title=model.title,
        corpus=corpus.name,
        corpus_title=corpus.title,
    )


def _provenance(job: Job, model: Model, corpus: Corpus) -> inputs.Provenance:
    settings = job.settings
    plain = config.flat(config.Settings(**{name: getattr(settings, name) for name in config.IDENTITY}))
    changed = [
        f"--set {name}={value}" for name, value in config.flat(settings).items() if value != plain[name]
    ]
    command = [
        f"fit estimate --domain {settings.concepts} --model {settings.model}",
        f"--corpus {settings.corpus} --seed {settings.seed}",
        *changed,
    ]
    return inputs.Provenance(
        fit_version=fit.__version__,
        seed=settings.seed,
        device=job.read_json("generation", "device")["device"],
        model_source=model.source,
        model_licence=model.licence,
        corpus_source=corpus.source,
        corpus_licence=corpus.licence,
        command=" ".join(command),
        digests=_digests(job),
    )


def _digests(job: Job) -> tuple[tuple[str, str], ...]:
    """Return what was computed from what: outside inputs of each stage, and each stage's receipt."""
    found: dict[str, str] = {}
    for stage in READ_STAGES:
        receipt = receipt_of(job, stage)
        outside = {name: digest for name, digest in receipt.plan.inputs.items() if name not in READ_STAGES}
        if len(outside) <= MOST_DIGESTS:
            found |= outside
        found[f"stage {stage}"] = receipt.digest
    return tuple(found.items())


def curve_of(job: Job) -> tuple[inputs.CurvePoint, ...]:
    """Return one point per concept, in the order of the list."""
    frequencies = {row["concept"]: row for row in job.read("verification", "frequencies").to_pylist()}
    scores = {row["concept"]: row for row in job.read("scores", "scores").to_pylist()}
    concepts = job.read("concepts", "concepts").to_pylist()
    unfiltered = {row["concept"]: row for row in job.read("counts", "counts").to_pylist()}
    exposure = exposure_of(job)
    score = job.settings.scores.score
    found = {
        name: unfiltered.get(name, {}) | frequencies.get(name, {}) | exposure.get(name, {})
        for name in (row["concept"] for row in concepts)
    }
    return tuple(
        _point(row, found[row["concept"]], scores.get(row["concept"], {}), score) for row in concepts
    )


def _point(
    concept: dict[str, Any], found: dict[str, Any], scored: dict[str, Any], score: str
) -> inputs.CurvePoint:
    counts = ("caption_count", "unfiltered_count", "distinct_url_count", "copies")
    rates = ("hit_rate", "frequency", "distinct_frequency", "seen")
    names = (*counts, *(f"{rate}{end}" for rate in rates for end in ("", "_low", "_high")))
    return inputs.CurvePoint(
        concept=concept["concept"],
        group=concept["group"],
        **{name: found.get(name) for name in names},
        score=scored.get(score),
        score_se=scored.get(f"{score}_se"),
        mimetic2_score=scored.get("mimetic2"),
        baseline=scored.get("baseline"),
        verdict=scored.get("verdict"),
        flags=tuple(concept["flags"]),
    )


def _controls(job: Job) -> tuple[inputs.Control, ...]:
    noun = domain_of(job.settings).noun
    told = {
        SHUFFLED: (
            "Frequencies shuffled",
            f"Every {noun} was given the frequency of another, drawn at random.",
        ),
        UNTRAINED: (
            "Untrained model",
            "The same pipeline with random weights was sampled and scored in the same way.",
        ),
    }
    controls = []
    for name, found in job.read_json("threshold", "controls").items():
        rows = zip(*(found["curve"][key] for key in ("concept", "frequency", "score")), strict=True)
        points = tuple(inputs.CurvePoint(concept=c, frequency=f, score=s) for c, f, s in rows)
        controls.append(inputs.Control(name, told[name][0], found["threshold"], points, told[name][1]))
    return tuple(controls)


def _checks(job: Job) -> tuple[inputs.Check, ...]:
    """Return the diagnostics of the threshold stage, and how the groups compare."""
    rows = job.read_json("threshold", "diagnostics")
    checks = [inputs.Check(row["name"], row["sentence"], row["p_value"]) for row in rows]
    groups = job.read_json("threshold", "threshold")["groups"]  # its sentence tells the p-value
    if groups:
        checks.append(inputs.Check("between groups", groups["sentence"]))
    return tuple(checks)


def _skipped(job: Job) -> tuple[inputs.SkippedItem, ...]:
    rows = (row for stage in READ_STAGES for row in job.read(stage, "skipped").to_pylist())
    return tuple(
        inputs.SkippedItem(row["stage"], row["concept"] or None, row["item"] or None, row["reason"])
        for row in rows
    )


def _notes(job: Job, model: Model, corpus: Corpus) -> tuple[str, ...]:
    """Return what a reader has to know before trusting the answer."""
    warnings = job.read_json("concepts", "catalogue")["warnings"]
    scorer = scorer_of(job.settings)
    sources = [("Model", model.note), ("Corpus", corpus.note), ("Scorer", scorer.note)]
    return (
        *(f"{what}: {note}" for what, note in sources if note),
        *(f"Concept list: {each}." for each in warnings),
    )
