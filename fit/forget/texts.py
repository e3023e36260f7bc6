"""JSON and other text files: entries and lines about somebody go; what cannot be told apart goes whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fit.forget.traces import Deleted, Traces
from fit.run import artefacts

LINES = (".csv", ".log", ".txt", ".jsonl")
NOBODY = "(deleted)"
"""Stands where a text that named somebody was."""


def clean_json(path: Path, traces: Traces, write: bool) -> Deleted:
    """Delete the entries of a JSON file that are about somebody.

    Of lists the items go, of objects the entries of that name; a text elsewhere is replaced.
    """
    content, gone = _without(artefacts.read_json(path), traces)
    if gone and write:
        artefacts.write_json(path, content)
    return Deleted(entries=gone)


def clean_lines(path: Path, traces: Traces, write: bool) -> Deleted:
    """Delete the lines of a text file that are about somebody."""
    lines = path.read_text("utf-8", "replace").splitlines(keepends=True)
    kept = [line for line in lines if not traces.names(line)]
    if len(kept) < len(lines) and write:
        artefacts.write_bytes(path, "".join(kept).encode())
    return Deleted(entries=len(lines) - len(kept))


def clean_unknown(path: Path, traces: Traces, write: bool) -> Deleted:
    """Delete a file of any other kind that names somebody."""
    if not traces.names(path.read_bytes().decode("utf-8", "ignore")):
        return Deleted()
    if write:
        path.unlink()
    return Deleted(files=1)


def _without(value: Any, traces: Traces) -> tuple[Any, int]:
    """Return a JSON value without what is about somebody, and how many entries that were."""
    if isinstance(value, str):
        return (NOBODY, 1) if traces.about(value) else (value, 0)
    if isinstance(value, list):
        kept = [each for each in value if not _names_somebody(each, traces)]
        cleaned = [_without(each, traces) for each in kept]
        return [each for each, _ in cleaned], len(value) - len(kept) + sum(gone for _, gone in cleaned)
    if isinstance(value, dict):
        kept_keys = [key for key in value if not traces.about(key)]
        found = {key: _without(value[key], traces) for key in kept_keys}
        gone = len(value) - len(kept_keys) + sum(number for _, number in found.values())
        return {key: each for key, (each, _) in found.items()}, gone
    return value, 0


def _names_somebody(value: Any, traces: Traces) -> bool:
    """Tell whether an item of a list is about somebody: itself, or one of its own fields."""
    if isinstance(value, str):
        return traces.about(value)
    fields = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(isinstance(each, str) and traces.about(each) for each in fields)
