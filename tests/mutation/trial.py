"""One run of tests in a forked process: to see what they call, or with a fault put in."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import resource
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, FrameType

import hypothesis
import pytest

from tests.mutation.sites import Site, mutant

EXAMPLES = 25
"""Cases of a property test, always the same: what differs from the last trial is the fault alone."""
MEMORY = 8 << 30  # bytes of addresses: a fault may ask for arrays without end
_INNER = re.compile(r"\.<locals>|\.<(lambda|listcomp|genexpr|dictcomp|setcomp)>.*")
_OPTIONS = ["-q", "-p", "no:cacheprovider", "--tb=line", "--no-header", "-o", "timeout=0"]


class Mutated(SourceFileLoader):
    """Finds one module and gives it a fault."""

    def __init__(self, module: Path, tree: ast.Module) -> None:
        super().__init__(".".join(module.with_suffix("").parts), str(module.resolve()))
        self.tree = tree

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.tree, self.path, "exec")


class Chosen:
    """Runs the tests that are wanted (none: all), in that order, and notes the first that fails."""

    def __init__(self, wanted: Sequence[str]) -> None:
        self.order = {name: place for place, name in enumerate(wanted)}
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.order:
            wanted = [item for item in items if item.nodeid in self.order]
            items[:] = sorted(wanted, key=lambda item: self.order[item.nodeid])
        for item in items:
            function = getattr(item, "obj", None)
            if hasattr(function, "hypothesis"):
                given = getattr(function, "_hypothesis_internal_use_settings", None)
                phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
                function._hypothesis_internal_use_settings = hypothesis.settings(
                    given, max_examples=EXAMPLES, derandomize=True, database=None, phases=phases
                )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


class Watcher:
    """Notes which functions each test calls, and its processor time in seconds."""

    def __init__(self, modules: Sequence[Path]) -> None:
        self.modules = {str(path.resolve()): str(path) for path in modules}
        self.calls: set[str] = set()
        self.tests: dict[str, dict[str, object]] = {}
        self.setups: defaultdict[str, set[str]] = defaultdict(set)

    def note(self, frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename in self.modules:
            self.calls.add(f"{self.modules[code.co_filename]}:{_INNER.sub('', code.co_qualname)}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        begun = time.process_time()
        threading.setprofile(self.note)
        sys.setprofile(self.note)
        result = yield
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        self.tests[item.nodeid] = {"cpu": time.process_time() - begun, "calls": sorted(self.calls)}
        self.calls.clear()
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        result = yield
        self.setups[item.nodeid.split("::")[0]] |= self.calls  # fixtures are shared by the file's tests
        return result


def watch(files: Sequence[Path], modules: Sequence[Path], digest: str, into: Path) -> int:
    """Run all tests of some files and write what they call; return pytest's exit code."""
    watcher = Watcher(modules)
    code = int(pytest.main([*_OPTIONS, *map(str, files)], plugins=[Chosen(()), watcher]))
    if code == 0:
        setups = {file: sorted(calls) for file, calls in watcher.setups.items()}
        into.write_text(json.dumps({"digest": digest, "tests": watcher.tests, "setups": setups}, indent=0))
    return code


def attempt(site: Site, tests: Sequence[str], seconds: int, into: Path) -> int:
    """Run some tests against a fault; write the first that fails and return pytest's exit code."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.meta_path.insert(0, Mutated(site.module, mutant(site)[0]))
    chosen = Chosen(tests)
    files = dict.fromkeys(test.split("::")[0] for test in tests)
    code = int(pytest.main([*_OPTIONS, "-x", *files], plugins=[chosen]))
    into.write_text(chosen.failed)
    return code


def forked(log: Path, function: object, *arguments: object) -> int:
    """Start a function in a forked process, which ends with its result; return the process id."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.setpgid(0, 0)
        with log.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        code = function(*arguments)  # type: ignore[operator]
        sys.stdout.flush()
    finally:
        os._exit(code)
