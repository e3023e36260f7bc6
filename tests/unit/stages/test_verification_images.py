"""Which rows may be fetched, and where images come from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import CorpusError
from corpus.registry import Corpus, ImageLocation, corpora
from fit.sections import Verification
from fit.stages import verification_images
from fit.stages.verification_images import Unsafe, image_digests, open_images
from tests.unit.corpus.fetch.site import Site, picture
from tests.unit.corpus.files import write_image_files, write_shard
from tests.unit.imitation.test_checker import write_checker
from tests.unit.stages.job import job_of

CLEANED = Corpus("mine", "Mine", "captions", "", "-", "-", cleaned="by me")


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    write_shard(tmp_path / "a.parquet", ["x"] * 5, URL=list("abcde"), punsafe=[0.0, 0.0999, 0.1, 1.0, None])
    write_shard(tmp_path / "b.parquet", ["x"] * 3, URL=list("abf"), punsafe=[0.5, 0.05, float("nan")])
    return replace(CLEANED, captions=str(tmp_path / "*.parquet"))


def row(file: str, number: int, url: str | None) -> dict[str, object]:
    return {"file": file, "row": number, "url": url}


A = [row("a.parquet", i, url) for i, url in enumerate("abcde")]
B = [row("b.parquet", i, url) for i, url in enumerate("abf")]


def test_rows_at_or_above_the_cut_are_not_fetched(corpus: Corpus) -> None:
    assert Unsafe(corpus, Verification()).reasons([*A, row("a.parquet", 0, None)]) == {
        "a": "",
        "b": "",
        "c": "punsafe is 0.1 or more",
        "d": "punsafe is 0.1 or more",
        "e": "punsafe is not known",
    }


def test_of_an_address_the_most_unsafe_row_counts(corpus: Corpus) -> None:
    found = Unsafe(corpus, Verification()).reasons([*A[:2], *B])
    assert found == {"a": "punsafe is 0.1 or more", "b": "", "f": "punsafe is not known"}


def test_a_shard_that_does_not_tell_needs_the_flag(corpus: Corpus, tmp_path: Path) -> None:
    write_shard(tmp_path / "c.parquet", ["x"], URL=["g"])
    rows = [*A, row("c.parquet", 0, "g")]
    with pytest.raises(CorpusError, match=r"c.parquet: no column 'punsafe'.*--accept-unfiltered"):
        Unsafe(corpus, Verification()).reasons(rows)
    found = Unsafe(corpus, Verification(accept_unfiltered=True)).reasons(rows)
    assert found["g"] == ""
    assert found["d"] == "punsafe is 0.1 or more"  # where it is told, it counts all the same
    # A shard from which nothing is wanted may be silent.
    assert Unsafe(corpus, Verification()).reasons(A)["a"] == ""


def test_the_column_is_the_settings_or_the_corpus_rows(corpus: Corpus, tmp_path: Path) -> None:
    write_shard(tmp_path / "a.parquet", ["x"] * 2, URL=["a", "b"], nsfw=[0.9, 0.0], other=[0.0, 0.9])
    rows = A[:2]
    by_row = replace(corpus, columns={"unsafe": "nsfw"})
    assert Unsafe(by_row, Verification()).reasons(rows) == {"a": "nsfw is 0.1 or more", "b": ""}
    given = Verification(unsafe_column="other", unsafe_cut=0.5)
    assert Unsafe(by_row, given).reasons(rows) == {"a": "", "b": "other is 0.5 or more"}


def test_a_corpus_that_nobody_calls_cleaned_needs_the_flag(corpus: Corpus) -> None:
    dirty = replace(corpus, cleaned="")
    with pytest.raises(CorpusError, match=r"corpus mine: not known to be cleaned.*--accept-unfiltered"):
        Unsafe(dirty, Verification())
    assert Unsafe(dirty, Verification(accept_unfiltered=True)).reasons(A)["d"] == "punsafe is 0.1 or more"


def test_the_releases_that_were_cleaned() -> None:
    cleaned = {each.name for each in corpora() if each.cleaned}
    assert {"demo", "relaion2b-en", "relaion2b-en-safe", "laion400m"} <= cleaned
    assert not {"laion-aesthetics", "coyo700m", "cc12m", "laion-high-resolution"} & cleaned


def test_local_images_in_any_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_image_files(tmp_path / "images", "00000", [("u", "0", "success")], {"0.jpg": b"image"})
    local = replace(CLEANED, images=ImageLocation("files", str(tmp_path / "images")))
    monkeypatch.setattr(verification_images, "corpus_of", lambda settings: local)
    job = job_of(tmp_path / "run", "verification")
    assert open_images(job, {}).read("u") == b"image"
    before = image_digests(job)
    assert list(before) == ["images 00000.parquet"]
    write_image_files(tmp_path / "images", "00001", [], {})
    assert image_digests(job).keys() > before.keys()


def test_a_corpus_without_images_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification_images, "corpus_of", lambda settings: CLEANED)
    with pytest.raises(CorpusError, match=r"not on this machine.*verification\.images=fetch"):
        open_images(job_of(tmp_path / "run", "verification"), {})


def test_nothing_to_fetch_is_an_empty_store(
    tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification_images, "corpus_of", lambda settings: corpus)
    settings = ("verification.images=fetch", "verification.contact=me@lab.example")
    sample = pa.table(
        {"file": ["a.parquet"], "row": [0], "url": pa.array([None], pa.string()), "caption": ["x"]}
    )
    store = open_images(job_of(tmp_path / "run", "verification", *settings), {"Ada Lume": sample})
    assert len(store) == 0


def test_what_the_checker_flags_is_not_kept_and_another_checker_asks_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Site() as site:
        url = site.say("a.jpg", picture())
        write_shard(tmp_path / "a.parquet", ["x"], URL=[url], punsafe=[0.0])
        corpus = replace(CLEANED, captions=str(tmp_path / "*.parquet"))
        monkeypatch.setattr(verification_images, "corpus_of", lambda settings: corpus)
        sample = pa.table({"file": ["a.parquet"], "row": [0], "url": [url], "caption": ["x"]})
        settings = [
            *("verification.images=fetch", "verification.contact=me@lab.example"),
            *("verification.allow_private=127.0.0.1/32", "verification.retries=0"),
        ]
        strict = f"verification.checker={write_checker(tmp_path / 'strict', flags_all=True)}"
        job = job_of(tmp_path / "run", "verification", *settings, strict)
        assert len(open_images(job, {"Ada Lume": sample})) == 0
        (row,) = pq.read_table(job.folder / "images" / "00000.parquet").to_pylist()
        assert (row["status"], row["error_message"]) == ("unsafe", "flagged: unsafe")
        assert image_digests(job).keys() == {"checker"}
        without = job_of(tmp_path / "run", "verification", *settings)
        assert open_images(without, {"Ada Lume": sample}).read(url) == picture()
        assert site.asked == ["/a.jpg", "/a.jpg"]
