"""Results on stdout: JSON for programs, plain tables for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from fit.report import names


def as_json(content: Any) -> None:
    """Print one JSON value."""
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False))


def table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows of the same keys in columns, the last one as wide as it is."""
    if not rows:
        return
    heads = list(rows[0])
    cells = [heads, *([names.line(str(row[head])) for head in heads] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(heads))]
    for line in cells:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def facts(title: str, pairs: Sequence[tuple[str, str]]) -> None:
    """Print a title and facts below it, each with its name; empty ones are left out."""
    told = [(name, fact) for name, fact in pairs if fact]
    width = max((len(name) for name, _ in told), default=0)
    typer.echo(title)
    for name, fact in told:
        typer.echo(f"  {name.ljust(width)}  {names.line(fact)}")
