"""Own rows beside the shipped ones: found, told by file and line, never in the place of a shipped one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from concepts import own_rows
from concepts.catalogue import catalogue_names, find_catalogue
from concepts.domain import domains, load_domain
from concepts.errors import ConceptsError, CorpusError, FitError, ModelError
from corpus.registry import load_corpus
from fit.generation.models import load_model, models
from fit.imitation.scorers import load_scorer, scorers

MODEL = """
# A comment.
[mine]
title = "Mine"
weights = "owner/name"
source = "me"
licence = "mine"
"""
SCORER = """
[mine]
title = "Mine"
encoder = "fit.imitation.style:StyleEncoder"
weights = "/nowhere"
domain = "art-styles"
source = "me"
licence = "mine"
"""
CORPUS = (
    '[mine]\ntitle = "M"\nkind = "captions"\ncaptions = "/c/*.parquet"\nsource = "me"\nlicence = "mine"\n'
)
DOMAIN = """title = "Dogs"
noun = "dog"
noun_plural = "dogs"
prompts = ["a {concept}"]
default_concepts = "dogs/demo"
scorer = "csd"
description = "Dogs."
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIT_ROWS", str(tmp_path))
    return tmp_path


def put(place: Path, text: str) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, "utf-8")
    return place


def test_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FIT_ROWS", "~/rows")
    monkeypatch.setenv("HOME", "/home/ada")
    assert own_rows.rows_folder() == Path("/home/ada/rows")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIT_ROWS", "rows")
    assert own_rows.rows_folder() == tmp_path / "rows"
    monkeypatch.delenv("FIT_ROWS")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/config")
    assert own_rows.rows_folder() == Path("/config/fit")
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")  # the specification has it ignored
    assert own_rows.rows_folder() == Path("/home/ada/.config/fit")


def test_a_folder_that_is_not_there_holds_no_rows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = models()
    monkeypatch.setenv("FIT_ROWS", str(folder / "none"))
    assert models() == shipped


def test_own_rows_stand_among_the_shipped(folder: Path) -> None:
    before = [row.name for row in models()]
    put(folder / "models.toml", MODEL)
    put(folder / "scorers.toml", SCORER)
    put(folder / "corpora.toml", CORPUS)
    put(folder / "domains/dogs.toml", DOMAIN)
    put(folder / "lists/dogs/demo.csv", "concept\nRex\nBello\n")
    put(folder / "lists/dogs/demo.toml", 'title = "Two dogs"\n')
    assert [row.name for row in models()] == sorted([*before, "mine"])
    assert load_model("mine").weights == ("owner/name",)
    assert load_scorer("mine").title == "Mine"
    assert load_corpus("mine").captions == "/c/*.parquet"
    assert load_domain("dogs").prompts_for("Rex") == ("a Rex",)
    assert "dogs/demo" in catalogue_names()
    found = find_catalogue("dogs/demo")
    assert (found.title, [each.name for each in found.concepts]) == ("Two dogs", ["Rex", "Bello"])
    assert own_rows.origin(own_rows.MODEL, "mine") == str(folder / "models.toml")
    assert own_rows.origin(own_rows.MODEL, "demo") == ""


@pytest.mark.parametrize(
    ("place", "text", "find", "error", "said"),
    [
        (
            "models.toml",
            MODEL.replace("[mine]", "[demo]"),
            models,
            ModelError,
            "line 3: demo: a shipped model",
        ),
        (
            "scorers.toml",
            SCORER.replace("[mine]", "[csd]"),
            scorers,
            ModelError,
            "line 2: csd: a shipped scorer",
        ),
        (
            "domains/faces.toml",
            DOMAIN,
            domains,
            ConceptsError,
            "line 1: faces: a shipped domain has this name",
        ),
        ("lists/faces/demo.csv", "concept\nA B\n", catalogue_names, ConceptsError, "rename the file"),
    ],
)
def test_a_shipped_name_is_refused(
    folder: Path, place: str, text: str, find: Any, error: type[FitError], said: str
) -> None:
    file = put(folder / place, text)
    with pytest.raises(error) as caught:
        find()
    assert str(caught.value).startswith(str(file))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (MODEL + "step = 3\n", 8, "unknown key (did you mean steps?)"),
        (MODEL + 'steps = "many"\n', 8, "steps = 'many'; it has the wrong type"),
        (MODEL.replace("owner/name", "my folder"), 5, "my folder: no hub id"),
        (MODEL.replace('source = "me"\n', ""), 3, "the key source is missing"),
        (MODEL + 'dtype = "int8"\n', 8, "int8: unknown dtype"),
        (MODEL + "[mine.pickles]\nx = 3\n", 8, "pickles = {'x': 3}"),
        (MODEL + "[[mine.training]]\nname = 'x'\n", 8, "the key corpus is missing"),
        (MODEL + "guidance = inf\n", 3, "infinite"),
        (MODEL.replace("[mine]", '["a model"]'), 3, "'a model' cannot be a name"),
        (MODEL.replace("[mine]", "[Mine]"), 3, "'Mine' cannot be a name"),
        (MODEL.replace("[mine]", f"[{'m' * 65}]"), 3, "at most 64"),
    ],
)
def test_an_error_names_file_and_line(folder: Path, text: str, line: int, said: str) -> None:
    file = put(folder / "models.toml", text)
    with pytest.raises(ModelError) as caught:
        load_model("demo")
    assert str(caught.value).startswith(f"{file}, line {line}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[mine\n", "not TOML"),
        (b"\xff\xfe", "not TOML ('utf-8' codec"),
        (b"x = 1\n", "x stands outside of a table; begin with [model-name]"),
        (b"x = " + b"[" * 5000, "not TOML"),
    ],
)
def test_what_is_no_file_of_rows(folder: Path, content: bytes, said: str) -> None:
    (folder / "models.toml").write_bytes(content)
    with pytest.raises(ModelError) as caught:
        models()
    assert str(caught.value).startswith(f"{folder / 'models.toml'}: ")
    assert said in str(caught.value)


def test_a_folder_or_a_large_file_is_no_file_of_rows(folder: Path) -> None:
    (folder / "models.toml").mkdir()
    with pytest.raises(ModelError, match="no file of rows"):
        models()
    with (folder / "corpora.toml").open("wb") as file:
        file.truncate(own_rows.MOST_BYTES + 1)
    with pytest.raises(CorpusError, match="at most 10 MiB"):
        load_corpus("demo")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("prompts", '["a dog"]', "exactly once"),
        ("prompts", "[]", "prompts is empty"),
        ("prompts", "[3]", "3 is no text"),
        ("prompts", '"a {concept}"', "wrong type"),
        ("noun", "3", "noun = 3"),
    ],
)
def test_a_malformed_domain(folder: Path, key: str, value: str, said: str) -> None:
    lines = [f"{key} = {value}" if line.startswith(f"{key} =") else line for line in DOMAIN.splitlines()]
    file = put(folder / "domains/dogs.toml", "\n".join(lines))
    with pytest.raises(ConceptsError, match=f"{said}") as caught:
        domains()
    number = next(n for n, line in enumerate(lines, 1) if line.startswith(key))
    assert str(caught.value).startswith(f"{file}, line {number}: domain dogs: ")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("encoder", '"os"', "write module:class"),
        ("encoder", '"os; x:y"', "write module:class"),
        ("files", '"x"', "files = 'x'"),
        ("pickles", "{ a = 1 }", "wrong type"),
        ("options", "3", "options = 3"),
        ("options", "{ a = nan }", "wrong type"),
        ("options", "{ a = 2026-01-01 }", "wrong type"),
        ("get", "true", "get = True"),
    ],
)
def test_a_malformed_scorer(folder: Path, key: str, value: str, said: str) -> None:
    lines = [line for line in SCORER.splitlines() if not line.startswith(key)] + [f"{key} = {value}"]
    file = put(folder / "scorers.toml", "\n".join(lines))
    with pytest.raises(ModelError, match=said) as caught:
        scorers()
    assert str(caught.value).startswith(f"{file}, line {len(lines)}: scorer mine: ")


@pytest.mark.parametrize("encoder", ["no.such.module:Encoder", "fit.imitation.style:Nobody"])
def test_an_encoder_that_cannot_be_imported(folder: Path, encoder: str, tmp_path: Path) -> None:
    put(folder / "scorers.toml", SCORER.replace("fit.imitation.style:StyleEncoder", encoder))
    with pytest.raises(ModelError, match=f"scorer mine: encoder {encoder} cannot be imported"):
        load_scorer("mine").load(tmp_path)


def test_the_names_of_own_lists_are_checked(folder: Path) -> None:
    put(folder / "lists/dogs/My List.csv", "concept\nRex\n")
    with pytest.raises(ConceptsError, match="'My List' cannot be a name"):
        catalogue_names()


def test_the_digest_follows_the_keys_that_matter(folder: Path) -> None:
    def digest() -> str:
        return own_rows.own_digest(own_rows.DOMAIN, "dogs", ("prompts",))

    assert digest() == ""  # no row of one's own
    put(folder / "domains/dogs.toml", DOMAIN)
    first = digest()
    assert len(first) == 64
    put(folder / "domains/dogs.toml", DOMAIN.replace("Dogs.", "Other words."))
    assert digest() == first
    put(folder / "domains/dogs.toml", DOMAIN.replace("a {concept}", "two {concept}"))
    assert digest() not in ("", first)
    assert own_rows.own_digest(own_rows.DOMAIN, "dogs") != digest()  # of all keys
    assert own_rows.own_digest(own_rows.DOMAIN, "faces", ("prompts",)) == ""
