"""What a command prints of a run: the sentence, the threshold object, or where a stage's results are."""

from __future__ import annotations

from typing import Any

from concepts.errors import UsageError
from fit.run import Run, artefacts

THRESHOLD = "threshold/threshold.json"
FACTS = "report/report.json"
REPORT = "report/report.html"


def check_json(last: str) -> None:
    """Refuse ``--json`` for a run that stops before there is a threshold, before any work is done.

    Raises:
        UsageError: With the stage and what to do.
    """
    if last not in ("threshold", "report"):
        raise UsageError(f"--json prints the threshold, which comes after {last}; leave out --json")


def threshold(run: Run) -> Any:
    """Return the threshold object of a run."""
    return artefacts.read_json(run.folder / THRESHOLD)


def lines(run: Run, last: str) -> list[str]:
    """Return what a person wants to know when a stage is done.

    Args:
        run: The run.
        last: The last stage that was asked for.
    """
    if last != "report":
        return [str(run.stage_folder(last))]
    facts = artefacts.read_json(run.folder / FACTS)
    return [str(facts["answer"]["sentence"]), f"report: {run.folder / REPORT}"]
