"""Opt-out lists: names, domains and patterns of addresses whose rows go in any case."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from concepts.errors import MalformedFile, unknown

KINDS = ("name", "domain", "url")
LONGEST = 2000
"""Longest pattern of an address, in characters."""

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


def read_opt_outs(text: str, source: str) -> OptOuts:
    """Read an opt-out list: CSV with the columns ``kind`` (name, domain or url) and ``value``.

    Args:
        text: The list.
        source: Where it is from, for messages.

    Raises:
        MalformedFile: With the line, the value and what would be right.
    """
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise MalformedFile(f"{source}: not CSV ({error})") from error
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
    if kind == "url" and len(value) > LONGEST:
        raise MalformedFile(f"{where}: a pattern of {len(value):,} characters; at most {LONGEST:,} are taken")
    return value


def merge_names(listed: Sequence[str], opted_out: Sequence[str]) -> tuple[str, ...]:
    """Return the opted-out names that are no concept of the list already."""
    known = set(listed)
    return tuple(dict.fromkeys(name for name in opted_out if name not in known))
