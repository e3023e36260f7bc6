"""Valid files made hostile: bytes flipped, cut, repeated, and put in that break parsers. Seeded."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

Mutation = Callable[[bytearray, random.Random], None]

TOKENS = (
    *(b"\0", b"\0\0\0\0", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"\r", b"\n"),
    *(b'"', b'""', b",", b"|", b"'", b"=", b"\t", b"\x1b[2J", b"\xe2\x80\xae", b"\xc2\xa0", b"\x85"),
    *(b"[", b"{", b"]", b"}", b"[[", b"null", b"true", b"NaN", b"Infinity", b"-1", b"1e999", b"0x", b"''"),
    *(b"../../../x", b"/etc/passwd", b"PAR1", b"PK\x03\x04", b"\x93NUMPY", b"<svg onload=x>", b"9" * 5000),
)
LENGTHS = (0, 1, 2**7, 2**15 - 1, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
LONG = 1_000_000


def mutated(seed: bytes, rng: random.Random) -> bytes:
    """Return a valid file after one to six mutations; one in a hundred is drawn from nothing at all."""
    if rng.random() < 0.01:
        return rng.randbytes(rng.randrange(200))
    content = bytearray(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        rng.choice(MUTATIONS)(content, rng)
    return bytes(content)


def _place(content: bytearray, rng: random.Random) -> int:
    """A place in the file; every other time near its end, where Parquet and ZIP keep their index."""
    if not content:
        return 0
    near_end = max(0, len(content) - 600) if rng.random() < 0.5 else 0
    return rng.randrange(near_end, len(content))


def flip(content: bytearray, rng: random.Random) -> None:
    """One bit."""
    if content:
        content[_place(content, rng)] ^= 1 << rng.randrange(8)


def replace(content: bytearray, rng: random.Random) -> None:
    """Up to eight bytes by others."""
    place = _place(content, rng)
    content[place : place + rng.randrange(1, 9)] = rng.randbytes(rng.randrange(1, 9))


def cut(content: bytearray, rng: random.Random) -> None:
    """All from a place on."""
    del content[_place(content, rng) :]


def drop(content: bytearray, rng: random.Random) -> None:
    """A piece from the middle."""
    place = _place(content, rng)
    del content[place : place + rng.randrange(1, 60)]


def insert(content: bytearray, rng: random.Random) -> None:
    """A token that some parser takes for more than text."""
    place = _place(content, rng)
    content[place:place] = rng.choice(TOKENS)


def repeat(content: bytearray, rng: random.Random) -> None:
    """A piece several times."""
    place = _place(content, rng)
    piece = bytes(content[place : place + rng.randrange(1, 200)])
    content[place:place] = piece * rng.choice((1, 2, 100))


def move(content: bytearray, rng: random.Random) -> None:
    """A piece to another place."""
    place = _place(content, rng)
    piece = bytes(content[place : place + rng.randrange(1, 200)])
    del content[place : place + len(piece)]
    other = _place(content, rng)
    content[other:other] = piece


def length(content: bytearray, rng: random.Random) -> None:
    """A number that may be a length, by a hostile one."""
    form, most = rng.choice((("<H", 2**16), (">H", 2**16), ("<I", 2**32), (">I", 2**32), ("<Q", 2**64)))
    value = rng.choice([each for each in LENGTHS if each < most])
    place = _place(content, rng)
    content[place : place + struct.calcsize(form)] = struct.pack(form, value)


def long(content: bytearray, rng: random.Random) -> None:
    """A very long run of one byte; seldom, for it takes its time."""
    if rng.random() < 0.02:
        place = _place(content, rng)
        content[place:place] = rng.choice((b"a", b"[", b"{", b'"', b"\0", b" ", b"9", b"\xc3")) * LONG
    else:
        flip(content, rng)


def deep(content: bytearray, rng: random.Random) -> None:
    """Brackets that open and open."""
    place = _place(content, rng)
    content[place:place] = rng.choice((b"[", b'{"a":', b"{a=", b"(", b"[[")) * rng.choice((50, 2000, 100_000))


MUTATIONS: tuple[Mutation, ...] = (
    *(flip, replace, cut, drop, insert, insert, repeat, move, length, long, deep),
)
