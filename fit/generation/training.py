"""What a model was trained on: the ``[[name.training]]`` tables of its row, one for each phase."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any

from concepts.errors import ModelError, unknown

if TYPE_CHECKING:
    from corpus.registry import Corpus

COMPUTED = "passes: steps x batch / rows"
_WHOLE = ("steps", "batch", "rows")


@dataclass(frozen=True, slots=True)
class Training:
    """One phase of a model's training, as its source states it; what is not stated stays away.

    Attributes:
        corpus: Row of the corpus registry.
        name: The phase for readers, such as its resolution; empty: its number stands for it.
        where: SQL condition on the corpus's columns: the rows that were trained on; empty: all.
        passes: How often the model saw each row, > 0; None: not stated.
        steps: Optimisation steps; 0: not stated.
        batch: Images in a step; 0: not stated.
        rows: Rows that were trained on; 0: not stated.
        source: Where that is stated.
    """

    corpus: str
    name: str = ""
    where: str = ""
    passes: float | None = None
    steps: int = 0
    batch: int = 0
    rows: int = 0
    source: str = ""

    @property
    def seen(self) -> int | None:
        """How many images the model saw in this phase, repeats counted; None where that is not stated."""
        return self.steps * self.batch or None


@dataclass(frozen=True, slots=True)
class Phase:
    """What to count of a corpus for a phase of a model's training.

    Attributes:
        name: The phase's name, different for each phase of a model.
        where: SQL condition on the corpus's columns, the corpus's own included; empty: all rows.
        passes: How often the model saw each of those rows; None: not known.
        source: Where that is stated, and whether the passes are computed.
    """

    name: str
    where: str
    passes: float | None
    source: str


def phases(trainings: Sequence[Training], corpus: Corpus) -> tuple[Phase, ...]:
    """Return the phases of a training that went over a corpus, or over the whole that it is a part of.

    Args:
        trainings: Of a model's row, in the order of the training.
        corpus: The corpus that is counted.

    Raises:
        SettingsError: A condition, the corpus's or the training's, is none.
    """
    wholes = {corpus.name, corpus.subset_of} - {""}
    return tuple(
        Phase(_name(number, training), _both(corpus.where, training.where), *_passes(training))
        for number, training in enumerate(trainings, 1)
        if training.corpus in wholes
    )


def _both(*conditions: str) -> str:
    """Return one condition that holds where both do; one alone stays as it is written."""
    from corpus.where import all_of

    given = [condition for condition in conditions if condition]
    return all_of(*given) if len(given) > 1 else "".join(given)


def _name(number: int, training: Training) -> str:
    return f"phase {number}: {training.name}" if training.name else f"phase {number}"


def _passes(training: Training) -> tuple[float | None, str]:
    """Return the passes of a phase, and their source: stated, or computed from what is stated, or None."""
    if training.passes is None and training.seen and training.rows:
        return training.seen / training.rows, "; ".join(filter(None, (training.source, COMPUTED)))
    return training.passes, training.source


def training_of(where: str, rows: object) -> tuple[Training, ...]:
    """Return the trainings that the tables of a row describe, in their order.

    Args:
        where: What the tables belong to, for messages.
        rows: As TOML has them.

    Raises:
        ModelError: A key is missing, unknown or of another type, or a number is not above 0.
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
        if key not in (*_WHOLE, "passes"):
            if not isinstance(value, str):
                raise ModelError(f"{where}: {key} = {value!r}; a text is needed")
        elif not _is_above_0(value, whole=key in _WHOLE):
            kind = "whole number" if key in _WHOLE else "number"
            raise ModelError(f"{where}: {key} = {value!r}; a {kind} above 0 is needed")
    passes = {"passes": float(row["passes"])} if "passes" in row else {}
    return Training(**{**row, **passes})


def _is_above_0(value: object, *, whole: bool) -> bool:
    kinds = (int,) if whole else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool) and 0 < value < math.inf
