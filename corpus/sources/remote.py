"""Files behind a URL, through fsspec: found, and read by position with bounded retries.

Credentials come from where the libraries look for them (environment, profile, token file), never from a URL.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

import fsspec

from concepts.errors import CorpusError, MissingExtra
from corpus.sources.faults import WAITS, attempt
from corpus.sources.local import Found, fixed_part
from corpus.sources.places import has_password, has_wildcard, protocol_of, protocols, shown

_S3 = ("s3", "s3a")
_CACHE: dict[tuple[str, ...], Any] = {}
_DECIDING = (
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "HF_ENDPOINT",
    "HF_TOKEN",
)


def find_remote(pattern: str, suffix: str) -> tuple[Found, ...]:
    """Return what a URL stands for, as `find_local` does for a path: a glob, a folder or a file.

    Raises:
        CorpusError: It does not exist, or cannot be listed.
        MissingExtra: A package is needed that is not installed.
    """
    system = file_system(pattern)
    path = fsspec.core.strip_protocol(_pinned(system, pattern))
    root, entries = attempt(lambda: _listed(system, path, suffix), pattern)
    names = {_without_query(entry["name"]).removeprefix(root).lstrip("/"): entry for entry in entries}
    return tuple(
        Found(
            location=system.unstrip_protocol(names[name]["name"]),
            name=name,
            folder=names[name]["type"] == "directory",
            size=names[name]["size"],
        )
        for name in sorted(names)
    )


def read_remote(location: str, start: int, end: int) -> bytes:
    """Return the bytes of a file from ``start`` to before ``end``, fetched by one request.

    Raises:
        CorpusError: They cannot be had, also after some attempts.
        MissingExtra: A package is needed that is not installed.
    """
    system = file_system(location)

    def fetch() -> bytes:
        data = bytes(system.cat_file(location, start=start, end=end, **_reading(location, end)))
        if len(data) != end - start:
            raise EOFError(f"{len(data)} bytes came of {end - start}")
        return data

    # The hub's library has tried six times by then.
    return attempt(fetch, location, waits=WAITS[:1] if protocol_of(location) == "hf" else None)


def file_system(location: str) -> Any:
    """Return the file system of a URL, one per process, host and set of credentials.

    Raises:
        CorpusError: The protocol is unknown, or the URL holds a password.
        MissingExtra: Its package is not installed.
    """
    protocol, parts = protocol_of(location), urlsplit(location)
    if has_password(location):
        raise CorpusError(
            f"{shown(location)}: a URL with a password in it ends up in logs; {_advice(protocol)}"
        )
    # The process is part of the key: connections do not survive a fork.
    deciding = (os.environ.get(name, "") for name in _DECIDING)
    key = (str(os.getpid()), protocol, parts.netloc, *deciding)
    if key not in _CACHE:
        _CACHE[key] = _make(protocol, location)
    return _CACHE[key]


def _make(protocol: str, location: str) -> Any:
    row = protocols().get(protocol)
    try:
        fsspec.get_filesystem_class(protocol)
    except ImportError as error:
        package = row.package if row else "a package that is not installed"
        command = row.install if row else str(error)
        raise MissingExtra(f"{shown(location)}: {protocol}:// needs {package}; {command}") from error
    except ValueError as error:
        raise CorpusError(
            f"{shown(location)}: unknown protocol {protocol}://; known are s3://, hf://, and those of fsspec"
        ) from error

    def make() -> Any:
        return fsspec.core.url_to_fs(location, skip_instance_cache=True, **_options(protocol))[0]

    system = attempt(make, location, waits=())
    if protocol in _S3:
        system.retries = 1  # `attempt` takes their place
    return system


def _options(protocol: str) -> dict[str, Any]:
    """Return how to make a file system."""
    if protocol == "hf":
        return {"endpoint": os.environ.get("HF_ENDPOINT")}  # the library reads it at its import only
    if protocol in _S3:
        from botocore.session import Session

        # Public buckets are read without credentials, but a request must not be signed then.
        anonymous = Session().get_credentials() is None
        return {
            "anon": anonymous,
            "config_kwargs": {"retries": {"total_max_attempts": 1}},
            "use_listings_cache": False,
        }
    return {}


def _reading(location: str, end: int) -> dict[str, Any]:
    """Return how to read a range: `HfFileSystem` opens a file, which reads ahead and asks for its size."""
    return {"cache_type": "none", "size": end} if protocol_of(location) == "hf" else {}


def _pinned(system: Any, pattern: str) -> str:
    """Return a hub pattern with the commit for the branch, so that all that is read belongs together."""
    if protocol_of(pattern) != "hf":
        return pattern
    from huggingface_hub import HfApi

    place = attempt(lambda: system.resolve_path(pattern), pattern)
    if getattr(place, "repo_type", "") != "dataset":  # a bucket has no commits
        return pattern
    hub = HfApi(endpoint=system.endpoint)
    info = attempt(lambda: hub.dataset_info(place.repo_id, revision=place.revision), pattern)
    return f"hf://datasets/{place.repo_id}@{info.sha}/{place.path_in_repo}"


def _listed(system: Any, path: str, suffix: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the folder that names start from, and the entries that a path stands for."""
    try:
        whole = system.info(path)
    except FileNotFoundError:
        if not has_wildcard(_without_query(path)):
            raise
        root = "/".join(fixed_part(tuple(path.split("/")[:-1])))
        found = list(system.glob(path, detail=True).values())
        if not found:
            system.ls(root)  # tells a missing bucket or folder from one with nothing in it
        return root, [entry for entry in found if not _hidden(entry["name"], root)]
    if whole["type"] != "directory":
        return _without_query(path).rpartition("/")[0], [whole]
    inside = system.ls(path, detail=True)
    return path, [
        entry for entry in inside if entry["name"].endswith(suffix) and not _hidden(entry["name"], path)
    ]


def _hidden(name: str, root: str) -> bool:
    """Tell whether a name below a folder begins with a dot, or a folder on the way does, as globs do here."""
    return any(part.startswith(".") for part in name.removeprefix(root).split("/"))


def _without_query(path: str) -> str:
    """Return a web address (the one path that keeps its protocol) without its query, others as they are."""
    return path.partition("?")[0] if path.startswith(("http://", "https://")) else path


def _advice(protocol: str) -> str:
    row = protocols().get(protocol)
    return row.credentials if row else "set it in the environment"
