"""``fit doctor``: does this machine have what the tool needs?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from fit.cli import printing


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: fit doctor --json")(doctor)


def doctor(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check Python, packages, DuckDB, torch and its device, the demo data, disk space and extras."""
    from concepts.errors import MissingExtra
    from fit.doctor import examine

    checks = list(examine())
    if json:
        printing.as_json([asdict(check) for check in checks])
    else:
        words = {True: "ok", False: "-"}
        rows = [
            {"check": c.what, "": words[c.ok] if c.ok or not c.needed else "WRONG", "found": c.found}
            for c in checks
        ]
        printing.table(rows)
    wrong = [check for check in checks if check.needed and not check.ok]
    if wrong:
        raise MissingExtra(f"{wrong[0].what}: {wrong[0].found}")
