"""The imitation curve: concepts with their frequency and imitation score, validated and free of row order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from concepts.errors import MalformedFile, TooLittleData

Floats = NDArray[np.float64]

MIN_CONCEPTS: Final = 10
"""Fewest concepts that an estimate is made for."""

NEEDED: Final = ("concept", "frequency", "score")
OPTIONAL: Final = ("frequency_low", "frequency_high", "score_se", "group", "images", "passed")
_NORMAL_95: Final = 1.959963984540054


@dataclass(frozen=True, eq=False)
class ImitationCurve:
    """Concepts in canonical order, by frequency and then by name, so that the order of rows changes nothing.

    Make one with `ImitationCurve.from_columns`, which checks and sorts; the constructor does neither.

    Attributes:
        concepts: names, each once. Length n.
        frequency: training images, >= 0. Shape (n,), ascending, ties kept.
        score: imitation scores in [-1, 1]. Shape (n,).
        frequency_low: lower end of the 95 % interval of the frequency, images. Shape (n,), or None.
        frequency_high: upper end, images. Shape (n,), or None exactly when `frequency_low` is.
        score_se: standard errors of the scores. Shape (n,), or None.
        group: group names, length n, or None.
        images: generated images that were judged. Shape (n,), or None.
        passed: of these, images that pass the same-concept cut. Shape (n,), or None exactly when `images` is.
    """

    concepts: tuple[str, ...]
    frequency: Floats
    score: Floats
    frequency_low: Floats | None = None
    frequency_high: Floats | None = None
    score_se: Floats | None = None
    group: tuple[str, ...] | None = None
    images: Floats | None = None
    passed: Floats | None = None

    @classmethod
    def from_columns(cls, columns: Mapping[str, Any]) -> "ImitationCurve":
        """Check and sort a table.

        Args:
            columns: `concept`, `frequency`, `score` and any of `frequency_low`, `frequency_high`, `score_se`,
                `group`, `images`, `passed`, as sequences of one length. Columns that are None, and other
                columns, are ignored.

        Raises:
            MalformedFile: a column is missing, of another length, not numeric, not finite or out of its
                range; a concept stands twice; an interval is upside down.
        """
        table = {k: list(v) for k in (*NEEDED, *OPTIONAL) if (v := columns.get(k)) is not None}
        _check_columns(table)
        names = _names(table["concept"])
        numbers = {k: _numbers(k, v, names) for k, v in table.items() if k not in ("concept", "group")}
        _check_numbers(numbers, names)
        order = sorted(range(len(names)), key=lambda i: (numbers["frequency"][i], names[i]))
        index = np.array(order, dtype=np.intp)
        group = tuple(str(table["group"][i]) for i in order) if "group" in table else None
        sorted_numbers: dict[str, Any] = {k: _frozen(v[index]) for k, v in numbers.items()}
        return cls(concepts=tuple(names[i] for i in order), group=group, **sorted_numbers)

    def __len__(self) -> int:
        return len(self.concepts)

    @property
    def x(self) -> Floats:
        """Frequencies on the axis of every model, log10(1 + frequency). Shape (n,)."""
        return np.log10(1.0 + self.frequency)

    @property
    def x_sd(self) -> Floats | None:
        """Standard deviation of x read off the 95 % intervals of the frequencies. Shape (n,), or None."""
        if self.frequency_low is None or self.frequency_high is None:
            return None
        spread = np.log10(1.0 + self.frequency_high) - np.log10(1.0 + self.frequency_low)
        sd: Floats = spread / (2.0 * _NORMAL_95)
        return sd if bool(np.any(sd > 0)) else None


def require_enough(curve: ImitationCurve) -> None:
    """Refuse a curve that no estimate can be made for.

    Raises:
        TooLittleData: fewer than ten concepts, or only one distinct frequency.
    """
    problem = too_little(curve)
    if problem is not None:
        raise TooLittleData(f"{problem}; add concepts with other frequencies")


def too_little(curve: ImitationCurve) -> str | None:
    """What the curve lacks for any estimate, in words, or None when it is enough."""
    if len(curve) < MIN_CONCEPTS:
        return f"{len(curve)} concepts are too few for an estimate: at least {MIN_CONCEPTS} are needed"
    if curve.frequency[0] == curve.frequency[-1]:
        return f"all {len(curve)} concepts have the same frequency, {curve.frequency[0]:g} images"
    return None


def _check_columns(table: Mapping[str, Sequence[Any]]) -> None:
    for column in NEEDED:
        if column not in table:
            raise MalformedFile(f"curve: no column {column!r}; it needs concept, frequency and score")
    for one, other in (("frequency_low", "frequency_high"), ("images", "passed")):
        if (one in table) != (other in table):
            raise MalformedFile(f"curve: columns {one!r} and {other!r} go together; give both or neither")
    for column, values in table.items():
        if len(values) != len(table["concept"]):
            raise MalformedFile(
                f"curve: column {column!r} has {len(values)} values for {len(table['concept'])} concepts"
            )


def _names(values: Sequence[Any]) -> list[str]:
    names = [str(v) if v is not None else "" for v in values]
    seen: set[str] = set()
    for row, name in enumerate(names, start=1):
        if not name.strip():
            raise MalformedFile(f"curve: row {row}: empty concept name; name the concept or drop the row")
        if name in seen:
            raise MalformedFile(f"curve: concept {name!r} stands twice (again in row {row}); keep one row")
        seen.add(name)
    return names


def _numbers(column: str, values: Sequence[Any], names: Sequence[str]) -> Floats:
    if any(isinstance(v, (str, bytes)) for v in values):
        bad = next(i for i, v in enumerate(values) if isinstance(v, (str, bytes)))
        raise MalformedFile(
            f"curve: {column} of concept {names[bad]!r} is the text {values[bad]!r}; a number is needed"
        )
    try:
        numbers = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MalformedFile(f"curve: column {column!r} is not a column of numbers ({error})") from None
    if numbers.ndim != 1:
        raise MalformedFile(f"curve: column {column!r} is not a column of numbers")
    _refuse(column, numbers, ~np.isfinite(numbers), names, "a finite number is needed")
    return numbers


def _check_numbers(numbers: Mapping[str, Floats], names: Sequence[str]) -> None:
    for column, values in numbers.items():
        if column == "score":
            _refuse(column, values, np.abs(values) > 1.0 + 1e-9, names, "scores lie in [-1, 1]")
        else:
            _refuse(column, values, values < 0, names, "it cannot be negative")
    if "frequency_low" in numbers:
        low, mid, high = (numbers[k] for k in ("frequency_low", "frequency", "frequency_high"))
        slack = 1e-9 * (1.0 + mid)
        wrong = (low > mid + slack) | (mid > high + slack)
        _refuse("frequency", mid, wrong, names, "it lies outside frequency_low and frequency_high")
    if "images" in numbers:
        wrong = numbers["passed"] > numbers["images"]
        _refuse("passed", numbers["passed"], wrong, names, "it is more than the images")


def _refuse(column: str, values: Floats, wrong: NDArray[np.bool_], names: Sequence[str], why: str) -> None:
    if bool(wrong.any()):
        i = int(np.argmax(wrong))
        raise MalformedFile(f"curve: {column} of concept {names[i]!r} is {values[i]:g}; {why}")


def _frozen(values: Floats) -> Floats:
    values.setflags(write=False)
    return values
