"""Weights in a repository of the Hugging Face hub: from the cache of its client, else fetched into it."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from concepts.errors import ModelError
from fit.weights.hub import why_not


@dataclass(frozen=True, slots=True)
class Repository:
    """Files of a repository of the hub at one revision.

    Attributes:
        name: ``owner/name``.
        revision: Commit, tag or branch; empty: its newest.
        files: Names or patterns of the files that are needed.
    """

    name: str
    revision: str
    files: tuple[str, ...]

    @classmethod
    def of(cls, text: str, files: Sequence[str]) -> Repository:
        """Read ``owner/name`` or ``owner/name@revision``."""
        name, _, revision = text.partition("@")
        return cls(name, revision, tuple(files))

    def chosen(self, names: Iterable[str]) -> list[str]:
        """Return the names among these that are needed, in their order."""
        return [name for name in names if any(fnmatch.fnmatch(name, pattern) for pattern in self.files)]

    def lacks(self, names: Iterable[str]) -> str:
        """Return the first name or pattern that nothing matches, empty where all is there."""
        there = list(names)
        return next((pattern for pattern in self.files if not fnmatch.filter(there, pattern)), "")


def fetch(wanted: Repository) -> Path:
    """Return the folder that holds the files, fetching what the cache lacks.

    Raises:
        ModelError: Without a way to the hub, or where the repository is missing, gated or lacks a file.
    """
    folder = cached(wanted) or _fetched(wanted)
    if missing := wanted.lacks(_names(folder)):
        raise ModelError(f"{wanted.name}: holds no {missing}; name another repository or a local folder")
    return folder


def cached(wanted: Repository) -> Path | None:
    """Return the folder in the client's cache; None where a file is not there.

    Raises:
        ModelError: No repository can have this name.
    """
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = _snapshot(wanted, offline=True)
    except HFValidationError as error:
        raise ModelError(f"{wanted.name}: no repository of the hub can be called so") from error
    except LocalEntryNotFoundError:
        return None
    return None if wanted.lacks(_names(folder)) else folder


def digest(wanted: Repository) -> str:
    """Return a digest of the files without fetching them: their commit and the hub's own digests.

    The client's cache calls each file by the digest that the hub gives it, so a cache without a network and
    a hub without a cache come to the same.

    Raises:
        ModelError: Nothing is cached and the hub cannot be asked.
    """
    folder = cached(wanted)
    if folder is None:
        commit, digests = _asked(wanted)
    else:
        names = wanted.chosen(_names(folder))
        commit, digests = folder.name, {name: (folder / name).resolve().name for name in names}
    lines = [f"{wanted.name}@{commit}", *(f"{name} {digests[name]}" for name in sorted(digests))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _snapshot(wanted: Repository, offline: bool) -> Path:
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            wanted.name,
            revision=wanted.revision or None,
            allow_patterns=list(wanted.files),
            local_files_only=offline,
        )
    )


def _fetched(wanted: Repository) -> Path:
    with _one_line(wanted):
        return _snapshot(wanted, offline=False)


def _asked(wanted: Repository) -> tuple[str, dict[str, str]]:
    """Return the commit and the digest of each file as the hub tells them."""
    from huggingface_hub import HfApi

    with _one_line(wanted):
        info = HfApi().model_info(wanted.name, revision=wanted.revision or None, files_metadata=True)
    found = {
        each.rfilename: str(each.lfs.sha256 if each.lfs else each.blob_id) for each in info.siblings or []
    }
    return str(info.sha), {name: found[name] for name in wanted.chosen(found)}


def _transport_errors() -> tuple[type[Exception], ...]:
    """Return what stands for "no way to the hub"; the HTTP library beneath changed between its versions."""
    from huggingface_hub.errors import HfHubHTTPError

    parents = [each for each in HfHubHTTPError.__mro__ if each.__name__ == "HTTPError"]
    return (OSError, *(each for each in parents if issubclass(each, Exception)))


@contextmanager
def _one_line(wanted: Repository) -> Iterator[None]:
    """Turn what the hub's client raises into one line that says what to do."""
    try:
        yield
    except _transport_errors() as error:
        raise ModelError(f"{why_not(wanted.name, error)}; or name a local folder") from error
