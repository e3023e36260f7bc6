"""The report's forms: one page, one Markdown file, one drawing, one JSON object, all from the same facts."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fit.report import flags, names, numbers, palette
from fit.report.drawing import NARROW, WIDE, draw_control, draw_curve
from fit.report.facts import Facts
from fit.report.guard import content_policy
from fit.report.svg import in_page, standing_alone
from fit.report.table import concept_table, data_block
from fit.report.tallies import VERDICTS

SCHEMA = "fit-report/1"

CURVE_FILE = "curve.svg"
"""Name under which the Markdown expects the drawing beside it."""

CURVE_SPECIFICATION = "curve.vl.json"
"""Name of the same drawing as a Vega-Lite specification with its data."""


class MarkdownText(str):
    """Text that is Markdown already and is printed as it stands."""

    __slots__ = ()


def render_html(facts: Facts) -> str:
    """The report as one page: no network, pictures and drawings inside, complete without its script."""
    style, script = palette.page_colours() + own_file("style.css"), own_file("report.js")
    table = concept_table(facts)
    return (
        pages()
        .get_template("report.html.j2")
        .render(
            facts=facts,
            drawings=_drawings(facts),
            table=table,
            style=_own(style),
            script=_own(script),
            data=_own(data_block(table, facts.subject.noun_plural)),
            guard=content_policy(style, script),
        )
    )


def _drawings(facts: Facts) -> dict[str, Any]:
    places = {id(point): number for number, point in enumerate(facts.points)}  # names need not be unique
    numbers = [places[id(point)] for point in facts.marked]
    return {
        "wide": _drawn(draw_curve(facts, WIDE), facts.alt, numbers),
        "narrow": _drawn(draw_curve(facts, NARROW), facts.alt, numbers),
        "controls": [
            (
                control,
                _drawn(draw_control(control, facts), _control_alt(control.title, control.found)),
            )
            for control in facts.controls
        ],
        "estimate": _drawn(draw_control(None, facts), facts.alt) if facts.controls else "",
    }


def render_markdown(facts: Facts) -> str:
    """The report as Markdown; it shows `curve.svg`, which has to be written beside it."""
    return notes().get_template("report.md.j2").render(facts=facts, curve_file=MarkdownText(CURVE_FILE))


def curve_svg(facts: Facts) -> str:
    """The imitation curve as a drawing of its own, light or dark as the reader's system asks."""
    return standing_alone(draw_curve(facts), facts.alt, palette.light("paper"), palette.drawing_colours())


def facts_json(facts: Facts) -> dict[str, Any]:
    """The facts as JSON values; pictures are left out, and names stand as they came."""
    whole = asdict(facts)
    for key in ("drawn", "marked", "listed", "panels", "prose"):
        del whole[key]
    for strip in whole["strips"]:
        strip["generated"], strip["references"] = len(strip["generated"]), len(strip["references"])
    whole["answer"]["sentence"] = facts.answer.sentence
    plain: dict[str, Any] = json.loads(json.dumps({"schema": SCHEMA, **whole}, default=dict))
    return plain


def escape_markdown(value: object) -> str:
    """Text for a Markdown line or table cell: nothing in it is markup, and no line ends."""
    if isinstance(value, MarkdownText):
        return value
    text = " ".join(str(value).split()) if "\n" in str(value) else str(value)
    text = re.sub(r"([\\`*_\[\]|~])", r"\\\1", text)
    text = re.sub(r"<(?=[A-Za-z/!?])", r"\\<", text)
    return re.sub(r"&(?=[#\w]+;)", r"\\&", text)


def fenced(text: str, language: str = "") -> MarkdownText:
    """A code block whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return MarkdownText(f"{fence}{language}\n{text.rstrip()}\n{fence}")


def _drawn(svg: str, alt: str, numbers: Sequence[int] = ()) -> Markup:
    return Markup(in_page(svg, alt, numbers))  # noqa: S704 - an XML writer escaped it


def _own(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - our own file, or JSON without any sign of markup


def _control_alt(title: str, found: str) -> str:
    return f"Small scatter plot of the control “{names.shown(title)}”. {found}"


@cache
def pages() -> Environment:
    """The templates of pages; everything printed is escaped."""
    environment = Environment(
        loader=PackageLoader("fit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_filters())
    return environment


@cache
def notes() -> Environment:
    """The templates of Markdown.

    The template library has no autoescape for Markdown; `finalize` passes every printed value to ours.
    """
    environment = Environment(
        loader=PackageLoader("fit.report"),
        autoescape=False,  # noqa: S701 - Markdown is escaped below
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=escape_markdown,
    )
    environment.filters.update(_filters() | {"fenced": fenced})
    return environment


def _filters() -> dict[str, Callable[..., Any]]:
    return {
        "count": _or_dash(numbers.count),
        "images": _or_dash(numbers.images),
        "of_images": lambda value: "unknown" if value is None else numbers.of_images(value),
        "score": _or_dash(numbers.score),
        "share": _or_dash(numbers.share),
        "level": numbers.level,
        "chance": numbers.p_value,
        "shown": names.shown,
        "flagged": lambda told: f"{flags.MARK} {told}",
        "flags": flags.told,
        "block": names.block,
        "verdict": VERDICTS.__getitem__,
        "capital": lambda text: text[:1].upper() + text[1:],
        "tight": _tight,
        "setting": lambda value: json.dumps(value, ensure_ascii=False, default=str),
        "range": lambda ends: numbers.span(*ends) or "",
    }


def _or_dash(write: Callable[[float], str]) -> Callable[[float | None], str]:
    return lambda value: numbers.EM_DASH if value is None else write(value)


def _tight(text: str) -> str:
    """Keeps numbers together with their signs at the end of a line: ``95 %``, ``p = 0.03``, ``38–60``."""
    text = re.sub(r"(?<=\d) (?=%)", "\u00a0", text)
    text = re.sub(r"(?<=\d)–(?=\d)", "\u2060–\u2060", text)
    return re.sub(r"\bp ([=<]) (?=\d)", "p\u00a0\\1\u00a0", text)


def own_file(name: str) -> str:
    """A file of the templates' folder."""
    return files("fit.report").joinpath("templates", name).read_text(encoding="utf-8")
