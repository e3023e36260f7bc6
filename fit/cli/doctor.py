"""``fit doctor``: does this machine have what the tool needs, and does it compute right?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from fit.cli import printing


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: fit doctor --deep")(doctor)


def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Also compute what is known; takes seconds.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check Python, packages, DuckDB, torch and its device, the demo data, disk space and extras.

    With --deep also whether this machine computes right: planted curves have their thresholds found, captions
    are counted by the plain rule and by every engine, pictures embedded as recorded. Ends with 13 where
    something is missing or differs.
    """
    from concepts.errors import MissingExtra
    from fit.doctor import examine

    checks = list(examine())
    if deep:
        from fit.doctor.deep import examine_deep

        checks += examine_deep()
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
