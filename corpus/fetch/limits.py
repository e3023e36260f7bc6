"""Every limit of the fetcher in one place, and what a download can come to."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

SUCCESS = "success"
FAILED = "failed_to_download"
REFUSED = "refused"
OPTED_OUT = "opted_out"
NO_IMAGE = "not_an_image"
FLAGGED = "flagged"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, how much, how often, how fast, and to where.

    Attributes:
        connect: Seconds for a name's resolution, and again for the connection.
        read: Seconds of silence from a server.
        total: Seconds for one request from the connection to the last byte, however it drips.
        bytes: Largest answer.
        pixels: Largest image, width times height.
        side: Smallest side of an image, in pixels; smaller ones are counters and place holders.
        redirects: Most redirects that are followed.
        attempts: Most tries of an address whose failure may pass.
        wait: Seconds before the second try, doubled before each further one.
        longest_wait: Most seconds that a server may ask to be left alone (``Retry-After``); one that asks
            for more is not asked again.
        connections: Most requests at a time.
        per_host: Most of them to one host.
        delay: Least seconds between the beginnings of two requests to one host.
        allowed: Networks that may be connected to although they are not public; for tests.
    """

    connect: float = 10.0
    read: float = 15.0
    total: float = 60.0
    bytes: int = 16 * 2**20
    pixels: int = 2**26
    side: int = 8
    redirects: int = 5
    attempts: int = 3
    wait: float = 2.0
    longest_wait: float = 60.0
    connections: int = 32
    per_host: int = 2
    delay: float = 0.5
    allowed: tuple[IPv4Network | IPv6Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an image was not had.

    Attributes:
        status: ``failed_to_download``, ``refused``, ``opted_out``, ``not_an_image`` or ``flagged``.
        reason: In words, the same for the same answer.
        passing: Whether a later try may go better.
        answered: Whether a server answered at all.
        wait: Seconds for which the server wants to be left alone, 0 where it does not say.
    """

    status: str
    reason: str
    passing: bool = False
    answered: bool = True
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as it was received.

    Attributes:
        data: Its bytes, untouched.
        suffix: By what it is, not by what it was called: ``.jpg``, ``.png``, ``.webp`` or ``.gif``.
        width: In pixels.
        height: In pixels.
        sha256: Of the bytes, in hexadecimal.
    """

    data: bytes
    suffix: str
    width: int
    height: int
    sha256: str
