"""``fit bundle`` and ``fit check``: a result for others to check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fit.cli import printing


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: fit bundle runs/art-styles-demo --out evidence.zip")(bundle)
    app.command(epilog="Example: fit check evidence.zip")(check)


def bundle(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")],
    out: Annotated[
        Path | None, typer.Option(help="The bundle; default: <RUN>.zip beside the folder.")
    ] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Also pack images and embeddings, of people too.")
    ] = False,
) -> None:
    """Pack what another party needs to check a result: settings, counts, scores, digests, versions.

    Pictures and embeddings stay at home unless asked for.
    """
    from fit.evidence.bundle import bundle as pack
    from fit.run import folder

    made = pack(folder.load(run), out or run.with_name(f"{run.name}.zip"), pictures=pictures)
    typer.echo(f"bundle: {made.path} ({made.files} files)")
    typer.echo(f"sha256: {made.sha256}")


def check(
    path: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Made by fit bundle.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a bundle: digests, the chain of receipts, verdict and figures computed again.

    Ends with 2 where something differs.
    """
    from concepts.errors import MalformedFile
    from fit.evidence.check import check as look

    findings = look(path)
    if json:
        rows = [
            {
                "what": f.what,
                "passed": f.passed,
                "differences": f.differences,
                "not_checked": f.because or None,
            }
            for f in findings
        ]
        printing.as_json({"bundle": str(path), "passed": all(f.passed for f in findings), "findings": rows})
    else:
        for finding in findings:
            typer.echo(finding.sentence)
    differs = sum(bool(finding.differences) for finding in findings)
    if differs:
        raise MalformedFile(f"{path}: {differs} of {len(findings)} checks found differences")
