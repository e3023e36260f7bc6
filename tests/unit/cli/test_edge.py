"""The edge of the command line: exit codes, one line for every mistake, and speed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import concepts.errors
from fit import cli, progress
from fit.cli import printing


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run a command that fails and return its code and its one line."""
    code = cli.run(arguments)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return code, err.removeprefix("error: ").rstrip()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["estimat"], "No such command 'estimat'"),
        (["estimate", "--domain", "art-styles"], "Missing option '--model'"),
        (["estimate", "--domian", "x"], "No such option: --domian"),
        (
            ["estimate", "--domain", "art-styles", "--model", "demo", "--until", "treshold"],
            "treshold: unknown stage",
        ),
        (["threshold", "c.csv", "--method", "magic"], "Invalid value for '--method'"),
        (["threshold", "c.csv", "--level", "3"], "Invalid value for '--level'"),
        (["threshold", "no-such.csv"], "no-such.csv: cannot be read (No such file or directory)"),
        (["count"], "give a RUN, or --captions, --concepts and --out"),
        (
            ["count", "--captions", "x", "--concepts", "c.csv", "--out", "o.txt"],
            "o.txt: the name has to end with",
        ),
        (
            ["count", "--captions", "x", "--concepts", "c.csv", "--out", "o.csv", "--engine", "rai"],
            "rai: unknown engine (did you mean ray?)",
        ),
    ],
)
def test_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    code, line = fails(capsys, *arguments)
    assert code == 2
    assert line.startswith(message)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", "‹U+001B›[2Jgone: "),
        ("one\ntwo", "one two: "),
        ("\u202eemuL", "‹U+202E›emuL: "),
        ("\udc80", "‹U+DC80›: "),
    ],
)
def test_what_a_message_quotes_cannot_steer_the_terminal(
    capsys: pytest.CaptureFixture[str], text: str, shown: str
) -> None:
    code, told = fails(capsys, "threshold", text)
    assert (code, told.startswith(shown)) == (2, True), told


def test_a_message_is_never_endless(capsys: pytest.CaptureFixture[str]) -> None:
    code, told = fails(capsys, "threshold", "x" * 100_000)
    assert code == 2
    assert len(told) < 5000
    assert told.endswith(" characters)")


def test_notes_and_tables_cannot_steer_it_either(capsys: pytest.CaptureFixture[str]) -> None:
    progress.note("warning: \x1b[2J of\na stranger")
    printing.table([{"concept": "\x9b2J", "n": 3}])
    printing.facts("A title", [("caption", "\u202eA")])
    out, err = capsys.readouterr()
    assert err == "warning: ‹U+001B›[2J of a stranger\n"
    assert out.splitlines()[1:] == ["‹U+009B›2J  3", "A title", "  caption  ‹U+202E›A"]


def test_unknown_domain(capsys: pytest.CaptureFixture[str]) -> None:
    code, line = fails(capsys, "estimate", "--domain", "art-style", "--model", "demo")
    assert code == 11
    assert line.startswith("art-style: unknown domain (did you mean art-styles?)")


def test_unknown_model(capsys: pytest.CaptureFixture[str]) -> None:
    code, line = fails(capsys, "estimate", "--domain", "art-styles", "--model", "dem")
    assert code == 14
    assert "dem" in line


def test_unknown_setting(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("estimate", "--domain", "art-styles", "--model", "demo", "--set", "threshold.min_sise=3")
    code, line = fails(capsys, *arguments)
    assert code == 10
    assert line.startswith("threshold.min_sise: unknown setting (did you mean ")


@pytest.mark.parametrize(
    "command", ["count", "references", "verify", "generate", "score", "report", "status"]
)
def test_no_run_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str) -> None:
    code, line = fails(capsys, command, str(tmp_path))
    assert code == 15
    assert line == f"{tmp_path}: not a run folder (no config.toml); start one with fit estimate --run"


@pytest.mark.parametrize(
    "name", ["SettingsError", "CorpusError", "MissingExtra", "StageIncomplete", "TooLittleData"]
)
def test_every_situation_has_its_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    situation = getattr(concepts.errors, name)

    def fail(*_: object) -> None:
        raise situation("what is wrong:\n  the value")

    monkeypatch.setattr("fit.run.folder.load", fail)
    assert fails(capsys, "status", str(tmp_path)) == (situation.exit_code, "what is wrong: the value")


def test_ctrl_c(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fit.run.folder.load", interrupt)
    code, line = fails(capsys, "status", str(tmp_path))
    assert code == 130
    assert line == "interrupted; what is done is kept, run the same command again to go on"


def test_a_bug_is_one_line_and_its_traceback_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("fit.run.folder.load", fail)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, line = fails(capsys, "status", str(tmp_path))
    assert code == cli.INTERNAL
    found = re.fullmatch(r"internal error, please report it with (\S+): ZeroDivisionError: by zero", line)
    assert found
    assert "Traceback" in Path(found[1]).read_text()
    monkeypatch.setenv("FIT_DEBUG", "1")
    cli.run(["status", str(tmp_path)])
    assert "Traceback" in capsys.readouterr().err


def test_a_missing_file_of_a_run_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "run/config.toml")

    monkeypatch.setattr("fit.run.folder.load", fail)
    assert fails(capsys, "status", str(tmp_path)) == (2, "run/config.toml: Permission denied")


def test_help_imports_nothing_heavy() -> None:
    probe = (
        "import sys; from fit import cli; cli.run(['--help']); "
        "heavy = {'torch', 'numpy', 'pyarrow', 'pydantic', 'duckdb', 'scipy'} & set(sys.modules); "
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "estimate" in done.stdout


@pytest.mark.parametrize("name", ["models", "domains", "corpora"])
def test_rows_are_listed(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert cli.run([name]) == 0
    table = capsys.readouterr().out.splitlines()
    assert cli.run([name, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert table[0].startswith("name")
    assert [line.split()[0] for line in table[1:]] == [row["name"] for row in rows]


def test_a_reader_that_stops_reading_is_no_error() -> None:
    command = f'{sys.executable} -c \'from fit import cli; cli.main(["domains", "--json"])\' | true'
    done = subprocess.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
