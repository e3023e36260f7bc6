"""The removal list wins over every catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from concepts.catalogue import read_catalogue
from concepts.concept import Concept
from concepts.errors import ConceptsError
from concepts.removal import VARIABLE, phrase_digest, removal_list, without_removed

LISTED = (Concept("Ada Brush", ("A. Brush",)), Concept("Bo Krin", ("Krin the Elder",)))


def catalogue(folder: Path) -> Path:
    path = folder / "artists.csv"
    path.write_text("concept,aliases\nAda Brush,A. Brush\nBo Krin,Krin the Elder\n")
    return path


def test_a_name_on_the_list_goes_and_an_alias_is_taken_off() -> None:
    gone = frozenset({phrase_digest("ADA  BRÜSH"), phrase_digest("Krin the Elder")})
    kept = without_removed(LISTED, gone)
    assert kept.concepts == (Concept("Bo Krin"),)
    assert kept.removed == 1


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


def test_without_a_list_of_ones_own_nothing_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert removal_list() == frozenset()
    assert read_catalogue(catalogue(tmp_path)).removed == 0


@pytest.mark.parametrize("text", ["", "who\nAda\n", None])
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
