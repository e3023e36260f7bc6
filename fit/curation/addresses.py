"""Which addresses were opted out: whole columns at a time, by regular expressions that take linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fit.curation.optout import OptOuts

_TOGETHER = 20_000
"""Characters of patterns that are looked for at once: RE2 refuses expressions that are much longer."""

Indices = NDArray[np.int64]


class OptedOut:
    """Tells why rows with certain addresses go. It can be pickled."""

    def __init__(self, outs: OptOuts) -> None:
        """Prepare the expressions; names play no part here.

        `reasons` holds the texts that the answers point to.
        """
        self._domains = sorted(outs.domains)
        self._patterns = [_expression(pattern) for pattern in outs.urls]
        self.reasons = (
            *(f"opted out: domain {domain}" for domain in self._domains),
            *(f"opted out: address {pattern}" for pattern in outs.urls),
        )
        labels = max((domain.count(".") + 1 for domain in self._domains), default=0)
        # The host of scheme://user@host:port/, then its last labels, as many as any listed domain has.
        self._host = (
            r"(?s)\A[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(?:[^/:?#]*?\.)??"
            rf"(?P<tail>(?:[^/:?#.]*\.){{0,{max(labels - 1, 0)}}}[^/:?#.]+)\.*(?:[/:?#]|\z)"
        )

    def __bool__(self) -> bool:
        """Whether any address can be opted out at all."""
        return bool(self.reasons)

    def why(self, urls: pa.LargeStringArray) -> Indices:
        """Return for each address the position of its reason in `reasons`, -1 where it may stay. Shape (n,).

        A domain goes before a pattern, the longer domain before the shorter one, a pattern before those that
        follow it. A null or empty address stays.
        """
        why = np.full(len(urls), -1, np.int64)
        if self._domains:
            why = self._by_domain(urls)
        for first, patterns in _piles(self._patterns):
            open_ = np.flatnonzero(why < 0)
            likely = open_[_matches(urls.take(pa.array(open_)), "|".join(patterns))]
            for number, pattern in enumerate(patterns):
                found = likely[_matches(urls.take(pa.array(likely)), pattern)]
                why[found] = first + len(self._domains) + number
                likely = likely[why[likely] < 0]
        return why

    def _by_domain(self, urls: pa.LargeStringArray) -> Indices:
        """Look up the hosts, each different one once, by their last labels."""
        hosts = pc.struct_field(pc.extract_regex(urls, self._host), "tail").dictionary_encode()
        tails = pc.utf8_lower(hosts.dictionary)
        listed = pa.array(self._domains, tails.type)
        why = np.full(len(tails) + 1, -1, np.int64)  # the last one is for addresses without a host
        while pc.any(pc.not_equal(tails, "")).as_py():
            found = pc.fill_null(pc.index_in(tails, listed), -1).to_numpy(zero_copy_only=False)
            why[:-1] = np.where(why[:-1] < 0, found, why[:-1])
            tails = pc.replace_substring_regex(tails, r"\A[^.]*\.?", "", max_replacements=1)
        places = pc.fill_null(hosts.indices.cast(pa.int64()), len(tails)).to_numpy(zero_copy_only=False)
        found_of: Indices = why[places]
        return found_of


def _expression(pattern: str) -> str:
    parts = (re.escape(c) if c not in "*?" else {"*": ".*", "?": "."}[c] for c in pattern)
    return "".join(parts)


def _piles(patterns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield patterns that are looked for together, and the position of the first of them."""
    start, pile, size = 0, list[str](), 0
    for number, pattern in enumerate(patterns):
        if pile and size + len(pattern) > _TOGETHER:
            yield start, pile
            start, pile, size = number, [], 0
        pile.append(pattern)
        size += len(pattern)
    if pile:
        yield start, pile


def _matches(urls: pa.LargeStringArray, expression: str) -> NDArray[np.bool_]:
    """Return which addresses an expression fits from the first to the last character. Shape (n,)."""
    found = pc.match_substring_regex(urls, rf"(?s)\A(?:{expression})\z", ignore_case=True)
    fits: NDArray[np.bool_] = pc.fill_null(pc.and_(found, pc.not_equal(urls, "")), False).to_numpy(
        zero_copy_only=False
    )
    return fits
