"""Digests of weight files, which are large: a process reads each file once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    real = Path(os.path.realpath(path))
    about = real.stat()
    return _read(real, about.st_size, about.st_mtime_ns, about.st_ino)


def folder_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by its path in there, in that order."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in paths}


def digest_of(files: Mapping[str, str]) -> str:
    """Return one SHA-256 for files known by path and SHA-256."""
    whole = hashlib.sha256()
    for name, digest in files.items():
        whole.update(f"{name}\0".encode() + bytes.fromhex(digest))
    return whole.hexdigest()


@lru_cache(maxsize=4096)
def _read(path: Path, _size: int, _changed: int, _node: int) -> str:
    """Read a file; how it looked is among the arguments, so that a changed one is read again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
