"""Whatever the machine does to a run, it says so in one line, keeps what is done, and goes on from there."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path

import pytest

from fit.run import history
from tests.e2e.faults import damage, faults, tiny
from tests.e2e.faults.diary import TORTURE, Diary, totals
from tests.e2e.faults.kills import Undisturbed
from tests.e2e.micro import Micro

SEED = 8
LONG = 6  # chains of eight faults of each kind
ROUNDS = 20  # in which a file of each stage is spoilt


@pytest.mark.timeout(1800)
@pytest.mark.torture
@pytest.mark.parametrize("kind", faults.KINDS)
def test_a_fault_in_each_stage(kind: str, world: Micro, undisturbed: Undisturbed, tmp_path: Path) -> None:
    (cases,) = faults.chains(kind, world, undisturbed, tmp_path, [0], SEED)
    assert totals(cases)["failures"] == []
    assert [case.hit for case in cases] == list(tiny.NAMES)


@pytest.mark.torture
@pytest.mark.timeout(5400)
def test_many_faults_in_each_stage(world: Micro, undisturbed: Undisturbed, tmp_path: Path) -> None:
    diary = Diary(TORTURE / "faults.json")
    found = diary.read()
    for kind in faults.KINDS:
        done = {case.chain for case in found if case.kind == kind}
        numbers = sorted(set(range(1, LONG)) - done)
        for cases in faults.chains(kind, world, undisturbed, tmp_path, numbers, SEED):
            found += cases
            diary.write(found)
    figures = totals(found)
    assert figures["failures"] == []
    assert figures["hits"] == len(found) == len(faults.KINDS) * (LONG - 1) * len(tiny.NAMES)


def test_spoilt_files_are_found_told_and_computed_again(
    world: Micro, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    (cases,) = damage.rounds(world, undisturbed, tmp_path, [0], SEED)
    assert totals(cases)["failures"] == []


@pytest.mark.torture
@pytest.mark.timeout(5400)
def test_many_spoilt_files(world: Micro, undisturbed: Undisturbed, tmp_path: Path) -> None:
    diary = Diary(TORTURE / "damage.json")
    found = diary.read()
    numbers = sorted(set(range(1, ROUNDS)) - {case.chain for case in found})
    for cases in damage.rounds(world, undisturbed, tmp_path, numbers, SEED):
        found += cases
        diary.write(found)
    figures = totals(found)
    assert figures["failures"] == []
    assert figures["by_kind"].keys() == damage.HOW.keys()


@pytest.fixture
def run(undisturbed: Undisturbed, tmp_path: Path) -> Path:
    """A copy of the undisturbed run."""
    return shutil.copytree(undisturbed.run, tmp_path / "run")


@pytest.mark.parametrize(
    "pattern",
    ["references.parquet", "model/unet/*.safetensors", "style-encoder/*.safetensors"],
)
def test_an_input_that_may_not_be_read(
    pattern: str, world: Micro, undisturbed: Undisturbed, run: Path
) -> None:
    path = sorted((world.data / "demo").glob(pattern))[0]
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        ended = tiny.bring(world, run, faults.obey_modes)
    finally:
        path.chmod(mode)
    assert faults.end_of(ended, path.name, (faults.STAGE_INCOMPLETE,)) == []
    assert faults.left_in(run, undisturbed, complete=True) == []


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("torch.OutOfMemoryError", 14, "not even one image fits into the memory"),
        ("RuntimeError", 20, "CUDA error: device-side assert triggered"),
    ],
)
def test_a_device_that_breaks(
    error: str, code: int, said: str, world: Micro, undisturbed: Undisturbed, run: Path
) -> None:
    shutil.rmtree(run / "generation")
    ended = tiny.bring(world, run, partial(faults.broken_device, error, 3))
    assert faults.end_of(ended, "", (code,)) == []
    assert said in ended.last_line
    kept = {path.name: path.stat().st_mtime_ns for path in (run / "generation" / "parts").iterdir()}
    assert len(kept) >= 2  # of one part the images and the table
    assert faults.goes_on(world, run, undisturbed) == []
    after = {path.name: path.stat().st_mtime_ns for path in (run / "generation" / "parts").iterdir()}
    assert kept.items() <= after.items()


def test_a_clock_that_goes_backwards(world: Micro, undisturbed: Undisturbed, run: Path) -> None:
    for number, path in enumerate(sorted(run.rglob("*"))):
        when = (0, 2**31 + 2**30)[number % 2]  # 1970 and 2102
        os.utime(path, (when, when))
    shutil.rmtree(run / "threshold")
    ended = tiny.bring(world, run, faults.backwards_clock)
    assert ended.code == 0
    assert [line for line in ended.said.splitlines() if line.endswith("computed yet")] == [
        "threshold: not computed yet"
    ]
    assert faults.left_in(run, undisturbed, complete=True) == []
    last = history.invocations(run)[-1]
    assert last["ended"] < last["started"]  # as the clock said
    assert last["seconds"]["threshold"] >= 0
