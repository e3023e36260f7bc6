"""The words that stand beside a concept's names: how captions speak of it without naming it.

They are found in the sampled captions: a share is that of a random sample, as large as the table says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pyarrow as pa

from concepts.concept import Concept
from concepts.matching import canonical, word_runs
from corpus.tables import WORDS

SHORTEST = 3
"""Letters of a word that is told; shorter ones hold caption sentences together."""


def cooccurring_words(samples: pa.Table, concepts: Sequence[Concept], most: int = 20) -> pa.Table:
    """Return the words that stand in a concept's captions more often than in those of the other concepts.

    Args:
        samples: Sampled rows (schema `corpus.tables.SAMPLES`).
        concepts: The concepts; the words of their own names are left out of their lists.
        most: At most so many words of each concept.

    Returns:
        By concept, the words whose share exceeds that of the others most first (schema
        `corpus.tables.WORDS`); shares lie in [0, 1], that of the others is null where there are none.
    """
    sampled: Counter[str] = Counter()
    found: dict[str, Counter[str]] = {concept.name: Counter() for concept in concepts}
    everywhere: Counter[str] = Counter()
    for name, caption in zip(samples["concept"].to_pylist(), samples["caption"].to_pylist(), strict=True):
        words = {word for word in word_runs(canonical(caption)) if len(word) >= SHORTEST}
        sampled[name] += 1
        found[name].update(words)
        everywhere.update(words)
    rows: list[dict[str, object]] = []
    for concept in concepts:
        totals = (sampled[concept.name], sampled.total())
        rows += _rows(concept, found[concept.name], everywhere, totals, most)
    return pa.Table.from_pylist(rows, schema=WORDS)


def _rows(
    concept: Concept, found: Counter[str], everywhere: Counter[str], sampled: tuple[int, int], most: int
) -> Iterator[dict[str, object]]:
    """Yield the rows of one concept, given the sampled captions of it and of all."""
    own, every = sampled
    names = {word for phrase in concept.phrases for word in word_runs(canonical(phrase))}
    others = every - own
    excess = {
        word: number / own - ((everywhere[word] - number) / others if others else 0.0)
        for word, number in found.items()
        if word not in names
    }
    for word in sorted(excess, key=lambda word: (-excess[word], word))[:most]:
        number = found[word]
        yield {
            "concept": concept.name,
            "word": word,
            "captions": number,
            "sampled": own,
            "share": number / own,
            "share_of_others": (everywhere[word] - number) / others if others else None,
        }
