"""Settings: typed, frozen, strict, and written out complete in each run folder.

A setting is named by section and key, ``threshold.level``; the names of the run itself (``domain``,
``model``, ...) stand at the top. An unknown name or a value outside its range is a
:class:`concepts.errors.SettingsError` that names the setting, the value and the nearest known name.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from concepts.errors import SettingsError

Value = str | int | float | bool


class _Strict(BaseModel):
    """A group of settings that cannot be changed and takes no unknown names."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Counts(_Strict):
    """How captions are counted."""

    where: str = Field(default="", description="SQL condition on the caption rows; empty counts every row")
    sample: int = Field(default=400, ge=1, description="rows sampled for each concept for the verification")
    unreadable_shards: int = Field(
        default=0, ge=0, description="shards that may be left out before the stage counts as incomplete"
    )


class References(_Strict):
    """Which verified images stand for a concept."""

    source: str = Field(
        default="", description="folder or row of reference images; empty takes the corpus row's"
    )
    maximum: int = Field(default=50, ge=1, description="most reference images of a concept")
    near_duplicates: int = Field(
        default=2, ge=-1, le=64, description="bits of 64 by which repeated pictures may differ; -1 keeps all"
    )


class Verification(_Strict):
    """How the share of images that really show the concept is found."""

    sample: int = Field(default=400, ge=1, description="most images of a concept that are checked")
    false_match_rate: float = Field(
        default=0.01, gt=0, lt=0.5, description="share of other concepts' images let in"
    )
    gate: str = Field(
        default="", description="open_clip scorer that tells artworks first, such as artwork; empty: none"
    )
    gate_cut: str = Field(
        default="calibrated", description="the gate's cut: calibrated, or a preset, mimetic2"
    )
    gate_passing: float = Field(
        default=0.95, gt=0, le=1, description="share of reference images that a calibrated gate lets pass"
    )
    lost_odds: float = Field(
        default=2.0, ge=1, description="by how much lost images may differ, as a ratio of odds; 1: not at all"
    )
    images: Literal["local", "fetch"] = Field(
        default="local", description="the corpus row's images, or fetch those of the sample"
    )
    contact: str = Field(default="", description="mail address or web page of who fetches; needed for that")
    accept_unfiltered: bool = Field(
        default=False, description="fetch from a corpus that is not cleaned or has no column of unsafe images"
    )
    unsafe_column: str = Field(
        default="", description="column with the probability of an unsafe image; empty: the corpus row's"
    )
    unsafe_cut: float = Field(
        default=0.1, gt=0, le=1, description="images are fetched only where that probability is below this"
    )
    checker: str = Field(
        default="", description="folder of a safety checker; fetched images that it flags are not kept"
    )
    connect_timeout: float = Field(default=10.0, gt=0, le=600, description="seconds to reach a server")
    total_timeout: float = Field(default=30.0, gt=0, le=3600, description="seconds for one image")
    retries: int = Field(default=2, ge=0, le=10, description="further attempts after 429, 5xx or a timeout")
    image_bytes: int = Field(default=20 * 2**20, ge=1, description="most bytes of an image that is fetched")
    image_pixels: int = Field(default=50_000_000, ge=1, description="most pixels of an image that is fetched")
    at_once: int = Field(default=64, ge=1, le=1000, description="requests at a time")
    at_once_per_host: int = Field(default=2, ge=1, le=100, description="requests at a time to one host")
    host_delay: float = Field(
        default=0.5, ge=0, le=600, description="seconds between the starts of two requests to one host"
    )
    allow_private: str = Field(
        default="", description="networks that may be fetched from though not public, such as 127.0.0.1/32"
    )


class Scorer(_Strict):
    """What compares two images."""

    name: str = Field(
        default="", description="row of the scorer registry; empty takes the corpus row's or the domain's"
    )
    device: str = Field(default="auto", min_length=1, description="torch device, or auto")


class Generation(_Strict):
    """How images are sampled from the model; 0 means the model row's own value."""

    preset: str = Field(default="default", min_length=1, description="default, or mimetic2 as published")
    images_per_prompt: int = Field(
        default=0, ge=0, description="images of each concept and prompt; 0 means the preset's"
    )
    steps: int = Field(default=0, ge=0, description="denoising steps")
    guidance: float = Field(default=0.0, ge=0, description="classifier-free guidance scale")
    batch_size: int = Field(
        default=0, ge=0, description="images sampled together; where the row has none, as many as fit"
    )
    part_images: int = Field(default=128, ge=1, description="images that are stored together")
    safety_checker: Literal["preset", "on", "off"] = Field(
        default="preset", description="whether the model's own safety checker blanks images"
    )
    compile: Literal["auto", "on", "off"] = Field(
        default="auto", description="compile the denoiser on a GPU; auto where many images make it pay"
    )
    control: bool = Field(default=True, description="sample an untrained model too, which must show no rise")
    control_images_per_prompt: int = Field(default=1, ge=1, description="images of the untrained model")
    device: str = Field(default="auto", min_length=1, description="torch device, or auto")


class Scores(_Strict):
    """How images become one score for each concept."""

    pool_size: int = Field(default=8, ge=1, description="references in a random subset (m)")
    top_k: int = Field(default=3, ge=1, description="best of the subset that are averaged (k)")
    mimetic2_top: int = Field(default=10, ge=1, description="best images averaged by the published score")
    false_discovery_rate: float = Field(
        default=0.05, gt=0, lt=1, description="for the verdict on each concept"
    )
    score: Literal["matched", "mimetic2"] = Field(
        default="matched", description="the score that the curve shows"
    )
    clip_score: str = Field(
        default="", description="open_clip scorer for the likeness of images and prompts; empty: none"
    )


class Threshold(_Strict):
    """How the imitation curve is judged."""

    method: Literal["auto", "step", "logistic", "mimetic2"] = Field(
        default="auto", description="how the threshold is estimated; auto judges the shape"
    )
    level: float = Field(default=0.95, ge=0.5, le=0.999, description="confidence of intervals and tests")
    replicates: int = Field(default=2000, ge=100, description="sign flips or simulated curves")
    robust: bool = Field(default=False, description="pull in outlying scores before anything is fitted")


class Report(_Strict):
    """What the report shows."""

    strips: int = Field(default=8, ge=0, description="concepts shown with generated beside reference images")
    images: bool = Field(default=True, description="embed images in the report")
    pictures_for: int = Field(default=150, ge=0, description="most concepts with a thumbnail on the curve")


class Execution(_Strict):
    """Who does the work; no result depends on it."""

    engine: Literal["local", "ray"] = Field(default="local", description="processes, or a Ray cluster")
    workers: int = Field(default=0, ge=0, description="workers; 0 means one for each core")


class Settings(_Strict):
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
        SettingsError: There is no such engine, or the number is out of range.
    """
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
    except tomllib.TOMLDecodeError as error:
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
