"""``fit new``: a row of one's own from a commented template."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from concepts.own_rows import CORPUS, DOMAIN, MODEL, SCORER, Kind
from fit.cli import printing


@dataclass(frozen=True)
class _Registry:
    """Where rows of a kind are read, and what has to be edited in a new one."""

    kind: Kind
    rows: Callable[[], Iterable[Any]]
    edit: str
    listed: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: fit new model my-model")(new)


def new(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="domain, model, scorer or corpus.")],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Small letters, digits, full stops, underscores, hyphens.")
    ],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a row of your own from a commented template, and check it.

    It goes into the folder of your rows: $FIT_ROWS, else ~/.config/fit. Nothing that is there is changed.
    """
    from concepts.errors import UsageError, unknown
    from concepts.new_rows import write_row

    registries = _registries()
    if kind not in registries:
        raise UsageError(unknown("kind of row", kind, registries))
    registry = registries[kind]
    written = write_row(registry.kind, name, [row.name for row in registry.rows()])
    registry.rows()  # the row is read as any command reads it: an error would name file and line
    check = f"fit {registry.listed} {name}"
    if json:
        beside = [str(file) for file in written.beside]
        printing.as_json({"file": str(written.file), "line": written.line, "beside": beside, "check": check})
        return
    facts = [("row", f"{written.file}, line {written.line}")]
    facts += [("with it", str(file)) for file in written.beside]
    facts += [("edit", registry.edit), ("check", check)]
    printing.facts(f"{kind} {name}: written", facts)


def _registries() -> dict[str, _Registry]:
    from concepts.domain import domains
    from corpus.registry import corpora
    from fit.generation.models import models
    from fit.imitation.scorers import scorers

    rows = (
        _Registry(DOMAIN, domains, "noun, prompts and scorer; and the list of concepts", "domains"),
        _Registry(MODEL, models, "weights, source, licence and corpus", "models"),
        _Registry(SCORER, scorers, "encoder, weights, domain, source and licence", "scorers"),
        _Registry(CORPUS, corpora, "captions, source and licence", "corpora"),
    )
    return {row.kind.noun: row for row in rows}
