"""Files on this machine: found by a glob, a folder or a path, read by position."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

from concepts.errors import CorpusError
from corpus.sources.places import has_wildcard


@dataclass(frozen=True, slots=True)
class Found:
    """A file that a pattern stands for, or a folder that is named like one.

    Attributes:
        location: Its absolute path, or its URL.
        name: Its path below the folder before the first wildcard: the same on every machine.
        folder: Whether it is a folder.
        size: Its length in bytes, None where nobody asked yet.
    """

    location: str
    name: str
    folder: bool = False
    size: int | None = None


def list_files(pattern: str, suffix: str) -> tuple[tuple[Path, str], ...]:
    """Return (path, name) of the files that a glob, a folder or a file stands for, sorted by name.

    Args:
        pattern: Local glob (``**`` reaches into folders), folder or file.
        suffix: Which files of a folder are meant, such as ``.parquet``.

    Returns:
        The names are relative to the folder before the first wildcard, the same on every machine.
    """
    return tuple((path, name) for path, name in _matches(pattern, suffix) if path.is_file())


def find_local(pattern: str, suffix: str) -> tuple[Found, ...]:
    """Return what a local pattern stands for, sorted by name; folders named like files among them.

    Raises:
        CorpusError: The folder cannot be read.
    """
    try:
        matches = _matches(pattern, suffix)
    except OSError as error:
        raise unreadable(Path(error.filename or pattern), error) from error
    return tuple(Found(str(path.absolute()), name, path.is_dir()) for path, name in matches)


def local_size(path: Path) -> int:
    """Return a file's length in bytes.

    Raises:
        CorpusError: It is not there, or may not be read.
    """
    try:
        return path.stat().st_size
    except OSError as error:
        raise unreadable(path, error) from error


def read_local(path: Path, start: int, end: int) -> bytes:
    """Return the bytes of a file from ``start`` to before ``end``.

    Raises:
        CorpusError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> CorpusError:
    """Return our error for a file that the system does not let us read."""
    return CorpusError(f"{path}: cannot be read ({error.strerror or error})")


def fixed_part(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parts of a path that stand before the first with a wildcard."""
    wild = (number for number, part in enumerate(parts) if has_wildcard(part))
    return parts[: next(wild, len(parts))]


def _matches(pattern: str, suffix: str) -> list[tuple[Path, str]]:
    path = Path(pattern)
    if path.is_dir():
        root = path
        found = [each for each in path.iterdir() if each.name.endswith(suffix) and each.name[0] != "."]
    elif path.is_file():
        root, found = path.parent, [path]
    else:
        root = Path(*fixed_part(path.parent.parts))
        found = [Path(match) for match in glob.glob(pattern, recursive=True)]
    names = {match.relative_to(root).as_posix(): match for match in found}
    return [(names[name], name) for name in sorted(names)]
