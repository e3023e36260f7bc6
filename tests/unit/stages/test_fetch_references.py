"""`fit references --from commons`: a folder filled from a loopback server, and read as references."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from concepts.concept import Concept
from fit import cli
from fit.stages import fetch_references
from fit.stages.reference_images import read_reference_images
from tests.unit.corpus.commons.wiki import ADA, Wiki
from tests.unit.corpus.fetch.site import ALLOWED, QUICK, Site, animation


@pytest.fixture(scope="module")
def server() -> Iterator[Site]:
    with Site() as site:
        yield site


@pytest.fixture
def wiki(server: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Wiki:
    """The wikis, with the command's own endpoints and addresses turned to them."""
    server.forget()
    made = Wiki(server)
    monkeypatch.setattr(fetch_references, "Endpoints", lambda: made.ends)
    monkeypatch.setattr(fetch_references, "AddressRules", lambda: ALLOWED)
    monkeypatch.setattr(fetch_references.fetch_references, "__defaults__", (None, QUICK, None))
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "few.csv").write_text("concept,aliases\nAda Lume,\nBo Krin,\n")
    monkeypatch.chdir(tmp_path)
    return made


COMMAND = ["references", "--from", "commons", "--domain", "faces/few.csv", "--out", "gold"]


def test_a_folder_is_filled_and_read(wiki: Wiki, capsys: pytest.CaptureFixture[str]) -> None:
    wiki.add("Ada in Rome (1999).jpg")
    wiki.add("nc.jpg", "CC BY-NC 4.0")
    wiki.add("moving.jpg", body=animation("GIF"), kind="image/gif")
    wiki.add("page.jpg", body=b"<html>", kind="text/html")
    assert cli.run([*COMMAND, "--contact", "me@fit.example"]) == 0
    out, err = capsys.readouterr()
    assert out == "references: gold\n"
    assert "Ada Lume: 1 images kept, 3 left out" in err
    assert "Bo Krin: 0 images kept, 1 left out" in err
    with Path("gold/Ada Lume/metadata.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["file_name"] == "000-Ada_in_Rome_1999.jpg"
    assert (row["author"], row["licence"], row["item"]) == ("Eve & Bob", "CC BY-SA 4.0", ADA)
    (image,) = read_reference_images(Path("gold"), [Concept("Ada Lume")])["Ada Lume"]
    assert image.image[:2] == b"\xff\xd8"
    assert (image.author, image.page) == ("Eve & Bob", "https://commons.example/Ada in Rome (1999).jpg")


def test_nobody_is_asked_twice(wiki: Wiki, server: Site) -> None:
    wiki.add("a.jpg")
    assert cli.run([*COMMAND, "--contact", "me@fit.example"]) == 0
    server.forget()
    assert cli.run([*COMMAND, "--contact", "me@fit.example"]) == 0
    assert server.asked == []


def test_what_was_fetched_before_a_failure_is_kept(wiki: Wiki, capsys: pytest.CaptureFixture[str]) -> None:
    wiki.add("a.jpg")
    answer = wiki._wikidata

    def broken(asked: dict[str, str]) -> dict[str, object]:
        if asked.get("search") == "Bo Krin":
            return {"error": {"code": "internal_api_error", "info": "sorry"}}
        return answer(asked)

    wiki._site.do("wikidata", wiki._answer(broken))
    assert cli.run([*COMMAND, "--contact", "me@fit.example"]) == 12
    assert "refuses the question (internal_api_error: sorry)" in capsys.readouterr().err
    assert Path("gold/Ada Lume/metadata.csv").is_file()
    assert not Path("gold/Bo Krin").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (COMMAND, 2, "--from needs --contact"),
        ([*COMMAND, "--contact", "nobody"], 10, "needs a mail address or a web page"),
        (["references"], 2, "give a RUN, or --from commons"),
        (["references", "--from", "commons", "--contact", "me@fit.example"], 2, "needs --domain and --out"),
        (["references", "--from", "flickr"], 2, "flickr"),
    ],
)
def test_mistakes_are_one_line(
    wiki: Wiki, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    assert cli.run(arguments) == code
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
    assert not wiki.asked


def test_names_that_no_folder_can_have(tmp_path: Path) -> None:
    plain, odd, hidden = Concept("Ada Lume"), Concept("AC/DC"), Concept(".hack")
    assert fetch_references._home(tmp_path, plain) == tmp_path / "Ada Lume"
    assert fetch_references._home(tmp_path, odd) == tmp_path / odd.slug
    assert fetch_references._home(tmp_path, hidden) == tmp_path / hidden.slug
