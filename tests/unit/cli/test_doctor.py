"""``fit doctor`` tells what is missing, and its exit code says whether it matters."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from fit import cli, doctor
from fit.run import provenance


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one file and its digest; torch is left out, its import takes seconds."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "a.bin").write_bytes(b"brush")
    listing = f'[[file]]\npath = "demo/a.bin"\nsha256 = "{sha256(b"brush").hexdigest()}"\n'
    (tmp_path / "SOURCES.toml").write_text(listing)
    monkeypatch.setenv("FIT_DATA", str(tmp_path))
    monkeypatch.setattr(doctor, "_multiply", lambda: "right on cpu")
    return tmp_path


def checks(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, object]], str]:
    code = cli.run(["doctor", "--json"])
    out, err = capsys.readouterr()
    return code, {row["what"]: row for row in json.loads(out)}, err


def test_a_machine_that_has_everything(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found, _ = checks(capsys)
    assert code == 0
    assert found["duckdb query"]["found"] == "counts right"
    assert found["demo data"]["found"] == f"1 files as they should be in {data}"
    assert found["torch"]["ok"]


def test_demo_data_with_other_bytes(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "demo" / "a.bin").write_bytes(b"brusk")
    code, found, err = checks(capsys)
    assert code == 13
    assert not found["demo data"]["ok"]
    assert "a.bin has other bytes than SOURCES.toml says" in err


def test_a_missing_package(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = provenance.package_version
    monkeypatch.setattr(provenance, "package_version", lambda name: None if name == "scipy" else real(name))
    code, found, err = checks(capsys)
    assert code == 13
    assert err == "error: scipy: not installed; run pip install imitation-threshold\n"
    assert not found["scipy"]["ok"]


def test_a_missing_extra_is_no_fault_and_names_its_command(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = provenance.package_version
    monkeypatch.setattr(provenance, "package_version", lambda name: None if name == "ray" else real(name))
    code, found, _ = checks(capsys)
    assert code == 0
    assert found["extra cluster"]["found"] == "not installed; pip install 'imitation-threshold[cluster]'"


def test_the_table_for_people(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["check", "found"]
    assert any(line.startswith("duckdb query") and " ok " in line for line in lines)


def test_torch_multiplies_right() -> None:
    assert doctor._multiply().startswith("right on ")
