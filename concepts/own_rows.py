"""Rows of one's own: models, scorers, corpora, domains and lists added without touching the packages.

They lie in a folder (`rows_folder`) under the names that the packages use: ``models.toml``, ``scorers.toml``,
``corpora.toml``, ``domains/<name>.toml``, ``lists/<domain>/<set>.csv``. An own row cannot take the name of a
shipped one: a run's settings name rows, and a name has to mean the same for everybody.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from concepts.errors import ConceptsError, CorpusError, FitError, ModelError, unknown

VARIABLE = "FIT_ROWS"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
LISTS = "lists"
T = TypeVar("T")
MOST_BYTES = 10 * 2**20  # of a file of rows: written by hand, so anything larger is something else


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of rows.

    Attributes:
        noun: One of them, as in messages.
        place: The file of all of them, or the folder with one file each, in the folder of own rows.
        error: What a malformed row raises.
    """

    noun: str
    place: str
    error: type[FitError]

    @property
    def in_files(self) -> bool:
        """Whether each row is a file of its own."""
        return not self.place.endswith(".toml")


MODEL = Kind("model", "models.toml", ModelError)
SCORER = Kind("scorer", "scorers.toml", ModelError)
CORPUS = Kind("corpus", "corpora.toml", CorpusError)
DOMAIN = Kind("domain", "domains", ConceptsError)


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A row that the user added.

    Attributes:
        content: Its keys and values.
        file: Where it stands.
        text: The whole file, to find lines in.
    """

    content: dict[str, Any]
    file: Path
    text: str


def rows_folder() -> Path:
    """Return the folder of own rows, absolute: ``$FIT_ROWS``, else the user's configuration of ``fit``.

    That is ``$XDG_CONFIG_HOME/fit``, else ``~/.config/fit``. It need not exist.
    """
    if given := os.environ.get(VARIABLE):
        return Path(os.path.abspath(os.path.expanduser(given)))
    configured = os.environ.get("XDG_CONFIG_HOME", "")
    # The XDG specification has relative paths ignored.
    home = configured if os.path.isabs(configured) else os.path.expanduser("~/.config")
    return Path(home) / "fit"


def registered(
    kind: Kind, shipped: Mapping[str, dict[str, Any]], make: Callable[[str, dict[str, Any]], T]
) -> tuple[T, ...]:
    """Return all rows of a kind, shipped and own, in the order of their names.

    Args:
        kind: The kind.
        shipped: The rows of the packages by name.
        make: What a row describes; raises the kind's error.

    Raises:
        FitError: (the kind's) An own row is malformed, or has the name of a shipped one; the message names
            the file and the line.
    """
    made = {name: make(name, row) for name, row in shipped.items()}
    for name, row in own_rows(kind).items():
        if name in shipped:
            raise kind.error(f"{where(row, name)}: {name}: a shipped {kind.noun} has this name; take another")
        made[name] = made_of(kind, name, row, make)
    return tuple(made[name] for name in sorted(made))


def made_of(kind: Kind, name: str, row: OwnRow, make: Callable[[str, dict[str, Any]], T]) -> T:
    """Return what an own row describes; an error names file and line."""
    try:
        return make(name, row.content)
    except FitError as error:
        raise kind.error(f"{where(row, name, str(error))}: {error}") from None


def own_rows(kind: Kind) -> dict[str, OwnRow]:
    """Return the user's rows of a kind by name.

    Raises:
        FitError: (the kind's) A file is not TOML, or a name is none.
    """
    place = rows_folder() / kind.place
    if not kind.in_files:
        return _tables(kind, place) if place.exists() else {}
    found = {}
    for file in sorted(place.glob("*.toml")) if place.is_dir() else ():
        check_name(file.stem, str(file), kind.error)
        content, text = _read(kind, file)
        found[file.stem] = OwnRow(content, file, text)
    return found


def _tables(kind: Kind, file: Path) -> dict[str, OwnRow]:
    tables, text = _read(kind, file)
    rows = {name: OwnRow(content, file, text) for name, content in tables.items()}
    for name, row in rows.items():
        if not isinstance(row.content, dict):
            raise kind.error(f"{file}: {name} stands outside of a table; begin with [{kind.noun}-name]")
        check_name(name, where(row, name), kind.error)
    return rows


def own_lists() -> dict[str, Path]:
    """Return the files of the user's concept lists by name, ``<domain>/<set>``.

    Raises:
        ConceptsError: A name is none.
    """
    files = sorted((rows_folder() / LISTS).glob("*/*.csv"))
    for file in files:
        check_name(file.stem, str(file), ConceptsError)
        check_name(file.parent.name, str(file.parent), ConceptsError)
    return {f"{file.parent.name}/{file.stem}": file for file in files}


def origin(kind: Kind, name: str) -> str:
    """Return the file that a row is from; empty: it is shipped, or no row."""
    row = own_rows(kind).get(name)
    return str(row.file) if row else ""


def own_digest(kind: Kind, name: str, keys: tuple[str, ...] = ()) -> str:
    """Return a digest of an own row's keys (none given: of all), empty where the row is not one's own.

    A shipped row changes with the version alone; the results of one's own have to follow the editor.
    """
    row = own_rows(kind).get(name)
    if row is None:
        return ""
    content = json.dumps(
        {key: row.content.get(key) for key in keys or row.content}, sort_keys=True, default=str
    )
    return hashlib.sha256(content.encode()).hexdigest()


def check_keys(
    kind: Kind, name: str, row: Mapping[str, Any], made: type, without: tuple[str, ...] = ()
) -> None:
    """Raise the kind's error where a row has a key too many or too few.

    Args:
        kind: Of the row.
        name: Of the row.
        row: Its keys and values.
        made: The dataclass that it describes; its fields without a default are needed.
        without: Fields beside ``name`` that are no keys.
    """
    known = {each.name: each for each in fields(made) if each.name not in ("name", *without)}
    for key in sorted(row.keys() - known.keys()):
        raise kind.error(f"{kind.noun} {name}: {unknown('key', key, known)}")
    needed = {key for key, each in known.items() if each.default is each.default_factory is MISSING}
    for key in sorted(needed - row.keys()):
        raise kind.error(f"{kind.noun} {name}: the key {key} is missing")


def check_name(name: str, place: str, error: type[FitError]) -> None:
    """Raise `error` where a name cannot be one of an own row."""
    if not NAME.fullmatch(name):
        rule = "small letters, digits, '.', '_' and '-', beginning with a letter or digit, at most 64"
        raise error(f"{place}: {name!r} cannot be a name; take {rule}")


def where(row: OwnRow, name: str, message: str = "") -> str:
    """Return ``FILE, line N``: of the key that a message is about, else of the row's beginning."""
    lines = row.text.splitlines()
    head = re.compile(rf"\s*\[+\s*[\"']?{re.escape(name)}[\"']?\s*[\].]")
    begin = next((i for i, line in enumerate(lines) if head.match(line)), 0)
    about = message.partition(f"{name}: ")[2].partition("; known:")[0]
    if key := _first_named(row.content, about):
        pattern = re.compile(rf"\s*[\[\"']*(?:{re.escape(name)}[\"']?\.)?[\"']?{re.escape(key)}\b")
        begin = next((i for i in range(begin, len(lines)) if pattern.match(lines[i])), begin)
    return f"{row.file}, line {begin + 1}"


def _first_named(content: Mapping[str, Any], text: str) -> str:
    """Return the key that a text names first, itself or by its value; empty: none."""
    named = [
        (found.start(), key)
        for key, value in content.items()
        for word in ((key, value) if isinstance(value, str) and value else (key,))
        if (found := re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text))
    ]
    return min(named)[1] if named else ""


def _read(kind: Kind, file: Path) -> tuple[dict[str, Any], str]:
    """Return the content of a TOML file, and its text."""
    try:
        if not file.is_file() or file.stat().st_size > MOST_BYTES:
            raise kind.error(f"{file}: no file of rows (a file of at most {MOST_BYTES >> 20} MiB)")
        text = file.read_text(encoding="utf-8")
        return tomllib.loads(text), text
    except OSError as error:
        raise kind.error(f"{file}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:  # TOML's and UTF-8's errors are ValueErrors
        raise kind.error(f"{file}: not TOML ({error}); mend it") from None
