"""The commands, put together. Their modules import nothing heavy at the top: ``--help`` must be quick."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

import fit
from fit.cli import (
    calibrate,
    clean,
    compare,
    count,
    count_embeddings,
    curate,
    doctor,
    estimate,
    evidence,
    forget,
    lookup,
    new,
    plan,
    references,
    registries,
    score,
    stages,
    status,
    threshold,
    whatif,
)

app = typer.Typer(
    name="fit",
    help="Find the number of training images at which a text-to-image model begins to imitate a concept.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# In the order in which `fit --help` lists them.
for module in (
    estimate,
    count,
    count_embeddings,
    references,
    stages,
    score,
    calibrate,
    threshold,
    plan,
    curate,
    lookup,
    whatif,
    compare,
    evidence,
    forget,
    status,
    clean,
    doctor,
    registries,
    new,
):
    module.register(app)


def command() -> Callable[..., Any]:
    """Return the whole command line, to be called with its arguments."""
    return typer.main.get_command(app).main


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(fit.__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Find the number of training images at which a model begins to imitate a concept."""
