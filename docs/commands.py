"""Write ``docs/cli.md``, the page of all commands, from the parser: ``python docs/commands.py``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer

from fit.cli.app import app

PAGE = Path(__file__).with_name("cli.md")
HEAD = """# Commands

Written from the commands' own descriptions by `python docs/commands.py`; a test holds it to them. Results go
to stdout, progress and messages to stderr; the [exit codes](artefacts.md#exit-codes) are the same for all.
`fit --version` prints the version.
"""


def page() -> str:
    """Return the text of the page."""
    group: Any = typer.main.get_command(app)
    return "\n".join([HEAD, *(_section(name, command) for name, command in group.commands.items())])


def _section(name: str, command: Any) -> str:
    context = command.context_class(command, info_name=name)
    records = [each.get_help_record(context) for each in command.get_params(context)]
    rows = [
        f"| `{_cell(what)}` | {_cell(told.replace('<', '&lt;'))} |"
        for what, told in records
        if what != "--help"
    ]
    table = ["| | |", "|---|---|", *rows, ""] if rows else []
    example = command.epilog.removeprefix("Example: ")
    told = re.sub(r"\s*\n\s*\n\s*", "\n\n", command.help.strip()).replace("<", "&lt;")
    return "\n".join([f"## fit {name}", "", told, "", *table, "```sh", example, "```", ""])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
