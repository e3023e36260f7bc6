"""New rows of one's own, from the commented templates in ``templates/``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from concepts.errors import UsageError
from concepts.own_rows import DOMAIN, LISTS, Kind, check_name, origin, rows_folder
from concepts.whole import write_whole

FIRST = "first"  # the name of a new domain's list


@dataclass(frozen=True, slots=True)
class NewRow:
    """A row that was written.

    Attributes:
        file: Where it stands.
        line: Its first line, from 1.
        beside: Other files that came with it.
    """

    file: Path
    line: int = 1
    beside: tuple[Path, ...] = ()


def write_row(kind: Kind, name: str, known: Iterable[str]) -> NewRow:
    """Write a row from its kind's template into the folder of own rows; nothing that is there is changed.

    Args:
        kind: Of the row.
        name: Of the row.
        known: The names of all rows of the kind, shipped and own.

    Raises:
        FitError: (the kind's) The name is none.
        UsageError: There is a row of that name, or a file that would be written over.
    """
    check_name(name, f"new {kind.noun}", kind.error)
    if name in known:
        where = origin(kind, name) or "a shipped one"
        raise UsageError(f"{kind.noun} {name}: there is one already ({where}); take another name, or edit it")
    folder = rows_folder()
    if kind.in_files:
        return _write_files(kind, name, folder)
    file = folder / kind.place
    folder.mkdir(parents=True, exist_ok=True)
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if before:
        before = before.rstrip("\n") + "\n\n"
    write_whole(file, before + _filled(f"{kind.noun}.toml", name))
    return NewRow(file, before.count("\n") + 1)


def _write_files(kind: Kind, name: str, folder: Path) -> NewRow:
    """Write a row that is a file of its own; a domain's with a list, without which it could not be used."""
    texts = {folder / kind.place / f"{name}.toml": f"{kind.noun}.toml"}
    if kind is DOMAIN:
        texts |= {folder / LISTS / name / f"{FIRST}{suffix}": f"list{suffix}" for suffix in (".csv", ".toml")}
    if there := next((file for file in texts if file.exists()), None):
        raise UsageError(f"{there}: is there already; move it, or take another name than {name}")
    for file, template in reversed(texts.items()):  # the row comes last: it is never there without its list
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, _filled(template, name))
    file, *beside = texts
    return NewRow(file, beside=tuple(beside))


def _filled(template: str, name: str) -> str:
    text = files("concepts").joinpath("templates").joinpath(template).read_text(encoding="utf-8")
    key = f'"{name}"' if "." in name else name  # unquoted, a full stop in a head begins a table inside
    return text.replace("[{name}", f"[{key}").replace("{name}", name)
