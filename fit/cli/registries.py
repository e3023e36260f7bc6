"""``fit models``, ``fit domains``, ``fit corpora``: the rows there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from fit.cli import printing

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Json = Annotated[bool, typer.Option("--json", help="Print whole rows as JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: fit models --json")(models)
    app.command(epilog="Example: fit domains")(domains)
    app.command(epilog="Example: fit corpora")(corpora)


def models(json: Json = False) -> None:
    """List the models that have a row; any hub id or local diffusers folder works as well."""
    from fit.generation.models import models as rows

    _show(rows(), ("name", "title", "corpus", "source", "licence"), json)


def domains(json: Json = False) -> None:
    """List the domains."""
    from concepts.domain import domains as rows

    _show(rows(), ("name", "title", "default_concepts", "scorer"), json)


def corpora(json: Json = False) -> None:
    """List the corpora."""
    from corpus.registry import corpora as rows

    _show(rows(), ("name", "title", "source", "licence"), json)


def _show(rows: Sequence[DataclassInstance], columns: Sequence[str], json: bool) -> None:
    if json:
        printing.as_json([asdict(row) for row in rows])
    else:
        printing.table([{column: getattr(row, column) for column in columns} for row in rows])
