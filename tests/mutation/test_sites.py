"""The faults that mutation testing makes: which there are, and that a trial tells them apart."""

from __future__ import annotations

import ast
import os
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.mutation.__main__ import GROUPS, SURVIVORS, Suite, outcome, sample
from tests.mutation.sites import mutant, sites
from tests.mutation.trial import attempt, forked

MODULE = '''
"""A text."""
import os
LIMIT: int = 3

def small(number: int, most: int = LIMIT) -> bool:
    """Tell whether a number is small."""
    if number < 0 or number is None:
        raise ValueError("negative")
    return number <= most
'''
TESTS = """
import measure
import pytest

def test_small():
    assert measure.small(3)
    assert not measure.small(4)

def test_negative():
    with pytest.raises(ValueError):
        measure.small(-1)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module and its tests, the current one."""
    (tmp_path / "measure.py").write_text(MODULE)
    (tmp_path / "test_measure.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\naddopts = --import-mode=importlib\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_sites_of_a_module_by_hand(home: Path) -> None:
    found = sites(Path("measure.py"))
    # LIMIT = 3 and the zero: a constant one up and one down each; `<`, `is` and `<=`; one `if`, one `or`,
    # one `raise`, one `return`. No annotation, no text.
    assert Counter(site.operator for site in found) == {
        "constant + 1": 2,
        "constant - 1": 2,
        "comparison": 3,
        "condition negated": 1,
        "and/or": 1,
        "statement removed": 1,
        "None returned": 1,
    }
    assert len({site.key for site in found}) == len(found)
    assert {(site.function, site.called) for site in found} == {("", False), ("small", True)}
    for site in found:
        tree, before, after = mutant(site)
        assert before != after
        assert ast.unparse(tree) != ast.unparse(ast.parse(MODULE))


def test_a_key_stays_while_other_code_changes(home: Path) -> None:
    before = {site.key for site in sites(Path("measure.py"))}
    (home / "measure.py").write_text("def first():\n    return 1 + 1\n" + MODULE)
    assert before < {site.key for site in sites(Path("measure.py"))}


def test_a_trial_kills_what_a_test_notices(home: Path) -> None:
    results = {}
    for site in sites(Path("measure.py")):
        tests = ["test_measure.py::test_small", "test_measure.py::test_negative"]
        child = forked(home / "log", attempt, site, tests, 60, home / "failed")
        result, by = outcome(os.waitpid(child, 0)[1], home / "failed")
        results[mutant(site)[2]] = (result, by.rpartition("::")[2])
    assert results["number <= 0"] == ("survived", "")  # nobody asks for zero
    assert results["number < most"] == ("killed", "test_small")
    assert results["pass"] == ("killed", "test_negative")
    assert results["return None"] == ("killed", "test_small")


def test_only_tests_that_call_the_function_and_fit_the_budget_are_run(home: Path) -> None:
    inside = next(site for site in sites(Path("measure.py")) if site.called)
    outside = next(site for site in sites(Path("measure.py")) if not site.called)
    calls, other = {"measure.py:small"}, {"measure.py:large"}
    rows = {
        "slow": (100.0, calls),
        "b": (2.0, calls),
        "a": (1.0, other),
        "c": (0.5, calls),
        "d": (0.1, {"x:y"}),
    }
    tests = Suite("", rows)
    assert tests.reaching(inside) == ["c", "b"]
    assert tests.reaching(outside) == ["c", "a", "b"]


def test_the_sample_has_four_hundred_faults_and_every_survivor_is_one_of_them() -> None:
    sampled = {site.key for group in GROUPS.values() for site in sample(group)}
    assert len(sampled) >= 400
    listed = tomllib.loads(SURVIVORS.read_text("utf-8"))
    assert set(listed) <= sampled
    assert all(row["why"] for row in listed.values())
