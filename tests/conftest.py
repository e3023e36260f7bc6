"""What several kinds of tests share."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# The developer's own rows are none of the tests'; before anything is collected, since ids of tests name rows.
os.environ["FIT_ROWS"] = tempfile.mkdtemp(prefix="fit-no-rows-")
atexit.register(shutil.rmtree, os.environ["FIT_ROWS"], ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long tests unless they are asked for; another ``-m`` does not ask for them."""
    if "torture" in config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("torture")]
    items[:] = [item for item in items if item not in long]
    config.hook.pytest_deselected(items=long)


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str


def fit(*arguments: str, cwd: Path = ROOT) -> Finished:
    """Run the command in a process of its own."""
    command = [sys.executable, "-c", "from fit.cli import main; main()", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    return Finished(done.returncode, done.stdout, done.stderr)


def demo_command() -> list[str]:
    """The arguments of ``fit`` in the recipe of ``make demo``: the tests run what the README promises."""
    recipe = (ROOT / "Makefile").read_text().split("\ndemo:")[1].split("\n")[1]
    return recipe.split("/fit ")[1].split()


@pytest.fixture(scope="session")
def faces_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on the demo world's faces, made once for all tests that need one (minutes)."""
    pytest.importorskip("insightface")
    run = tmp_path_factory.mktemp("faces") / "run"
    done = fit("estimate", "--domain", "faces", "--model", "demo", "--run", str(run))
    assert done.code == 0, done.err
    return run


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished demo run, made once for all tests that need one (minutes)."""
    run = tmp_path_factory.mktemp("demo") / "run"
    done = fit(*demo_command(), "--run", str(run))
    assert done.code == 0, done.err
    return run
