"""What a server says about use by machines: headers that ask not to be used for AI or for mining.

``X-Robots-Tag: noai`` and ``noimageai`` (a convention of the web), and ``tdm-reservation: 1`` of the TDM
Reservation Protocol (W3C Community Group, final report of 2024-05-10). A directive may be addressed to one
robot (``somebot: noai``); it is honoured whoever is meant, since what the owner wants is then clear enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

DIRECTIVES = ("noai", "noimageai")
_SEPARATORS = re.compile(r"[,;:\s]+")


def opted_out(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the header by which the owner opts out, None where there is none.

    Args:
        headers: Names and values of an answer's headers, whatever its status; a name may come repeatedly.
    """
    for name, value in headers:
        text = value.decode("latin-1").strip().casefold()
        if name.lower() == b"x-robots-tag":
            for word in _SEPARATORS.split(text):
                if word in DIRECTIVES:
                    return f"X-Robots-Tag: {word}"
        elif name.lower() == b"tdm-reservation" and text == "1":
            return "tdm-reservation: 1"
    return None
