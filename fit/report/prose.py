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
    words = {
        "noun": subject.noun,
        "a_noun": f"{'an' if subject.noun[:1].lower() in set('aeiou') else 'a'} {subject.noun}",
        "noun_plural": subject.noun_plural,
        "level": percent(level),
    }
    rows: dict[str, list[dict[str, Any]]] = tomllib.loads(
        files("fit.report").joinpath("prose.toml").read_text(encoding="utf-8")
    )
    sections = {
        section: tuple(
            Passage(**{key: _sentence(text.format_map(words)) for key, text in passage.items()})
            for passage in passages
        )
        for section, passages in rows.items()
    }
    return Prose(**sections)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
