from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from concepts.errors import CorpusError
from corpus import registry
from corpus.registry import (
    ImageLocation,
    captions_place,
    corpora,
    corpus_of,
    data_folder,
    load_corpus,
    resolve,
)
from corpus.where import parse_condition
from tests.unit.corpus.files import write_shard

ROW: dict[str, Any] = {
    "title": "T",
    "kind": "captions",
    "captions": "x/*.parquet",
    "source": "s",
    "licence": "l",
}


def test_the_demo() -> None:
    demo = load_corpus("demo")
    assert demo in corpora()
    assert demo.captions == "demo/captions/*.parquet"
    assert demo.images == ImageLocation("webdataset", "demo/images/*.tar")
    assert demo.references == "demo/references.parquet"


def test_unknown_corpus_names_the_nearest() -> None:
    with pytest.raises(CorpusError, match=r"dmeo: unknown corpus \(did you mean demo\?\); known: cc12m, "):
        load_corpus("dmeo")


def test_paths_start_from_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIT_DATA", raising=False)
    assert data_folder() == Path(__file__).resolve().parents[3] / "data"
    monkeypatch.setenv("FIT_DATA", str(tmp_path))
    assert resolve("demo/images/*.tar") == tmp_path / "demo" / "images" / "*.tar"


def test_the_data_folder_of_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIT_DATA", raising=False)
    monkeypatch.setattr(registry, "PACKED", tmp_path / "corpus" / "data")
    assert data_folder() == tmp_path / "data"  # as in a clone
    (tmp_path / "corpus" / "data").mkdir(parents=True)
    assert data_folder() == tmp_path / "corpus" / "data"
    monkeypatch.setenv("FIT_DATA", "/big")
    assert data_folder() == Path("/big")


def test_shards_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shard(tmp_path / "mine" / "a.parquet", ["x"])
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "mine/*.parquet", str(tmp_path / "mine")):
        own = load_corpus(name)
        assert resolve(own.captions) == tmp_path / name


@pytest.mark.parametrize("name", ["s3://bucket/laion/*.parquet", "hf://datasets/o/n/*.parquet", "hub:name"])
def test_shards_elsewhere_stay_where_they_are(name: str) -> None:
    own = load_corpus(name)
    assert captions_place(own) == own.captions == own.name == name
    assert captions_place(load_corpus("demo")) == str(data_folder() / "demo" / "captions" / "*.parquet")


def test_a_signed_link_names_no_corpus() -> None:
    own = load_corpus("https://host/a.parquet?Signature=abc")
    assert (own.name, own.title) == ("https://host/a.parquet?…", "a.parquet?…")
    assert captions_place(own) == "https://host/a.parquet?Signature=abc"


def test_rows_are_checked() -> None:
    assert corpus_of("x", ROW).images is None
    with pytest.raises(CorpusError, match=r"corpus x: captionz: unknown key \(did you mean captions\?\)"):
        corpus_of("x", {**ROW, "captionz": ""})
    with pytest.raises(CorpusError, match="the key licence is missing"):
        corpus_of("x", {key: value for key, value in ROW.items() if key != "licence"})
    with pytest.raises(CorpusError, match="needs the keys layout and path"):
        corpus_of("x", {**ROW, "images": {"path": "p"}})
    for layout in ("webdataset", "files"):
        images = {"layout": layout, "path": "p"}
        assert corpus_of("x", {**ROW, "images": images}).images == ImageLocation(layout, "p")
    with pytest.raises(CorpusError, match="folders: unknown layout of images"):
        corpus_of("x", {**ROW, "images": {"layout": "folders", "path": "p"}})
    with pytest.raises(CorpusError, match="columns: nsfw: unknown role of a column"):
        corpus_of("x", {**ROW, "columns": {"nsfw": "punsafe"}})
    with pytest.raises(CorpusError, match=r"rows = '5'; it has the wrong type"):
        corpus_of("x", {**ROW, "rows": "5"})
    with pytest.raises(CorpusError, match="where stands without where_source"):
        corpus_of("x", {**ROW, "where": "punsafe < 0.1"})


def test_rows_are_complete() -> None:
    rows = corpora()
    names = {row.name for row in rows}
    assert {"relaion2b-en", "laion400m", "laion-aesthetics", "datacomp-1b", "cc12m", "coyo700m"} <= names
    for row in rows:
        assert row.title
        assert row.source
        assert row.licence
        assert row.images or row.rows > 0
        assert row.images or len([way for way in (row.hub, row.fetch, row.parts) if way]) == 1
        assert {*row.parts, *filter(None, [row.subset_of])} <= names
        assert not Path(row.captions).is_absolute()
        # A condition can only be put on columns that the row names.
        condition = parse_condition(row.where)
        assert condition is None or set(condition.columns) <= set(row.columns.values())


def test_sizes_of_wholes_and_parts() -> None:
    rows = {row.name: row for row in corpora()}
    for row in rows.values():
        assert not row.subset_of or row.rows < rows[row.subset_of].rows
        if row.parts:
            # 5,526,641,167 is stated to the row, those of the parts to ten millions.
            assert sum(rows[part].rows for part in row.parts) == pytest.approx(row.rows, abs=15e6)
