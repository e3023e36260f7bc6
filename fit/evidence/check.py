"""Is a result what its bundle says? Digests, the chain of receipts, verdict and figures computed again."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from concepts.errors import FitError, MalformedFile
from fit import config
from fit.evidence.archive import unpack
from fit.evidence.bundle import VERSIONS, Packed
from fit.pipeline import STAGES
from fit.run import Run, artefacts
from fit.run.folder import CONFIG, SKIPPED
from fit.run.receipts import PLAN, RECEIPT, Receipt, read_receipt

ROUNDING = 1e-6
"""Relative difference of two numbers that other machines' arithmetic may make."""

_RECOMPUTED = ("threshold",)
_MOST = 20


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes:
        what: What, as half a sentence.
        differences: What is not as it says; empty where all is well.
        because: Why it could not be checked; empty where it was.
    """

    what: str
    differences: tuple[str, ...] = ()
    because: str = ""

    @property
    def passed(self) -> bool:
        """Whether it was checked and nothing differs."""
        return not self.differences and not self.because

    @property
    def sentence(self) -> str:
        """The finding in one line."""
        if self.because:
            return f"not checked: {self.what} ({self.because})"
        if not self.differences:
            return f"as it says: {self.what}"
        more = len(self.differences) - _MOST
        shown = [*self.differences[:_MOST], *([f"and {more} more"] if more > 0 else [])]
        return f"DIFFERS: {self.what}: " + "; ".join(shown)


def check(path: Path) -> tuple[Finding, ...]:
    """Check a bundle.

    Returns:
        What was checked, in order: the files, the chain of receipts, the verdict, the figures.

    Raises:
        MalformedFile: It is no bundle, or one of its files is not what was packed.
    """
    with tempfile.TemporaryDirectory(prefix="fit-check-") as place:
        folder = Path(place)
        packed = unpack(path, folder)
        run = Run(folder, _settings(path, folder))
        receipts = {stage.name: _receipt(path, folder, stage.name) for stage in STAGES}
        return (
            Finding(f"all {len(packed)} files have the digests of the manifest"),
            Finding("every stage was computed from the stages before it", tuple(_broken(receipts))),
            Finding("every file is the one that its receipt names", tuple(_strangers(packed, receipts))),
            Finding(f"{CONFIG} gives the settings of every receipt", tuple(_other_settings(run, receipts))),
            *(_again(run, name) for name in _RECOMPUTED),
            _figures(run),
        )


def _settings(path: Path, folder: Path) -> config.Settings:
    try:
        return config.load_toml((folder / CONFIG).read_text("utf-8"), CONFIG)
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise MalformedFile(f"{path}: holds no readable {CONFIG}") from error


def _receipt(path: Path, folder: Path, stage: str) -> Receipt:
    found = read_receipt(folder / stage)
    if found is None:
        raise MalformedFile(f"{path}: the receipt of {stage} is missing or not the one that was written")
    return found


def _broken(receipts: Mapping[str, Receipt]) -> Iterator[str]:
    for stage in STAGES:
        used = receipts[stage.name].plan.inputs
        for name in stage.needs:
            if used.get(name) != receipts[name].digest:
                yield f"{stage.name} was computed from another {name} than the one here"


def _strangers(packed: Mapping[str, Packed], receipts: Mapping[str, Receipt]) -> Iterator[str]:
    """Yield files that no receipt names, and those whole ones that are not what the receipt says."""
    of_the_run = {CONFIG, SKIPPED, VERSIONS}
    for name, file in packed.items():
        stage, _, inside = name.partition("/")
        if name in of_the_run or inside in (PLAN, RECEIPT):
            continue
        expected = receipts[stage].outputs.get(inside) if stage in receipts else None
        if expected is None:
            yield f"{name} is named by no receipt"
        elif not file.dropped and expected != file.sha256:
            yield f"{name} is not the file that its stage has written"


def _other_settings(run: Run, receipts: Mapping[str, Receipt]) -> Iterator[str]:
    settings = config.flat(run.settings)
    for stage, receipt in receipts.items():
        for name, value in receipt.plan.settings.items():
            if settings.get(name) != value:
                yield f"{stage} was computed with {name} = {value!r}, not {settings.get(name)!r}"


def _again(run: Run, name: str) -> Finding:
    """Compute a stage again from what the bundle holds and compare what comes out."""
    what = f"{name}, computed again, comes to the same"
    stage = next(each for each in STAGES if each.name == name)
    kept = run.stage_folder(name).rename(run.folder / f"{name}-as-packed")
    run.stage_folder(name).mkdir()
    try:
        stage.code().run(stage.job(run))
    except FitError as error:
        return Finding(what, because=str(error))
    differences: list[str] = []
    for path in artefacts.finished_files(run.stage_folder(name)):
        inside = str(path.relative_to(run.stage_folder(name)))
        if not (kept / inside).exists():
            differences.append(f"{inside} is not in the bundle")
        elif path.read_bytes() != (kept / inside).read_bytes():
            differences += _unlike(inside, path, kept / inside)
    return Finding(what, tuple(differences))


def _unlike(name: str, ours: Path, theirs: Path) -> list[str]:
    if ours.suffix == ".json":
        mine, packed = json.loads(ours.read_bytes()), json.loads(theirs.read_bytes())
    elif ours.suffix == ".parquet":
        mine, packed = (artefacts.read_table(path).to_pylist() for path in (ours, theirs))
    else:
        return [f"{name} has other bytes"]
    return [f"{name}: {line}" for line in differing(mine, packed)]


def differing(ours: Any, theirs: Any, place: str = "") -> Iterator[str]:
    """Yield where two JSON-like values differ by more than rounding: ours computed, theirs packed."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            inner = f"{place}.{key}" if place else str(key)
            if (key in ours) != (key in theirs):
                yield f"{inner} is {'only computed' if key in ours else 'only packed'}"
            else:
                yield from differing(ours[key], theirs[key], inner)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (mine, packed) in enumerate(zip(ours, theirs, strict=True)):
            yield from differing(mine, packed, f"{place}[{number}]")
    elif not _alike(ours, theirs):
        yield f"{place} is {_short(theirs)}, computed again {_short(ours)}"


def _alike(ours: Any, theirs: Any) -> bool:
    numbers = [isinstance(each, (int, float)) and not isinstance(each, bool) for each in (ours, theirs)]
    if all(numbers):
        return math.isclose(ours, theirs, rel_tol=ROUNDING, abs_tol=1e-12)
    return type(ours) is type(theirs) and ours == theirs


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _figures(run: Run) -> Finding:
    """Compute the report's figures again from the recomputed verdict and the packed tables."""
    from fit.report.facts import build_facts
    from fit.report.rendering import facts_json
    from fit.stages.report_inputs import report_inputs

    what = "the report's figures, computed again, are the same"
    without = run.settings.report.model_copy(update={"images": False})
    plain = Run(run.folder, run.settings.model_copy(update={"report": without}))
    stage = next(each for each in STAGES if each.name == "report")
    # The receipt of the recomputed verdict is the packed one: only its figures are computed again.
    for name in _RECOMPUTED:
        for file in (PLAN, RECEIPT, SKIPPED):
            packed = run.folder / f"{name}-as-packed" / file
            if packed.exists():
                (run.stage_folder(name) / file).write_bytes(packed.read_bytes())
    try:
        facts = build_facts(report_inputs(stage.job(plain)))
    except FitError as error:
        return Finding(what, because=str(error))
    packed_facts = artefacts.read_json(run.stage_folder("report") / "report.json")
    ours, theirs = (_without_settings(each) for each in (facts_json(facts), packed_facts))
    return Finding(what, tuple(differing(ours, theirs)))


_OF_PICTURES = ("strips", "no_pictures_because", "settings_toml", "provenance")


def _without_settings(facts: dict[str, Any]) -> dict[str, Any]:
    """Leave out what pictures decide, and the settings and digests that were compared before."""
    return {key: value for key, value in facts.items() if key not in _OF_PICTURES}
