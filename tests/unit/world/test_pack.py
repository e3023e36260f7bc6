"""The packed world: LAION's columns, links to pictures or nowhere, and a truth that agrees with both."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from corpus.images import ImageStore
from corpus.shards import find_shards
from fit.world.dataset import read_training_set, to_tensor
from fit.world.lists import write_list
from fit.world.pack import encoded, pack
from fit.world.plan import HIT, UNRELATED, Plan, planted_frequencies
from tests.unit.world.small import SMALL

LAION = ("URL", "TEXT", "WIDTH", "HEIGHT", "similarity", "punsafe", "pwatermark", "AESTHETIC_SCORE")


@pytest.fixture(scope="module")
def captions(small_world: Path) -> pa.Table:
    return pq.read_table(small_world / "captions")


@pytest.fixture(scope="module")
def truth(small_world: Path) -> pa.Table:
    return pq.read_table(small_world / "truth" / "rows.parquet")


@pytest.fixture(scope="module")
def store(small_world: Path) -> ImageStore:
    return ImageStore.open(small_world / "images")


def files_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_packed_twice_are_the_same_bytes(small_plan: Plan, small_world: Path, tmp_path: Path) -> None:
    pack(small_plan, tmp_path)
    assert files_of(tmp_path) == files_of(small_world)


def test_the_files_are_there(small_world: Path) -> None:
    assert sorted(files_of(small_world)) == [
        "captions/part-00000.parquet",
        "captions/part-00001.parquet",
        "images/00000.parquet",
        "images/00000.tar",
        "images/00001.parquet",
        "images/00001.tar",
        "references.parquet",
        "truth/artists.parquet",
        "truth/rows.parquet",
    ]


def test_captions_have_the_columns_of_laion(small_plan: Plan, small_world: Path, captions: pa.Table) -> None:
    assert tuple(captions.column_names) == LAION
    assert captions["TEXT"].to_pylist() == [row.caption for row in small_plan.rows]
    shards = find_shards(small_world / "captions")
    assert [shard.rows for shard in shards] == [200, 200]
    assert {shard.caption_column for shard in shards} == {"TEXT"}
    assert {shard.url_column for shard in shards} == {"URL"}
    for name, low, high in (("similarity", 0.28, 0.4), ("punsafe", 0, 1), ("pwatermark", 0, 1)):
        values = captions[name].to_numpy()
        assert low - 1e-6 <= values.min() <= values.max() <= high + 1e-6


def test_links_lead_to_pictures_and_unrelated_ones_nowhere(
    small_plan: Plan, captions: pa.Table, store: ImageStore
) -> None:
    urls = captions["URL"].to_pylist()
    related = [url for url, row in zip(urls, small_plan.rows, strict=True) if row.kind != UNRELATED]
    gone = [url for url, row in zip(urls, small_plan.rows, strict=True) if row.kind == UNRELATED]
    assert set(store.find(related).present) == set(related)
    assert store.find(gone).present == ()
    assert len(store) == len(set(related)) == len({row.picture for row in small_plan.rows} - {-1})
    for data in dict(store.read_many(related)).values():
        assert isinstance(data, bytes)
        with Image.open(io.BytesIO(data)) as image:
            assert (image.format, image.size, image.mode) == ("JPEG", (32, 32), "RGB")


def test_a_link_shows_what_the_plan_says(small_plan: Plan, captions: pa.Table, store: ImageStore) -> None:
    places = [i for i, row in enumerate(small_plan.rows) if row.kind != UNRELATED]
    urls = captions["URL"].to_pylist()
    expected = dict(
        zip((urls[i] for i in places), encoded([small_plan.rows[i] for i in places], small_plan), strict=True)
    )
    assert dict(store.read_many(expected)) == expected


def test_indexes_are_as_img2dataset_writes_them(small_world: Path, store: ImageStore) -> None:
    index = pq.read_table(small_world / "images" / "00001.parquet")
    assert set(index["status"].to_pylist()) == {"success"}
    for url, digest in zip(index["url"].to_pylist(), index["sha256"].to_pylist(), strict=True):
        data = store.read(url)
        assert isinstance(data, bytes)
        assert hashlib.sha256(data).digest() == digest


def test_near_duplicates_are_near_and_no_copies(small_plan: Plan) -> None:
    copies = [row for row in small_plan.rows if row.copy]
    assert copies
    for row in copies:
        first = next(r for r in small_plan.rows if r.seed == row.seed and not r.copy)
        a, b = encoded([first, row], small_plan)
        assert a != b
        near, far = (
            np.asarray(Image.open(io.BytesIO(data)).convert("L").resize((4, 4)), int) for data in (a, b)
        )
        assert np.abs(near - far).mean() < 25


def test_the_truth_of_the_rows(small_plan: Plan, captions: pa.Table, truth: pa.Table) -> None:
    names = [artist.name.name for artist in small_plan.concepts]
    by_place = {(row["file"], row["row"]): row for row in truth.to_pylist()}
    assert len(by_place) == sum(row.kind != UNRELATED for row in small_plan.rows)
    for i, row in enumerate(small_plan.rows):
        found = by_place.get((f"part-{i // 200:05d}.parquet", i % 200))
        if row.kind == UNRELATED:
            assert found is None
            continue
        assert found is not None
        assert found["url"] == captions["URL"][i].as_py()
        assert found["kind"] == row.kind
        assert found["about"] == names[row.concept]
        assert found["shows"] == (names[row.concept] if row.kind in ("hit", "unnamed") else None)


def test_the_truth_of_the_artists(small_plan: Plan, small_world: Path, truth: pa.Table) -> None:
    artists = pq.read_table(small_world / "truth" / "artists.parquet")
    assert artists["frequency"].to_pylist() == planted_frequencies(small_plan).tolist()
    hits = Counter(row["about"] for row in truth.to_pylist() if row["kind"] == HIT)
    for name, frequency in zip(*(artists[c].to_pylist() for c in ("concept", "frequency")), strict=True):
        assert hits[name] == frequency
    assert sum(hits.values()) == sum(artists["frequency"].to_pylist()) > 0


def test_references_are_in_no_shard(small_plan: Plan, small_world: Path, store: ImageStore) -> None:
    references = pq.read_table(small_world / "references.parquet")
    counted = Counter(references["concept"].to_pylist())
    assert counted == {artist.name.name: SMALL.references for artist in small_plan.concepts}
    images = references["image"].to_pylist()
    assert len(set(images)) == len(images)
    urls = pq.read_table(small_world / "captions")["URL"].to_pylist()
    assert not set(images) & {data for _, data in store.read_many(urls) if isinstance(data, bytes)}


def test_the_training_set_is_the_corpus_and_nothing_else(small_plan: Plan, small_world: Path) -> None:
    data = read_training_set(small_world)
    seen = [row for row in small_plan.rows if row.kind != UNRELATED]
    assert data.captions == tuple(row.caption for row in seen)
    assert len(data.pixels) == len({row.picture for row in seen})
    # Rows that share a link share an image, and only they.
    pairs = {(row.picture, int(image)) for row, image in zip(seen, data.image, strict=True)}
    assert len(pairs) == len(data.pixels)
    assert len(data.pixels) < len(seen)
    shown = {
        row.picture: image for row, image in reversed([*zip(seen, encoded(seen, small_plan), strict=True)])
    }
    for row, image in zip(seen, data.image, strict=True):
        expected = Image.open(io.BytesIO(shown[row.picture])).convert("RGB")
        assert np.array_equal(data.pixels[image], np.asarray(expected))


def test_pixels_become_a_tensor_between_minus_one_and_one() -> None:
    pixels = np.zeros((1, 2, 3, 3), dtype=np.uint8)
    pixels[0, 1, 2] = (255, 51, 0)  # 51 / 127.5 - 1 = -0.6
    tensor = to_tensor(pixels)
    assert tensor.shape == (1, 3, 2, 3)
    assert tensor[0, :, 1, 2].tolist() == pytest.approx([1, -0.6, -1])
    assert tensor[0, :, 0, 0].tolist() == [-1, -1, -1]


def test_the_list_of_artists(small_plan: Plan, tmp_path: Path) -> None:
    from concepts.catalogue import read_catalogue

    write_list(small_plan, tmp_path)
    found = read_catalogue(tmp_path / "art-styles" / "demo.csv")
    assert found.title == "Invented artists of the demo world"
    assert found.warnings == ()
    artists = {each.name.name: each for each in small_plan.concepts}
    assert [concept.name for concept in found.concepts] == sorted(artists)
    for concept in found.concepts:
        assert concept.aliases == artists[concept.name].name.aliases
        assert concept.group == artists[concept.name].group
