"""The table of stages.

To add a stage, add a row: its name is its folder and its value of ``--until``. A row names every setting
and every earlier stage that the results depend on; :class:`fit.run.Job` refuses to read any other stage.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from concepts.errors import UsageError, unknown
from fit.config import Settings
from fit.run import Job, Run


class Code(Protocol):
    """The module of a stage."""

    VERSION: int

    def outside(self, job: Job) -> dict[str, str]:
        """Return digests of inputs that are no stages, by what they are; cheap."""

    def work(self, job: Job) -> list[str]:
        """Return lines that say the work to come; reads little and writes nothing."""

    def run(self, job: Job) -> None:
        """Read, compute, write."""


@dataclass(frozen=True)
class Stage:
    """One row of the table.

    Attributes:
        name: Its name, its folder, its value of ``--until``.
        module: Where its code is; imported when it is needed.
        settings: Sections and single settings that its results depend on.
        needs: The stages that it reads.
        keeps: Folders of its own that outlive a change of its settings: what cannot be computed again, or not
            without asking others for it. Its code must look whether they still hold what is wanted.
        frees: Globs of its outputs that may be deleted to free disk once it and what opens it are current.
        opens: The stages that it cannot be computed without such outputs of.
    """

    name: str
    module: str
    settings: tuple[str, ...]
    needs: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    frees: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()

    def code(self) -> Code:
        """Import the code of the stage."""
        return cast("Code", importlib.import_module(self.module))

    def job(self, run: Run) -> Job:
        """Return what this stage sees of a run."""
        return Job(run, self.name, self.needs)


STAGES: tuple[Stage, ...] = (
    Stage("concepts", "fit.stages.concepts", ("concepts", "domain")),
    Stage("counts", "fit.stages.counts", ("corpus", "counts", "seed"), ("concepts",)),
    Stage("references", "fit.stages.references", ("corpus", "domain", "references", "scorer"), ("concepts",)),
    Stage(
        "verification",
        "fit.stages.verification",
        ("corpus", "domain", "verification", "scorer", "seed"),
        ("concepts", "counts", "references"),
        keeps=("images",),
        frees=("images/*",),
    ),
    Stage(
        "generation",
        "fit.stages.generation",
        ("model", "generation", "seed", "domain"),
        ("concepts",),
        frees=("parts/*.tar",),
    ),
    Stage(
        "scores",
        "fit.stages.scores",
        # Both scores are computed whichever the curve shows: `scores.score` is for the stages behind.
        (
            "corpus",
            "domain",
            "scorer",
            *(
                f"scores.{key}"
                for key in ("pool_size", "top_k", "mimetic2_top", "false_discovery_rate", "clip_score")
            ),
        ),
        ("concepts", "references", "verification", "generation"),
        opens=("generation",),
    ),
    Stage(
        "threshold",
        "fit.stages.threshold",
        ("threshold", "scores.score", "seed"),
        ("concepts", "verification", "scores"),
    ),
    Stage(
        "report",
        "fit.stages.report",
        tuple(name for name in Settings.model_fields if name != "execution"),  # it prints all others
        ("concepts", "counts", "references", "verification", "generation", "scores", "threshold"),
    ),
)


def until(name: str, stages: Sequence[Stage] = STAGES) -> tuple[Stage, ...]:
    """Return the stages up to and with the named one.

    Raises:
        UsageError: There is no such stage.
    """
    names = [stage.name for stage in stages]
    if name not in names:
        raise UsageError(unknown("stage", name, names))
    return tuple(stages[: names.index(name) + 1])


def leading_to(name: str, stages: Sequence[Stage] = STAGES) -> tuple[Stage, ...]:
    """Return the named stage and all that it needs, in the order of the table.

    Raises:
        UsageError: There is no such stage.
    """
    line = until(name, stages)
    wanted = {name}
    for stage in reversed(line):
        if stage.name in wanted:
            wanted.update(stage.needs)
    return tuple(stage for stage in line if stage.name in wanted)
