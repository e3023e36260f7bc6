"""Stages as commands on a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fit.cli.estimate import (
    AcceptUnfiltered,
    AllowPickle,
    Assignments,
    changed,
    convert,
    print_forecast,
    print_result,
)

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, made by fit estimate.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the work to come and stop.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: fit verify runs/art-styles-demo --set verification.sample=100")(verify)
    app.command(epilog="Example: fit generate runs/art-styles-demo --dry-run")(generate)
    app.command(epilog="Example: fit report runs/art-styles-demo --set report.strips=12")(report)


def verify(
    run: RunFolder,
    assignments: Assignments = None,
    dry_run: DryRun = False,
    accept_unfiltered: AcceptUnfiltered = False,
) -> None:
    """Check a sample of each concept's images: hit rates and concept frequencies."""
    on_run(run, "verification", changed(assignments, accept_unfiltered), dry_run)


def generate(
    run: RunFolder,
    assignments: Assignments = None,
    dry_run: DryRun = False,
    allow_pickle: AllowPickle = None,
) -> None:
    """Sample images of each concept from the model."""
    convert(allow_pickle)
    on_run(run, "generation", assignments, dry_run)


def report(
    run: RunFolder,
    assignments: Assignments = None,
    dry_run: DryRun = False,
    policy: Annotated[bool, typer.Option("--policy", help="Print where the policy report is.")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also print it to RUN/report.pdf, by Chromium.")] = False,
) -> None:
    """Write the report, and the policy report for decision makers beside it."""
    from fit.stages.pdf import find_browser, print_pdf

    browser = find_browser() if pdf else ""
    on_run(run, "report", assignments, dry_run)
    if browser and not dry_run:
        print_pdf(browser, run / "report" / "report.html", run / "report.pdf")
        typer.echo(f"pdf: {run / 'report.pdf'}")
    if policy and not dry_run:
        typer.echo(f"policy report: {run / 'report' / 'policy.html'}")


def on_run(home: Path, stage: str, assignments: list[str] | None, dry_run: bool, json: bool = False) -> None:
    """Compute a stage of a run and what it needs."""
    from fit import pipeline
    from fit.run import folder

    run = folder.load(home, assignments or [])
    stages = pipeline.leading_to(stage)
    if dry_run:
        print_forecast(run, stages)
    else:
        print_result(run, stages, json)
