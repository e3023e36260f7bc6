"""Owners who do not want their images used, as their servers say it in headers.

Read are ``X-Robots-Tag`` with ``noai`` or ``noimageai``, for everybody or for us by name, and the TDM
reservation protocol's ``tdm-reservation: 1`` (W3C community group, 2024). Not read are ``robots.txt``,
``/.well-known/tdmrep.json`` and HTML pages: one image is asked for at an address that is known already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from multidict import CIMultiDictProxy

from corpus.fetch.policy import AGENT

FOR_ALL = frozenset({"noai", "noimageai"})
FOR_US = FOR_ALL | {"none", "noindex", "noimageindex"}
"""A site that names us and wants no indexing wants no use by us."""

# Directives with a value after a colon, which is no user agent.
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_AGENT_NAME = re.compile(r"[a-z*][^\s:]*")  # the hour of a date before its colon is none


def opt_out(headers: CIMultiDictProxy[str]) -> str | None:
    """Return how a response's headers opt out, None where they do not."""
    if any(value.strip() == "1" for value in headers.getall("tdm-reservation", ())):
        return "tdm-reservation: 1"
    for value in headers.getall("X-Robots-Tag", ()):
        for agent, directive in _directives(value):
            if directive in (FOR_ALL if agent is None else FOR_US) and agent in (None, AGENT):
                return f"X-Robots-Tag: {directive}"
    return None


def _directives(value: str) -> Iterator[tuple[str | None, str]]:
    """Yield (user agent or None for all, directive) of one header, in lower case.

    ``bot: nofollow, noai`` is for the bot alone; the name holds up to the next one.
    """
    agent: str | None = None
    for piece in value.lower().split(","):
        left, colon, right = (part.strip() for part in piece.partition(":"))
        if colon and left not in _VALUED and _AGENT_NAME.fullmatch(left):
            agent = None if left == "*" else left
            yield agent, right
        else:
            yield agent, left
