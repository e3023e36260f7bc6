"""A concept: a person or an art style that could be imitated, with the phrases that name it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from concepts.matching import canonical, fold

SLUG_LENGTH = 40
"""Longest readable part of a slug, in characters; file systems allow 255 bytes for a whole name."""

_UNSAFE = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept of a catalogue.

    Attributes:
        name: How the concept is written in prompts and reports.
        aliases: Other phrases in captions that name it.
        group: A label to compare within (a movement, a field), None where there is none.
        flags: Warnings that the report shows, such as ``ambiguous``.
    """

    name: str
    aliases: tuple[str, ...] = ()
    group: str | None = None
    flags: tuple[str, ...] = ()

    @property
    def phrases(self) -> tuple[str, ...]:
        """The name and the aliases, each phrase once (equal by the matching rules), the name first."""
        different: dict[str, str] = {}
        for phrase in (self.name, *self.aliases):
            different.setdefault(canonical(phrase), phrase)
        return tuple(different.values())

    @property
    def slug(self) -> str:
        """The name as a file name: ASCII letters, digits and hyphens, and 8 hex digits of its SHA-256."""
        readable = _UNSAFE.sub("-", fold(self.name))[:SLUG_LENGTH].strip("-")
        digest = hashlib.sha256(self.name.encode()).hexdigest()[:8]
        return f"{readable}-{digest}" if readable else digest
