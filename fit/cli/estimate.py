"""``fit estimate``: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fit.cli import printing

if TYPE_CHECKING:
    from fit.pipeline import Stage
    from fit.run import Run

EXAMPLE = "Example: fit estimate --domain art-styles --model demo --set threshold.level=0.9"
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change a setting; may be repeated."),
]
AcceptUnfiltered = Annotated[
    bool,
    typer.Option(
        "--accept-unfiltered",
        help="Fetch images from a corpus that is not cleaned or does not tell which are unsafe.",
    ),
]

AllowPickle = Annotated[
    list[Path] | None,
    typer.Option(
        "--allow-pickle",
        metavar="FILE",
        help="A pickled checkpoint whose maker you trust: it is converted to safetensors, once.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(estimate)


def estimate(
    domain: Annotated[str, typer.Option(help="Domain, such as art-styles, or one of its concept sets.")],
    model: Annotated[str, typer.Option(help="Row of `fit models`, hub id, or local diffusers folder.")],
    corpus: Annotated[
        str | None, typer.Option(help="Row of `fit corpora`; default: the model's own.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Run folder; default: runs/<domain>-<model>.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the run; default: 0.")] = None,
    assignments: Assignments = None,
    allow_pickle: AllowPickle = None,
    until: Annotated[str, typer.Option(metavar="STAGE", help="Last stage to compute.")] = "report",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the work to come and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the threshold as one JSON object.")] = False,
    accept_unfiltered: AcceptUnfiltered = False,
) -> None:
    """Estimate the imitation threshold of a model: counts, images, scores, verdict, report.

    Running it again goes on where it stopped; what is current is not computed again.
    """
    from fit import api, pipeline, request

    stages = pipeline.until(until)
    convert(allow_pickle)
    asked = request.compose(domain, model, corpus, seed)
    planned = api.plan(asked, run, changed(assignments, accept_unfiltered))
    if dry_run:
        print_forecast(planned, stages)
    else:
        print_result(planned, stages, json)


def changed(assignments: list[str] | None, accept_unfiltered: bool) -> list[str]:
    """Return the settings to change, those of flags included."""
    return [*(assignments or []), *(["verification.accept_unfiltered=true"] if accept_unfiltered else [])]


def convert(pickles: list[Path] | None) -> None:
    """Convert the pickles that the user vouches for; from then on they are known by their digests."""
    for path in pickles or ():
        from fit.weights.pickles import allow_pickle

        allow_pickle(path)


def print_forecast(run: Run, stages: tuple[Stage, ...]) -> None:
    """Print the work to come, stage by stage."""
    from fit import execute

    for state, lines in execute.forecast(run, stages):
        typer.echo(f"{state.stage}: {state.sentence}")
        for line in lines:
            typer.echo(f"  {line}")


def print_result(run: Run, stages: tuple[Stage, ...], json: bool) -> None:
    """Bring a run up to date and print what its last stage has found."""
    from fit import execute, progress
    from fit.stages import answer

    last = stages[-1].name
    if json:
        answer.check_json(last)
    done = execute.bring_up_to_date(run, stages)
    if not done:
        progress.note(f"everything is current in {run.folder}")
    if json:
        printing.as_json(answer.threshold(run))
        return
    for line in answer.lines(run, last):
        typer.echo(line)
