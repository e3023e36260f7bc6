"""Places: a path on this machine, a URL that fsspec knows, or ``hub:NAME`` for a data set that is streamed.

A place may carry a secret (the signature of a signed link); what goes into a message goes through `shown` or
`redact` first.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlsplit

HUB = "hub:"
WILDCARDS = "*?["
_LOCAL = ("file", "local")
_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_PASSWORD = re.compile(r"(?<=://)[^/@\s]*:(?!\d+(?:/|$))[^@\s]*@")  # S3's keys hold slashes; a port is none
_SECRET_PARTS = (
    (_PASSWORD, ""),
    (re.compile(r"(?<=://)[^/@\s]+@"), ""),  # name and password before the host
    (re.compile(r"(\bhttps?://[^\s?'\"]*)\?[^\s'\")]*"), r"\1?…"),  # the query of a signed link
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 …"),
)
_SHORTEST_SECRET = 8  # shorter values are words like "test", which would blank out half a message


@dataclass(frozen=True, slots=True)
class Protocol:
    """A row of ``protocols.toml``.

    Attributes:
        name: As in a URL, ``s3``.
        package: What has to be installed.
        install: The command that does.
        credentials: What to set when access is refused.
        secrets: Environment variables that hold secrets.
    """

    name: str
    package: str
    install: str
    credentials: str
    secrets: tuple[str, ...]


@cache
def protocols() -> dict[str, Protocol]:
    """Return the protocols that there is something to say about, by name."""
    table = tomllib.loads(files("corpus.sources").joinpath("protocols.toml").read_text(encoding="utf-8"))
    return {
        name: Protocol(name, row["package"], row["install"], row["credentials"], tuple(row["secrets"]))
        for name, row in table.items()
    }


def is_elsewhere(pattern: Path | str) -> bool:
    """Tell whether a pattern is a URL or ``hub:NAME``, not to be joined to a folder of this machine."""
    text = str(pattern)
    return text.startswith(HUB) or _URL.match(text) is not None


def protocol_of(location: str) -> str:
    """Return a URL's protocol, ``hub`` for a streamed data set, and ``""`` for a path on this machine."""
    if location.startswith(HUB):
        return "hub"
    found = _URL.match(location)
    protocol = found.group()[: -len("://")].lower() if found else ""
    return "" if protocol in _LOCAL else protocol


def local_path(location: str) -> Path:
    """Return the path of a place on this machine, given as a path or as a ``file://`` URL."""
    if not _URL.match(location):
        return Path(location)
    parts = urlsplit(location)
    return Path(unquote(parts.netloc + parts.path))


def has_password(location: str) -> bool:
    """Tell whether a URL holds a password."""
    return _PASSWORD.search(location) is not None


def has_wildcard(text: str) -> bool:
    """Tell whether a text holds a wildcard of globs."""
    return any(character in text for character in WILDCARDS)


def shown(location: str) -> str:
    """Return a place as messages may show it: without password and signature, on one line."""
    return redact(location) if is_elsewhere(location) else location


def redact(text: str) -> str:
    """Take out of a message what must not be told: secrets of the environment, passwords, signatures."""
    for value in _secrets():
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, "…")
    for pattern, instead in _SECRET_PARTS:
        text = pattern.sub(instead, text)
    return text


def _secrets() -> Iterator[str]:
    """Yield what the environment holds, and the hub's token file, if the hub's client is in use."""
    for protocol in protocols().values():
        yield from (os.environ.get(variable, "") for variable in protocol.secrets)
    if (hub := sys.modules.get("huggingface_hub")) is not None:
        yield hub.get_token() or ""
