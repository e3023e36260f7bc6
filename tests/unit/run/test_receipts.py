"""A receipt says what results were computed from, and a difference says why they are stale."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fit.run import artefacts, receipts
from fit.run.receipts import Plan


@pytest.fixture
def plan() -> Plan:
    settings = {"threshold.level": 0.95, "threshold.method": "auto"}
    return Plan("threshold", 1, settings, {"scores": "aa", "curve.csv": "bb"})


def test_a_receipt_comes_back(tmp_path: Path, plan: Plan) -> None:
    artefacts.write_bytes(tmp_path / "parts" / "a", b"")
    receipts.write_plan(tmp_path, plan)
    written = receipts.write_receipt(tmp_path, plan)
    assert receipts.read_receipt(tmp_path) == written
    # sha256 of nothing; plan and receipt are no outputs
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert written.outputs == {"parts/a": empty}


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"stage": "threshold"}'])
def test_a_damaged_receipt_is_none(tmp_path: Path, plan: Plan, damage: bytes) -> None:
    receipts.write_receipt(tmp_path, plan)
    (tmp_path / receipts.RECEIPT).write_bytes(damage)
    assert receipts.read_receipt(tmp_path) is None


@pytest.mark.parametrize(
    "change",
    [
        {"outputs": {"../../x": "aa"}},
        {"outputs": {"/etc/hostname": "aa"}},
        {"outputs": {"a\0b": "aa"}},
        {"outputs": {"": "aa"}},
        {"outputs": ["a"]},
        {"outputs": {"a": 3}},
        {"inputs": None},
        {"inputs": {"concepts": ["aa"]}},
        {"settings": []},
        {"version": "1"},
        {"stage": None},
    ],
    ids=str,
)
def test_a_strangers_receipt_with_a_right_digest_is_none(
    tmp_path: Path, plan: Plan, change: dict[str, object]
) -> None:
    receipts.write_receipt(tmp_path, plan)
    content = {**artefacts.read_json(tmp_path / receipts.RECEIPT), **change}
    del content["digest"]
    artefacts.write_json(tmp_path / receipts.RECEIPT, {**content, "digest": artefacts.digest(content)})
    assert receipts.read_receipt(tmp_path) is None


@pytest.mark.parametrize(
    "text", ['{"stage": "\\ud800"}', '{"stage": NaN}', "[" * 100_000], ids=["half", "NaN", "["]
)
def test_json_that_has_no_digest_is_no_receipt(tmp_path: Path, text: str) -> None:
    (tmp_path / receipts.RECEIPT).write_text(text)
    assert receipts.read_receipt(tmp_path) is None


def test_every_ingredient_is_in_the_key(plan: Plan) -> None:
    others = [
        replace(plan, stage="x"),
        replace(plan, version=2),
        replace(plan, settings={**plan.settings, "threshold.level": 0.9}),
        replace(plan, inputs={**plan.inputs, "scores": "ab"}),
    ]
    assert len({plan.key, *(other.key for other in others)}) == 5


def test_reasons(plan: Plan) -> None:
    new = Plan(
        "threshold", 2, {"threshold.level": 0.9, "seed": 3}, {"scores": "cc", "curve.csv": "dd", "x": "ee"}
    )
    stages = frozenset({"scores"})
    assert list(receipts.differences(receipts.Receipt(plan, {}), plan, stages)) == []
    assert list(receipts.differences(receipts.Receipt(plan, {}), new, stages)) == [
        "stage version 1 -> 2",
        "setting seed changed from unset to 3",
        "setting threshold.level changed from 0.95 to 0.9",
        'setting threshold.method changed from "auto" to unset',
        "input curve.csv changed",
        "scores was computed again",
        "x is a new input",
    ]


def test_missing_and_changed_outputs(tmp_path: Path, plan: Plan) -> None:
    for name in "abc":
        artefacts.write_bytes(tmp_path / name, b"1")
    receipt = receipts.write_receipt(tmp_path, plan)
    (tmp_path / "a").unlink()
    (tmp_path / "b").write_bytes(b"2")
    assert list(receipts.damaged(tmp_path, receipt, deep=False)) == ["a"]
    assert list(receipts.damaged(tmp_path, receipt, deep=True)) == ["a", "b"]
