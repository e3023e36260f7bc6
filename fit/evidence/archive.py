"""Reading a bundle that a stranger has made: nothing leaves the folder, nothing grows without bound."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

from concepts.errors import MalformedFile
from fit.evidence.bundle import MANIFEST, SCHEMA, Packed

MOST_BYTES = 8 * 2**30
"""Largest total size of a bundle's files, unpacked."""

_PIECE = 1 << 20


def unpack(path: Path, into: Path) -> dict[str, Packed]:
    """Unpack a bundle into an empty folder and compare every file with the manifest.

    Returns:
        The files by name, the manifest itself not among them.

    Raises:
        MalformedFile: It is no bundle, of another schema, its files are not those that its manifest names, a
            name leads out of the folder, or a file is not the one that was packed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            if MANIFEST not in entries or len(entries) != len(archive.infolist()):
                raise MalformedFile(f"{path}: not a bundle; make one with fit bundle RUN")
            if sum(entry.file_size for entry in entries.values()) > MOST_BYTES:
                raise MalformedFile(f"{path}: unpacks to more than {MOST_BYTES >> 30} GiB; refused")
            packed = _manifest(path, archive.read(MANIFEST))
            _same_names(path, set(entries) - {MANIFEST}, set(packed))
            for name, file in packed.items():
                if _extract(archive, entries[name], into / name) != file.sha256:
                    raise MalformedFile(
                        f"{path}: {name} is not the file that was packed; ask for the bundle again"
                    )
    except OSError as error:
        raise MalformedFile(f"{path}: cannot be read ({error.strerror or error})") from error
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        ValueError,
        ArithmeticError,
        zlib.error,
    ) as error:
        raise MalformedFile(
            f"{path}: damaged ({str(error).splitlines()[0] if str(error) else 'no ZIP file'})"
        ) from error
    return packed


def _manifest(path: Path, content: bytes) -> dict[str, Packed]:
    found: Any = json.loads(content)
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        schema = found.get("schema") if isinstance(found, dict) else None
        raise MalformedFile(f"{path}: bundle of schema {schema!r}, this fit reads {SCHEMA!r}")
    files = found.get("files")
    if not isinstance(files, dict):
        raise MalformedFile(f"{path}: the manifest names no files")
    packed: dict[str, Packed] = {}
    for name, file in files.items():
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts or "\\" in name or not inside.parts or "\0" in name:
            raise MalformedFile(f"{path}: the name {name!r} leads out of the bundle")
        if not isinstance(file, dict) or not isinstance(file.get("sha256"), str):
            raise MalformedFile(f"{path}: the manifest gives no digest of {name}")
        packed[name] = Packed(file["sha256"], tuple(str(each) for each in file.get("dropped") or ()))
    return packed


def _same_names(path: Path, held: set[str], named: set[str]) -> None:
    for name in sorted(held - named):
        raise MalformedFile(f"{path}: {name} is not in the manifest")
    for name in sorted(named - held):
        raise MalformedFile(f"{path}: {name} is missing")


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> str:
    """Write a file, no more of it than it says, and return its digest."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), entry.file_size
    with archive.open(entry) as source, target.open("xb") as file:
        while left > 0 and (piece := source.read(min(_PIECE, left))):
            file.write(piece)
            digest.update(piece)
            left -= len(piece)
    return digest.hexdigest()
