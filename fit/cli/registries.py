"""``fit models``, ``domains``, ``corpora``, ``scorers``: the rows there are, or all that one of them says."""

from __future__ import annotations

from typing import Annotated

import typer

from fit.cli import printing, registry_rows

Json = Annotated[bool, typer.Option("--json", help="Print whole rows as JSON.")]
Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show all that one row says.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: fit models sd1.5")(models)
    app.command(epilog="Example: fit domains faces")(domains)
    app.command(epilog="Example: fit corpora relaion2b-en")(corpora)
    app.command(epilog="Example: fit scorers csd")(scorers)


def models(name: Name = None, json: Json = False) -> None:
    """List the models that have a row; any hub id or local diffusers folder works as well."""
    from concepts.own_rows import MODEL
    from fit.generation.models import load_model
    from fit.generation.models import models as rows

    found = rows() if name is None else (load_model(name),)
    if json:
        printing.as_json([registry_rows.model_values(row) for row in found])
    elif name is None:
        printing.table(
            [
                {
                    "name": row.name,
                    "title": row.title,
                    "size": f"{row.width} x {row.height}" if row.width else "",
                    "gated": "yes" if row.gated else "",
                    "from": registry_rows.maker(MODEL, row.name),
                    "trained on": registry_rows.corpora_of(row),
                    "licence": registry_rows.short(row.licence),
                }
                for row in found
            ]
        )
    else:
        printing.facts(f"{found[0].name}: {found[0].title}", registry_rows.model_facts(found[0]))


def domains(name: Name = None, json: Json = False) -> None:
    """List the domains, and the concept lists of one."""
    from concepts.domain import domains as rows
    from concepts.domain import load_domain
    from concepts.own_rows import DOMAIN

    found = rows() if name is None else (load_domain(name),)
    if json:
        printing.as_json([registry_rows.domain_values(row) for row in found])
    elif name is None:
        columns = ("name", "title", "default_concepts", "scorer")
        printing.table(
            [
                {column: getattr(row, column) for column in columns}
                | {"from": registry_rows.maker(DOMAIN, row.name)}
                for row in found
            ]
        )
    else:
        printing.facts(f"{found[0].name}: {found[0].title}", registry_rows.domain_facts(found[0]))


def corpora(name: Name = None, json: Json = False) -> None:
    """List the corpora; a folder or glob of Parquet files with captions works as well."""
    from concepts.own_rows import CORPUS
    from corpus.availability import is_at_hand
    from corpus.registry import corpora as rows
    from corpus.registry import load_corpus
    from fit.generation.models import models as trained

    found = rows() if name is None else (load_corpus(name),)
    if json:
        printing.as_json([registry_rows.corpus_values(row, trained()) for row in found])
    elif name is None:
        printing.table(
            [
                {
                    "name": row.name,
                    "title": row.title,
                    "rows": registry_rows.number(row.rows) if row.rows else "",
                    "here": "yes" if is_at_hand(row) else "no",
                    "gated": "yes" if row.access.startswith("gated") else "",
                    "from": registry_rows.maker(CORPUS, row.name),
                    "licence": registry_rows.short(row.licence),
                }
                for row in found
            ]
        )
    else:
        printing.facts(f"{found[0].name}: {found[0].title}", registry_rows.corpus_facts(found[0], trained()))


def scorers(name: Name = None, json: Json = False) -> None:
    """List the scorers; any weights of a known kind work as well, as KIND:PLACE."""
    from dataclasses import asdict

    from concepts.own_rows import SCORER, origin
    from fit.imitation.scorers import load_scorer
    from fit.imitation.scorers import scorers as rows

    found = rows() if name is None else (load_scorer(name),)
    if json:
        printing.as_json([asdict(row) | {"file": origin(SCORER, row.name) or None} for row in found])
    elif name is None:
        printing.table(
            [
                {
                    "name": row.name,
                    "title": row.title,
                    "domain": row.domain,
                    "from": registry_rows.maker(SCORER, row.name),
                    "licence": row.licence,
                }
                for row in found
            ]
        )
    else:
        facts = {key: str(value) for key, value in asdict(found[0]).items() if value}
        facts["row"] = registry_rows.row_told(SCORER, found[0].name)
        printing.facts(f"{facts.pop('name')}: {facts.pop('title')}", list(facts.items()))
