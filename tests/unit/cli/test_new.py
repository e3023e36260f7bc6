"""``fit new``: a row of each kind that is read as written; nothing that is there is changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from concepts.catalogue import find_catalogue
from concepts.domain import load_domain
from concepts.own_rows import CORPUS, DOMAIN, MODEL, SCORER, own_rows
from corpus.registry import load_corpus
from fit import cli
from fit.generation.models import load_model
from fit.imitation.scorers import load_scorer


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "not" / "there"
    monkeypatch.setenv("FIT_ROWS", str(place))
    return place


def written(capsys: pytest.CaptureFixture[str], kind: str, name: str) -> dict[str, object]:
    assert cli.run(["new", kind, name, "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = cli.run(["new", *arguments])
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return code, err


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["mine", "my.row", "a_b-9"])
def test_every_kind_is_read_as_written(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert written(capsys, "model", name) == {
        "file": str(folder / "models.toml"),
        "line": 1,
        "beside": [],
        "check": f"fit models {name}",
    }
    assert load_model(name).weights == ("owner/name",)
    written(capsys, "scorer", name)
    assert load_scorer(name).title == name
    written(capsys, "corpus", name)
    assert load_corpus(name).title == name
    beside = [str(folder / "lists" / name / "first.csv"), str(folder / "lists" / name / "first.toml")]
    assert written(capsys, "domain", name)["beside"] == beside
    domain = load_domain(name)
    assert domain.default_concepts == f"{name}/first"
    assert [each.name for each in find_catalogue(domain.default_concepts).concepts] == [
        "First Example",
        "Second Example",
    ]


@pytest.mark.parametrize("kind", [MODEL, SCORER, CORPUS, DOMAIN], ids=lambda kind: kind.noun)
def test_a_template_without_its_comment_signs_is_read_too(
    folder: Path, capsys: pytest.CaptureFixture[str], kind: object
) -> None:
    """What a user uncomments has to be right: keys that exist, of their types."""
    noun = kind.noun  # type: ignore[attr-defined]
    file = Path(str(written(capsys, noun, "mine")["file"]))
    lines = file.read_text("utf-8").splitlines()
    kept = [
        line.removeprefix("# ") if line.startswith(("# [", "# images")) or _sets(line) else line
        for line in lines
    ]
    assert kept != lines or kind is DOMAIN
    file.write_text("\n".join(kept), "utf-8")
    assert cli.run([{"corpus": "corpora"}.get(noun, f"{noun}s"), "mine"]) == 0


def _sets(line: str) -> bool:
    """Whether a comment is a key with its value: ``# steps = 50``."""
    words = line.split()
    return len(words) > 3 and words[0] == "#" and words[2] == "="


def test_a_second_row_comes_below_the_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(capsys, "model", "one")
    first = (folder / "models.toml").read_text("utf-8")
    line = written(capsys, "model", "two")["line"]
    text = (folder / "models.toml").read_text("utf-8")
    assert text.startswith(first)
    assert text.splitlines()[int(str(line)) - 1] == "[two]"
    assert list(own_rows(MODEL)) == ["one", "two"]


def test_the_file_may_be_a_link(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    (tmp_path / "kept.toml").write_text("", "utf-8")
    (folder / "models.toml").symlink_to(tmp_path / "kept.toml")
    written(capsys, "model", "one")
    assert (folder / "models.toml").is_symlink()
    assert "[one]" in (tmp_path / "kept.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("model", "demo"), 2, "model demo: there is one already (a shipped one)"),
        (("domain", "faces"), 2, "domain faces: there is one already (a shipped one)"),
        (("modle", "x"), 2, "modle: unknown kind of row (did you mean model?)"),
        (("scorer", "My Scorer"), 14, "'My Scorer' cannot be a name"),
        (("corpus", "../x"), 12, "'../x' cannot be a name"),
        (("domain", "a/b"), 11, "'a/b' cannot be a name"),
        (("model",), 2, "Missing argument"),
    ],
)
def test_what_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, said: str
) -> None:
    found, line = refused(capsys, *arguments)
    assert said in line
    assert found == code
    assert not folder.exists()


@pytest.mark.parametrize("kind", ["model", "domain"])
def test_nothing_is_written_over(folder: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    written(capsys, kind, "mine")
    before = files(folder)
    code, line = refused(capsys, kind, "mine")
    assert code == 2
    assert f"{kind} mine: there is one already ({folder}" in line
    assert files(folder) == before


def test_a_list_that_is_there_already(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "lists" / "dogs").mkdir(parents=True)
    (folder / "lists" / "dogs" / "first.csv").write_text("concept\nRex\n", "utf-8")
    before = files(folder)
    code, line = refused(capsys, "domain", "dogs")
    assert code == 2
    assert "first.csv: is there already" in line
    assert files(folder) == before


def test_a_file_that_is_malformed_is_left_as_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder.mkdir(parents=True)
    (folder / "models.toml").write_text("[one\n", "utf-8")
    code, line = refused(capsys, "model", "two")
    assert code == 14
    assert "not TOML" in line
    assert files(folder) == {"models.toml": b"[one\n"}
