"""Numbers in words: how the report writes counts, estimates, scores, shares and p-values."""

import math

MINUS = "\u2212"
DASH = "\u2013"
EM_DASH = "\u2014"


def finite(value: float | None) -> float | None:
    """The value as a float, or None for None, NaN and the infinities."""
    if value is None or not math.isfinite(value):
        return None
    return float(value)


def count(value: int | float) -> str:
    """An exact count with thousands set apart: ``1,200``."""
    return f"{round(value):,}".replace("-", MINUS)


def images(value: float) -> str:
    """An estimated number of images, to three significant digits: ``0.4``, ``3.5``, ``37``, ``1,230``.

    More digits would claim an accuracy that no estimate of a frequency has.
    """
    if value < 0:
        return MINUS + images(-value)
    if round(value, 1) < 10:
        return f"{value:.1f}".removesuffix(".0")
    digits = 2 - math.floor(math.log10(value))
    return f"{round(value, min(digits, 0)):,.0f}"


def of_images(value: float, noun: str = "image") -> str:
    """An estimated number with its noun: ``1 image``, ``37 images``."""
    text = images(value)
    return f"{text} {noun}{'' if text == '1' else 's'}"


def score(value: float) -> str:
    """A score in [-1, 1] with two decimals and a true minus sign: ``0.32``, ``−0.05``."""
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", MINUS)


def share(value: float) -> str:
    """A share in [0, 1] in whole per cent, ``75 %``; ``< 1 %`` or ``> 99 %`` rather than a false 0 or 100."""
    if 0 < value < 0.005:
        return "< 1 %"
    if 0.995 < value < 1:
        return "> 99 %"
    return f"{100 * value:.0f} %"


def level(value: float) -> str:
    """A confidence level in (0, 1): ``95 %``, ``97.5 %``."""
    return f"{100 * value:.4g} %"


def p_value(value: float) -> str:
    """A p-value with its relation: ``p = 0.03``, ``p < 0.001``."""
    if value < 0.001:
        return "p < 0.001"
    return f"p = {value:.3f}" if value < 0.01 else f"p = {value:.2f}"


def span(low: float | None, high: float | None) -> str | None:
    """A range of images: ``41–67``; an open end is said, not invented; None where both ends are open."""
    low, high = finite(low), finite(high)
    if low is None:
        return None if high is None else f"at most {images(high)}"
    if high is None:
        return f"at least {images(low)}"
    return f"{images(low)}{DASH}{images(high)}"


def plural(number: int, one: str, many: str) -> str:
    """A count with its noun: ``1 artist``, ``131 artists``."""
    return f"{count(number)} {one if number == 1 else many}"
