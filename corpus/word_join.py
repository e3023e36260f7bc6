"""Finding phrases with DuckDB alone, where Hyperscan is not to be had: slower, the same hits.

Each phrase has a word that must stand in a caption as a whole (see `concepts.phrase_index`). DuckDB splits
the ASCII captions into words and joins them with these; a caption with other characters is folded and looked
up one by one. The exact rules then decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from concepts.matching import Phrase, canonical, occurs
from concepts.phrase_index import PhraseIndex
from corpus.hits import Hits
from corpus.session import open_session, sql
from corpus.texts import Texts


class WordJoin:
    """An index over many phrases that DuckDB joins captions with."""

    name = "duckdb"

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        """Index the phrases."""
        self._index = PhraseIndex(phrases)
        words = sorted(filter(str.isascii, self._index.words))
        self._words = pa.table({"word": pa.array(words, pa.string())})
        self._session: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs; a session stays where it is."""
        return {**self.__dict__, "_session": None}

    def find(self, texts: pa.LargeStringArray) -> Hits:
        """Find the phrases, as `Finder` says."""
        foreign = np.flatnonzero(Texts.of_arrow(texts).unusual())
        pairs = [*self._in_ascii(texts, set(foreign.tolist())), *self._in_foreign(texts, foreign.tolist())]
        found = np.array(pairs, np.int64).reshape(-1, 2)
        return Hits(found[:, 0], found[:, 1])

    def _in_ascii(self, texts: pa.LargeStringArray, foreign: set[int]) -> list[tuple[int, int]]:
        if self._session is None:
            self._session = open_session()
            self._session.register("words", self._words)
        self._session.register("texts", pa.table({"position": pa.array(range(len(texts))), "text": texts}))
        candidates: dict[int, list[int]] = {}
        for row, word in self._session.execute(sql("words")).fetchall():
            if row not in foreign:
                candidates.setdefault(row, []).extend(self._index.words[word])
        self._session.unregister("texts")
        return [
            (row, phrase)
            for row, phrases in candidates.items()
            if (form := canonical(texts[row].as_py()))
            for phrase in phrases
            if occurs(self._index.phrases[phrase], form)
        ]

    def _in_foreign(self, texts: pa.LargeStringArray, rows: list[int]) -> list[tuple[int, int]]:
        return [(row, phrase) for row in rows for phrase in self._index.contained(texts[row].as_py())]
