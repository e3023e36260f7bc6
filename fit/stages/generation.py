"""Stage `generation`: images of every concept from the model, and from the same model untrained.

One part for every few images, the same whatever the batch size and whoever samples it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from concepts.concept import Concept
from concepts.own_rows import DOMAIN
from corpus.registry import data_folder
from fit.generation.models import Model, load_model
from fit.generation.presets import Preset, Recipe, load_preset, notes_on, recipe_of
from fit.generation.requests import Request, batches, requests_for
from fit.run import Job, artefacts
from fit.stages.concepts import concept_set
from fit.stages.generated import has_generated, has_images
from fit.stages.inputs import concepts_of, domain_of, own_row
from fit.stages.sample_parts import CONTROL, MODEL, Part, recorded_batch_size, sample_parts

if TYPE_CHECKING:
    from fit.generation.engine import Setup
    from fit.generation.places import Found, Located

__all__ = ["CONTROL", "MODEL", "VERSION", "outside", "run", "work"]

VERSION = 2
MEASURED = 16  # images of the measurement for a dry run
BYTES_A_PIXEL = 2.5  # of a losslessly stored image, measured on the demo's
COMPILED_FROM = 4000
"""Images from which on compiling is taken to pay: it costs minutes once and saves a share of the rest."""


@dataclass(frozen=True)
class _Plan:
    """All images to sample, in order, and how."""

    model: Model
    preset: Preset
    recipe: Recipe
    parts: tuple[Part, ...]

    @property
    def images(self) -> int:
        return sum(len(part.requests) for part in self.parts)


def outside(job: Job) -> dict[str, str]:
    """Return digests of the model's weights, of what lies on top of them, and of how they are sampled."""
    from fit.generation.places import edit_digest, weights_digest

    model = load_model(job.settings.model)
    preset = load_preset(job.settings.generation.preset)
    edits = {f"{edit.part} on {model.name}": edit_digest(edit) for edit in model.edits}
    recipe = artefacts.digest(asdict(_recipe(job, model, preset)))
    weights = {f"model {model.name}": weights_digest(model, data_folder()), "recipe": recipe, **edits}
    return weights | own_row(DOMAIN, job.settings.domain, ("prompts",))


def work(job: Job) -> list[str]:
    """Say how many images are to be sampled and, from one batch sampled here and now, how long that takes."""
    plan = _plan(job, concept_set(job).concepts)
    kept = {name for name in job.part_names() if job.has_part(name) and has_images(job.parts_folder, name)}
    todo = [part for part in plan.parts if part.name not in kept]
    images = sum(len(part.requests) for part in todo)
    sampling = plan.recipe.sampling
    steps = f"{sampling.steps} steps" if sampling.steps else "the pipeline's default steps"
    lines = [f"{images:,} images to sample with {steps} in {len(todo)} parts"]
    lines += notes_on(plan.model, plan.preset, plan.recipe)
    if todo:
        lines.append(_measured(job, plan, todo[0].requests[:MEASURED], images))
        if sampling.width:
            size = images * sampling.width * sampling.height * BYTES_A_PIXEL
            lines.append(f"about {size / 1e6:,.0f} MB on disk")
    return lines


def _measured(job: Job, plan: _Plan, few: Sequence[Request], images: int) -> str:
    """Measure the speed; a model that is not on this machine is not fetched for that."""
    from fit.generation.engine import Engine
    from fit.generation.places import is_local

    if not is_local(plan.model):
        return f"how long it takes is known when its weights are here ({plan.model.weights[0]})"
    setup = _setup(job, plan)
    engine = Engine(replace(setup, recipe=replace(plan.recipe, compile=False)), data_folder())
    sampled = engine.sample(few)  # the first batch also warms up
    begun = time.perf_counter()
    engine.sample(few)
    each = (time.perf_counter() - begun) / len(few)
    speed = f"{1 / each:,.1f} images/s, measured on {len(few)} images"
    return f"about {images * each / 60:,.1f} minutes on {sampled.device} ({speed})"


def run(job: Job) -> None:
    """Write the parts, one row per request; an image that could not be had is null with a reason."""
    plan = _plan(job, concepts_of(job))
    todo = [part for part in plan.parts if not has_generated(job, part.name)]
    if todo:
        pinned = _locate(job, plan)
        sample_parts(job, replace(_setup(job, plan), pinned=pinned), todo, plan.images)
    _note_missing(job)


def _locate(job: Job, plan: _Plan) -> tuple[str, ...]:
    """Find the weights, say and record which they are, and return the places to take them from.

    A run that goes on takes the weights that it began with, whatever the hub has by now.
    """
    from fit.generation.places import locate

    model, recorded = plan.model, job.folder / "model.json"
    pinned = tuple(job.read_json(job.stage, "model")["pinned"]) if recorded.is_file() else ()
    located = locate(model, data_folder(), plan.recipe.safety_checker, pinned)
    for line in (*located.main.passed_over, *notes_on(model, plan.preset, plan.recipe)):
        job.note(f"{job.stage}: {line}")
    job.note(f"{job.stage}: {model.title}, licence: {model.licence} ({model.source})")
    if not recorded.is_file():
        job.write_json("model", _record(plan, located))
    return located.pinned


def _record(plan: _Plan, located: Located) -> dict[str, Any]:
    """Return what was sampled: where the weights are from, their digests, how they are sampled."""
    from fit.generation.places import edit_files

    model = plan.model
    return {
        "model": model.name,
        "licence": model.licence,
        "source": model.source,
        "preset": plan.preset.name,
        "recipe": asdict(plan.recipe),
        "pinned": located.pinned,
        "weights": _found(located.main),
        "prior": _found(located.prior) if located.prior else None,
        "edits": [
            {"part": edit.part, "scale": edit.scale, "files": edit_files(place)}
            for edit, place in zip(model.edits, located.edits, strict=True)
        ],
    }


def _found(found: Found) -> dict[str, Any]:
    from fit.generation.places import used_files

    return {"commit": found.commit or None, "files": used_files(found.folder)}


def _setup(job: Job, plan: _Plan) -> Setup:
    """Return what an engine is made of, with the batch size of an interrupted sampling where there is one."""
    from fit.generation.engine import Setup

    settings = job.settings.generation
    size = recorded_batch_size(job) or settings.batch_size or plan.model.batch_size
    return Setup(plan.model, plan.recipe, settings.device, job.seed, size)


def _note_missing(job: Job) -> None:
    for part in job.parts():
        for row in part.to_pylist():
            if row["reason"]:
                item = f"{row['arm']} image {row['prompt_index']}/{row['image_index']}"
                job.skip(row["concept"], item, row["reason"])


def _plan(job: Job, concepts: Sequence[Concept]) -> _Plan:
    settings = job.settings.generation
    model, preset = load_model(job.settings.model), load_preset(settings.preset)
    arms = [(MODEL, settings.images_per_prompt or preset.images_per_prompt)]
    if settings.control:
        arms.append((CONTROL, settings.control_images_per_prompt))
    parts = tuple(
        # The trained model's parts come first by name: a run that is cut short has its main result first.
        Part(f"{place}-{arm}-{number:06d}", arm, some)
        for place, (arm, images) in enumerate(arms)
        for number, some in enumerate(batches(_requests(job, concepts, images), settings.part_images))
    )
    recipe = _recipe(job, model, preset)
    many = sum(len(part.requests) for part in parts) >= COMPILED_FROM
    wanted = settings.compile == "on" or (settings.compile == "auto" and recipe.compile and many)
    return _Plan(model, preset, replace(recipe, compile=wanted), parts)


def _recipe(job: Job, model: Model, preset: Preset) -> Recipe:
    settings = job.settings.generation
    recipe = recipe_of(model, preset, settings.steps, settings.guidance)
    if settings.safety_checker == "preset":
        return recipe
    return replace(recipe, safety_checker=settings.safety_checker == "on")


def _requests(job: Job, concepts: Sequence[Concept], images: int) -> list[Request]:
    domain = domain_of(job.settings)
    return [
        request
        for concept in concepts
        for request in requests_for(concept.name, domain.prompts_for(concept.name), images, job.seed)
    ]
