"""`fit calibrate` on a folder of references, with a scorer of its own."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from concepts.concept import Concept
from concepts.errors import TooLittleData
from fit import cli
from fit.imitation.convnet import ConvNet, ConvNetShape
from fit.imitation.style import save_encoder
from fit.stages.calibrate_references import References, calibrate_references, embed_references
from tests.unit.imitation.vectors import anywhere, at_cosines
from tests.unit.stages.test_embeddings import Counting


def references(**vectors: np.ndarray) -> References:
    groups = {name: "plain" if name < "c" else "odd" for name in vectors}
    return References(vectors, groups, ())


def test_groups_have_rows_of_their_own() -> None:
    rng = np.random.default_rng(1)
    plain = {"a": at_cosines([1, 0.99, 0.98]), "b": at_cosines([-1, -0.99])}
    found = calibrate_references(references(**plain, c=at_cosines([0.1, 0.12]), d=anywhere(rng, 1, 2)), 0.2)
    assert [row["group"] for row in found.groups] == ["all", "odd", "plain"]
    assert [row["concepts"] for row in found.groups] == [3, 1, 2]
    assert [row["own"] for row in found.groups] == [7, 2, 5]
    # Strangers of a: 2 + 2 + 1; of b: 3 + 2 + 1; of c: 3 + 2 + 1.
    assert [row["others"] for row in found.groups] == [17, 6, 11]
    assert [row["concept"] for row in found.concepts] == ["a", "b", "c"]
    assert not found.warnings


def test_a_concept_that_is_closer_to_another_than_to_itself_is_warned_of() -> None:
    # c lies on both sides of a: its two are at 0.28 to each other and at 0.8 to a.
    found = calibrate_references(
        references(a=at_cosines([1, 1, 1]), c=np.array([[0.8, 0.6], [0.8, -0.6]], np.float32)), 0.1
    )
    assert found.warnings[0].startswith("c: most references are closer to those of a than to each other")
    assert "none of their own references passes the cut of c" in found.warnings[1]


def test_published_cuts_are_marked_for_their_scorer_alone() -> None:
    some = references(a=at_cosines([1, 0.99]), b=at_cosines([-1, -0.99]))
    assert list(calibrate_references(some, 0.1).marked) == ["10 % false matches"]
    marked = calibrate_references(some, 0.1, "csd", "art-styles/modern").marked
    assert list(marked) == ["10 % false matches", "mimetic2: 0.2883"]
    # Without a known list every list's cut is shown.
    assert len(calibrate_references(some, 0.1, "arcface", "faces/celebrities").marked) == 3


def test_too_few_references() -> None:
    with pytest.raises(TooLittleData, match="1 concepts with two reference images or more"):
        calibrate_references(references(a=at_cosines([1, 0.9]), b=at_cosines([0.1])), 0.1)


def test_what_has_no_vector_is_told() -> None:
    images = {"a": [("1", b"a"), ("2", b"?"), ("3", b"b")], "b": [("1", b"")]}
    found = embed_references(Counting(), images, [Concept("a", group="g"), Concept("b")])
    assert found.vectors["a"].shape == (2, 3)
    assert found.groups == {"a": "g"}
    assert found.skipped == (("a", "2", "no face found"), ("b", "1", "empty"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three concepts, each a colour, and an untaught style encoder as the demo's."""
    shape = ConvNetShape(size=16, width=4, dimensions=8)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        save_encoder(ConvNet(shape), shape, tmp_path / "data" / "demo" / "style-encoder")
    monkeypatch.setenv("FIT_DATA", str(tmp_path / "data"))
    rng = np.random.default_rng(2)
    for number, name in enumerate(("Ada", "Bo", "Cy")):
        (tmp_path / "refs" / name).mkdir(parents=True)
        for i in range(6):
            pixels = rng.integers(0, 60, (16, 16, 3), dtype=np.uint8)
            pixels[..., number] += 180
            Image.fromarray(pixels).save(tmp_path / "refs" / name / f"{i}.png")
    (tmp_path / "refs" / "Ada" / "broken.png").write_bytes(b"no image")
    return tmp_path / "refs"


def test_the_command_on_a_folder(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "concepts.csv").write_text("concept,group\nAda,one\nBo,two\nCy,two\n")
    arguments = ["calibrate", str(folder), "--scorer", "demo-style", "--false-match-rate", "0.1"]
    assert (
        cli.run([*arguments, "--concepts", str(tmp_path / "concepts.csv"), "--out", str(tmp_path / "o")]) == 0
    )
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["group", "all", "one", "two", "calibration:"]
    assert "left out: broken.png of Ada: not a readable image" in err
    with (tmp_path / "o" / "concepts.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["concept"], row["group"], row["references"]) for row in rows] == [
        ("Ada", "one", "6"),
        ("Bo", "two", "6"),
        ("Cy", "two", "6"),
    ]
    with (tmp_path / "o" / "det.csv").open() as file:
        assert {row["group"] for row in csv.DictReader(file)} == {"all", "one", "two"}
    drawn = ElementTree.parse(tmp_path / "o" / "det.svg").getroot()  # noqa: S314 (our own)
    assert drawn.tag.endswith("svg")
    texts = {each.text for each in drawn.iter() if each.tag.endswith("text")}
    assert {"10 % false matches", "5 %", "False matches: other concepts' images let in"} <= texts
    document = json.loads((tmp_path / "o" / "calibration.json").read_text())
    assert document["groups"][0]["own"] == 18


def test_the_command_prints_json_and_writes_nothing_unasked(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    before = sorted(folder.parent.rglob("*"))
    assert cli.run(["calibrate", str(folder), "--scorer", "demo-style", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["groups"][0]["concepts"] == 3
    assert sorted(folder.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        ([], 2, "name the scorer with --scorer"),
        (["--scorer", "dmo-style"], 14, "did you mean demo-style?"),
        (["--scorer", "demo-style", "--false-match-rate", "0.7"], 2, "less than or equal to 0.499"),
    ],
)
def test_mistakes_are_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], more: list[str], code: int, says: str
) -> None:
    assert cli.run(["calibrate", str(folder), *more]) == code
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
