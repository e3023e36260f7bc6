"""Sampling the parts of a run: on one device here, on all its GPUs, or on a cluster.

Whoever samples a part hands it back; it is written here, while the next ones are sampled.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from concepts.errors import StageIncomplete
from corpus.executors import Executor, SetAside, make_executor
from corpus.registry import data_folder
from fit.generation.requests import Request
from fit.run import Job
from fit.stages.generated import packed, write_generated

if TYPE_CHECKING:
    import pyarrow as pa

    from fit.generation.engine import Engine, Setup

MODEL, CONTROL = "model", "control"


@dataclass(frozen=True)
class Part:
    """Some images to sample.

    Attributes:
        name: Of the part.
        arm: `MODEL`, or `CONTROL` for the untrained one.
        requests: What is asked.
    """

    name: str
    arm: str
    requests: tuple[Request, ...]


@dataclass(frozen=True)
class Made:
    """A part that was sampled.

    Attributes:
        tar: Its images, as a tar file.
        table: What was asked, and where its image is.
        batch_size: Images that were sampled together.
        device: Where.
    """

    tar: bytes
    table: pa.Table
    batch_size: int
    device: str


class Sampling:
    """Samples parts, wherever it is sent; the model is loaded there with the first part."""

    def __init__(self, setup: Setup) -> None:
        """Take what an engine is made of."""
        self._setup = setup
        self._engine: Engine | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_setup": self._setup, "_engine": None}

    def __call__(self, part: Part) -> Made:
        """Sample a part."""
        from fit.generation.engine import Engine

        self._engine = self._engine or Engine(self._setup, data_folder())
        found = self._engine.sample(part.requests, blank=part.arm == CONTROL)
        tar, table = packed(part.name, part.arm, found.samples)
        return Made(tar, table, found.batch_size, found.device)


def sample_parts(job: Job, setup: Setup, parts: Sequence[Part], images: int) -> None:
    """Sample parts and write them.

    Args:
        job: The stage's job.
        setup: The model and how to sample it.
        parts: What is to do.
        images: All images of the run, with those that are there.

    Raises:
        StageIncomplete: A part could not be sampled; the others are written.
        ModelError: The model cannot be loaded.
    """
    set_aside: list[SetAside[Part]] = []
    done = images - sum(len(part.requests) for part in parts)
    with (
        job.progress(images, "images", done=done) as bar,
        executor_for(job) as executor,
        ThreadPoolExecutor(1) as pen,
    ):
        writing: Future[None] | None = None
        for outcome in executor.map(Sampling(setup), parts):
            if writing is not None:
                writing.result()
            if isinstance(outcome, SetAside):
                set_aside.append(outcome)
                continue
            writing = pen.submit(_write, job, outcome.item, outcome.result, images)
            bar.advance(len(outcome.item.requests))
        if writing is not None:
            writing.result()
    if set_aside:
        first = f"{set_aside[0].item.name}: {set_aside[0].reason}"
        raise StageIncomplete(
            f"{job.stage}: {len(set_aside)} of {len(parts)} parts could not be sampled ({first}); "
            "what is done is kept, run the same command again to go on"
        )


def recorded_batch_size(job: Job) -> int:
    """Return the batch size that an interrupted sampling has come to; 0 where none is recorded."""
    path = job.folder / "device.json"
    return int(job.read_json(job.stage, "device")["batch_size"]) if path.is_file() else 0


def _write(job: Job, part: Part, made: Made, images: int) -> None:
    """Write a part; before it, for whoever goes on, the batch size where it is new or smaller."""
    known = recorded_batch_size(job)
    if not known or made.batch_size < known:
        job.write_json("device", {"device": made.device, "images": images, "batch_size": made.batch_size})
    write_generated(job, part.name, made.tar, made.table, made.batch_size)


def executor_for(job: Job) -> Executor:
    """Return who samples: this process on one device, a worker for each GPU, or a cluster."""
    execution = job.settings.execution
    gpus = _gpus(job.settings.generation.device)
    if execution.engine == "local" and len(gpus) < 2:
        return make_executor("local", execution.workers or 1)
    return make_executor(execution.engine, execution.workers, gpus=gpus)


def _gpus(device: str) -> tuple[str, ...]:
    """Return this machine's GPUs by their names in CUDA_VISIBLE_DEVICES; none where a device is named."""
    import torch

    if device not in ("auto", "cuda"):
        return ()
    named = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    count = torch.cuda.device_count()
    return tuple(named[:count] or [str(number) for number in range(count)])
