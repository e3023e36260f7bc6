from __future__ import annotations

import pyarrow as pa

from concepts.concept import Concept
from corpus.cooccurrence import cooccurring_words
from corpus.tables import SAMPLES, WORDS

MONET = Concept("Claude Monet", ("Monet",))
BANKSY = Concept("Banksy")


def samples(*rows: tuple[str, str]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"concept": concept, "key": 0, "file": "a", "row": row, "url": None, "caption": caption}
            for row, (concept, caption) in enumerate(rows)
        ],
        schema=SAMPLES,
    )


def test_words_by_hand() -> None:
    found = cooccurring_words(
        samples(
            ("Claude Monet", "Monet, Nymphéas: a painting of a pond"),
            ("Claude Monet", "Nympheas by Claude Monet"),
            ("Banksy", "a painting on a wall by Banksy"),
        ),
        (MONET, BANKSY),
        most=2,
    )
    # nympheas: 2 of 2 against 0 of 1; pond: 1 of 2 against 0; painting: 1 of 2 against 1 of 1
    assert found.schema == WORDS
    assert found.to_pylist() == [
        {"concept": "Claude Monet", "word": "nympheas", "captions": 2, "sampled": 2, "share": 1.0,
         "share_of_others": 0.0},
        {"concept": "Claude Monet", "word": "pond", "captions": 1, "sampled": 2, "share": 0.5,
         "share_of_others": 0.0},
        {"concept": "Banksy", "word": "wall", "captions": 1, "sampled": 1, "share": 1.0,
         "share_of_others": 0.0},
        {"concept": "Banksy", "word": "painting", "captions": 1, "sampled": 1, "share": 1.0,
         "share_of_others": 0.5},
    ]  # fmt: skip


def test_without_others_the_share_decides() -> None:
    found = cooccurring_words(samples(("Banksy", "wall art"), ("Banksy", "wall by Banksy")), (BANKSY,))
    assert found["word"].to_pylist() == ["wall", "art"]
    assert found["share_of_others"].to_pylist() == [None, None]


def test_a_concept_without_captions_has_no_words() -> None:
    assert len(cooccurring_words(samples(), (MONET, BANKSY))) == 0
