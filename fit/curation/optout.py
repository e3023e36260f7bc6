"""Opt-out lists: names, domains and patterns of addresses whose rows go in any case."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from concepts.errors import MalformedFile, unknown

KINDS = ("name", "domain", "url")
_HOST = re.compile(r"^[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?([^/:?#]+)", re.IGNORECASE)
_DOMAIN = re.compile(r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")


@dataclass(frozen=True)
class OptOuts:
    """What was opted out.

    Attributes:
        names: Phrases; rows whose captions hold one go.
        domains: Domains in lower case; rows with an address there or in a subdomain go.
        urls: Patterns, ``*`` for any characters and ``?`` for one; rows whose whole address matches one go.
    """

    names: tuple[str, ...] = ()
    domains: frozenset[str] = frozenset()
    urls: tuple[str, ...] = ()

    def why(self, url: str | None) -> str | None:
        """Return why a row with this address goes, or None where it may stay."""
        if not url:
            return None
        if self.domains and (domain := self._domain(url)):
            return f"opted out: domain {domain}"
        for pattern, expression in zip(self.urls, self._expressions, strict=True):
            if expression.fullmatch(url):
                return f"opted out: address {pattern}"
        return None

    def _domain(self, url: str) -> str | None:
        found = _HOST.match(url)
        if found is None:
            return None
        labels = found[1].casefold().rstrip(".").split(".")
        tails = (".".join(labels[start:]) for start in range(len(labels)))
        return next((tail for tail in tails if tail in self.domains), None)

    @property
    def _expressions(self) -> tuple[re.Pattern[str], ...]:
        return tuple(_expression(pattern) for pattern in self.urls)


def read_opt_outs(text: str, source: str) -> OptOuts:
    """Read an opt-out list: CSV with the columns ``kind`` (name, domain or url) and ``value``.

    Args:
        text: The list.
        source: Where it is from, for messages.

    Raises:
        MalformedFile: With the line, the value and what would be right.
    """
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if not rows or [cell.strip() for cell in rows[0]] != ["kind", "value"]:
        raise MalformedFile(f"{source}: an opt-out list has the columns kind,value")
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != 2 or not row[1].strip():
            raise MalformedFile(f"{source}: line {number}: give a kind and a value")
        kind, value = row[0].strip(), row[1].strip()
        if kind not in KINDS:
            raise MalformedFile(f"{source}: line {number}: {unknown('kind', kind, KINDS)}")
        found[kind].append(_checked(kind, value, f"{source}: line {number}"))
    return OptOuts(tuple(found["name"]), frozenset(found["domain"]), tuple(found["url"]))


def _checked(kind: str, value: str, where: str) -> str:
    if kind == "domain":
        value = value.casefold().rstrip(".")
        if not _DOMAIN.match(value):
            raise MalformedFile(f"{where}: {value!r} is no domain such as example.org")
    if kind == "url" and not value.strip("*?"):
        raise MalformedFile(f"{where}: the pattern {value!r} fits every address; name part of one")
    return value


def _expression(pattern: str) -> re.Pattern[str]:
    parts = (re.escape(c) if c not in "*?" else {"*": ".*", "?": "."}[c] for c in pattern)
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def merge_names(listed: Sequence[str], opted_out: Sequence[str]) -> tuple[str, ...]:
    """Return the opted-out names that are no concept of the list already."""
    known = set(listed)
    return tuple(dict.fromkeys(name for name in opted_out if name not in known))
