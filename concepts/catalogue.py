"""Concept lists: reading and finding them.

A list is a UTF-8 CSV file with the column ``concept`` and optionally ``aliases``, ``group`` and ``flags``
(see ``lists/README.md``); a TOML file of the same name beside it says its title, source and licence.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from concepts.catalogue_checks import check_duplicates, find_warnings
from concepts.concept import Concept
from concepts.errors import ConceptsError, unknown
from concepts.matching import parse_phrase
from concepts.own_rows import own_lists
from concepts.removal import without_removed

COLUMNS = ("concept", "aliases", "group", "flags")
SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class ConceptSet:
    """A concept list that passed the checks.

    Attributes:
        name: ``<domain>/<set>`` for a shipped list and for one of own rows, the file's stem for any other.
        title: The title for readers.
        concepts: The concepts in the order of the file, at least one.
        warnings: What a reader should know before trusting the counts, one line each.
        digest: SHA-256 of the concepts, in hex: equal for equal concepts in equal order.
        source: Where the list comes from; empty when the file does not say.
        licence: Under which licence; empty when the file does not say.
        removed: How many concepts of the file are left out because they are on the removal list.
        people: ``invented`` where the file says that there are no such people; empty: they may be real.
    """

    name: str
    title: str
    concepts: tuple[Concept, ...]
    warnings: tuple[str, ...]
    digest: str
    source: str = ""
    licence: str = ""
    removed: int = 0
    people: str = ""


def read_catalogue(path: Path | str) -> ConceptSet:
    """Read and check a concept list from any CSV file.

    Raises:
        ConceptsError: The file is missing, not UTF-8, without the column ``concept``, with other columns;
            or a line has an empty, too short or repeated name. The message names the line.
    """
    path = Path(path)
    return _read(path, path.with_suffix(".toml"), path.stem)


def find_catalogue(name: str, lists: Traversable | None = None) -> ConceptSet:
    """Read a shipped or own list by its name, ``<domain>/<set>``; a path to a CSV file is read as such.

    Args:
        name: For example ``art-styles/demo`` or ``my/artists.csv``.
        lists: The folder of the lists; unless given, the package's and that of own rows.

    Raises:
        ConceptsError: There is no such list (the message lists those that there are), or it is malformed.
    """
    if name.endswith(".csv"):
        return read_catalogue(name)
    known = catalogue_names(lists)
    if name not in known:
        raise ConceptsError(unknown("concept list", name, known) + "; or give a path to a .csv file")
    if lists is None and (own := own_lists().get(name)):
        return _read(own, own.with_suffix(".toml"), name)
    domain, _, stem = name.partition("/")
    folder = _lists(lists).joinpath(domain)
    return _read(folder.joinpath(f"{stem}.csv"), folder.joinpath(f"{stem}.toml"), name)


def catalogue_names(lists: Traversable | None = None) -> tuple[str, ...]:
    """Return the names (``<domain>/<set>``) of the lists that there are, sorted.

    Raises:
        ConceptsError: An own list has the name of a shipped one.
    """
    folders = (entry for entry in _lists(lists).iterdir() if entry.is_dir())
    names = {
        f"{folder.name}/{entry.name.removesuffix('.csv')}"
        for folder in folders
        for entry in folder.iterdir()
        if entry.name.endswith(".csv")
    }
    own = own_lists() if lists is None else {}
    for name in sorted(names & own.keys()):
        raise ConceptsError(f"{own[name]}: {name}: a shipped list has this name; rename the file")
    return tuple(sorted(names | own.keys()))


def _lists(lists: Traversable | None) -> Traversable:
    return files("concepts").joinpath("lists") if lists is None else lists


def _read(file: Traversable, about_file: Traversable, name: str) -> ConceptSet:
    rows = list(_rows(_text(file), str(file)))
    if not rows:
        raise ConceptsError(f"{file}: the list has no concepts; add one line per concept below the header")
    check_duplicates(rows, str(file))
    kept = without_removed(concept for _, concept in rows)
    concepts = kept.concepts
    if not concepts:
        raise ConceptsError(f"{file}: every concept of the list is on the removal list; give another list")
    about = _about(about_file)
    return ConceptSet(
        name=name,
        title=about.get("title", name),
        concepts=concepts,
        warnings=find_warnings(concepts),
        digest=digest_of(concepts),
        source=about.get("source", ""),
        licence=about.get("licence", ""),
        removed=kept.removed,
        people=about.get("people", ""),
    )


def digest_of(concepts: tuple[Concept, ...]) -> str:
    """Return the SHA-256 (hex) of concepts in their order."""
    canonical = json.dumps([asdict(concept) for concept in concepts], ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _text(file: Traversable) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConceptsError(
            f"{file}: cannot be read ({error.strerror}); give a CSV file with a column 'concept'"
        ) from error
    except UnicodeDecodeError as error:
        raise ConceptsError(
            f"{file}: not UTF-8 (byte {error.start} is 0x{error.object[error.start]:02x}); save it as UTF-8"
        ) from error


def _rows(text: str, file: str) -> Iterator[tuple[int, Concept]]:
    """Yield (line number of the row's start, concept); raise ConceptsError at the first bad line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        _check_header(header, file)
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                yield line, _concept(header, cells, f"{file}, line {line}")
            line = reader.line_num + 1
    except csv.Error as error:
        raise ConceptsError(f"{file}, line {reader.line_num}: not CSV ({error})") from error


def _check_header(header: list[str], file: str) -> None:
    if "concept" not in header:
        found = ", ".join(filter(None, header)) or "none"
        raise ConceptsError(f"{file}: no column 'concept'; the columns are: {found}")
    wrong = sorted(column for column in set(header) if column not in COLUMNS or header.count(column) > 1)
    if wrong:
        allowed = ", ".join(COLUMNS)
        raise ConceptsError(f"{file}: unknown or repeated column {wrong[0]!r}; the columns may be: {allowed}")


def _concept(header: list[str], cells: list[str], where: str) -> Concept:
    if len(cells) != len(header):
        counts = f"{len(cells)} cells under {len(header)} columns"
        raise ConceptsError(f"{where}: {counts}; quote cells that hold commas")
    row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    if not row["concept"]:
        raise ConceptsError(f"{where}: the name is empty; fill it in or delete the line")
    concept = Concept(
        name=row["concept"],
        aliases=_split(row.get("aliases", "")),
        group=row.get("group") or None,
        flags=_split(row.get("flags", "")),
    )
    for phrase in (concept.name, *concept.aliases):
        _check_phrase(phrase, where)
    return concept


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(SEPARATOR) if part.strip())


def _check_phrase(phrase: str, where: str) -> None:
    if any(unicodedata.category(character) == "Cc" for character in phrase):
        raise ConceptsError(f"{where}: {phrase!r} holds a control character or a line break; take it out")
    try:
        parse_phrase(phrase)
    except ConceptsError as error:
        raise ConceptsError(f"{where}: {error}") from error


def _about(file: Traversable) -> dict[str, str]:
    """Return title, source and licence from the TOML file of a list, {} where there is none."""
    if not file.is_file():
        return {}
    try:
        about = tomllib.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # no UTF-8, a number of 5,000 digits, nested without end
        raise ConceptsError(f"{file}: not TOML ({error})") from error
    return {key: value for key, value in about.items() if isinstance(value, str)}
