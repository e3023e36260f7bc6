"""A release is enough: the wheel in a clean environment, outside of the repository, without a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import fit
from tests.conftest import ROOT

NAME = f"imitation_threshold-{fit.__version__}"


def build(source: Path, target: str, home: Path) -> Path:
    """Build from a folder of sources by the locked backend, as `make dist` does, and return the archive."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(home)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (made,) = home.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


@dataclass(frozen=True)
class Installed:
    """A clean environment with the wheel and its dependencies, and a folder to work in."""

    home: Path
    environment: dict[str, str]

    def fit(self, *arguments: str) -> str:
        """Run the command; it has to end well. Returns what it prints."""
        done = subprocess.run(
            [str(self.home / "env/bin/fit"), *arguments],
            cwd=self.home / "work",
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    home = tmp_path_factory.mktemp("clean")
    venv.create(home / "env", with_pip=False)
    python = str(home / "env/bin/python")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            python,
            "install",
            "-q",
            "--no-deps",
            "--no-index",
            str(wheel),
        ],
        check=True,
    )
    # The dependencies are those that are here: below the wheel on the path, and without the editable install,
    # since a folder that a .pth file names has its own .pth files ignored.
    (site,) = (home / "env/lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"], "utf-8")
    (home / "work").mkdir()
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("FIT_", "PYTHON", "VIRTUAL"))
    }
    return Installed(home, kept | {"HOME": str(home), "HF_HUB_OFFLINE": "1"})


def test_the_wheel_holds_the_packages_and_the_demo_worlds(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        listing = tomllib.loads(archive.read("corpus/data/SOURCES.toml").decode())
        entry = archive.read(f"{NAME}.dist-info/entry_points.txt").decode()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"concepts", "corpus", "fit", f"{NAME}.dist-info"}
    assert {f"corpus/data/{row['path']}" for row in listing["file"]} <= set(names)
    assert "fit/py.typed" in names
    assert f"{NAME}.dist-info/licenses/LICENSE" in names
    assert "concepts/templates/domain.toml" in names
    assert "fit = fit.cli:main" in entry
    assert wheel.stat().st_size < 100e6  # what package indexes allow by default


def test_it_runs_the_demo_outside_of_the_repository(installed: Installed) -> None:
    where = installed.home / "env"
    assert installed.fit("--version").strip() == fit.__version__
    (row,) = json.loads(installed.fit("corpora", "demo", "--json"))
    assert row["at_hand"] is True
    demo = ("estimate", "--domain", "art-styles", "--model", "demo", "--run", "run")
    installed.fit(*demo, "--until", "counts")
    told = json.loads((installed.home / "work/run/counts/receipt.json").read_text("utf-8"))
    assert told["outputs"]
    history = json.loads((installed.home / "work/run/run.json").read_text("utf-8"))
    assert history["invocations"][0]["git_commit"] is None  # it was not the repository's code that ran
    # A corpus that is to be had belongs beside the package, which an update replaces.
    (other,) = json.loads(installed.fit("corpora", "relaion2b-en", "--json"))
    assert '"$FIT_DATA"/' in other["get"]
    assert str(where) not in other["get"]


@pytest.mark.torture
def test_the_wheel_runs_the_whole_demo(installed: Installed) -> None:
    said = installed.fit("estimate", "--domain", "art-styles", "--model", "demo", "--run", "whole")
    assert "no threshold can be given" in " ".join(said.split())
    assert (installed.home / "work/whole/report/report.html").is_file()


@pytest.mark.torture
def test_the_source_archive_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    archive = build(ROOT, "sdist", tmp_path / "made")
    assert archive.name == f"{NAME}.tar.gz"
    with tarfile.open(archive) as sources:
        names = {name.removeprefix(f"{NAME}/") for name in sources.getnames()}
        sources.extractall(tmp_path / "sources", filter="data")
    assert {"Makefile", "requirements.lock", "tests/conftest.py", "data/SOURCES.toml", "LICENSE"} <= names
    assert not {name for name in names if name.split("/")[0] in ("runs", ".venv", ".git", "dist", "build")}
    (tmp_path / "again").mkdir()
    again = build(tmp_path / "sources" / NAME, "wheel", tmp_path / "again")
    assert again.read_bytes() == wheel.read_bytes()
