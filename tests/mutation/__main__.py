"""``make mutants``: does a test notice when the code that counts, scores or judges is a little wrong?

Of all small faults (`sites`) a seeded sample is tried. Each is put into its module alone; the quick tests
that call its function run until one fails. What was found stands in ``build/mutants``, so that a run that is
stopped goes on; a fault that survived is tried again when its tests have changed. Survivors that are known
are listed with why in ``survivors.toml``; another one, or fewer than 85 % killed, ends with 1.

Why not mutmut or cosmic-ray: both start the tests anew for every fault, which costs seconds of imports each,
and neither tries a seeded sample with the tests that call a function. A trial here is forked from a process
that has imported everything.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import itertools
import json
import os
import signal
import sys
import time
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.sites import Site, mutant, sites
from tests.mutation.trial import attempt, forked, watch

SEED = 7
NEEDED = 0.85
BUDGET = 12.0  # seconds of the processor for the tests of a trial
WALL = 900.0  # seconds after which a trial that uses no processor time hangs
HOME = Path("build/mutants")
SURVIVORS = Path(__file__).with_name("survivors.toml")
PRELOADED = (
    "duckdb", "hyperscan", "numpy", "pyarrow.dataset", "pyarrow.parquet", "ruptures", "scipy.optimize",
    "scipy.special", "scipy.stats", "statsmodels.api", "typer", "pydantic",
)  # fmt: skip


@dataclass(frozen=True)
class Group:
    """Modules that are tested together.

    Attributes:
        modules: Globs of the modules.
        tests: Globs of the files of their tests.
        faults: How many faults are sampled.
    """

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    faults: int


@dataclass(frozen=True)
class Suite:
    """The tests of a group.

    Attributes:
        digest: Of their code and of what they test.
        rows: Of each its processor time in seconds and the functions it calls.
    """

    digest: str
    rows: dict[str, tuple[float, set[str]]]

    def reaching(self, site: Site) -> list[str]:
        """Return the tests that call a fault's function, the quickest first, within the budget."""
        function, module = f"{site.module}:{site.function}", f"{site.module}:"
        reached = sorted(
            (cpu, test)
            for test, (cpu, calls) in self.rows.items()
            if (function in calls if site.called else any(each.startswith(module) for each in calls))
        )
        spent = itertools.accumulate(cpu for cpu, _ in reached)
        return [test for (_, test), so_far in zip(reached, spent, strict=True) if so_far <= BUDGET]


GROUPS = {
    "concepts": Group(
        ("concepts/*.py",),
        ("tests/unit/concepts/test_*.py", "tests/property/test_matching.py", "tests/spec/test_contract.py",
         "tests/spec/test_folding.py", "tests/property/test_own_rows.py"),
        110,
    ),
    "captions": Group(
        tuple(f"corpus/{name}.py" for name in
              ("captions", "candidates", "automaton", "texts", "word_join", "found", "query")),
        ("tests/unit/corpus/test_captions.py", "tests/unit/corpus/test_texts.py",
         "tests/property/test_caption_count.py", "tests/spec/test_contract.py"),
        110,
    ),
    "similarity": Group(
        ("fit/imitation/similarity.py",),
        ("tests/unit/imitation/test_similarity.py", "tests/unit/imitation/test_scores_by_hand.py",
         "tests/property/test_similarity.py"),
        60,
    ),
    "threshold": Group(
        ("fit/threshold/[a-z]*.py",),
        ("tests/unit/threshold/test_*.py", "tests/property/test_threshold*.py"),
        160,
    ),
}  # fmt: skip


def sample(group: Group) -> list[Site]:
    """Return the faults that are tried: the same whatever else changes in the code."""
    every = [site for module in _found(group.modules) for site in sites(module)]
    return sorted(every, key=lambda s: hashlib.sha256(f"{SEED} {s.key}".encode()).digest())[: group.faults]


def tests_of(name: str, group: Group) -> Suite:
    """Return a group's tests with what each calls; they are run where they or the code have changed."""
    files, modules = _found(group.tests), _found(group.modules)
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in (*files, *modules))).hexdigest()
    kept = HOME / f"tests-{name}.json"
    if not kept.is_file() or json.loads(kept.read_text())["digest"] != digest:
        log = HOME / f"tests-{name}.log"
        child = forked(log, watch, files, modules, digest, kept)
        if os.waitpid(child, 0)[1]:
            sys.exit(f"{name}: the tests fail without any fault; see {log}")
    known = json.loads(kept.read_text())
    rows = {
        test: (row["cpu"], {*row["calls"], *known["setups"].get(test.split("::")[0], ())})
        for test, row in known["tests"].items()
    }
    return Suite(digest, rows)


def try_all(todo: list[tuple[str, Site, Suite]], processes: int) -> None:
    """Try faults, several at once, and note each result when it is there."""
    running: dict[int, tuple[str, Site, Suite, float]] = {}
    queue = list(todo)
    while queue or running:
        while queue and len(running) < processes:
            name, site, tests = queue.pop(0)
            if not (wanted := tests.reaching(site)):
                note(name, site, tests, "survived", "no quick test calls it")
                continue
            log, failed = (HOME / f"{site.key}.{suffix}" for suffix in ("log", "txt"))
            child = forked(log, attempt, site, wanted, int(30 + 3 * BUDGET), failed)
            running[child] = (name, site, tests, time.monotonic())
        for child, (name, site, tests, begun) in list(running.items()):
            if time.monotonic() - begun > WALL:
                os.killpg(child, signal.SIGKILL)
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                del running[child]
                note(name, site, tests, *outcome(status, HOME / f"{site.key}.txt"))
                (HOME / f"{site.key}.log").unlink()
        time.sleep(0.05)


def outcome(status: int, failed: Path) -> tuple[str, str]:
    """Return what became of a fault, and what showed it."""
    by = failed.read_text() if failed.is_file() else ""
    failed.unlink(missing_ok=True)
    if os.WIFSIGNALED(status):
        return "killed", f"signal {os.WTERMSIG(status)}: no end, or no memory"
    code = os.WEXITSTATUS(status)
    if code == 5:
        sys.exit("no tests were collected: the runner is at fault")
    return ("survived", "") if code == 0 else ("killed", by or "the tests cannot be imported")


def note(name: str, site: Site, tests: Suite, result: str, by: str) -> None:
    """Add a line to the results."""
    _, before, after = mutant(site)
    row = {"key": site.key, "group": name, "where": f"{site.module}:{site.line}", "function": site.function,
           "operator": site.operator, "before": before[:200], "after": after[:200], "result": result,
           "by": by, "tests": tests.digest}  # fmt: skip
    with (HOME / "results.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


def results() -> dict[str, dict[str, str]]:
    """Return the newest result of each fault by its key."""
    path = HOME / "results.jsonl"
    rows = map(json.loads, path.read_text("utf-8").splitlines()) if path.is_file() else ()
    return {row["key"]: row for row in rows}


def tell(faults: dict[str, list[Site]]) -> int:
    """Print the shares that were killed and who survived; return the exit code."""
    known, reasons = results(), tomllib.loads(SURVIVORS.read_text("utf-8"))
    killed = total = new = 0
    for name, some in faults.items():
        alive = [known[site.key] for site in some if known[site.key]["result"] == "survived"]
        killed, total = killed + len(some) - len(alive), total + len(some)
        print(f"{name}: {len(some) - len(alive)} of {len(some)} killed")
        for row in alive:
            why = reasons.get(row["key"], {}).get("why")
            new += why is None
            print(f"  {row['key']} {row['where']} {row['operator']}: {row['before']} -> {row['after']}")
            print(f"    {why or 'NOT LISTED ' + row['by']}")
    print(f"{killed} of {total} killed ({killed / total:.1%}); {new} survivors without a reason")
    return int(killed < NEEDED * total or new > 0)


def main() -> int:
    """Try what has not been tried, and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Mutation testing.")
    parser.add_argument("--processes", type=int, default=2, help="trials at once")
    parser.add_argument("groups", nargs="*", default=list(GROUPS), help=", ".join(GROUPS))
    given = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    for module in PRELOADED:
        importlib.import_module(module)
    known, todo = results(), []
    faults = {name: sample(GROUPS[name]) for name in given.groups}
    for name, some in faults.items():
        tests = tests_of(name, GROUPS[name])
        for site in some:
            row = known.get(site.key)
            if row is None or (row["result"] == "survived" and row["tests"] != tests.digest):
                todo.append((name, site, tests))
    print(f"{len(todo)} of {sum(map(len, faults.values()))} faults to try", flush=True)
    try_all(todo, given.processes)
    return tell(faults)


def _found(globs: Iterable[str]) -> list[Path]:
    return sorted(path for glob in globs for path in Path().glob(glob) if path.name != "__init__.py")


if __name__ == "__main__":
    sys.exit(main())
