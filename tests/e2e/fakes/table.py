"""The table of the fake stages, and a command that brings a run of them up to date."""

import sys
from pathlib import Path

from fit import cli, execute
from fit.cli import app
from fit.config import Settings
from fit.pipeline import Stage
from fit.run import folder

STAGES = (
    Stage("first", "tests.e2e.fakes.first", ("corpus", "counts", "seed")),
    Stage("second", "tests.e2e.fakes.second", ("threshold.level",), ("first",)),
    Stage("third", "tests.e2e.fakes.third", ("report",), ("second",)),
)


def settings(corpus: Path, seed: int = 0) -> Settings:
    return Settings(domain="art-styles", concepts="c", model="m", corpus=str(corpus), seed=seed)


def bring(run: Path, corpus: Path, *assignments: str) -> list[str]:
    planned = folder.plan(run, settings(corpus), (), assignments)
    return execute.bring_up_to_date(planned, STAGES, STAGES)


def main() -> None:
    """Bring a run up to date behind the edge of the real command line: its signals and exit codes."""
    run, corpus, *assignments = sys.argv[1:]

    def command(**_: object) -> None:
        bring(Path(run), Path(corpus), *assignments)

    app.command = lambda: command
    cli.main([])


if __name__ == "__main__":
    main()
