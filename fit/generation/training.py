"""What a model was trained on: the ``[[name.training]]`` tables of its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from concepts.errors import ModelError, unknown


@dataclass(frozen=True, slots=True)
class Training:
    """One stretch of a model's training.

    Attributes:
        corpus: Row of the corpus registry.
        where: SQL condition on the corpus's columns: the rows that were trained on; empty: all.
        passes: How often the model saw each row, > 0.
        source: Where that is stated.
    """

    corpus: str
    where: str = ""
    passes: float = 1.0
    source: str = ""


def training_of(where: str, rows: object) -> tuple[Training, ...]:
    """Return the trainings that the tables of a row describe, in their order.

    Args:
        where: What the tables belong to, for messages.
        rows: As TOML has them.

    Raises:
        ModelError: A key is missing, unknown or of another type, or `passes` is not above 0.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ModelError(f"{where}: has to be tables, [[name.training]]")
    return tuple(_training(f"{where} {number}", row) for number, row in enumerate(rows, 1))


def _training(where: str, row: Mapping[str, Any]) -> Training:
    allowed = {each.name for each in fields(Training)}
    for key in sorted(row.keys() - allowed):
        raise ModelError(f"{where}: {unknown('key', key, allowed)}")
    for key in sorted(each.name for each in fields(Training) if each.default is MISSING):
        if not row.get(key):
            raise ModelError(f"{where}: the key {key} is missing")
    for key, value in row.items():
        if key == "passes":
            if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
                raise ModelError(f"{where}: passes = {value!r}; a number above 0 is needed")
        elif not isinstance(value, str):
            raise ModelError(f"{where}: {key} = {value!r}; a text is needed")
    return Training(**{**row, "passes": float(row.get("passes", 1.0))})
