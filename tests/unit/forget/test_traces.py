"""What in a run is about somebody, and what of files is left without it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest

from concepts.concept import Concept
from concepts.errors import ConceptsError
from concepts.removal import phrase_digest
from fit.forget.archives import clean_archive
from fit.forget.erase import named
from fit.forget.tables import clean_embeddings, clean_table, rows_about
from fit.forget.texts import NOBODY, clean_json, clean_lines, clean_unknown
from fit.forget.traces import Deleted, Traces, traces_of
from fit.run import artefacts
from fit.run.forgotten import forgotten, note_forgotten, number_forgotten

ADA = Concept("Ada Lume", ("Lumeda", "Krin"))
BO = Concept("Bo Krin", ("Krin",))
PICTURE = b"\x89PNG ada"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def tables(tmp_path: Path) -> list[Path]:
    """Two tables that tell the concept of their rows; one image is in rows of both concepts."""
    rows = pa.table(
        {
            "concept": ["Ada Lume", "Ada Lume", "Bo Krin"],
            "url": ["http://x/1.jpg", "http://x/both.jpg", "http://x/both.jpg"],
            "caption": ["Ada Lume at sea", "two people", "two people"],
        }
    )
    images = pa.table({"concept": ["Ada Lume", "Bo Krin"], "image": [PICTURE, b"\x89PNG bo"]})
    paths = [tmp_path / "rows.parquet", tmp_path / "images.parquet"]
    for path, table in zip(paths, (rows, images), strict=True):
        artefacts.write_table(path, table)
    return paths


@pytest.fixture
def ada(tables: list[Path]) -> Traces:
    return traces_of("lumeda", ADA, [BO], tables)


def test_what_is_theirs_and_nobody_elses(ada: Traces) -> None:
    # "Krin" names somebody else as well, and one picture shows both.
    assert [phrase.needle for phrase in ada.phrases] == ["ada lume", "lumeda"]
    assert ada.pointers == {"http://x/1.jpg", sha256(PICTURE)}
    assert ada.digests == {phrase_digest("Ada Lume"), phrase_digest("Lumeda")}


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("a portrait of ADA-LUME, 1999", True),
        ("https://x.org/wiki/Ada_Lume.jpg", True),
        ("https://x.org/?q=Ada%20Lume", True),
        ("Lumeda's garden", True),
        ("Adalume", False),
        ("Bo Krin", False),
        ("", False),
        (sha256(PICTURE), True),
    ],
)
def test_texts_about_somebody(ada: Traces, text: str, about: bool) -> None:
    assert ada.about(text) is about


def test_a_name_too_short_to_be_looked_for_is_refused() -> None:
    with pytest.raises(ConceptsError, match="at least 2 letters"):
        traces_of("A", None, [], [])


def test_names_and_aliases_stand_for_concepts() -> None:
    assert named("ADA LUME", [ADA, BO]) is ADA
    assert named("Lumeda", [ADA, BO]) is ADA
    assert named("bo-krin", [ADA, BO]) is BO
    assert named("Krin", [BO, ADA]) is BO
    assert named("Cy", [ADA, BO]) is None
    same = Concept("Krin")
    assert named("Krin", [ADA, BO, same]) is same  # a name goes before an alias


def test_rows_go_for_any_of_their_texts(ada: Traces) -> None:
    table = pa.table(
        {
            "concept": pa.array(["x", "Ada Lume", "x", "x", None]).dictionary_encode(),
            "caption": ["nothing", None, "with Lumeda", "nothing", "nothing"],
            "names": [["a"], None, [], ["b", "Ada Lume"], []],
            "n": [1, 2, 3, 4, 5],
        }
    )
    assert rows_about(table, ada).tolist() == [False, True, True, True, False]
    assert rows_about(table.slice(0, 0), ada).tolist() == []


def test_vectors_and_images_of_rows_are_counted(ada: Traces, tmp_path: Path) -> None:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array([0.5] * 6, pa.float16()), 2)
    table = pa.table(
        {"digest": [sha256(PICTURE), "0" * 64, None], "vector": vectors, "image": [PICTURE, b"x", None]}
    )
    path = tmp_path / "cache.parquet"
    artefacts.write_table(path, table)
    before = path.read_bytes()
    deleted = Deleted(rows=1, images=1, embeddings=1)
    assert clean_table(path, ada, write=False) == deleted
    assert path.read_bytes() == before
    assert clean_table(path, ada, write=True) == deleted
    assert artefacts.read_table(path)["digest"].to_pylist() == ["0" * 64, None]
    assert PICTURE not in path.read_bytes()
    assert not clean_table(path, ada, write=True)


def embedded(path: Path, *images: bytes) -> Path:
    """A file of embeddings; of the last image there is none."""
    vectors = pa.FixedSizeListArray.from_arrays(pa.array([0.5, 0.5] * len(images), pa.float16()), 2)
    reasons = [""] * (len(images) - 1) + ["no face"]
    columns = {"digest": [sha256(image) for image in images], "vector": vectors, "reason": reasons}
    artefacts.write_table(path, pa.table(columns))
    return path


def test_embeddings_go_unless_they_are_somebody_elses(ada: Traces, tmp_path: Path) -> None:
    path = embedded(tmp_path / "chunk.parquet", PICTURE, b"\x89PNG bo", b"looked at, and no reference")
    deleted = Deleted(rows=2, embeddings=1)
    assert clean_embeddings(path, ada, write=False) == deleted
    assert len(artefacts.read_table(path)) == 3
    assert clean_embeddings(path, ada, write=True) == deleted
    assert artefacts.read_table(path)["digest"].to_pylist() == [sha256(b"\x89PNG bo")]
    assert not clean_embeddings(path, ada, write=True)


def test_a_file_of_embeddings_of_which_none_is_left_goes(ada: Traces, tmp_path: Path) -> None:
    path = embedded(tmp_path / "chunk.parquet", PICTURE, b"whose?")
    assert clean_embeddings(path, ada, write=True).rows == 2
    assert not path.exists()


def test_of_a_name_that_is_no_concept_only_what_is_known_goes(tables: list[Path], tmp_path: Path) -> None:
    path = embedded(tmp_path / "chunk.parquet", b"of their archive", b"whose?")
    nobody = traces_of("Zed Zoom", None, [ADA, BO], tables).with_pointers([sha256(b"of their archive")])
    assert clean_embeddings(path, nobody, write=True) == Deleted(rows=1, embeddings=1)


def test_an_image_of_rows_of_both_keeps_no_embedding(tmp_path: Path) -> None:
    both = pa.table({"concept": ["Ada Lume", "Bo Krin"], "digest": [sha256(b"both")] * 2})
    artefacts.write_table(tmp_path / "rows.parquet", both)
    path = embedded(tmp_path / "chunk.parquet", b"both", b"x")
    ada = traces_of("Ada Lume", ADA, [BO], [tmp_path / "rows.parquet"])
    assert not ada.about(sha256(b"both"))  # the other's row stands
    assert clean_embeddings(path, ada, write=True).embeddings == 1


def archive(path: Path) -> Path:
    """Three images in img2dataset's layout: one by caption hers, one by address, one not."""
    members = {
        "000.jpg": b"jpeg 0", "000.txt": b"Ada Lume at sea", "000.json": b'{"url": "http://x/0.jpg"}',
        "001.jpg": b"jpeg 1", "001.json": b'{"url": "http://x/1.jpg", "more": {"tags": ["sea"]}}',
        "002.jpg": b"jpeg 2", "002.txt": b"a boat", "002.json": b"no JSON",
    }  # fmt: skip
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), 1_700_000_000
            tar.addfile(entry, io.BytesIO(content))
    return path


def test_members_of_an_archive_go_together(ada: Traces, tmp_path: Path) -> None:
    path = archive(tmp_path / "00000.tar")
    before = path.read_bytes()
    told = clean_archive(path, ada, write=False)
    assert path.read_bytes() == before
    done = clean_archive(path, ada, write=True)
    assert told == done == (Deleted(images=2), frozenset({sha256(b"jpeg 0"), sha256(b"jpeg 1")}))
    with tarfile.open(path) as tar:
        assert tar.getnames() == ["002.jpg", "002.txt", "002.json"]
        assert tar.getmember("002.jpg").mtime == 1_700_000_000
        assert tar.extractfile("002.txt").read() == b"a boat"  # type: ignore[union-attr]
    assert b"Ada" not in path.read_bytes()
    assert list(tmp_path.glob(".*")) == []


def test_entries_of_json_go(ada: Traces, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    content = {
        "warnings": ["Lumeda is also a lake", "fine"],
        "rows": [{"concept": "Ada Lume", "n": 1}, {"concept": "Bo Krin", "n": 2}],
        "pairs": [["Ada Lume", "Bo Krin"], ["Bo Krin", "Cy Voss"]],
        "by name": {"Ada Lume": 3, "Bo Krin": 4},
        "sentence": "most by Ada Lume",
        "n": 5,
    }
    artefacts.write_json(path, content)
    before = path.read_bytes()
    assert clean_json(path, ada, write=False) == Deleted(entries=5)
    assert path.read_bytes() == before
    assert clean_json(path, ada, write=True) == Deleted(entries=5)
    assert json.loads(path.read_bytes()) == {
        "warnings": ["fine"],
        "rows": [{"concept": "Bo Krin", "n": 2}],
        "pairs": [["Bo Krin", "Cy Voss"]],
        "by name": {"Bo Krin": 4},
        "sentence": NOBODY,
        "n": 5,
    }


def test_lines_go_and_files_of_any_other_kind(ada: Traces, tmp_path: Path) -> None:
    log, drawing = tmp_path / "x.log", tmp_path / "x.svg"
    log.write_text("one\nfetched Ada Lume\nthree\n")
    assert clean_lines(log, ada, write=True) == Deleted(entries=1)
    assert log.read_text() == "one\nthree\n"
    drawing.write_text("<svg>Bo Krin</svg>")
    assert not clean_unknown(drawing, ada, write=True)
    drawing.write_bytes(b"\xff<svg>Ada Lume</svg>")
    assert clean_unknown(drawing, ada, write=False) == Deleted(files=1)
    assert drawing.exists()
    assert clean_unknown(drawing, ada, write=True) == Deleted(files=1)
    assert not drawing.exists()


def test_what_was_deleted_in_words() -> None:
    assert Deleted().sentence == "nothing"
    both = Deleted(rows=1200, images=3) + Deleted(rows=1, embeddings=2)
    assert both.sentence == "1,201 rows, 3 images, 2 embeddings"


def test_a_run_remembers_whom_it_may_not_hold(tmp_path: Path) -> None:
    assert forgotten(tmp_path) == frozenset()
    note_forgotten(tmp_path, ["b", "a"])
    note_forgotten(tmp_path, ["a", "b"])
    note_forgotten(tmp_path, ["c"])
    assert forgotten(tmp_path) == {"a", "b", "c"}
    assert number_forgotten(tmp_path) == 2
