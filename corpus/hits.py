"""Which captions of a batch contain which of many phrases: the answer, and who gives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Which texts contain which phrases, by the rules of `concepts.matching`; pairs may repeat, in any order.

    Attributes:
        rows: The texts' positions in the batch, shape (h,).
        phrases: The phrases' positions, shape (h,).
    """

    rows: NDArray[np.int64]
    phrases: NDArray[np.int64]

    @classmethod
    def together(cls, parts: Sequence[Hits]) -> Hits:
        """Return the hits of several parts of a batch."""
        none = np.zeros(0, np.int64)
        return cls(
            np.concatenate([none, *(part.rows for part in parts)]),
            np.concatenate([none, *(part.phrases for part in parts)]),
        )


class Finder(Protocol):
    """Finds the phrases that it was made for.

    Attributes:
        name: What it is called in messages.
    """

    name: str

    def find(self, texts: pa.LargeStringArray) -> Hits:
        """Find the phrases in a batch of texts, exactly. Null and empty texts contain nothing."""
        ...
