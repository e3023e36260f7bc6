"""A change of an own row makes those stages stale whose results it decides; shipped rows say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from fit.config import Settings
from fit.pipeline import STAGES
from fit.run import Job, Run

DOMAIN = """title = "Painters"
noun = "painter"
noun_plural = "painters"
prompts = ["a painting in the style of {concept}"]
default_concepts = "art-styles/demo"
scorer = "mine"
description = "As the demo's."
"""
CORPUS = """[mine]
title = "Mine"
kind = "captions"
captions = "demo/captions/*.parquet"
images = { layout = "webdataset", path = "demo/images/*.tar" }
references = "demo/references.parquet"
source = "me"
licence = "mine"
"""
SCORER = """[mine]
title = "Mine"
encoder = "fit.imitation.style:StyleEncoder"
weights = "data:demo/style-encoder"
domain = "painters"
source = "me"
licence = "mine"
"""
MODEL = """[mine]
title = "Mine"
weights = "data:demo/model"
source = "me"
licence = "mine"
"""
FILES = {
    "domains/painters.toml": DOMAIN,
    "corpora.toml": CORPUS,
    "scorers.toml": SCORER,
    "models.toml": MODEL,
}


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIT_ROWS", str(tmp_path))
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def inputs(folder: Path, **names: str) -> dict[str, dict[str, str]]:
    """What each stage says that it depends on beside settings and stages."""
    row = {"domain": "painters", "model": "mine", "corpus": "mine"} | names
    run = Run(folder / "run", Settings(concepts="art-styles/demo", seed=3, **row))
    return {stage.name: stage.code().outside(Job(run, stage.name, stage.needs)) for stage in STAGES}


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        ("domains/painters.toml", "a painting", "a drawing", {"generation", "report"}),
        ("domains/painters.toml", "As the", "Like the", {"report"}),
        ("corpora.toml", "licence", "where = 'WIDTH > 9'\nwhere_source = 'x'\nlicence", {"counts", "report"}),
        ("corpora.toml", '"me"', '"us"', {"report"}),
        ("models.toml", "licence", "steps = 9\nlicence", {"generation", "report"}),
        ("scorers.toml", "style:Style", "csd:Style", {"references", "verification", "scores", "report"}),
    ],
)
def test_a_change(rows: Path, file: str, old: str, new: str, stale: set[str]) -> None:
    before = inputs(rows)
    (rows / file).write_text(FILES[file].replace(old, new), "utf-8")
    after = inputs(rows)
    assert {name for name in before if before[name] != after[name]} == stale


def test_shipped_rows_say_nothing(rows: Path) -> None:
    found = inputs(rows, domain="art-styles", model="demo", corpus="demo")
    assert not [name for each in found.values() for name in each if name.startswith("row of")]
