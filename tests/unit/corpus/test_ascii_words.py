from __future__ import annotations

import numpy as np

from corpus.ascii_words import AsciiWords


def find(words: list[bytes], texts: list[bytes]) -> list[tuple[int, bytes]]:
    index = AsciiWords(words)
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    hits = index.find(b"".join(texts), offsets)
    return [
        (row, index.words[word]) for row, word in zip(hits.rows.tolist(), hits.words.tolist(), strict=True)
    ]


def test_whole_words_only() -> None:
    texts = [b"monet", b"Monetary Monet's", b"a monet2 xmonet", b"#MONET_monet"]
    assert find([b"monet"], texts) == [(0, b"monet"), (1, b"monet"), (3, b"monet"), (3, b"monet")]


def test_words_do_not_reach_over_the_end_of_a_text() -> None:
    assert find([b"monet", b"mo", b"net"], [b"mo", b"net", b"", b"", b"monet", b""]) == [
        (0, b"mo"),
        (1, b"net"),
        (4, b"monet"),
    ]


def test_words_longer_than_the_signature() -> None:
    # Both begin with the same eight bytes and have the same length: only the word itself is found.
    assert find([b"abcdefghij"], [b"abcdefghij abcdefghik", b"abcdefgh", b"abcdefghijk"]) == [
        (0, b"abcdefghij")
    ]


def test_a_short_word_is_not_a_prefix() -> None:
    assert find([b"ab"], [b"abc", b"ab", b"a", b"ab\0", b"\0ab"]) == [(1, b"ab"), (3, b"ab"), (4, b"ab")]


def test_bytes_beyond_ascii_end_a_word() -> None:
    assert find([b"monet"], ["monet é émonet".encode()]) == [(0, b"monet"), (0, b"monet")]


def test_nothing_to_find() -> None:
    assert find([], [b"monet"]) == []
    assert find([b"monet"], []) == []
    assert find([b"monet"], [b"", b""]) == []
    assert find([b"monet"], [b"   "]) == []
