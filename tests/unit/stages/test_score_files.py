"""`fit score FOLDER`: images of somebody else's, from files to a verdict."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from concepts.concept import Concept
from fit import cli
from fit.imitation.convnet import ConvNet, ConvNetShape
from fit.imitation.style import save_encoder
from fit.stages.score_files import generated_files

CONCEPTS = 24
FREQUENCIES = [round(10 ** (4 * i / (CONCEPTS - 1)), 1) for i in range(CONCEPTS)]  # 1 to 10,000
IMITATED_FROM = 12  # by number, so from 122.2 images on


def paint(path: Path, rng: np.random.Generator, colours: np.ndarray) -> None:
    """A chequered picture of two colours, with noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    board = colours[np.indices((16, 16)).sum(0) % 2]
    pixels = np.clip(board + rng.normal(0, 12, (16, 16, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Concepts, each two colours of its own; those of enough images are imitated, the others grey."""
    home = tmp_path_factory.mktemp("own-images")
    shape = ConvNetShape(size=16, width=8, dimensions=16)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        save_encoder(ConvNet(shape), shape, home / "data" / "demo" / "style-encoder")
    rng = np.random.default_rng(4)
    rows = [("concept", "frequency", "group")]
    for number in range(CONCEPTS):
        name, colours = f"Artist {number:02d}", rng.uniform(0, 255, (2, 3))
        rows.append((name, str(FREQUENCIES[number]), "even" if number % 2 else "odd"))
        for i in range(8):
            paint(home / "gold" / name / f"{i}.png", rng, colours)
        shown = colours if number >= IMITATED_FROM else np.full((2, 3), 128.0)
        for prompt in ("a sketch", "a painting"):
            for i in range(2):
                paint(home / "generated" / name / f"{prompt}_{i:03d}.png", rng, shown)
    with (home / "frequencies.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return home


@pytest.fixture(autouse=True)
def data(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIT_DATA", str(world / "data"))


def arguments(world: Path, out: Path, *more: str) -> list[str]:
    return [
        "score",
        str(world / "generated"),
        *("--frequencies", str(world / "frequencies.csv"), "--references", str(world / "gold")),
        *("--scorer", "demo-style", "--out", str(out), *more),
    ]


def test_from_folders_to_a_verdict(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments(world, tmp_path / "curve.csv")) == 0
    assert capsys.readouterr().out == (
        f"24 concepts scored; judge them with fit threshold {tmp_path / 'curve.csv'}\n"
    )
    assert (
        cli.run(["threshold", str(tmp_path / "curve.csv"), "--json", "--set", "threshold.replicates=200"])
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "threshold"
    low, high = found["interval"]
    assert low <= FREQUENCIES[IMITATED_FROM]
    assert high >= FREQUENCIES[IMITATED_FROM - 1]
    assert found["n_concepts"] == CONCEPTS


def test_a_folder_for_everything(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "scored"
    assert cli.run(arguments(world, out)) == 0
    curve = pq.read_table(out / "curve.parquet").to_pylist()
    assert [row["concept"] for row in curve] == [f"Artist {i:02d}" for i in range(CONCEPTS)]
    assert {row["group"] for row in curve} == {"even", "odd"}
    assert all(row["images"] == 4 for row in curve)
    # Grey images pass nobody's cut, images in a concept's own colours its own.
    assert sum(row["passed"] for row in curve[:IMITATED_FROM]) <= 4
    assert sum(row["passed"] for row in curve[IMITATED_FROM:]) >= 40
    scores = pq.read_table(out / "scores.parquet").to_pylist()
    assert [row["matched"] for row in scores] == [row["score"] for row in curve]
    variants = set(pq.read_table(out / "alternatives.parquet")["variant"].to_pylist())
    assert variants == {"prompt 1 alone", "prompt 2 alone"}
    assert len(pq.read_table(out / "skipped.parquet")) == 0
    capsys.readouterr()
    assert cli.run(["threshold", str(out), "--set", "threshold.replicates=200"]) == 0
    assert "images" in capsys.readouterr().out
    # Again: nothing is embedded a second time, and the scores are the same.
    monkeypatch.setattr("fit.imitation.style.StyleEncoder.embed", lambda *_: pytest.fail("embedded again"))
    assert cli.run(arguments(world, out)) == 0
    assert pq.read_table(out / "scores.parquet").to_pylist() == scores


def test_what_is_left_out_is_told(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = tmp_path / "generated"
    rng = np.random.default_rng(5)
    for name, number in (("Artist 00", 2), ("Artist 01", 2), (Concept("Artist 02").slug, 2), ("Nobody", 1)):
        for i in range(number):
            paint(images / name / f"{i}.png", rng, np.full((2, 3), 90.0))
    (images / "Artist 01" / "0.png").write_bytes(b"no image")
    (images / "Artist 03").mkdir()
    (images / "Artist 04").mkdir()
    (images / "Artist 04" / "x.png").write_bytes(b"")
    out = tmp_path / "scored"
    given = arguments(world, out, "--json")
    given[1] = str(images)
    assert cli.run(given) == 0
    captured = capsys.readouterr()
    assert [row["concept"] for row in json.loads(captured.out)] == ["Artist 00", "Artist 01", "Artist 02"]
    assert "left out: 20 x no generated image: no score" in captured.err
    rows = pq.read_table(out / "skipped.parquet").to_pylist()
    told = {(row["concept"], row["item"]): row["reason"] for row in rows}
    assert told["Artist 01", "generated Artist 01/0.png"].startswith("not a readable image")
    assert told["Artist 04", "Artist 04"] == "no readable generated image: no score"
    assert told["Nobody", "Nobody"] == "a folder of images without a frequency: no score"
    assert "score_se" not in pq.read_table(out / "curve.parquet").column_names  # one prompt tells no spread


def test_prompts_by_folder_or_file_name(tmp_path: Path) -> None:
    for name in ("in a folder/1.png", "in a folder/2.jpg", "a sketch_001.png", "a sketch_02.png",
                 "oil-17.webp", "17.png", "still life.png", "notes.txt"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = {path.name: prompt for path, prompt in generated_files(tmp_path)}
    assert found == {
        "1.png": "in a folder",
        "2.jpg": "in a folder",
        "a sketch_001.png": "a sketch",
        "a sketch_02.png": "a sketch",
        "oil-17.webp": "oil",
        "17.png": "",
        "still life.png": "",
    }


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"score": "/no/such/folder"}, 2, "/no/such/folder: no such folder"),
        ({"--frequencies": "/no/such.csv"}, 2, "/no/such.csv: cannot be read"),
        ({"--references": "/no/such/folder"}, 12, "/no/such/folder: there is no such file"),
        ({"--scorer": "demo-stile"}, 14, "did you mean demo-style?"),
        ({"--out": "curve.txt"}, 2, "the name has to end with .parquet or .csv"),
        ({"--scorer": ""}, 2, "a FOLDER needs --frequencies, --references, --scorer and --out"),
    ],
)
def test_mistakes_are_one_line(
    world: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, str],
    code: int,
    says: str,
) -> None:
    given = arguments(world, tmp_path / "curve.csv")
    for option, value in change.items():
        given[given.index(option) + 1] = value
    assert cli.run(given) == code
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
    assert not (tmp_path / "curve.csv").exists()


def test_nobody_to_score(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    given = arguments(world, tmp_path / "curve.csv")
    given[1] = str(tmp_path / "empty")
    assert cli.run(given) == 21
    assert "its folder is to be called as the concept" in capsys.readouterr().err
    assert cli.run(arguments(world, tmp_path / "curve.csv", "--set", "scores.pool_size=9")) == 21
