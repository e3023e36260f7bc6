"""Somebody deleted from a finished run: no byte names them, the rest stands, and they do not come back."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from concepts.domain import load_domain
from concepts.removal import phrase_digest
from corpus.images import ImageStore
from fit.forget import erase
from tests.conftest import Finished
from tests.e2e.contents import texts_of
from tests.e2e.micro import Micro

Command = Callable[..., Finished]


@pytest.fixture
def run(micro_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(micro_run, tmp_path / "run"))


def concepts(run: Path) -> dict[str, list[str]]:
    rows = pq.read_table(run / "concepts" / "concepts.parquet").to_pylist()
    return {row["concept"]: row["aliases"] for row in rows}


@pytest.fixture
def person(run: Path) -> str:
    """The concept with most rows in samples, whose aliases nobody else has."""
    counted = pq.read_table(run / "counts" / "samples.parquet")["concept"].to_pylist()
    return max(set(counted), key=counted.count)


def mentions(run: Path, phrases: list[str]) -> set[str]:
    """The files that name somebody, in any case."""
    wanted = [phrase.casefold() for phrase in phrases]
    return {
        str(path.relative_to(run))
        for path, text in texts_of(run)
        if any(p in text.casefold() for p in wanted)
    }


def test_no_byte_of_the_run_names_them_any_more(command: Command, run: Path, person: str) -> None:
    phrases = [person, *concepts(run)[person]]
    before = mentions(run, phrases)
    assert {"concepts/concepts.parquet", "counts/samples.parquet", "report/report.html"} <= before
    (run / "report.pdf").write_bytes(b"whatever is printed, compressed")
    done = command("forget", person, str(run))
    assert done.code == 0, done.err
    assert mentions(run, phrases) == set()
    assert not (run / "report.pdf").exists()
    first, last = done.out.splitlines()
    assert first.startswith(f"{run}: deleted ")
    assert first.endswith("computed again without them: threshold, report")
    for what in ("rows", "images", "embeddings"):
        assert what in first
    assert last == "Copies elsewhere (bundles, exported reports, backups) are not touched."


@dataclass(frozen=True)
class Files:
    """What a run knows of somebody's images, and what it may not know any more."""

    contents: set[bytes]
    digests: set[str]
    vectors: set[bytes]


def files_of(run: Path, person: str, images: dict[str, bytes]) -> Files:
    """Everything of somebody's images in a run; `images` is what addresses lead to."""
    contents: set[bytes] = set()
    vectors: set[bytes] = set()
    for path in run.rglob("*.parquet"):
        table = pq.read_table(path)
        if "concept" not in table.column_names:
            continue
        for row in table.filter(pc.equal(table["concept"], person)).to_pylist():
            contents |= {value for value in row.values() if isinstance(value, bytes)}
            contents |= {images[row["url"]]} if row.get("url") in images else set()
            if row.get("vector") is not None:
                vectors.add(np.array(row["vector"], np.float16).tobytes())
            if row.get("offset") is not None:
                tar = path.with_suffix(".tar").read_bytes()
                contents.add(tar[row["offset"] : row["offset"] + row["bytes"]])
    return Files(contents, {hashlib.sha256(each).hexdigest() for each in contents}, vectors)


def kept_of(run: Path, files: Files) -> set[str]:
    """The files of a run in which an image, a digest or a vector still lies."""
    found = set()
    for path in (path for path in run.rglob("*") if path.is_file()):
        raw, where = path.read_bytes(), str(path.relative_to(run))
        if any(content in raw for content in files.contents) or any(d.encode() in raw for d in files.digests):
            found.add(where)
        if path.suffix == ".parquet":
            for row in pq.read_table(path).to_pylist():
                vector = row.get("vector")
                as_bytes = b"" if vector is None else np.array(vector, np.float16).tobytes()
                texts = {value for value in row.values() if isinstance(value, str)}
                blobs = {value for value in row.values() if isinstance(value, bytes)}
                if texts & files.digests or blobs & files.contents or as_bytes in files.vectors:
                    found.add(where)
    return found


def test_no_image_digest_or_vector_of_theirs_is_left(
    command: Command, micro: Micro, micro_run: Path, run: Path, person: str
) -> None:
    samples = pq.read_table(run / "counts" / "samples.parquet")
    own = set(samples.filter(pc.equal(samples["concept"], person))["url"].to_pylist())
    others = set(samples.filter(pc.not_equal(samples["concept"], person))["url"].to_pylist())
    read = ImageStore.open(micro.data / "demo" / "images").read_many(sorted(own))
    images = {url: data for url, data in read if isinstance(data, bytes)}
    files = files_of(run, person, {url: data for url, data in images.items() if url not in others})
    places = {place.split("/", maxsplit=1)[0] for place in kept_of(run, files)}
    assert {"embeddings", "generation", "references", "scores", "verification"} <= places
    before = embedded(run)
    done = command("forget", person, str(run))
    assert done.code == 0, done.err
    assert kept_of(run, files) == set()
    # Of the others, no vector has to be computed again.
    gone = before - embedded(run)
    assert gone
    assert gone <= files_of(micro_run, person, images).digests


def embedded(run: Path) -> set[str]:
    """The digests of the images of which a run keeps embeddings."""
    tables = [pq.read_table(path) for path in (run / "embeddings").rglob("*.parquet")]
    return {digest for table in tables for digest in table["digest"].to_pylist()}


def test_everything_of_the_others_stands(command: Command, run: Path, micro_run: Path, person: str) -> None:
    assert command("forget", person, str(run)).code == 0
    others = set(concepts(micro_run)) - {person}
    assert set(concepts(run)) == others
    for name in ("generation", "scores"):
        before = _digests(micro_run / name, others)
        assert _digests(run / name, others) == before
        assert before
    _check_archives(run)


def _digests(stage: Path, concepts: set[str]) -> set[tuple[str, str, int, int]]:
    parts = [pq.read_table(path) for path in sorted((stage / "parts").glob("*.parquet"))]
    rows = [row for part in parts for row in part.drop_columns(_large(part)).to_pylist()]
    keys = ("arm", "concept", "prompt_index", "image_index", "digest")
    return {tuple(row[key] for key in keys) for row in rows if row["concept"] in concepts}  # type: ignore[misc]


def _large(table: pa.Table) -> list[str]:
    return [
        each.name for each in table.schema if not pa.types.is_string(each.type) and each.name in ("vector",)
    ]


def _check_archives(run: Path) -> None:
    """Every row of generated images finds its own bytes in the archive."""
    found = 0
    for path in (run / "generation" / "parts").glob("*.parquet"):
        content = path.with_suffix(".tar").read_bytes()
        metadata = pq.read_schema(path).metadata
        assert int(metadata[b"tar_bytes"]) == len(content)
        for row in pq.read_table(path).to_pylist():
            image = content[row["offset"] : row["offset"] + row["bytes"]]
            assert hashlib.sha256(image).hexdigest() == row["digest"]
            found += 1
    assert found


def test_the_run_is_whole_and_says_that_somebody_is_gone(
    command: Command, run: Path, person: str, tmp_path: Path
) -> None:
    assert command("forget", person, str(run)).code == 0
    told = command("status", str(run))
    states = [line.split()[-1] for line in told.out.splitlines()[1:-1]]
    assert states == ["current"] * 8
    assert told.out.splitlines()[-1].startswith("forgotten: 1 removed from this run (fit forget)")
    assert json.loads(command("status", str(run), "--json").out)["forgotten"] == 1
    # Everything is there and as its receipts say, down to the bytes; and another party can check it.
    again = command("estimate", "--domain", "art-styles/micro.csv", "--model", "demo", "--run", str(run))
    assert "everything is current" in again.err
    packed = command("bundle", str(run), "--out", str(tmp_path / "x.zip"))
    assert packed.code == 0, packed.err
    checked = command("check", str(tmp_path / "x.zip"))
    assert checked.code == 0, checked.out


def test_computing_the_run_again_does_not_bring_them_back(
    command: Command, micro: Micro, run: Path, person: str
) -> None:
    phrases = [person, *concepts(run)[person]]
    assert command("forget", person, str(run)).code == 0
    done = command(*micro.estimate(run), "--set", "counts.sample=300", "--until", "references")
    assert done.code == 0, done.err
    assert person not in concepts(run)
    assert mentions(run, phrases) == set()


def test_an_alias_in_another_spelling_means_the_same(command: Command, run: Path) -> None:
    name, aliases = next((name, some) for name, some in concepts(run).items() if some)
    done = command("forget", aliases[0].upper().replace(" ", "-"), str(run))
    assert done.code == 0, done.err
    assert name not in concepts(run)


def test_a_dry_run_tells_the_same_and_deletes_nothing(command: Command, run: Path, person: str) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    told = json.loads(command("forget", person, str(run), "--dry-run", "--json").out)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    done = json.loads(command("forget", person, str(run), "--json").out)
    assert told["dry_run"]
    assert not done["dry_run"]
    assert told["runs"][0]["deleted"] == done["runs"][0]["deleted"]
    assert done["runs"][0]["concept"]
    assert done["runs"][0]["computed_again"] == ["threshold", "report"]


def test_a_name_that_nobody_has_is_an_error_with_near_names(command: Command, run: Path, person: str) -> None:
    done = command("forget", person[:-1] + "zq", str(run))
    assert done.code == 11
    assert "nothing of that name in 1 runs (did you mean" in done.err
    assert person in done.err
    assert done.err.endswith("nothing was deleted\n")
    assert json.loads(command("status", str(run), "--json").out)["forgotten"] == 0


def test_the_removal_list_gets_them_too(
    command: Command, run: Path, person: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = tmp_path / "removed.csv"
    listed.write_text("name\nSomebody Else\n")
    monkeypatch.setenv("FIT_REMOVED", str(listed))
    assert command("forget", person, str(run)).code == 0
    assert "Somebody Else," in listed.read_text()
    assert phrase_digest(person) in listed.read_text()
    assert person not in listed.read_text()


def test_an_interrupted_removal_is_gone_on_with(
    command: Command, run: Path, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    phrases = [person, *concepts(run)[person]]
    sign = erase._sign

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(erase, "_sign", interrupted)
    assert command("forget", person, str(run)).code == 130
    monkeypatch.setattr(erase, "_sign", sign)
    done = command("forget", person, str(run))
    assert done.code == 0, done.err
    assert mentions(run, phrases) == set()
    assert "current" in command("status", str(run)).out.splitlines()[-2]


def test_pictures_of_real_people_stay_in_a_private_folder(
    command: Command, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = run / "report" / "report.html"
    assert "data:image/png" in report.read_text("utf-8")
    people = load_domain("faces")

    def load(name: str) -> Any:
        row = load_domain(name)
        return type(row)(**{**{key: getattr(row, key) for key in row.__slots__}, "people": people.people})

    monkeypatch.setattr("fit.stages.report_inputs.INVENTED", "nobody")  # as if the list were of real people
    for place in ("fit.run.folder", "fit.stages.inputs"):
        monkeypatch.setattr(f"{place}.load_domain", load)
    done = command("report", str(run), "--set", "report.strips=4")
    assert done.code == 0, done.err
    assert "data:image/png" not in report.read_text("utf-8")
    assert "Pictures of real people are left out" in report.read_text("utf-8")
    assert stat.S_IMODE(run.stat().st_mode) == 0o700
    asked = command("report", str(run), "--set", "report.real_people=true")
    assert asked.code == 0, asked.err
    assert "data:image/png" in report.read_text("utf-8")
