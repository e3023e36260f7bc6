"""What a stage was computed from, and why it has to be computed again.

``plan.json`` is written before a stage begins, ``receipt.json`` after its last output. Both hold digests
of the ingredients only: no times and no hosts, so that equal results have equal receipts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from fit.config import Value
from fit.run import artefacts

PLAN = "plan.json"
RECEIPT = "receipt.json"


@dataclass(frozen=True)
class Plan:
    """The ingredients of a stage's results.

    Attributes:
        stage: Name of the stage.
        version: Version of its code; a higher one makes other results.
        settings: The settings that it depends on, under their dotted names.
        inputs: Digests by name: earlier stages under their names, everything else under what it is.
    """

    stage: str
    version: int
    settings: Mapping[str, Value]
    inputs: Mapping[str, str]

    @property
    def key(self) -> str:
        """Digest of all ingredients."""
        return artefacts.digest(asdict(self))


@dataclass(frozen=True)
class Receipt:
    """The plan that was carried out and what came out of it.

    Attributes:
        plan: The ingredients.
        outputs: SHA-256 of each file of the stage's folder, by its path in that folder.
    """

    plan: Plan
    outputs: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Digest of the results: a stage that comes to the same results again makes no other stage stale."""
        return artefacts.digest(dict(self.outputs))


def write_plan(folder: Path, plan: Plan) -> None:
    """Write down what a stage is about to be computed from."""
    artefacts.write_json(folder / PLAN, {**asdict(plan), "key": plan.key})


def same_plan(folder: Path, plan: Plan) -> bool:
    """Tell whether the parts in a folder were computed from this plan."""
    content = _read(folder / PLAN)
    return content is not None and content.get("key") == plan.key


def write_receipt(folder: Path, plan: Plan) -> Receipt:
    """Write the receipt of a stage whose outputs are all there."""
    outputs = {
        str(path.relative_to(folder)): artefacts.digest_file(path)
        for path in artefacts.finished_files(folder)
        if path.name not in (PLAN, RECEIPT)
    }
    receipt = Receipt(plan, outputs)
    content = {**asdict(plan), "key": plan.key, "outputs": outputs}
    artefacts.write_json(folder / RECEIPT, {**content, "digest": artefacts.digest(content)})
    return receipt


def read_receipt(folder: Path) -> Receipt | None:
    """Read the receipt of a stage; None where there is none, or it is not as `write_receipt` writes it.

    A run folder may come from a stranger: an output that leads out of the stage's folder is none, for outputs
    are packed into bundles and deleted when they are stale.
    """
    content = _read(folder / RECEIPT)
    if content is None or not _signed(content):
        return None
    plan = Plan(content["stage"], content["version"], content["settings"], content["inputs"])
    return Receipt(plan, content["outputs"])


def _signed(content: dict[str, Any]) -> bool:
    """Tell whether a receipt has its own digest (which is taken out of it), and values of the right types."""
    try:
        if content.pop("digest", None) != artefacts.digest(content):
            return False
    except ValueError:  # NaN, or half of a surrogate pair: never written by us
        return False
    texts = (content.get("inputs"), content.get("outputs"))
    return (
        isinstance(content.get("stage"), str)
        and isinstance(content.get("version"), int)
        and isinstance(content.get("settings"), dict)
        and all(isinstance(each, dict) and all(isinstance(v, str) for v in each.values()) for each in texts)
        and all(map(_stays_inside, content["outputs"]))
    )


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in name


def damaged(
    folder: Path, receipt: Receipt, deep: bool, freed: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """Yield the outputs of a receipt that are missing or, on a ``deep`` look, have other bytes.

    Args:
        folder: The stage's.
        receipt: What it should hold.
        deep: Whether to compare digests.
        freed: Outputs that may be missing, with their digests (`fit.run.freed`).
    """
    for name, expected in receipt.outputs.items():
        path = folder / name
        if not path.is_file():
            if freed.get(name) != expected:
                yield name
        elif deep and artefacts.digest_file(path) != expected:
            yield name


def differences(receipt: Receipt, plan: Plan, stages: frozenset[str]) -> Iterator[str]:
    """Yield why a receipt is not of this plan, one reason at a time.

    Args:
        receipt: What was computed.
        plan: What is wanted now.
        stages: The inputs that are stages; all others come from outside.
    """
    old, new = receipt.plan, plan
    if old.version != new.version:
        yield f"stage version {old.version} -> {new.version}"
    for name in sorted({*old.settings, *new.settings}):
        before, after = old.settings.get(name), new.settings.get(name)
        if before != after:
            yield f"setting {name} changed from {_shown(before)} to {_shown(after)}"
    for name in sorted({*old.inputs, *new.inputs}):
        if old.inputs.get(name) == new.inputs.get(name):
            continue
        if name not in new.inputs:
            yield f"{name} is no longer an input"
        elif name not in old.inputs:
            yield f"{name} is a new input"
        else:
            yield f"{name} was computed again" if name in stages else f"input {name} changed"


def _shown(value: Value | None) -> str:
    if value is None:
        return "unset"
    return json.dumps(value, ensure_ascii=False)


def _read(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None where there is no such file or it is damaged."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
