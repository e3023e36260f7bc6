"""The micro world and a finished run of it, made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fit import cli
from tests.conftest import ROOT, Finished
from tests.e2e.micro import Micro, make_micro


@pytest.fixture(scope="session")
def micro(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Micro]:
    """The micro world; the process that others are forked from finds this repository's packages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        yield make_micro(tmp_path_factory.mktemp("micro"))


@pytest.fixture(scope="session")
def micro_run(micro: Micro) -> Path:
    """A run of the micro world that nothing disturbed. Tests that change it work on a copy."""
    run, log = micro.home / "undisturbed", micro.home / "undisturbed.log"
    process = micro.start(micro.estimate(run), log)
    process.join(300)
    assert process.exitcode == 0, log.read_text()
    return run


@pytest.fixture
def command(
    micro: Micro, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Finished]:
    """The command line in the micro world, inside this process: torch is imported once for all tests."""
    monkeypatch.chdir(micro.home)
    monkeypatch.setenv("FIT_DATA", str(micro.data))

    def run(*arguments: str) -> Finished:
        capsys.readouterr()
        code = cli.run(arguments)
        out, err = capsys.readouterr()
        return Finished(code, out, err)

    return run
