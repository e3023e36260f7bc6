"""Scorers as rows of ``scorers.toml``, and any weights by a kind of ``kinds.toml``.

What turns images into vectors whose cosine says how alike they are.
"""

from __future__ import annotations

import hashlib
import importlib
import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from concepts.errors import ModelError, unknown
from concepts.own_rows import SCORER, check_keys, registered
from fit.weights.digests import digest_of, file_digest, folder_digests
from fit.weights.repository import Repository, digest, fetch

DATA_PREFIX = "data:"
HUB_PREFIX = "hub:"
Vectors = npt.NDArray[np.float32]
_KINDS: dict[str, type] = {"files": list, "pickles": dict, "options": dict}
_CLASS = re.compile(r"\w+(\.\w+)*:\w+")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An image that has no vector.

    Attributes:
        index: Its place among the images given, from 0.
        reason: Why, for ``skipped.parquet``.
        blank: Whether it could be read and shows nothing that the scorer looks for (no face): an image that
            was checked and does not show the concept, where others could not be checked.
    """

    index: int
    reason: str
    blank: bool = False


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
    """How a scorer is loaded.

    Attributes:
        device: Torch device, or auto: the first accelerator, else the CPU.
        pickles: SHA-256 (hex) of pickled checkpoints that may be read, by file name.
    """

    device: str = "auto"
    pickles: Mapping[str, str] = field(default_factory=dict)


DEFAULT_SETUP = Setup()


class Encoder(Protocol):
    """What a scorer's class does; its constructor takes the weights' place, a `Setup` and the row's options.

    Raises ModelError where the weights cannot be read, MissingExtra where a package is missing.
    """

    @property
    def dimensions(self) -> int:
        """Length of the vectors."""

    def embed(self, images: Sequence[bytes]) -> Embedded:
        """Return unit vectors of encoded images (PNG, JPEG, WebP)."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """A scorer's row.

    Attributes:
        name: The key, as in ``scorer.name``.
        title: The name for readers.
        encoder: Where its class is, ``module:class``.
        weights: ``data:PATH`` below the data folder, ``hub:OWNER/NAME[@REVISION]`` in a repository of the
            hub, or a path (``~`` is the home folder).
        domain: The domain that it judges.
        source: Where the weights come from.
        licence: Under which licence.
        note: What a user should know.
        files: Which files of the hub's repository are needed, names or patterns.
        pickles: SHA-256 (hex) of pickled checkpoints that may be read, by file name.
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
    files: tuple[str, ...] = ()
    pickles: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    get: str = "see `fit doctor`"

    @property
    def is_ours(self) -> bool:
        """Whether this project made the weights."""
        return self.weights.startswith(DATA_PREFIX)

    @property
    def repository(self) -> Repository | None:
        """The hub's repository that holds the weights, None where they lie on this machine."""
        if not self.weights.startswith(HUB_PREFIX):
            return None
        return Repository.of(self.weights.removeprefix(HUB_PREFIX), self.files)

    def folder(self, data: Path) -> Path:
        """Return where the weights lie, fetching them from the hub where the row says so.

        Raises:
            ModelError: They cannot be fetched.
        """
        if self.repository is not None:
            return fetch(self.repository)
        if self.weights.startswith(DATA_PREFIX):
            return data / self.weights.removeprefix(DATA_PREFIX)
        return Path(self.weights).expanduser()

    def load(self, data: Path, setup: Setup = DEFAULT_SETUP) -> Encoder:
        """Build the encoder.

        Raises:
            ModelError: The weights are missing or cannot be read.
            MissingExtra: A package that it needs is not installed.
        """
        encoder: Encoder = self.build()(
            self.folder(data), replace(setup, pickles={**setup.pickles, **self.pickles}), **self.options
        )
        return encoder

    def build(self) -> Callable[..., Encoder]:
        """Import the encoder's class.

        Raises:
            ModelError: There is no such module, or no such class in it.
        """
        module, _, name = self.encoder.partition(":")
        try:
            found: Callable[..., Encoder] = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise ModelError(
                f"scorer {self.name}: encoder {self.encoder} cannot be imported ({error}); put its module on "
                "the Python path, or correct the row"
            ) from error
        return found

    def digest(self, data: Path) -> str:
        """Return a digest of the weights, of the class that reads them and its options; nothing is fetched.

        Raises:
            ModelError: There are no weights.
        """
        weights = self._local_digest(data) if self.repository is None else digest(self.repository)
        made = f"{weights} {self.encoder} {sorted(self.options.items())!r}"
        return hashlib.sha256(made.encode()).hexdigest()

    def _local_digest(self, data: Path) -> str:
        place = self.folder(data)
        if place.is_file():
            return file_digest(place)
        if not (found := folder_digests(place)):
            raise ModelError(f"{place}: the weights of scorer {self.name} are missing; {self.get}")
        return digest_of(found)


def scorers() -> tuple[Scorer, ...]:
    """Return all scorers that have a row, one's own among them, in the order of their names.

    Raises:
        ModelError: A row has a key too many or too few or of another type, or an own one a shipped name.
    """
    return registered(SCORER, _table("scorers.toml"), scorer_of)


def load_scorer(name: str) -> Scorer:
    """Return a scorer by the name of its row, or by a kind and where its weights are.

    ``open_clip:ARCHITECTURE/TAG``, ``dinov2:hub:OWNER/NAME`` and ``faces:FOLDER`` are such names; the kinds
    stand in ``kinds.toml``.

    Raises:
        ModelError: There is no such scorer; the message lists those that there are and the nearest.
    """
    known = {scorer.name: scorer for scorer in scorers()}
    if name in known:
        return known[name]
    kinds = _table("kinds.toml")
    kind, colon, place = name.partition(":")
    if kind in kinds and place:
        row = {"weights": place, "source": f"given as {name}", "licence": "not stated", **kinds[kind]}
        return scorer_of(name, {**row, "title": f"{row['title']} {place}"})
    if colon:
        raise ModelError(
            f"{name}: unknown kind of scorer; write one of {', '.join(sorted(kinds))}, and :PLACE"
        )
    raise ModelError(unknown("scorer", name, known) + f"; or a kind ({', '.join(sorted(kinds))}) and :PLACE")


def _table(name: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("fit.imitation").joinpath(name).read_text(encoding="utf-8"))


def scorer_of(name: str, row: Mapping[str, Any]) -> Scorer:
    """Return the scorer that a row describes.

    Raises:
        ModelError: A key is missing, unknown or of another type.
    """
    check_keys(SCORER, name, row, Scorer)
    for key, value in row.items():
        if not _has_kind(key, value):
            raise ModelError(f"scorer {name}: {key} = {value!r}; it has the wrong type")
    if not _CLASS.fullmatch(row["encoder"]):
        raise ModelError(f"scorer {name}: encoder = {row['encoder']!r}; write module:class")
    return Scorer(name=name, **{**row, "files": tuple(row.get("files", ()))})


def _has_kind(key: str, value: Any) -> bool:
    """Return whether a row's value has its key's type; options are plain texts, numbers, true and false."""
    if not isinstance(value, _KINDS.get(key, str)):
        return False
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if key == "options":
        return all(isinstance(each, str | int) or _is_finite(each) for each in inner)
    return all(isinstance(each, str) for each in inner)


def _is_finite(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)
