"""Stage `references`: verified images from a file or from folders, copied into the run."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.concept import Concept
from concepts.errors import CorpusError, TooLittleData
from fit.stages import references
from fit.stages.reference_images import read_reference_images
from tests.unit.stages.job import job_of, leave_concepts, skipped


def fill(folder: Path, name: str, *files: str) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / name / file).write_bytes(f"{name}/{file}".encode())


def test_images_are_copied_with_their_digests_and_who_has_none_is_noted(tmp_path: Path) -> None:
    names = leave_concepts(tmp_path / "run")
    fill(tmp_path / "gold", "Ada Lume", "b.png", "a.JPG", "notes.txt")
    fill(tmp_path / "gold", Concept("Bo Krin").slug, "z.webp")
    job = job_of(tmp_path / "run", "references", f"references.source={tmp_path / 'gold'}")
    references.run(job)
    rows = job.read("references", "references").to_pylist()
    assert [(row["concept"], row["key"]) for row in rows] == [
        ("Ada Lume", "a.JPG"),
        ("Ada Lume", "b.png"),
        ("Bo Krin", "z.webp"),
    ]
    assert rows[0]["image"] == b"Ada Lume/a.JPG"
    assert rows[0]["digest"] == hashlib.sha256(b"Ada Lume/a.JPG").hexdigest()
    assert skipped(job) == [(names[2], names[2], "no reference image")]


def test_at_most_so_many_the_first_by_name(tmp_path: Path) -> None:
    fill(tmp_path, "Ada Lume", *(f"{i}.png" for i in range(5)))
    found = read_reference_images(tmp_path, [Concept("Ada Lume")], 2)
    assert [image.key for image in found["Ada Lume"]] == ["0.png", "1.png"]


def test_accents_may_be_written_in_either_way(tmp_path: Path) -> None:
    fill(tmp_path, unicodedata.normalize("NFD", "Zoé Ñandú"), "a.png")
    name = unicodedata.normalize("NFC", "Zoé Ñandú")
    assert len(read_reference_images(tmp_path, [Concept(name)], 9)[name]) == 1


def test_a_changed_image_is_a_changed_input(tmp_path: Path) -> None:
    fill(tmp_path / "gold", "Ada Lume", "a.png", "readme.txt")
    job = job_of(tmp_path / "run", "references", f"references.source={tmp_path / 'gold'}")
    before = references.outside(job)
    (tmp_path / "gold" / "Ada Lume" / "readme.txt").write_text("no image")
    assert references.outside(job) == before
    (tmp_path / "gold" / "Ada Lume" / "a.png").write_bytes(b"other")
    assert references.outside(job) != before
    changed = references.outside(job)
    (tmp_path / "gold" / "Ada Lume" / "a.png").rename(tmp_path / "gold" / "Ada Lume" / "b.png")
    assert references.outside(job) != changed


def test_a_parquet_file(tmp_path: Path) -> None:
    leave_concepts(tmp_path / "run")
    table = {"concept": ["Bo Krin", "Else", "Bo Krin"], "key": ["2", "1", "1"], "image": [b"x", b"y", b"z"]}
    pq.write_table(pa.table(table), tmp_path / "gold.parquet")
    job = job_of(tmp_path / "run", "references", f"references.source={tmp_path / 'gold.parquet'}")
    references.run(job)
    rows = job.read("references", "references").to_pylist()
    assert [(row["concept"], row["key"], row["image"]) for row in rows] == [
        ("Bo Krin", "1", b"z"),
        ("Bo Krin", "2", b"x"),
    ]


def test_no_image_of_anybody(tmp_path: Path) -> None:
    leave_concepts(tmp_path / "run")
    fill(tmp_path / "gold", "Somebody Else", "a.png")
    job = job_of(tmp_path / "run", "references", f"references.source={tmp_path / 'gold'}")
    with pytest.raises(TooLittleData, match="no reference image of any concept"):
        references.run(job)


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    job = job_of(tmp_path / "run", "references", f"references.source={tmp_path / 'gold'}")
    with pytest.raises(CorpusError, match="there are no reference images"):
        references.outside(job)
