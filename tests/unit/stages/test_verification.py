"""Stage `verification`: sampled captions' images show the concept, or another, or are missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from corpus.images import ImageStore
from fit.imitation.calibration import Cut
from fit.imitation.scorers import Embedded, Unreadable
from fit.stages.frequencies import FREQUENCIES, frequencies
from fit.stages.verification import _check_concept, _Verifier
from tests.unit.corpus.files import write_images
from tests.unit.imitation.test_copies import encoded, scene
from tests.unit.stages.job import job_of, leave, skipped
from tests.unit.stages.test_inputs import Lengths

# References at angles 1 and 2, as of images of one and two bytes.
REFERENCES = np.array([[np.cos(a), np.sin(a)] for a in (1, 2)], np.float32)
CUT = Cut(0.5, own_passed=8, own_total=10, strangers_passed=1, strangers_total=100)
URLS = ["near", "gone", "far", "broken", "near", "unknown", None]


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    rows = [("near", "0", "success"), ("gone", "1", "failed_to_download"), ("far", "2", "success")]
    rows.append(("broken", "3", "success"))
    write_images(tmp_path / "images", "00000", rows, {"0.jpg": b"1", "2.jpg": b"55555", "3.jpg": b""})
    return ImageStore.open(tmp_path / "images")


def sample(urls: list[str | None]) -> pa.Table:
    n = len(urls)
    columns = {"concept": ["Ada Lume"] * n, "file": ["f"] * n, "row": list(range(n))}
    return pa.table({**columns, "url": pa.array(urls, pa.string())})


def check(store: ImageStore, urls: list[str | None]) -> list[dict[str, object]]:
    verifier = _Verifier(Lengths(), {"Ada Lume": REFERENCES}, {"Ada Lume": CUT})
    return list(_check_concept("Ada Lume", sample(urls), store, verifier).to_pylist())


def test_every_row_has_a_status_and_a_reason_where_there_is_no_image(store: ImageStore) -> None:
    rows = check(store, URLS)
    assert [row["status"] for row in rows] == [
        "shows",
        "missing",
        "other",
        "missing",
        "shows",
        "missing",
        "missing",
    ]
    # One byte lies on the first reference; five bytes are 4 and 3 radians away: cos 4 = -0.654 is more.
    assert rows[0]["similarity"] == pytest.approx(1, abs=1e-6)
    assert rows[2]["similarity"] == pytest.approx(-0.654, abs=1e-3)
    assert rows[1]["similarity"] is None
    assert [row["reason"] for row in rows] == [
        "",
        "not downloaded: failed_to_download",
        "",
        "empty",
        "",
        "not in the images' index",
        "not in the images' index",
    ]


def test_only_images_that_show_the_concept_keep_their_vector(store: ImageStore) -> None:
    rows = check(store, URLS)
    assert [row["vector"] is not None for row in rows] == [row["status"] == "shows" for row in rows]
    assert rows[4]["vector"] == pytest.approx([np.cos(1), np.sin(1)], abs=1e-3)
    assert [row["row"] for row in rows] == list(range(7))


def test_a_concept_none_of_whose_images_is_there(store: ImageStore) -> None:
    assert {row["status"] for row in check(store, ["gone", "unknown"])} == {"missing"}


class Blank(Lengths):
    """A scorer that sees nothing in images of five bytes, and can read them."""

    def embed(self, images: Sequence[bytes]) -> Embedded:
        found = super().embed([b"" if len(image) == 5 else image for image in images])
        told = tuple(
            Unreadable(each.index, "no face", blank=True) if len(images[each.index]) == 5 else each
            for each in found.unreadable
        )
        return Embedded(found.vectors, found.index, told)


def test_an_image_that_shows_nothing_was_looked_at(store: ImageStore) -> None:
    verifier = _Verifier(Blank(), {"Ada Lume": REFERENCES}, {"Ada Lume": CUT})
    rows = _check_concept("Ada Lume", sample(["near", "far", "broken"]), store, verifier).to_pylist()
    assert [(row["status"], row["reason"]) for row in rows] == [
        ("shows", ""),
        ("other", "no face"),
        ("missing", "empty"),
    ]
    assert [row["similarity"] is None for row in rows] == [False, True, True]


def test_pictures_are_numbered_among_the_images_that_passed(tmp_path: Path) -> None:
    images = [encoded(scene(0)), encoded(scene(1)), encoded(scene(0), quality=40), encoded(scene(2))]
    rows = [(f"u{i}", str(i), "success") for i in range(4)]
    write_images(tmp_path, "00000", rows, {f"{i}.jpg": data for i, data in enumerate(images)})

    class All(Lengths):
        def embed(self, images: Sequence[bytes]) -> Embedded:
            vectors = np.tile(REFERENCES[0], (len(images), 1))
            return Embedded(vectors, np.arange(len(images)), ())

    verifier = _Verifier(All(), {"Ada Lume": REFERENCES}, {"Ada Lume": CUT})
    table = _check_concept(
        "Ada Lume", sample(["u0", "u1", "u2", "u3", "u1", "u9"]), ImageStore.open(tmp_path), verifier
    )
    # u2 is u0 again, compressed; u1 stands there twice; u9 is not there.
    assert table["picture"].to_pylist() == [0, 1, 0, 2, 1, None]


def test_where_the_images_lie_changes_nothing(tmp_path: Path) -> None:
    data = {f"u{i}": bytes([65 + i]) * (1 + i % 3) for i in range(6)}
    for name, order in (("one", list(data)), ("other", list(reversed(data)))):
        rows = [(url, str(i), "success") for i, url in enumerate(order)]
        write_images(tmp_path / name, "00000", rows, {f"{i}.jpg": data[url] for i, url in enumerate(order)})
    verifiers = [_Verifier(Lengths(), {"Ada Lume": REFERENCES}, {"Ada Lume": CUT}) for _ in range(2)]
    one, other = (
        _check_concept("Ada Lume", sample(list(data)), ImageStore.open(tmp_path / name), verifier)
        for name, verifier in zip(("one", "other"), verifiers, strict=True)
    )
    assert one.equals(other)


def test_frequencies_of_all_concepts(store: ImageStore, tmp_path: Path) -> None:
    job = job_of(tmp_path / "run", "verification")
    listed = [("Ada Lume", 70, 60), ("Bo Krin", 0, 0), ("Cy Voss", 9, 9), ("Di Moe", 5, 5)]
    leave(
        tmp_path / "run",
        "counts",
        "counts",
        [{"concept": c, "caption_count": n, "distinct_url_count": d} for c, n, d in listed],
    )
    cuts = dict.fromkeys(("Ada Lume", "Bo Krin", "Di Moe"), CUT)
    verifier = _Verifier(Lengths(), {"Ada Lume": REFERENCES, "Di Moe": REFERENCES}, cuts)
    tables = [_check_concept("Ada Lume", sample(URLS), store, verifier)]
    lost = sample(["gone"] * 5).set_column(0, "concept", pa.array(["Di Moe"] * 5))
    tables.append(_check_concept("Di Moe", lost, store, verifier))
    job.write_part("00000", pa.concat_tables(tables))
    rows = {row["concept"]: row for row in frequencies(job, cuts, 0.0).to_pylist()}
    ada = rows["Ada Lume"]
    assert (ada["sampled"], ada["checked"], ada["passed"]) == (7, 3, 2)
    # Two of three pass; the verifier misses about one true image in five, so more than two thirds are true:
    # (2/3 - f) / (s - f) with s near 0.8 and f near 0.01 is about 0.83.
    assert ada["hit_rate"] == pytest.approx(0.83, abs=0.03)
    assert ada["frequency"] == pytest.approx(ada["hit_rate"] * 70)
    assert ada["frequency_low"] <= ada["frequency"] <= ada["frequency_high"] <= 70
    assert (ada["lost"], ada["pictures"], ada["copies"]) == (4, 1, 0.5)  # "near" stands there twice
    # One picture, at least; and no more than there are addresses.
    assert (
        0
        <= ada["distinct_frequency_low"]
        <= ada["distinct_frequency"]
        <= ada["distinct_frequency_high"]
        <= 60
    )
    assert rows["Bo Krin"]["distinct_frequency"] == rows["Bo Krin"]["distinct_frequency_high"] == 0
    assert (rows["Di Moe"]["distinct_frequency"], rows["Di Moe"]["distinct_frequency_high"]) == (None, 5)
    assert rows["Cy Voss"]["distinct_frequency_high"] is None
    assert rows["Bo Krin"]["frequency"] == 0
    assert rows["Cy Voss"]["frequency"] is None
    assert rows["Di Moe"]["frequency"] is None
    reasons = {concept: reason for concept, _, reason in skipped(job)}
    assert reasons == {
        "Cy Voss": "fewer than two reference images: its captions' images cannot be checked",
        "Di Moe": "no image of its captions could be looked at: no frequency",
    }


def test_every_column_says_its_unit_and_meaning() -> None:
    for field in FREQUENCIES:
        assert field.metadata[b"meaning"]
        assert field.metadata[b"unit"] in {b"-", b"captions", b"images", b"[0, 1]"}


def lossy(tmp_path: Path, *settings: str) -> dict[str, object]:
    """Frequencies of a concept of whose 200 sampled images half were lost; 60 of the others show it."""
    job = job_of(tmp_path / "run", "verification", *settings)
    counts = [{"concept": "Ada Lume", "caption_count": 200, "distinct_url_count": None}]
    leave(tmp_path / "run", "counts", "counts", counts)
    statuses = ["shows"] * 60 + ["other"] * 40 + ["missing"] * 100
    numbers = [*range(60), *[None] * 140]
    columns = {"concept": ["Ada Lume"] * 200, "status": statuses, "picture": pa.array(numbers, pa.int64())}
    job.write_part("00000", pa.table(columns))
    cut = Cut(0.5, own_passed=1000, own_total=1000, strangers_passed=0, strangers_total=100_000)
    (row,) = frequencies(job, {"Ada Lume": cut}, 0.0).to_pylist()
    return dict(row)


def test_hit_rates_can_be_left_as_they_were_counted(tmp_path: Path) -> None:
    job = job_of(tmp_path / "run", "verification", "verification.corrected=false")
    counts = [{"concept": "Ada Lume", "caption_count": 70, "distinct_url_count": None}]
    leave(tmp_path / "run", "counts", "counts", counts)
    columns = {"concept": ["Ada Lume"] * 3, "status": ["shows", "other", "shows"]}
    job.write_part("00000", pa.table({**columns, "picture": pa.array([0, None, 1], pa.int64())}))
    (row,) = frequencies(job, {"Ada Lume": CUT}, 0.0).to_pylist()
    # Two of three, whatever the cut misses: the published estimate, 2 / 3 x 70.
    assert row["hit_rate"] == pytest.approx(2 / 3)
    assert row["frequency"] == pytest.approx(2 / 3 * 70)


def test_lost_links_are_in_the_intervals(tmp_path: Path) -> None:
    wide, narrow = lossy(tmp_path / "a"), lossy(tmp_path / "b", "verification.lost_odds=1")
    assert wide["lost"] == narrow["lost"] == 100
    assert wide["frequency"] == narrow["frequency"] == pytest.approx(120, abs=1)
    # Of 100 lost images 60, or 43 to 75 (odds 1.5 / 2 and 1.5 * 2): 103 to 135, and chance.
    assert wide["frequency_low"] <= 103 - 5 < 120 - 15 < narrow["frequency_low"] + 5  # type: ignore[operator]
    assert narrow["frequency_high"] < 120 + 15 < 135 + 5 <= wide["frequency_high"] + 5  # type: ignore[operator]
    # All pictures that were seen are different; those that were lost may be copies of them.
    assert wide["distinct_frequency_low"] <= 60  # type: ignore[operator]
    assert wide["distinct_frequency_high"] >= wide["frequency_high"]  # type: ignore[operator]
