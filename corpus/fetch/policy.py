"""What a fetch may do: to whom it connects, how politely, and what it keeps."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field

from concepts.errors import SettingsError
from corpus.fetch.addresses import AddressRules

AGENT = "imitation-threshold"
"""Our name in the user agent, and the one that a site's ``X-Robots-Tag`` may address."""

_CONTACT = re.compile(r"https?://[^\s()<>]+\.[^\s()<>]+|[^\s()<>@:/]+@[^\s()<>@:/]+\.[^\s()<>@:/]+")


@dataclass(frozen=True, slots=True)
class Limits:
    """What is kept of what a server sends; a change of these makes an earlier fetch worthless.

    Attributes:
        image_bytes: Most bytes of an image.
        image_pixels: Most pixels of an image, told from its header before anything is decoded.
        redirects: Most redirects followed.
    """

    image_bytes: int = 20 * 2**20
    image_pixels: int = 50_000_000
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Manners:
    """How servers are treated. Times are in seconds.

    Attributes:
        connect_timeout: Longest wait for a name to be resolved and a connection to open.
        total_timeout: Longest time for one request with its answer.
        retries: How often a request is made again after 429, 5xx or a timeout.
        first_wait: Wait before the first retry; it doubles with each, less up to half of it at random.
        longest_wait: Longest wait before a retry; a server that asks for more is not asked again.
        at_once: Most requests at a time.
        at_once_per_host: Most requests at a time to one host.
        host_delay: Least time between the starts of two requests to one host.
    """

    connect_timeout: float = 10.0
    total_timeout: float = 30.0
    retries: int = 2
    first_wait: float = 1.0
    longest_wait: float = 60.0
    at_once: int = 64
    at_once_per_host: int = 2
    host_delay: float = 0.5


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it.

    Attributes:
        contact: Mail address or web page of who fetches: a site's owner must be able to complain.
        limits: What is kept.
        manners: How servers are treated.
        addresses: What may be connected to.
        seed: Seed of the random waits.
        version: Our version, for the user agent.
    """

    contact: str
    limits: Limits = field(default_factory=Limits)
    manners: Manners = field(default_factory=Manners)
    addresses: AddressRules = field(default_factory=AddressRules)
    seed: int = 0
    version: str = "0"

    def __post_init__(self) -> None:
        """Refuse to fetch anonymously.

        Raises:
            SettingsError: The contact is no mail address and no web page.
        """
        check_contact(self.contact)

    @property
    def user_agent(self) -> str:
        """The User-Agent that servers see."""
        return f"{AGENT}/{self.version} (+{self.contact})"


def check_contact(contact: str) -> None:
    """Check that a site's owner could reach whoever fetches.

    Raises:
        SettingsError: The contact is no mail address and no web page.
    """
    if not (contact.isascii() and _CONTACT.fullmatch(contact)):
        raise SettingsError(
            f"verification.contact={contact!r}: fetching images needs a mail address or a web page, "
            "so that a site's owner can reach you"
        )


def keeping_digest(limits: Limits, *more: object) -> str:
    """Return a digest of all that decides which images are kept.

    Args:
        limits: The limits.
        more: What else decides it, as JSON values: the cut of a filter, the digest of a checker.
    """
    text = json.dumps([asdict(limits), *more], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
