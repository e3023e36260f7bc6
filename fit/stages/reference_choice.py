"""Which of a concept's images are its references: different ones in which the scorer sees something."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from corpus.near_duplicates import near_duplicates
from corpus.references import ReferenceImage
from fit.imitation.scorers import Encoder, Vectors
from fit.sections import References
from fit.stages.inputs import embed

Skip = Callable[[str, str, str], None]
"""Takes concept, item and reason of what is left out."""


def choose_references(
    images: Mapping[str, Sequence[ReferenceImage]], encoder: Encoder, settings: References, skip: Skip
) -> tuple[dict[str, list[ReferenceImage]], dict[str, Vectors]]:
    """Return each concept's first references and their vectors, shape (n, d).

    All concepts are looked at together, which keeps an accelerator busy; where some images are of no use,
    those that come after them are looked at next.

    Args:
        images: Each concept's images in their order.
        encoder: The scorer.
        settings: How many references, and how near a near-duplicate is.
        skip: Told of every image that is left out, but for those beyond the number wanted.
    """
    waiting = {name: _different(name, some, settings.near_duplicates, skip) for name, some in images.items()}
    kept: dict[str, list[ReferenceImage]] = {name: [] for name in waiting}
    vectors = {name: [np.zeros((0, encoder.dimensions), np.float32)] for name in waiting}
    while some := _next(waiting, {name: settings.maximum - len(each) for name, each in kept.items()}):
        found = embed(encoder, [each.image for _, each in some])
        for place, reason in found.unreadable:
            skip(some[place][0], f"reference {some[place][1].key}", reason)
        for place, vector in zip(found.index, found.vectors, strict=True):
            name, image = some[place]
            kept[name].append(image)
            vectors[name].append(vector[None])
    return kept, {name: np.concatenate(parts) for name, parts in vectors.items()}


def _different(
    concept: str, images: Sequence[ReferenceImage], most_bits: int, skip: Skip
) -> list[ReferenceImage]:
    """Return the images without those that repeat an earlier one."""
    twins = near_duplicates([each.image for each in images], most_bits)
    for place, first in twins.items():
        skip(concept, f"reference {images[place].key}", f"near-duplicate of {images[first].key}")
    return [each for place, each in enumerate(images) if place not in twins]


def _next(
    waiting: dict[str, list[ReferenceImage]], wanted: Mapping[str, int]
) -> list[tuple[str, ReferenceImage]]:
    """Take so many of each concept's images out of those that wait."""
    some = [(name, each) for name, images in waiting.items() for each in images[: wanted[name]]]
    for name, images in waiting.items():
        waiting[name] = images[wanted[name] :]
    return some
