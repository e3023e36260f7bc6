"""The engine that finds phrases in captions: the one place that another one replaces."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from concepts.matching import Phrase
from corpus.hits import Finder, Hits

__all__ = ["Finder", "Hits", "make_finder"]


def make_finder(phrases: Sequence[Phrase]) -> Finder:
    """Return the fastest finder that this machine has: Hyperscan's automaton, else DuckDB's join of words."""
    if find_spec("hyperscan") is not None:
        from corpus.automaton import Automaton

        return Automaton(phrases)
    from corpus.word_join import WordJoin

    return WordJoin(phrases)
