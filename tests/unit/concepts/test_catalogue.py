from __future__ import annotations

from pathlib import Path

import pytest

from concepts.catalogue import catalogue_names, find_catalogue, read_catalogue
from concepts.concept import Concept
from concepts.errors import ConceptsError


def write(folder: Path, text: str | bytes, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ConceptsError) as caught:
        read_catalogue(path)
    assert caught.value.exit_code == 11
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_all_columns(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "concept,aliases,group,flags\n"
        "Claude Monet,Oscar-Claude Monet | Monet,France,ambiguous|famous\nBanksy,,,\n",
    )
    found = read_catalogue(path)
    assert found.concepts == (
        Concept("Claude Monet", ("Oscar-Claude Monet", "Monet"), "France", ("ambiguous", "famous")),
        Concept("Banksy"),
    )
    assert (found.name, found.title, found.warnings) == ("list", "list", ())


def test_the_name_alone_with_byte_order_mark_and_blank_lines(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xef\xbb\xbfconcept\r\nJoan Mir\xc3\xb3\r\n\r\n  Banksy  \r\n")
    assert [concept.name for concept in read_catalogue(path).concepts] == ["Joan Miró", "Banksy"]


def test_title_and_licence_stand_beside_the_list(tmp_path: Path) -> None:
    write(tmp_path, 'title = "Painters"\nsource = "a book"\nlicence = "CC0-1.0"\n', "list.toml")
    found = read_catalogue(write(tmp_path, "concept\nBanksy\n"))
    assert (found.title, found.source, found.licence) == ("Painters", "a book", "CC0-1.0")


def test_malformed_title_file(tmp_path: Path) -> None:
    for text in ("title = ", f"n = {'9' * 5000}", f"n = {'[' * 100_000}"):
        write(tmp_path, text, "list.toml")
        assert "list.toml: not TOML" in refusal(write(tmp_path, "concept\nBanksy\n"))


def test_digest_depends_on_the_concepts_alone(tmp_path: Path) -> None:
    one = read_catalogue(write(tmp_path, "concept,aliases\nBanksy,\nKlimt,Gustav\n", "one.csv"))
    same = read_catalogue(write(tmp_path, "aliases,concept\n,Banksy\nGustav , Klimt\n", "two.csv"))
    other = read_catalogue(write(tmp_path, "concept,aliases\nBanksy,\nKlimt,\n", "three.csv"))
    assert one.digest == same.digest != other.digest
    assert len(one.digest) == 64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column 'concept'; the columns are: none"),
        ("name\nBanksy\n", "no column 'concept'; the columns are: name"),
        ("concept,alias\nBanksy,\n", "unknown or repeated column 'alias'"),
        ("concept,concept\nBanksy,x\n", "unknown or repeated column 'concept'"),
        ("concept\n", "no concepts"),
        ("concept,aliases\nBanksy,\n,Monet\n", "line 3: the name is empty"),
        ("concept,aliases\nBanksy,\nA, B, C\n", "line 3: 3 cells under 2 columns"),
        ("concept\nBanksy\nX\n", "line 3: 'X': a name needs at least 2 letters"),
        ("concept\nBanksy\n김\n", "line 3: '김': a name needs at least 2 letters"),
        ("concept\nBanksy\n---\n", "line 3: '---': a name needs at least 2 letters"),
        ("concept,aliases\nBanksy,ok|Y\n", "line 2: 'Y': a name needs at least 2 letters"),
        ("concept\nBanksy\nMonet\nBANKSY\n", "line 4: 'BANKSY' stands in line 2 already, as 'Banksy'"),
        (
            "concept\nJean-Michel Basquiat\nJean Michel Basquiat\n",
            "stands in line 2 already",
        ),
        ('concept\n"Ban\nksy"\n', "line 2: 'Ban\\nksy' holds a control character"),
        ('concept\n"Two\nlines"x\n', "not CSV"),
        ("concept\nBan\x00ksy\n", "control character"),
    ],
)
def test_refused(tmp_path: Path, text: str, message: str) -> None:
    assert message in refusal(write(tmp_path, text))


def test_the_line_counts_line_breaks_inside_cells(tmp_path: Path) -> None:
    # Lines 2 and 3 are one row (its flags hold a line break), the empty name stands in line 4.
    assert "line 4: the name is empty" in refusal(write(tmp_path, 'concept,flags\nBanksy,"a\nb"\n,\n'))


def test_other_encoding(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, "concept\nJoan Miró\n".encode("latin-1")))
    assert "not UTF-8 (byte 16 is 0xf3)" in message


def test_missing_file(tmp_path: Path) -> None:
    assert "cannot be read (No such file" in refusal(tmp_path / "absent.csv")


def test_warnings(tmp_path: Path) -> None:
    found = read_catalogue(
        write(
            tmp_path,
            "concept,aliases\nJan Brueghel,Velvet\nJan Brueghel the Elder,\nPieter,velvet|PIETER\n"
            "Monet,\nMonet's Heir,\nMonetary,\n東京,\n東京タワー,\n",
        )
    )
    assert found.warnings == (
        "'Velvet' names Jan Brueghel and Pieter: its captions count for each of them",
        "'Jan Brueghel' (Jan Brueghel) is inside 'Jan Brueghel the Elder' (Jan Brueghel the Elder): "
        "its captions count for both",
        "'Monet' (Monet) is inside \"Monet's Heir\" (Monet's Heir): its captions count for both",
        "'東京' (東京) is inside '東京タワー' (東京タワー): its captions count for both",
    )


def test_finding_lists(tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    write(tmp_path / "faces", "concept\nBanksy\n", "few.csv")
    assert catalogue_names(tmp_path) == ("faces/few",)
    found = find_catalogue("faces/few", tmp_path)
    assert (found.name, len(found.concepts)) == ("faces/few", 1)
    with pytest.raises(ConceptsError, match=r"faces/fwe: unknown concept list \(did you mean faces/few\?\)"):
        find_catalogue("faces/fwe", tmp_path)
    with pytest.raises(ConceptsError, match="unknown concept list"):
        find_catalogue("../faces/few", tmp_path)
    assert find_catalogue(str(tmp_path / "faces" / "few.csv")).name == "few"


def test_the_lists_of_this_package_are_in_order() -> None:
    for name in catalogue_names():
        assert len(find_catalogue(name).concepts) > 0


def test_twenty_thousand_aliases(tmp_path: Path) -> None:
    lines = (f"Painter{number:05d} Maker,M{number:05d}|Painter{number:05d}" for number in range(6_667))
    found = read_catalogue(write(tmp_path, "concept,aliases\n" + "\n".join(lines) + "\n"))
    assert len(found.concepts) == 6_667
    assert found.warnings == ()
