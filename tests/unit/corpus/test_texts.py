from __future__ import annotations

import itertools
import random

import numpy as np
import pyarrow as pa
import pytest

from concepts.matching import canonical
from corpus.texts import Texts, canonical_texts, spaced


def texts_of(rows: list[str]) -> Texts:
    return Texts.of_bytes([row.encode() for row in rows])


def rows_of(texts: Texts) -> list[str]:
    bounds = texts.offsets.tolist()
    pairs = itertools.pairwise(bounds)
    return [texts.data[start:end].tobytes().decode() for start, end in pairs]


def test_arrow_strings_as_one_run_of_bytes() -> None:
    column = pa.array(["é", None, "", "ab"], pa.large_string())
    texts = Texts.of_arrow(column)
    assert (texts.data.tobytes(), texts.offsets.tolist()) == ("éab".encode(), [0, 2, 2, 2, 4])
    part = Texts.of_arrow(column.slice(2))
    assert (part.data.tobytes(), part.offsets.tolist()) == (b"ab", [0, 0, 2])
    assert len(Texts.of_arrow(column.slice(0, 0))) == 0


def test_which_text_a_byte_is_in() -> None:
    texts = texts_of(["ab", "", "c"])
    assert texts.row_of(np.array([0, 1, 2])).tolist() == [0, 0, 2]


def test_unusual_texts_one_by_one() -> None:
    rng = random.Random(3)
    for _ in range(200):
        rows = [
            "".join(rng.choices("ab~\x7f é日\t\0", [30] * 5 + [1] * 4, k=rng.randint(0, 9)))
            for _ in range(20)
        ]
        expected = [any(not " " <= letter <= "\x7f" for letter in row) for row in rows]
        assert texts_of(rows).unusual().tolist() == expected


@pytest.mark.parametrize("before", [0, 7, 8, 1 << 18, (1 << 18) + 5])
def test_unusual_bytes_wherever_they_lie(before: int) -> None:
    texts = texts_of(["x" * before, "abcdefgh", "é", "abcdefghi", "a\nb"])
    assert texts.unusual().tolist() == [False, False, True, False, True]


def test_spaced_by_hand() -> None:
    assert (
        spaced(texts_of(["Van_Gogh-Vincent\tJ.\nO`Keeffe"]).data).tobytes()
        == b"Van Gogh Vincent\tJ \nO`Keeffe"
    )


def test_spaced_byte_by_byte() -> None:
    data = np.random.default_rng(0).integers(0, 256, (1 << 18) + 100).astype(np.uint8)
    expected = np.array([ord(" ") if byte in b"-._" else byte for byte in range(256)], np.uint8)[data]
    assert np.array_equal(spaced(data), expected)


def test_canonical_form_of_every_character() -> None:
    characters = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
    rows = [f"a{character} {character}b" for character in characters]
    found = rows_of(canonical_texts(texts_of(rows)))
    wrong = [row for row, form in zip(rows, found, strict=True) if form.strip(" ") != canonical(row)]
    assert wrong == []


def test_canonical_form_of_any_text() -> None:
    rng = random.Random(1)
    usual = [*" -._\t\u00a0", "e\u0301", "\u302e", "\u0f71", "김", "ŉ", "ﬁ"]
    pool = [chr(code) for code in range(1, 0x3100)] + usual * 300
    rows = ["".join(rng.choices(pool, k=rng.randint(0, 12))) for _ in range(30_000)]
    found = rows_of(canonical_texts(texts_of(rows)))
    wrong = [row for row, form in zip(rows, found, strict=True) if form.strip(" ") != canonical(row)]
    assert wrong == []
    assert not any("  " in form for form in found)
