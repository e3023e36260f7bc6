"""Invented names: pronounceable, unlike each other, some with accents, hyphens and aliases."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from concepts.matching import contains, fold

_ONSETS: Final = [
    "b",
    "br",
    "c",
    "ch",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gl",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "qu",
    "r",
    "s",
    "sh",
    "sk",
    "t",
    "th",
    "tr",
    "v",
    "w",
    "y",
    "z",
    "zh",
]
_VOWELS: Final = ["a", "e", "i", "o", "u", "ae", "ai", "ea", "ia", "io", "ou"]
_CODAS: Final = ["", "", "", "l", "m", "n", "nd", "r", "rn", "s", "sk", "st", "th", "v", "x", "z"]
_ENDINGS: Final = [
    "a",
    "ane",
    "ard",
    "elle",
    "en",
    "eux",
    "ia",
    "ier",
    "in",
    "ith",
    "o",
    "oa",
    "om",
    "or",
    "ov",
    "ulf",
    "une",
    "us",
    "wyn",
    "yx",
]
_ACCENTS: Final = {
    "a": "áàâãå",
    "e": "éèêë",
    "i": "íï",
    "o": "óôöø",
    "u": "úûü",
    "n": "ñ",
    "c": "ç",
    "s": "š",
    "z": "ž",
}


@dataclass(frozen=True)
class InventedName:
    """An invented name and the other phrases that captions use for it."""

    name: str
    aliases: tuple[str, ...]

    def stands_in(self, caption: str) -> bool:
        """Whether a caption names the concept by the rules of counting."""
        return any(contains(caption, phrase) for phrase in (self.name, *self.aliases))


def invent_names(n: int, rng: np.random.Generator) -> tuple[InventedName, ...]:
    """`n` names whose words, accents removed, are all different and none part of another."""
    words: set[str] = set()
    return tuple(_invent(words, rng) for _ in range(n))


def _invent(words: set[str], rng: np.random.Generator) -> InventedName:
    first, last = _new_word(words, rng, 1), _new_word(words, rng, 2)
    if rng.random() < 0.1:
        last = f"{last}-{_new_word(words, rng, 1)}"
    aliases = []
    if rng.random() < 0.35:
        aliases.append(_new_word(words, rng, 2))  # a name to sign with
    if rng.random() < 0.2:
        aliases.append(f"{first[0]}. {last}")
    return InventedName(f"{first} {last}", tuple(aliases))


def _new_word(words: set[str], rng: np.random.Generator, syllables: int) -> str:
    while True:
        word = "".join(
            _pick(_ONSETS, rng) + _pick(_VOWELS, rng) + _pick(_CODAS, rng) for _ in range(syllables)
        )
        word += _pick(_ENDINGS, rng)
        plain = fold(word)
        if 5 <= len(word) <= 11 and not any(plain in other or other in plain for other in words):
            words.add(plain)
            return _accented(word.capitalize(), rng)


def _accented(word: str, rng: np.random.Generator) -> str:
    spots = [i for i, letter in enumerate(word) if letter in _ACCENTS]
    if not spots or rng.random() > 0.2:
        return word
    i = spots[int(rng.integers(len(spots)))]
    return word[:i] + _pick(list(_ACCENTS[word[i]]), rng) + word[i + 1 :]


def misspelt(name: str, rng: np.random.Generator) -> str:
    """The name with one letter of its longest word left out or doubled.

    It no longer names the concept, unless the letter was a hyphen.
    """
    word = max(name.split(), key=len)
    i = int(rng.integers(1, len(word) - 1))
    wrong = word[:i] + word[i + 1 :] if rng.random() < 0.5 else word[:i] + word[i] + word[i:]
    return name.replace(word, wrong)


def _pick(choices: list[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
