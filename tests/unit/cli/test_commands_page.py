"""docs/cli.md is what the parser says, and every command of the documents exists with its options."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from fit.cli.app import app
from tests.conftest import ROOT

COMMANDS: Any = typer.main.get_command(app)
PAGES = [
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "GLOSSARY.md", "SECURITY.md", "ETHICS.md"),
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
]


def typed(page: str) -> Iterator[list[str]]:
    """The `fit` commands of a page, in blocks and between backquotes, as words from `fit` on."""
    text = (ROOT / page).read_text("utf-8")
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if "fit " in line]
    lines += re.findall(
        r"(?<!`)`((?:\.venv/bin/)?fit [^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    )
    for line in lines:
        # What a command prints in a block is no command: these begin with fit, a variable or a path to fit.
        for part in re.split(r"\s(?:\||&&|;)\s", line):
            if found := re.match(r"(?:\w+=\S+ )*(?:\S*/)?fit ([a-z].*)", part.strip()):
                yield _words(found[1])


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command, comments=True)
    except ValueError:  # an apostrophe of a sentence
        return command.split()


def test_the_page_is_current() -> None:
    place = ROOT / "docs/commands.py"
    specification = importlib.util.spec_from_file_location("commands", place)
    assert specification
    assert specification.loader
    commands = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(commands)
    assert commands.PAGE.read_text("utf-8") == commands.page(), "run python docs/commands.py"


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_options_exist(page: str) -> None:
    for name, *words in typed(page):
        command = COMMANDS.commands.get(name)
        assert command, f"fit {name}"
        context = command.context_class(command, info_name=name)
        known = {
            option for each in command.get_params(context) for option in (*each.opts, *each.secondary_opts)
        }
        for word in words:
            option = re.match(r"--[a-z][a-z-]*|-[a-z]$", word)
            assert not option or option[0] in known, f"fit {name} {word}"


def test_commands_are_found() -> None:
    assert ["estimate", "--domain", "faces", "--model", "demo"] in list(typed("README.md"))
    assert ["lookup", "Brairia Jenmaelle"] in list(typed("docs/tutorials/artist.md"))
    assert sum(1 for page in PAGES for _ in typed(page)) > 100


@pytest.mark.parametrize("name", sorted(COMMANDS.commands))
def test_every_command_has_help_and_an_example_of_itself(name: str) -> None:
    command = COMMANDS.commands[name]
    assert command.help
    assert command.epilog.startswith(f"Example: fit {name} ")
    context = command.context_class(command, info_name=name)
    assert all(each.get_help_record(context)[1] for each in command.get_params(context))
