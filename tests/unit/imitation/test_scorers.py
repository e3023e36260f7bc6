from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import pytest

from concepts.domain import domains
from concepts.errors import ModelError
from fit.imitation.scorers import Scorer, load_scorer, scorers

ROW = Scorer("own", "Own", "fit.imitation.style:StyleEncoder", "data:own", "art-styles", "made", "MIT")


def test_every_row_names_a_class_and_a_domain() -> None:
    known = {domain.name for domain in domains()}
    for row in scorers():
        module, _, name = row.encoder.partition(":")
        assert callable(getattr(importlib.import_module(module), name).embed)
        assert row.domain in known
        assert row.title
        assert row.source
        assert row.licence


def test_rows_are_found_by_their_names() -> None:
    names = [row.name for row in scorers()]
    assert names == sorted(names)
    assert [load_scorer(name).name for name in names] == names


def test_an_unknown_name_is_told_the_known_and_the_nearest() -> None:
    with pytest.raises(ModelError) as caught:
        load_scorer("demo-stile")
    assert caught.value.exit_code == 14
    message = str(caught.value)
    assert message.startswith("demo-stile: unknown scorer (did you mean demo-style?); known: ")
    for row in scorers():
        assert row.name in message


def test_weights_lie_in_the_data_folder_or_where_the_row_says(tmp_path: Path) -> None:
    assert ROW.folder(tmp_path) == tmp_path / "own"
    assert replace(ROW, weights=str(tmp_path / "else")).folder(Path("/data")) == tmp_path / "else"


def test_digest_changes_with_what_the_files_hold_and_how_they_are_called(tmp_path: Path) -> None:
    def digest(**files: bytes) -> str:
        folder = tmp_path / "-".join(files) / str(len(list(tmp_path.rglob("*"))))
        folder.mkdir(parents=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        return replace(ROW, weights=str(folder)).digest(tmp_path)

    first = digest(config=b"1", weights=b"2")
    assert digest(config=b"1", weights=b"2") == first
    assert digest(config=b"1", weights=b"3") != first
    assert digest(config=b"1", weight=b"2") != first


def test_digest_changes_with_the_class_and_its_options(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "weights").write_bytes(b"1")
    rows = (ROW, replace(ROW, encoder="fit.imitation.csd:StyleEncoder"), replace(ROW, options={"size": 3}))
    assert len({row.digest(tmp_path) for row in rows}) == 3
    assert replace(ROW, title="Other words").digest(tmp_path) == ROW.digest(tmp_path)


def test_missing_weights_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"own: the weights of scorer own are missing; see `fit doctor`"):
        ROW.digest(tmp_path)
    with pytest.raises(ModelError, match="cannot be loaded as a style encoder"):
        ROW.load(tmp_path)
