"""Settings: typed, frozen, strict, and written out complete in each run folder.

A setting is named by section and key, ``threshold.level``; the names of the run itself (``domain``,
``model``, ...) stand at the top. An unknown name or a value outside its range is a
:class:`concepts.errors.SettingsError` that names the setting, the value and the nearest known name.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tomli_w
from pydantic import BaseModel, Field, ValidationError

from concepts.errors import SettingsError, UsageError, unknown
from corpus.executors import ENGINES
from fit.imitation.published_cuts import check_preset
from fit.sections import (
    Counts,
    Execution,
    Generation,
    References,
    Report,
    Scorer,
    Scores,
    Strict,
    Threshold,
    Verification,
)

Value = str | int | float | bool


class Settings(Strict):
    """Everything that decides a run's results, apart from the inputs themselves."""

    domain: str = Field(min_length=1, description="family of concepts")
    concepts: str = Field(min_length=1, description="concept set, such as art-styles/demo, or a CSV file")
    model: str = Field(min_length=1, description="row of the model registry, hub id or local folder")
    corpus: str = Field(min_length=1, description="row of the corpus registry or a folder of shards")
    seed: int = Field(default=0, ge=0, lt=2**63, description="seed of the run")
    counts: Counts = Counts()
    references: References = References()
    verification: Verification = Verification()
    scorer: Scorer = Scorer()
    generation: Generation = Generation()
    scores: Scores = Scores()
    threshold: Threshold = Threshold()
    report: Report = Report()
    execution: Execution = Execution()


def execution_of(engine: str, workers: int) -> Execution:
    """Return who does the work, as the command line says it.

    Raises:
        UsageError: There is no such engine.
    """
    if engine not in ENGINES:
        raise UsageError(unknown("engine", engine, ENGINES))
    rows = {"domain": "-", "concepts": "-", "model": "-", "corpus": "-"}
    return validated(rows | {"execution": {"engine": engine, "workers": workers}}).execution


# A run folder belongs to these; other settings may change and make stages stale.
IDENTITY = ("domain", "concepts", "model", "corpus", "seed")


def flat(settings: Settings) -> dict[str, Value]:
    """Return every setting under its dotted name, in the order of the sections."""
    rows: dict[str, Value] = {}
    for name, value in settings.model_dump().items():
        if isinstance(value, dict):
            rows.update({f"{name}.{key}": item for key, item in value.items()})
        else:
            rows[name] = value
    return rows


def subset(settings: Settings, names: Iterable[str]) -> dict[str, Value]:
    """Return the settings that a stage depends on.

    Args:
        settings: All settings.
        names: Sections (``"counts"``) and single settings (``"scores.score"``, ``"seed"``).

    Raises:
        KeyError: A name stands for no setting; that is a mistake in the table of stages.
    """
    rows = flat(settings)
    chosen: dict[str, Value] = {}
    for name in names:
        found = {key: value for key, value in rows.items() if key == name or key.startswith(f"{name}.")}
        if not found:
            raise KeyError(name)
        chosen.update(found)
    return chosen


def apply(settings: Settings, assignments: Sequence[str]) -> Settings:
    """Return the settings with ``section.key=value`` assignments applied, the last one winning.

    Raises:
        SettingsError: An assignment has no ``=``, an unknown name, or a value of another type or range.
    """
    rows: dict[str, Value] = flat(settings)
    for assignment in assignments:
        name, sign, text = (piece.strip() for piece in assignment.partition("="))
        if not sign:
            raise SettingsError(f"{assignment}: not a setting; write --set section.key=value")
        if name not in rows:
            raise SettingsError(_unknown(name, rows))
        rows[name] = _parse(name, text, type(rows[name]))
    return validated(_nested(rows))


def validated(rows: Mapping[str, Any]) -> Settings:
    """Check nested settings, as TOML holds them.

    Raises:
        SettingsError: With the name, the value and what would be right, for the first thing wrong.
    """
    try:
        settings = Settings.model_validate(dict(rows))
    except ValidationError as error:
        raise SettingsError(_explain(error, rows)) from None
    if settings.verification.images == "fetch":
        # Now, and not when the captions have been counted for hours.
        from corpus.fetch.policy import check_contact

        check_contact(settings.verification.contact)
    for preset in (settings.verification.cut, settings.verification.gate_cut):
        check_preset(preset)
    return settings


def dump_toml(settings: Settings) -> str:
    """Return the settings as TOML, complete with defaults."""
    return tomli_w.dumps(settings.model_dump())


def load_toml(text: str, source: str) -> Settings:
    """Read settings from TOML.

    Args:
        text: The TOML document.
        source: Where it comes from, for messages.

    Raises:
        SettingsError: The text is no TOML or a setting is wrong.
    """
    try:
        rows = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits and deep nesting raise those
        raise SettingsError(f"{source}: not TOML: {error}") from None
    try:
        return validated(rows)
    except SettingsError as error:
        raise SettingsError(f"{source}: {error}") from None


def _nested(rows: Mapping[str, Value]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in rows.items():
        section, dot, key = name.partition(".")
        if dot:
            nested.setdefault(section, {})[key] = value
        else:
            nested[name] = value
    return nested


def _parse(name: str, text: str, kind: type[Value]) -> Value:
    """Read a value as the type that the setting has now."""
    if kind is bool:
        words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
        if text.casefold() not in words:
            raise SettingsError(f"{name}={text}: must be true or false")
        return words[text.casefold()]
    if kind is str:
        return text
    what = "a whole number" if kind is int else "a number"
    try:
        return kind(text)
    except ValueError:
        raise SettingsError(f"{name}={text}: must be {what}") from None


def _unknown(name: str, known: Iterable[str]) -> str:
    names = list(known)
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if not nearest:  # the key alone, for a name given without or with the wrong section
        keys = {row.rpartition(".")[2]: row for row in names}
        close = difflib.get_close_matches(name.rpartition(".")[2], keys, n=1, cutoff=0.6)
        nearest = [keys[close[0]]] if close else []
    sections = ", ".join(dict.fromkeys(row.partition(".")[0] for row in names))
    return f"{name}: unknown setting " + (
        f"(did you mean {nearest[0]}?)" if nearest else f"(sections and names: {sections})"
    )


def _explain(error: ValidationError, rows: Mapping[str, Any]) -> str:
    """Turn the first validation error into one line."""
    found = error.errors(include_url=False)
    # A misspelt name is told before the missing one that it was meant to be.
    first = next((row for row in found if row["type"] == "extra_forbidden"), found[0])
    name = ".".join(str(piece) for piece in first["loc"])
    if first["type"] == "extra_forbidden":
        defaults = Settings(domain="-", concepts="-", model="-", corpus="-")
        return _unknown(name, flat(defaults))
    if first["type"] == "missing":
        return f"{name}: missing setting"
    if isinstance(getattr(Settings.model_fields.get(name), "default", None), BaseModel):
        return f"{name}={first['input']}: must be a section, [{name}]"
    message = first["msg"].replace("Input should", "must", 1)
    return f"{name}={first['input']}: {message}"
