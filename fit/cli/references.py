"""``fit references``: the stage of a run, or a folder filled with openly licensed images."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fit.cli.estimate import Assignments
from fit.cli.stages import DryRun, on_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concepts.concept import Concept

EXAMPLE = "Example: fit references runs/faces-sd1.5 --from commons --contact you@example.org"


class Source(StrEnum):
    """Where images are fetched from."""

    COMMONS = "commons"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(references)


def references(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="Run folder; or else give --domain.")
    ] = None,
    source: Annotated[
        Source | None, typer.Option("--from", help="Fetch images, with author and licence, into a folder.")
    ] = None,
    domain: Annotated[str, typer.Option(help="Without a RUN: domain, or one of its concept sets.")] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Default with a RUN: where it looks for them.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Most images of a concept.")] = 30,
    contact: Annotated[str, typer.Option(help="Your mail address or web page; Wikimedia asks for it.")] = "",
    assignments: Assignments = None,
    dry_run: DryRun = False,
) -> None:
    """Bring together reference images of each concept, or fetch openly licensed ones from Commons first."""
    from concepts.errors import UsageError

    if source is None:
        if run is None:
            raise UsageError("give a RUN, or --from commons with --domain, --out and --contact")
        on_run(run, "references", assignments, dry_run)
        return
    if not contact:
        raise UsageError("--from needs --contact: a mail address or web page, as Wikimedia's rules ask")
    from corpus.commons import load_route
    from fit import progress
    from fit.stages import fetch_references

    name, concepts, folder = _wanted(run, domain, out)
    asked = fetch_references.Asked(concepts, load_route(name), folder, limit, contact)
    for each in fetch_references.fetch_references(asked):
        progress.note(f"{each.concept}: {each.images} images kept, {len(each.left_out)} left out")
    typer.echo(f"references: {folder}")


def _wanted(run: Path | None, domain: str, out: Path | None) -> tuple[str, Sequence[Concept], Path]:
    """Return the domain, the concepts and the folder to fill."""
    from concepts.catalogue import find_catalogue
    from concepts.domain import load_domain
    from concepts.errors import UsageError
    from fit.run import folder
    from fit.stages.references import folder_to_fill

    if run is not None:
        settings = folder.load(run).settings
        return settings.domain, find_catalogue(settings.concepts).concepts, out or folder_to_fill(settings)
    if not domain or out is None:
        raise UsageError("without a RUN, --from needs --domain and --out")
    row = load_domain(domain.partition("/")[0])
    chosen = domain if "/" in domain else row.default_concepts
    return row.name, find_catalogue(chosen).concepts, out
