"""Scorers as rows of ``scorers.toml``.

What turns images into vectors whose cosine says how alike they are.
"""

from __future__ import annotations

import hashlib
import importlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from concepts.errors import ModelError, unknown

DATA_PREFIX = "data:"
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An image that has no vector.

    Attributes:
        index: Its place among the images given, from 0.
        reason: Why, for ``skipped.parquet``.
    """

    index: int
    reason: str


@dataclass(frozen=True)
class Embedded:
    """The vectors of some images.

    Attributes:
        vectors: Unit vectors of the readable images in their order, shape (n - unreadable, dimensions).
        index: The place of each among the images given, shape (n - unreadable,).
        unreadable: The others: what cannot be read, and what does not show what the scorer looks for.
        facts: What else the scorer saw in the readable images (a face's size), each of shape
            (n - unreadable,), by the names that its class lists.
    """

    vectors: Vectors
    index: npt.NDArray[np.int64]
    unreadable: tuple[Unreadable, ...]
    facts: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setup:
    """How scorers are loaded on this machine.

    Attributes:
        device: Torch device, or auto: the first accelerator, else the CPU.
        allow_pickle: The one file that may be unpickled though no row pins its digest; None: none.
    """

    device: str = "auto"
    allow_pickle: Path | None = None


DEFAULT_SETUP = Setup()


class Encoder(Protocol):
    """What a scorer's class does; its constructor takes the weights, a `Setup` and the row's options.

    Raises ModelError where the weights cannot be read, MissingExtra where a package is missing.
    """

    dimensions: int

    def embed(self, images: Sequence[bytes]) -> Embedded:
        """Return unit vectors of encoded images (PNG, JPEG, WebP)."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """A scorer's row.

    Attributes:
        name: The key, as in ``scorer.name``.
        title: The name for readers.
        encoder: Where its class is, ``module:class``.
        weights: ``data:PATH`` below the data folder, or a path (``~`` is the home folder).
        domain: The domain that it judges.
        source: Where the weights come from.
        licence: Under which licence.
        note: What a user should know.
        options: What its class takes beside weights and setup.
        get: What to do where the weights are missing.
    """

    name: str
    title: str
    encoder: str
    weights: str
    domain: str
    source: str
    licence: str
    note: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    get: str = "see `fit doctor`"

    def folder(self, data: Path) -> Path:
        """Return where the weights lie."""
        inside = self.weights.startswith(DATA_PREFIX)
        if inside:
            return data / self.weights.removeprefix(DATA_PREFIX)
        return Path(self.weights).expanduser()

    def load(self, data: Path, setup: Setup = DEFAULT_SETUP) -> Encoder:
        """Build the encoder.

        Raises:
            ModelError: The weights are missing or cannot be read.
            MissingExtra: A package that it needs is not installed.
        """
        module, _, name = self.encoder.partition(":")
        build = getattr(importlib.import_module(module), name)
        encoder: Encoder = build(self.folder(data), setup, **self.options)
        return encoder

    def digest(self, data: Path) -> str:
        """Return a digest of the weights' files and of the options.

        Raises:
            ModelError: There are none.
        """
        folder = self.folder(data)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        if not paths:
            raise ModelError(f"{folder}: the weights of scorer {self.name} are missing; {self.get}")
        whole = hashlib.sha256()
        for path in paths:
            whole.update(f"{path.relative_to(folder).as_posix()}\0{_digest_of(path)}\0".encode())
        whole.update(repr(sorted(self.options.items())).encode())
        return whole.hexdigest()


def _digest_of(path: Path) -> str:
    found = path.stat()
    return _digest_of_file(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=256)
def _digest_of_file(path: Path, size: int, changed: int) -> str:
    """Return the SHA-256 of a file; large weights are read once as long as size and time stay."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def scorers() -> tuple[Scorer, ...]:
    """Return all scorers in the order of their names.

    Raises:
        ModelError: A row has a key too many or too few.
    """
    table = tomllib.loads(files("fit.imitation").joinpath("scorers.toml").read_text(encoding="utf-8"))
    return tuple(scorer_of(name, table[name]) for name in sorted(table))


def scorer_of(name: str, row: Mapping[str, Any]) -> Scorer:
    """Return the scorer that a row describes.

    Raises:
        ModelError: A key is missing or unknown.
    """
    allowed = {each.name for each in fields(Scorer)} - {"name"}
    needed = {
        each.name
        for each in fields(Scorer)
        if each.default is MISSING and each.default_factory is MISSING and each.name != "name"
    }
    for key in sorted(row.keys() - allowed):
        raise ModelError(f"scorer {name}: {unknown('key', key, allowed)}")
    if missing := sorted(needed - row.keys()):
        raise ModelError(f"scorer {name}: the key {missing[0]} is missing")
    return Scorer(name=name, **row)


def load_scorer(name: str) -> Scorer:
    """Return a scorer by its name.

    Raises:
        ModelError: There is no such scorer; the message lists those that there are and the nearest.
    """
    known = {scorer.name: scorer for scorer in scorers()}
    if name not in known:
        raise ModelError(unknown("scorer", name, known))
    return known[name]
