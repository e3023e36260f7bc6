"""The errors a user can cause or meet: one class per situation, each with its exit code.

The library raises, the command line prints ``error: <message>`` and exits with ``exit_code``.
A message is one line: what is wrong, the value, and what to do about it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class FitError(Exception):
    """Any situation that ends a command with one line instead of a traceback."""

    exit_code: ClassVar[int] = 2


class UsageError(FitError):
    """The command was asked for something it does not do."""

    exit_code: ClassVar[int] = 2


class MalformedFile(FitError):  # noqa: N818 (a situation, not a fault)
    """A file that was given does not have the layout that it should have."""

    exit_code: ClassVar[int] = 2


class SettingsError(FitError):
    """A setting is unknown or has a value outside its range."""

    exit_code: ClassVar[int] = 10


class ConceptsError(FitError):
    """A domain, a concept list or a concept is unknown or malformed."""

    exit_code: ClassVar[int] = 11


class CorpusError(FitError):
    """A corpus, one of its shards or its images cannot be read."""

    exit_code: ClassVar[int] = 12


class MissingExtra(FitError):  # noqa: N818 (a situation, not a fault)
    """An optional package or tool is needed and absent; the message names its install command."""

    exit_code: ClassVar[int] = 13


class ModelError(FitError):
    """A model or a scorer is unknown, incomplete or cannot be loaded."""

    exit_code: ClassVar[int] = 14


class RunFolderError(FitError):
    """A run folder is of another run, of another version, or in use."""

    exit_code: ClassVar[int] = 15


class StageIncomplete(FitError):  # noqa: N818 (a situation, not a fault)
    """A stage could not be completed; what is done is kept."""

    exit_code: ClassVar[int] = 20


class TooLittleData(FitError):  # noqa: N818 (a situation, not a fault)
    """The data are in order but too few for what was asked."""

    exit_code: ClassVar[int] = 21


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the message for a name that no row has: the nearest one and all that are known.

    Args:
        kind: What was looked up, in the singular, such as ``"domain"``.
        name: The name that was asked for.
        known: The names that there are.
    """
    names = sorted(known)
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" (did you mean {nearest[0]}?)" if nearest else ""
    listed = ", ".join(names) if names else "none"
    return f"{name}: unknown {kind}{hint}; known: {listed}"
