"""Scorers as rows of ``scorers.toml``.

What turns images into vectors whose cosine says how alike they are.
"""

from __future__ import annotations

import hashlib
import importlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Protocol

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
        unreadable: The others.
    """

    vectors: Vectors
    index: npt.NDArray[np.int64]
    unreadable: tuple[Unreadable, ...]


class Encoder(Protocol):
    """What a scorer's class does."""

    dimensions: int

    def __init__(self, weights: Path) -> None:
        """Load the weights; raises ModelError where they cannot be read."""

    def embed(self, images: Sequence[bytes]) -> Embedded:
        """Return unit vectors of encoded images (PNG, JPEG, WebP)."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """A scorer's row.

    Attributes:
        name: The key, as in ``scorer.name``.
        title: The name for readers.
        encoder: Where its class is, ``module:class``.
        weights: ``data:PATH`` below the data folder, or a path.
        domain: The domain that it judges.
        source: Where the weights come from.
        licence: Under which licence.
        note: What a user should know.
    """

    name: str
    title: str
    encoder: str
    weights: str
    domain: str
    source: str
    licence: str
    note: str = ""

    def folder(self, data: Path) -> Path:
        """Return where the weights lie."""
        inside = self.weights.startswith(DATA_PREFIX)
        return data / self.weights.removeprefix(DATA_PREFIX) if inside else Path(self.weights)

    def load(self, data: Path) -> Encoder:
        """Build the encoder.

        Raises:
            ModelError: The weights are missing or cannot be read.
        """
        module, _, name = self.encoder.partition(":")
        encoder: Encoder = getattr(importlib.import_module(module), name)(self.folder(data))
        return encoder

    def digest(self, data: Path) -> str:
        """Return a digest of the weights' files.

        Raises:
            ModelError: There are none.
        """
        folder = self.folder(data)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        if not paths:
            raise ModelError(f"{folder}: the weights of scorer {self.name} are missing; see `fit doctor`")
        whole = hashlib.sha256()
        for path in paths:
            whole.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes())
        return whole.hexdigest()


def scorers() -> tuple[Scorer, ...]:
    """Return all scorers in the order of their names."""
    table = tomllib.loads(files("fit.imitation").joinpath("scorers.toml").read_text(encoding="utf-8"))
    return tuple(Scorer(name=name, **table[name]) for name in sorted(table))


def load_scorer(name: str) -> Scorer:
    """Return a scorer by its name.

    Raises:
        ModelError: There is no such scorer; the message lists those that there are and the nearest.
    """
    known = {scorer.name: scorer for scorer in scorers()}
    if name not in known:
        raise ModelError(unknown("scorer", name, known))
    return known[name]
