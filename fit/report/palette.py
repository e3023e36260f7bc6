"""Colours by the part they play, and the style sheets that turn a light drawing dark."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour's part (``ink``) and its light and dark form (``#rrggbb``)."""

    part: str
    light: str
    dark: str


def palette() -> tuple[Colour, ...]:
    """The rows of `palette.toml`."""
    rows = tomllib.loads(files("fit.report").joinpath("palette.toml").read_text(encoding="utf-8"))
    return tuple(Colour(part, row["light"], row["dark"]) for part, row in rows.items())


def light(part: str) -> str:
    """The light form of a part's colour; KeyError for an unknown part."""
    return {colour.part: colour.light for colour in palette()}[part]


def page_colours() -> str:
    """CSS: the parts as variables, light by default and in print, dark where a screen's reader asks."""
    day = "".join(f"--{colour.part}:{colour.light};" for colour in palette())
    night = "".join(f"--{colour.part}:{colour.dark};" for colour in palette())
    return (
        f":root{{color-scheme:light;{day}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{color-scheme:dark;{night}}}}}\n"
        + "".join(_repaint(colour, f"var(--{colour.part})", ".chart ") for colour in palette())
    )


def drawing_colours() -> str:
    """CSS for a drawing that stands alone: its light colours replaced where the reader asks for dark."""
    rules = "".join(_repaint(colour, colour.dark, "") for colour in palette())
    return f"@media screen and (prefers-color-scheme:dark){{\n{rules}}}"


def _repaint(colour: Colour, by: str, inside: str) -> str:
    """Attribute selectors leave the drawing valid and light for every viewer that knows no CSS."""
    return f'{inside}[fill="{colour.light}"]{{fill:{by}}}{inside}[stroke="{colour.light}"]{{stroke:{by}}}\n'
