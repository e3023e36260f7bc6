"""Stage `verification`: sampled captions' images show the concept, or another, or are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from corpus.images import ImageStore
from fit.imitation.calibration import Cut
from fit.stages.verification import _check_concept, _frequencies, _Verifier
from tests.unit.corpus.files import write_images
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
    rows = {row["concept"]: row for row in _frequencies(job, cuts).to_pylist()}
    ada = rows["Ada Lume"]
    assert (ada["sampled"], ada["checked"], ada["passed"]) == (7, 3, 2)
    # Two of three pass; the verifier misses about one true image in five, so more than two thirds are true:
    # (2/3 - f) / (s - f) with s near 0.8 and f near 0.01 is about 0.83.
    assert ada["hit_rate"] == pytest.approx(0.83, abs=0.03)
    assert ada["frequency"] == pytest.approx(ada["hit_rate"] * 70)
    assert ada["frequency_low"] <= ada["frequency"] <= ada["frequency_high"] <= 70
    assert rows["Bo Krin"]["frequency"] == 0
    assert rows["Cy Voss"]["frequency"] is None
    assert rows["Di Moe"]["frequency"] is None
    reasons = {concept: reason for concept, _, reason in skipped(job)}
    assert reasons == {
        "Cy Voss": "fewer than two reference images: its captions' images cannot be checked",
        "Di Moe": "no image of its captions could be looked at: no frequency",
    }
