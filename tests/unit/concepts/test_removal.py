"""The removal list wins over every catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from concepts.catalogue import find_catalogue, read_catalogue
from concepts.concept import Concept
from concepts.errors import ConceptsError
from concepts.matching import canonical
from concepts.removal import VARIABLE, add_to_list, phrase_digest, removal_list, without_removed
from fit import cli
from tests.unit.corpus.files import write_shard

LISTED = (Concept("Ada Brush", ("A. Brush",)), Concept("Bo Krin", ("Krin the Elder",)))


def catalogue(folder: Path) -> Path:
    path = folder / "artists.csv"
    path.write_text("concept,aliases\nAda Brush,A. Brush\nBo Krin,Krin the Elder\n")
    return path


@pytest.mark.parametrize("asked", ["ADA  BRÜSH", "ada-brush", "a.brush", "Å. Brush"])
def test_who_is_on_the_list_by_any_name_is_gone(asked: str) -> None:
    kept = without_removed(LISTED, frozenset({phrase_digest(asked)}))
    assert kept.concepts == LISTED[1:]
    assert kept.removed == 1


def test_others_stay_as_they_are() -> None:
    kept = without_removed(LISTED, frozenset({phrase_digest("Brush"), phrase_digest("Ada Brush Krin")}))
    assert kept.concepts == LISTED
    assert kept.removed == 0


def test_equal_phrases_have_equal_digests() -> None:
    assert phrase_digest("Ada Brush") == phrase_digest("ada-brush")
    assert phrase_digest("Ada Brush") != phrase_digest("Ada Brusher")


@pytest.mark.parametrize("row", ["name\nada brush\n", f"sha256\n{phrase_digest('Ada Brush').upper()}\n"])
def test_a_list_of_ones_own_holds_for_every_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    (tmp_path / "out.csv").write_text(row)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "out.csv"))
    found = read_catalogue(catalogue(tmp_path))
    assert [concept.name for concept in found.concepts] == ["Bo Krin"]
    assert found.removed == 1


@pytest.mark.parametrize(
    ("listed", "asked", "left"),
    [
        ("concept\nÉva Brüsh\nBo Krin\n", "Eva Brush", "Bo Krin"),
        ("concept,aliases\nBo Krin,Krin d'Or|Krin dOr\nÉva Brüsh,\n", "KRIN D’OR", "Éva Brüsh"),
    ],
)
def test_accents_and_aliases_of_a_list_given_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: str, asked: str, left: str
) -> None:
    (tmp_path / "mine.csv").write_text(listed, encoding="utf-8")
    (tmp_path / "out.csv").write_text(f"name\n{asked}\n", encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "out.csv"))
    for read in (read_catalogue, find_catalogue):
        found = read(str(tmp_path / "mine.csv"))
        assert [concept.name for concept in found.concepts] == [left]
        assert found.removed == 1


@pytest.mark.parametrize("asked", ["Lech Walesa", "kate middleton", "Gordon Sumner"])
def test_a_list_of_this_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    name = "faces/politicians" if asked == "Lech Walesa" else "faces/celebrities"
    whole = find_catalogue(name).concepts
    (tmp_path / "out.csv").write_text(f"name\n{asked}\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "out.csv"))
    found = find_catalogue(name)
    assert found.removed == 1
    assert len(found.concepts) == len(whole) - 1
    assert canonical(asked) not in {canonical(phrase) for c in found.concepts for phrase in c.phrases}


def test_counting_plain_files_leaves_them_out_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shard(tmp_path / "captions.parquet", ["Ada Brush paints", "a. brush and Bo Krin"])
    (tmp_path / "out.csv").write_text("name\nA. Brush\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "out.csv"))
    wanted = {"captions": tmp_path / "captions.parquet", "concepts": catalogue(tmp_path)}
    options = [part for key, path in wanted.items() for part in (f"--{key}", str(path))]
    assert cli.run(["count", *options, "--out", str(tmp_path / "counts.csv")]) == 0
    assert (tmp_path / "counts.csv").read_text().splitlines()[1:] == ["Bo Krin,1,"]


def test_without_a_list_of_ones_own_nothing_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert removal_list() == frozenset()
    assert read_catalogue(catalogue(tmp_path)).removed == 0


@pytest.mark.parametrize(
    "text",
    ["", "who\nAda\n", None, "name\nBrush, Ada\n", f"name\n{'a' * 200_000}\n"],
    ids=["empty", "another column", "not there", "a comma unquoted", "a cell too long"],
)
def test_a_list_that_cannot_be_read_is_never_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    path = tmp_path / "out.csv"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv(VARIABLE, str(path))
    with pytest.raises(ConceptsError, match=r"out\.csv"):
        read_catalogue(catalogue(tmp_path))


def test_a_catalogue_of_which_nothing_stays_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.csv").write_text("name\nAda Brush\nBo Krin\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "out.csv"))
    with pytest.raises(ConceptsError, match="removal list"):
        read_catalogue(catalogue(tmp_path))


def test_digests_are_added_to_the_users_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "removed.csv"
    monkeypatch.delenv("FIT_REMOVED", raising=False)
    assert add_to_list(["aa"]) is None
    monkeypatch.setenv("FIT_REMOVED", str(path))
    assert add_to_list(["bb", "aa"]) == path
    assert path.read_text() == "name,sha256\n,aa\n,bb\n"
    path.write_text("sha256\naa\n")
    add_to_list(["aa", "cc"])
    assert path.read_text() == "name,sha256\n,aa\n,cc\n"
    assert {"aa", "cc"} <= removal_list()
    monkeypatch.setenv("FIT_REMOVED", str(tmp_path / "no" / "folder.csv"))
    with pytest.raises(ConceptsError, match="cannot be written"):
        add_to_list(["aa"])


def test_an_interrupted_addition_loses_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "removed.csv"
    path.write_text("name,sha256\nAda Brush,\n")
    monkeypatch.setenv("FIT_REMOVED", str(path))

    def full(written: Path, text: str, **_: object) -> None:
        with written.open("w") as file:
            file.write(text[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ConceptsError, match="cannot be written"):
        add_to_list(["aa"])
    assert path.read_text() == "name,sha256\nAda Brush,\n"
    assert list(tmp_path.iterdir()) == [path]
