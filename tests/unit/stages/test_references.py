"""Stage `references`: verified images from a file or from folders, copied into the run."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from concepts.concept import Concept
from concepts.errors import CorpusError, TooLittleData
from fit.imitation.scorers import Embedded, Unreadable
from fit.stages import references
from fit.stages.reference_images import read_reference_images
from tests.unit.stages.job import job_of, leave_concepts, skipped

_ANGLE = re.compile(rb"^[A-Z][a-z]+ [A-Z][a-z]+/.*@([0-9.]+)$")


class Faces:
    """A scorer that sees an angle in each file; in those that hold ``two`` it sees two faces."""

    dimensions = 2

    def embed(self, images: Sequence[bytes]) -> Embedded:
        good = [i for i, image in enumerate(images) if b"two" not in image]
        angles = [float(text[1]) if (text := _ANGLE.search(image)) else 0.0 for image in images]
        vectors = np.array([[np.cos(angles[i]), np.sin(angles[i])] for i in good], np.float32).reshape(-1, 2)
        bad = tuple(Unreadable(i, "2 faces") for i in range(len(images)) if i not in good)
        return Embedded(vectors, np.array(good, np.int64), bad)


@pytest.fixture(autouse=True)
def scorer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "run_encoder", lambda job: Faces())


def fill(folder: Path, name: str, *files: str) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / name / file).write_bytes(f"{name}/{file}".encode())


def painted(folder: Path, name: str, seed: int, **options: object) -> Path:
    """A picture of coloured squares; another compression or size leaves it the same picture."""
    folder.mkdir(parents=True, exist_ok=True)
    squares = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    side = int(str(options.pop("side", 96)))
    Image.fromarray(squares).resize((96, 96)).resize((side, side)).save(folder / name, **options)
    return folder / name


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
    assert (rows[0]["author"], rows[0]["licence"], rows[0]["page"]) == ("", "", "")
    assert skipped(job) == [(names[2], names[2], "no reference image")]


def test_images_in_which_the_scorer_sees_no_single_face_give_way_to_others(tmp_path: Path) -> None:
    leave_concepts(tmp_path / "run")
    fill(tmp_path / "gold", "Ada Lume", "1 two.png", "2.png", "3 two.png", "4.png", "5.png")
    settings = (f"references.source={tmp_path / 'gold'}", "references.maximum=2")
    job = job_of(tmp_path / "run", "references", *settings)
    references.run(job)
    assert job.read("references", "references")["key"].to_pylist() == ["2.png", "4.png"]
    assert skipped(job)[:2] == [
        ("Ada Lume", "reference 1 two.png", "2 faces"),
        ("Ada Lume", "reference 3 two.png", "2 faces"),
    ]


def test_near_duplicates_count_once(tmp_path: Path) -> None:
    leave_concepts(tmp_path / "run")
    folder = tmp_path / "gold" / "Ada Lume"
    painted(folder, "a.png", 1)
    painted(folder, "b.jpg", 1, quality=50)
    painted(folder, "c.png", 2)
    painted(folder, "d.png", 1, side=200)
    settings = f"references.source={tmp_path / 'gold'}"
    job = job_of(tmp_path / "run", "references", settings)
    references.run(job)
    assert job.read("references", "references")["key"].to_pylist() == ["a.png", "c.png"]
    assert skipped(job)[:2] == [
        ("Ada Lume", "reference b.jpg", "near-duplicate of a.png"),
        ("Ada Lume", "reference d.png", "near-duplicate of a.png"),
    ]
    everything = job_of(tmp_path / "run", "references", settings, "references.near_duplicates=-1")
    references.run(everything)
    assert len(everything.read("references", "references")) == 4


def test_references_unlike_the_others_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leave_concepts(tmp_path / "run")
    # Ada's lie within .05 radians but for one at 1.5, which is where Bo's are.
    for name, angles in (("Ada Lume", (0, 0.01, 0.02, 0.03, 0.04, 0.05, 1.5)), ("Bo Krin", (1.5, 1.52))):
        fill(tmp_path / "gold", name, *(f"{i} @{angle}" for i, angle in enumerate(angles)))
        for path in (tmp_path / "gold" / name).iterdir():
            path.rename(path.with_name(f"{path.name}.png"))
    job = job_of(tmp_path / "run", "references", f"references.source={tmp_path / 'gold'}")
    references.run(job)
    rows = job.read("references", "likeness").to_pylist()
    assert len(rows) == 9
    odd = [row for row in rows if row["outlier"] or row["closest"] != row["concept"]]
    assert [(row["concept"], row["key"], row["outlier"], row["closest"]) for row in odd] == [
        ("Ada Lume", "6 @1.5.png", True, "Bo Krin")
    ]
    assert rows[7]["likeness"] == pytest.approx(np.cos(0.02))
    err = capsys.readouterr().err
    assert "reference 6 @1.5.png of Ada Lume does not look like the others" in err
    assert len(job.read("references", "references")) == 9  # shown, not removed


def test_the_imagefolder_layout_with_splits_and_metadata(tmp_path: Path) -> None:
    fill(tmp_path, "train/Ada Lume", "a.png")
    fill(tmp_path, "test/Ada Lume", "a.png")
    fill(tmp_path, "loose", "x.png", "y.png", "z.png")
    rows = "file_name,label,author,licence,page\nx.png,Bo Krin,Di Moe,CC BY 4.0,https://example.org/x\ny.png,,,,\n"
    (tmp_path / "loose" / "metadata.csv").write_text(rows)
    lines = [json.dumps({"file_name": "train/Ada Lume/a.png", "author": "Eve"})]
    (tmp_path / "metadata.jsonl").write_text("\n".join(lines))
    found = read_reference_images(tmp_path, [Concept("Ada Lume"), Concept("Bo Krin"), Concept("loose")])
    assert [(each.key, each.author) for each in found["Ada Lume"]] == [
        ("test/Ada Lume/a.png", ""),
        ("train/Ada Lume/a.png", "Eve"),
    ]
    (credited,) = found["Bo Krin"]
    assert (credited.key, credited.author, credited.licence) == ("x.png", "Di Moe", "CC BY 4.0")
    assert [each.key for each in found["loose"]] == ["y.png", "z.png"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("metadata.csv", b"name\nx.png\n", "row 1 has no file_name"),
        ("metadata.jsonl", b"{", "not readable metadata"),
        ("metadata.jsonl", b"[1]", "not readable metadata"),
        pytest.param("metadata.jsonl", b"[" * 100_000, "not readable metadata", id="nested without end"),
        ("metadata.csv", b"\xff\xfe", "not readable metadata"),
    ],
)
def test_malformed_metadata(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    fill(tmp_path, "Ada Lume", "a.png")
    (tmp_path / "Ada Lume" / name).write_bytes(content)
    with pytest.raises(CorpusError, match=says):
        read_reference_images(tmp_path, [Concept("Ada Lume")])


def test_a_folder_to_fill_is_named_and_then_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIT_DATA", str(tmp_path / "data"))
    (tmp_path / "captions").mkdir()
    job = job_of(tmp_path / "run", "references", corpus=str(tmp_path / "captions"))
    folder = tmp_path / "data" / "references" / "art-styles"
    with pytest.raises(TooLittleData, match=rf"fill {folder}/NAME OF THE CONCEPT with images") as caught:
        references.work(job)
    assert caught.value.exit_code == 21
    folder.mkdir(parents=True)
    assert references.source_of(job.settings) == folder


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
