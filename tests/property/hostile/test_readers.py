"""Every reader of files that others may have made, on valid files made hostile: ours or an error of ours."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from concepts.errors import CorpusError, FitError
from tests.conftest import ROOT
from tests.property.hostile.campaign import campaign, jobs
from tests.property.hostile.readers import READERS, Reader
from tests.property.hostile.worker import Tally, read_all

MEMORY = 512 * 2**20
"""Bytes by which a process may grow while it reads files of at most some megabytes."""


def check(tallies: dict[str, Tally], total: int) -> None:
    failures = {name: tally.failures for name, tally in tallies.items() if tally.failures}
    assert not failures, json.dumps(failures, indent=1)
    assert sum(tally.cases for tally in tallies.values()) >= total
    assert {name: tally.grown for name, tally in tallies.items() if tally.grown > MEMORY} == {}
    assert all(tally.cases >= 10 for tally in tallies.values())


def test_a_sample() -> None:
    check(campaign(jobs(SAMPLE, piece=SAMPLE), seed=1, processes=2), SAMPLE)


@pytest.mark.torture
@pytest.mark.timeout(3 * 60 * 60)
def test_a_hundred_thousand() -> None:
    seed = int(os.environ.get("FIT_TORTURE_SEED", "7"))
    log = ROOT / "build" / "torture" / "hostile.json"
    log.parent.mkdir(parents=True, exist_ok=True)
    diary = log.with_suffix(".diary")  # of an interrupted run: it goes on
    tallies = campaign(jobs(LONG, piece=500), seed, processes=os.cpu_count() or 1, diary=diary)
    diary.unlink()
    cases = sum(tally.cases for tally in tallies.values())
    found = {"seed": seed, "cases": cases, "readers": {n: asdict(tally) for n, tally in tallies.items()}}
    log.write_text(json.dumps(found, indent=1))
    check(tallies, LONG)


SAMPLE, LONG = 3_000, 100_000


def reader(read: Callable[[bytes, Path], object]) -> Reader:
    made = Reader("x", lambda _: [b"valid"], lambda data, at: data == b"valid" or read(data, at), share=1)
    made.prepare(Path())
    return made


def fails(_: bytes, __: Path) -> object:
    raise KeyError("a mistake")


def refuses(_: bytes, __: Path) -> object:
    raise CorpusError("not what it should be")


def test_the_harness_tells_mistakes_from_refusals(tmp_path: Path) -> None:
    found = read_all(reader(fails), range(5, 8), 1, tmp_path)
    assert (found.cases, found.refused) == (3, 0)
    assert [(each["case"], each["error"]) for each in found.failures] == [
        (case, "KeyError: 'a mistake'") for case in (5, 6, 7)
    ]
    found = read_all(reader(refuses), range(5), 1, tmp_path)
    assert (found.refused, found.failures) == (5, [])


def test_an_undocumented_exit_code_is_a_finding(tmp_path: Path) -> None:
    class OtherError(FitError):
        exit_code = 3

    def refuses_otherwise(_: bytes, __: Path) -> object:
        raise OtherError("of no contract")

    found = read_all(reader(refuses_otherwise), range(1), 1, tmp_path)
    assert [each["error"] for each in found.failures] == ["exit code 3: of no contract"]


def test_a_process_that_dies_is_a_finding_and_the_other_cases_are_read() -> None:
    found = campaign([("deadly", 0, 6), ("greedy", 0, 3)], 1, 1, "tests.property.hostile.deadly")
    deadly, greedy = found["deadly"], found["greedy"]
    assert (deadly.cases, [each["case"] for each in deadly.failures]) == (6, [3])
    assert "ended with -6: Fatal Python error: Aborted" in str(deadly.failures[0]["error"])
    assert [str(each["error"]).split(":")[0] for each in greedy.failures] == ["MemoryError"] * 3


def test_an_interrupted_campaign_goes_on(tmp_path: Path) -> None:
    module, diary = "tests.property.hostile.deadly", tmp_path / "diary"
    first = campaign([("deadly", 0, 3)], 1, 1, module, diary)
    assert campaign([("deadly", 0, 3)], 1, 1, "no.such.module", diary) == first
    both = campaign([("deadly", 0, 3), ("deadly", 3, 2)], 1, 1, module, diary)
    assert (both["deadly"].cases, len(both["deadly"].failures)) == (5, 1)
    assert len(diary.read_text().splitlines()) == 2


def test_every_case_has_its_turn() -> None:
    found = jobs(1000, piece=7)
    assert {name for name, *_ in found} == {each.name for each in READERS}
    cases = [(name, case) for name, first, count in found for case in range(first, first + count)]
    assert len(set(cases)) == len(cases) >= 1000
