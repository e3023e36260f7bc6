"""The concept table: every cell as it is printed, once for the page, its data block and its script."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fit.report import flags
from fit.report.facts import Facts
from fit.report.inputs import CurvePoint
from fit.report.names import shown
from fit.report.numbers import EM_DASH, count, images, score, share, span
from fit.report.tallies import VERDICTS

PAGE_ROWS = 500
"""Rows that stand in the page at once; the script turns over to the others."""

Kind = Literal["name", "text", "verdict", "number"]


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says: its text, and smaller beside it an interval, an error or a flag."""

    text: str
    small: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what it is called in the data block, its heading, and how its cells are drawn and sorted."""

    key: str
    title: str
    kind: Kind
    cell: Callable[[CurvePoint], Cell]


@dataclass(frozen=True, slots=True)
class Row:
    """A concept: its place among the report's points, its cells, and whether the page has pictures of it."""

    number: int
    cells: tuple[Cell, ...]
    pictured: bool


@dataclass(frozen=True, slots=True)
class ConceptTable:
    """The table from the most frequent concept to the rarest.

    Attributes:
        columns: the columns, the concept's name first.
        rows: all concepts.
        page: how many of the rows stand in the page.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    page: int

    @property
    def first(self) -> tuple[Row, ...]:
        """The rows that stand in the page as it is delivered."""
        return self.rows[: self.page]


def concept_table(facts: Facts, page: int = PAGE_ROWS) -> ConceptTable:
    """Return the table of a report's concepts, with groups where there are any."""
    grouped = any(point.group for point in facts.points)
    columns = tuple(column for column in _columns(facts.subject.noun) if grouped or column.key != "group")
    pictured = {strip.number for strip in (*facts.strips, *facts.panels)}
    rows = tuple(
        Row(number, tuple(column.cell(point) for column in columns), number in pictured)
        for number, point in enumerate(facts.points)
    )
    return ConceptTable(columns, rows, page)


def data_block(table: ConceptTable, noun_plural: str) -> str:
    """Return the whole table as JSON that may stand inside a script element.

    Names are strangers' words: no ``<``, ``>``, ``&`` and nothing beyond ASCII is left in it, so that nothing
    in it can end the element, begin a comment, or end a line of the script.
    """
    whole = {
        "noun": noun_plural,
        "page": table.page,
        "columns": [{"key": column.key, "kind": column.kind} for column in table.columns],
        "rows": [[_packed(cell) for cell in row.cells] for row in table.rows],
        "pictured": [row.number for row in table.rows if row.pictured],
    }
    text = json.dumps(whole, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _packed(cell: Cell) -> str | list[str]:
    return [cell.text, cell.small] if cell.small else cell.text


def _columns(noun: str) -> tuple[Column, ...]:
    return (
        Column("name", noun[:1].upper() + noun[1:], "name", _name),
        Column("group", "Group", "text", lambda p: Cell(shown(p.group, 40) if p.group else "")),
        Column("verdict", "Verdict", "verdict", lambda p: Cell(VERDICTS[p.verdict])),
        Column("images", "Images", "number", _images),
        Column("score", "Score", "number", _score),
        Column("chance", "Chance", "number", lambda p: _number(p.baseline, score)),
        Column("published", "Published", "number", lambda p: _number(p.mimetic2_score, score)),
        Column("captions", "Captions", "number", lambda p: _number(p.caption_count, count)),
        Column("addresses", "Addresses", "number", lambda p: _number(p.distinct_url_count, count)),
        Column("hit_rate", "Hit rate", "number", lambda p: _number(p.hit_rate, share)),
        Column("distinct", "Distinct images", "number", _distinct),
    )


def _number(value: float | None, write: Callable[[float], str]) -> Cell:
    return Cell(EM_DASH if value is None else write(value))


def _name(point: CurvePoint) -> Cell:
    return Cell(shown(point.concept), f"{flags.MARK} {flags.told(point.flags)}" if point.flags else "")


def _images(point: CurvePoint) -> Cell:
    interval = span(point.frequency_low, point.frequency_high)
    return Cell(_number(point.frequency, images).text, interval or "")


def _score(point: CurvePoint) -> Cell:
    error = "" if point.score_se is None else f"± {score(point.score_se)}"
    return Cell(_number(point.score, score).text, error)


def _distinct(point: CurvePoint) -> Cell:
    return Cell(span(point.distinct_frequency_low, point.distinct_frequency_high) or EM_DASH)
