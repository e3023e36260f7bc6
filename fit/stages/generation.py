"""Stage `generation`: images of every concept from the model, and from the same model untrained.

One part per batch.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from concepts.catalogue import find_catalogue
from concepts.concept import Concept
from corpus.registry import data_folder
from fit.generation.models import Model, load_model
from fit.generation.places import weights_digest
from fit.generation.requests import Request, Sampling, batches, requests_for
from fit.run import Job
from fit.stages.inputs import concepts_of, domain_of

if TYPE_CHECKING:
    from fit.generation.sampling import Sample

VERSION = 1
MODEL, CONTROL = "model", "control"
MEASURED = 16  # images of the measurement for a dry run
BYTES_A_PIXEL = 2.5  # of a losslessly stored image, measured on the demo's


@dataclass(frozen=True)
class _Plan:
    """All images to sample: (part name, arm, requests) in order."""

    model: Model
    sampling: Sampling
    parts: tuple[tuple[str, str, tuple[Request, ...]], ...]

    @property
    def images(self) -> int:
        return sum(len(requests) for _, _, requests in self.parts)


def outside(job: Job) -> dict[str, str]:
    """Return a digest of the model's weights."""
    model = load_model(job.settings.model)
    return {f"model {model.name}": weights_digest(model, data_folder())}


def work(job: Job) -> list[str]:
    """Say how many images are to be sampled and, from one batch sampled here and now, how long that takes."""
    plan = _plan(job, find_catalogue(job.settings.concepts).concepts)
    todo = [part for part in plan.parts if not job.has_part(part[0])]
    images = sum(len(requests) for _, _, requests in todo)
    steps = f"{plan.sampling.steps} steps" if plan.sampling.steps else "the pipeline's default steps"
    lines = [f"{images:,} images to sample with {steps} in {len(todo)} batches"]
    if todo:
        lines.append(_measured(job, plan, todo[0][2][:MEASURED], images))
        if plan.sampling.width:
            size = images * plan.sampling.width * plan.sampling.height * BYTES_A_PIXEL
            lines.append(f"about {size / 1e6:,.0f} MB on disk")
    return lines


def _measured(job: Job, plan: _Plan, few: Sequence[Request], images: int) -> str:
    from fit.generation.pipelines import choose_device, load_pipeline
    from fit.generation.sampling import sample_batch

    device = choose_device(job.settings.generation.device)
    pipeline = load_pipeline(plan.model, data_folder(), device)
    sample_batch(pipeline, few, plan.sampling)  # the first batch also warms up
    begun = time.perf_counter()
    sample_batch(pipeline, few, plan.sampling)
    each = (time.perf_counter() - begun) / len(few)
    speed = f"{1 / each:,.1f} images/s, measured on {len(few)} images"
    return f"about {images * each / 60:,.1f} minutes on {device} ({speed})"


def run(job: Job) -> None:
    """Write the parts, one row per request; an image that could not be had is null with a reason."""
    from fit.generation.pipelines import choose_device, load_pipeline
    from fit.generation.sampling import sample_batch
    from fit.generation.untrained import untrained

    plan = _plan(job, concepts_of(job))
    device = choose_device(job.settings.generation.device)
    arms: dict[str, Any] = {}
    with job.progress(plan.images, "images") as bar:
        for name, arm, requests in plan.parts:
            if not job.has_part(name):
                if not arms:
                    arms[MODEL] = load_pipeline(plan.model, data_folder(), device)
                if arm == CONTROL and CONTROL not in arms:
                    arms[CONTROL] = untrained(arms[MODEL], job.seed)
                job.write_part(name, _table(arm, sample_batch(arms[arm], requests, plan.sampling)))
            bar.advance(len(requests))
    _note_missing(job)
    job.write_json("device", {"device": str(device), "images": plan.images})


def _note_missing(job: Job) -> None:
    for part in job.parts():
        for row in part.drop_columns(["image"]).to_pylist():
            if row["reason"]:
                item = f"{row['arm']} image {row['prompt_index']}/{row['image_index']}"
                job.skip(row["concept"], item, row["reason"])


def _plan(job: Job, concepts: Sequence[Concept]) -> _Plan:
    settings = job.settings.generation
    model = load_model(job.settings.model)
    sampling = Sampling(
        settings.steps or model.steps, settings.guidance or model.guidance, model.width, model.height
    )
    size = settings.batch_size or model.batch_size or 8
    arms = [(MODEL, settings.images_per_prompt)]
    if settings.control:
        arms.append((CONTROL, settings.control_images_per_prompt))
    parts = [
        # The trained model's parts come first by name: a run that is cut short has its main result first.
        (f"{place}-{arm}-{number:06d}", arm, batch)
        for place, (arm, images) in enumerate(arms)
        for number, batch in enumerate(batches(_requests(job, concepts, images), size))
    ]
    return _Plan(model, sampling, tuple(parts))


def _requests(job: Job, concepts: Sequence[Concept], images: int) -> list[Request]:
    domain = domain_of(job.settings)
    return [
        request
        for concept in concepts
        for request in requests_for(concept.name, domain.prompts_for(concept.name), images, job.seed)
    ]


def _table(arm: str, samples: Sequence[Sample]) -> pa.Table:
    requests = [sample.request for sample in samples]
    return pa.table(
        {
            "arm": pa.array([arm] * len(samples), pa.string()),
            "concept": pa.array([r.concept for r in requests], pa.string()),
            "prompt_index": pa.array([r.prompt_index for r in requests], pa.int32()),
            "prompt": pa.array([r.prompt for r in requests], pa.string()),
            "image_index": pa.array([r.image_index for r in requests], pa.int32()),
            "seed": pa.array([r.seed for r in requests], pa.int64()),
            "digest": pa.array([_digest(sample.image) for sample in samples], pa.string()),
            "reason": pa.array([sample.reason for sample in samples], pa.string()),
            "image": pa.array([sample.image for sample in samples], pa.binary()),
        }
    )


def _digest(image: bytes | None) -> str | None:
    return None if image is None else hashlib.sha256(image).hexdigest()
