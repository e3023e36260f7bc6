"""Printing a page: what is said where there is no browser, or one that prints nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from concepts.errors import MissingExtra, StageIncomplete
from fit import cli
from fit.stages.pdf import find_browser, print_pdf


def program(folder: Path, name: str, lines: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return path


def test_without_a_browser_the_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtra, match=r"no Chromium on this machine; .*apt-get install chromium"):
        find_browser()


def test_the_command_says_so_before_it_computes_anything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.run(["report", str(tmp_path / "no-run"), "--pdf"]) == 13
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_any_of_its_names_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    there = program(tmp_path, name, "exit 0")
    assert find_browser() == str(there)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("echo first >&2; echo no screen >&2; exit 1", r"\(no screen\)"),
        ("exit 3", r"\(exit code 3\)"),
        ('for each; do case "$each" in --print-to-pdf=*) echo no >"${each#*=}";; esac; done', "exit code 0"),
    ],
)
def test_a_browser_that_prints_nothing_leaves_the_older_file(tmp_path: Path, lines: str, told: str) -> None:
    target, page = tmp_path / "report.pdf", tmp_path / "report.html"
    target.write_bytes(b"older")
    page.write_text("<p>x")
    with pytest.raises(StageIncomplete, match=told):
        print_pdf(str(program(tmp_path, "browser", lines)), page, target)
    assert target.read_bytes() == b"older"


def test_a_browser_that_is_gone_is_one_line_too(tmp_path: Path) -> None:
    with pytest.raises(StageIncomplete, match="No such file"):
        print_pdf(str(tmp_path / "gone"), tmp_path / "report.html", tmp_path / "report.pdf")
