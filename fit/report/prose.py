"""The report's standing texts: read from `prose.toml`, with the words of the run filled in."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from fit.report.inputs import Subject
from fit.report.numbers import level as percent


@dataclass(frozen=True, slots=True)
class Passage:
    """A text with an optional heading ``term`` and an optional short ``name`` such as ``A1``."""

    text: str
    term: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Prose:
    """All standing texts of a report."""

    reading: tuple[Passage, ...]
    assumptions: tuple[Passage, ...]
    limits: tuple[Passage, ...]


def standing_texts(subject: Subject, level: float) -> Prose:
    """The standing texts in the words of this run; ``level`` is the confidence level in (0, 1)."""
    rows: dict[str, list[dict[str, Any]]] = tomllib.loads(
        files("fit.report").joinpath("prose.toml").read_text(encoding="utf-8")
    )
    sections = {
        section: tuple(Passage(**passage) for passage in passages)
        for section, passages in filled(rows, subject, level).items()
    }
    return Prose(**sections)


def filled(
    rows: dict[str, list[dict[str, Any]]], subject: Subject, level: float
) -> dict[str, list[dict[str, str]]]:
    """Texts with the words of this run filled in, each beginning with a capital letter."""
    words = {
        "noun": subject.noun,
        "a_noun": subject.a_noun,
        "noun_plural": subject.noun_plural,
        "level": percent(level),
    }
    return {
        section: [{key: _sentence(text.format_map(words)) for key, text in row.items()} for row in passages]
        for section, passages in rows.items()
    }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
