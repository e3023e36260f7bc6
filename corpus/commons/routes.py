"""Where a domain's images are asked for, as rows of ``routes.toml``, and which licences are open."""

from __future__ import annotations

import fnmatch
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from concepts.errors import UsageError


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of the interfaces."""

    wikidata: str = "https://www.wikidata.org/w/api.php"
    commons: str = "https://commons.wikimedia.org/w/api.php"


@dataclass(frozen=True, slots=True)
class Route:
    """How a domain's images are found.

    Attributes:
        instance_of: Wikidata items of which a concept has to be an instance.
        files: Search on Commons for files, with ``{item}``; empty: none.
        works: Search on Wikidata for items with images, with ``{item}``; empty: none.
    """

    instance_of: tuple[str, ...]
    files: str = ""
    works: str = ""


def load_route(domain: str) -> Route:
    """Return the route of a domain.

    Raises:
        UsageError: There is none: characters, for instance, are hardly ever openly licensed.
    """
    table = _table("routes.toml")
    if domain not in table:
        raise UsageError(
            f"{domain}: no openly licensed source is known for this domain (for {', '.join(sorted(table))} "
            "there is); fill a folder with images"
        )
    row = table[domain]
    return Route(tuple(row["instance_of"]), row.get("files", ""), row.get("works", ""))


def is_open(licence: str) -> bool:
    """Tell whether images under a licence, as Commons names it, may be kept."""
    plain = " ".join(licence.split())
    return any(fnmatch.fnmatchcase(plain, pattern) for pattern in _table("licences.toml")["open"])


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(files("corpus.commons").joinpath(name).read_text(encoding="utf-8"))
