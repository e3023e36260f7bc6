"""``fit count-embeddings`` on files of one's own: results, bad input, going on."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fit import cli
from tests.unit.corpus.embeddings.layouts import lists, write_npy, write_parquet

# Cosines with x: 1, 0.8, 0.6, 0; with y: 0, 0.6, 0.8, 1.
ROWS = np.array([[1, 0], [4, 3], [3, 4], [0, 1]], np.float16)
URLS = ["u0", "u1", "u1", "u3"]
CAPTIONS = ["by x", "of y", "nothing", "by x and y"]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three equal files."""
    for number in range(3):
        write_npy(tmp_path / "corpus", f"{number:04d}", ROWS, url=URLS, caption=CAPTIONS)
    return tmp_path / "corpus"


@pytest.fixture
def references(tmp_path: Path) -> Path:
    path = tmp_path / "references.parquet"
    vectors = lists(np.array([[2, 0], [0, 1]], np.float32))
    pq.write_table(pa.table({"concept": ["x name", "y name"], "embedding": vectors}), path)
    return path


@pytest.fixture
def concepts(tmp_path: Path) -> Path:
    path = tmp_path / "concepts.csv"
    path.write_text("concept,aliases\nx name,by x\nsomebody else,\ny name,of y\n")
    return path


def run(out: Path, corpus: Path, references: Path, *more: object) -> int:
    """Run the command; options given twice are taken from the end."""
    options = {"--embeddings": corpus, "--references": references, "--cut": 0.6, "--out": out}
    options |= dict(zip(map(str, more[::2]), more[1::2], strict=False))
    words = [str(word) for pair in options.items() if pair[1] is not None for word in pair]
    return cli.run(["count-embeddings", *words])


def table(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def test_counts_nearest_rows_and_nothing_left_behind(corpus: Path, references: Path, tmp_path: Path) -> None:
    out = tmp_path / "counts.parquet"
    assert run(out, corpus, references, "--top", 2) == 0
    x, y = table(out)
    assert (x["concept"], x["references"], x["cut"]) == ("x name", 1, np.float32(0.6))
    # Rows 0, 1, 2 of each of three files; addresses u0, u1.
    assert (x["embedding_count"], x["distinct_url_count"]) == (9, 2)
    # Rows 1, 2, 3; addresses u1, u3.
    assert (y["embedding_count"], y["distinct_url_count"]) == (9, 2)
    assert x["caption_count"] is x["missed_by_captions"] is x["sensitivity"] is None
    near = table(tmp_path / "counts.nearest.parquet")
    assert [(each["concept"], each["rank"], each["file"], each["row"]) for each in near] == [
        ("x name", 1, "img_emb_0000.npy", 0),
        ("x name", 2, "img_emb_0001.npy", 0),
        ("y name", 1, "img_emb_0000.npy", 3),
        ("y name", 2, "img_emb_0001.npy", 3),
    ]
    assert (near[2]["cosine"], near[2]["url"], near[2]["caption"]) == (1, "u3", "by x and y")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "corpus", "counts.nearest.parquet", "counts.parquet", "references.parquet",
    ]  # fmt: skip


def test_captions_beside_embeddings(
    corpus: Path, references: Path, concepts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "counts.csv", corpus, references, "--concepts", concepts, "--top", 0) == 0
    with (tmp_path / "counts.csv").open(newline="") as file:
        x, y = csv.DictReader(file)
    # x is named by rows 0 and 3 and shown by 0, 1, 2; y is named by row 1 alone and shown by 1, 2, 3.
    assert [x[key] for key in ("caption_count", "both_count")] == ["6", "3"]
    assert [x[key] for key in ("caption_only_count", "embedding_only_count")] == ["3", "6"]
    assert float(x["missed_by_captions"]) == pytest.approx(2 / 3)
    assert [y[key] for key in ("caption_count", "both_count", "caption_only_count")] == ["3", "3", "0"]
    assert "left out: somebody else: no reference embedding" in capsys.readouterr().err
    assert not (tmp_path / "counts.nearest.csv").exists()


def test_as_json(corpus: Path, references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = np.concatenate([ROWS[:2], [[0, 0], [np.nan, 0]]]).astype(np.float16)
    write_npy(corpus, "0003", rows)
    options = [f"--embeddings={corpus}", f"--references={references}", "--cut=0.6"]
    assert cli.run(["count-embeddings", *options, f"--out={tmp_path / 'o.csv'}", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["tally"] == {"rows": 16, "zero": 1, "invalid": 1, "captioned": 0}
    assert [each["embedding_count"] for each in found["concepts"]] == [11, 10]
    # The fourth file has no metadata: a sum over the others would be too small.
    assert [each["distinct_url_count"] for each in found["concepts"]] == [None, None]
    assert found["left_out"] == []
    assert "14 of 16 rows compared with 2 references" in err
    assert "1 rows of length zero, 1 without numbers in range" in err
    assert "a file has no addresses" in err


def test_a_file_without_captions_beside_others(
    corpus: Path, references: Path, concepts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_npy(corpus, "0003", ROWS)
    assert run(tmp_path / "o.parquet", corpus, references, "--concepts", concepts) == 0
    x, _ = table(tmp_path / "o.parquet")
    # Held against each other where there are captions: nine of twelve hits.
    assert (x["embedding_count"], x["both_count"], x["embedding_only_count"]) == (12, 3, 6)
    assert "captions were searched in 12 rows; the others have none" in capsys.readouterr().err


def test_a_cut_for_each_concept(corpus: Path, references: Path, tmp_path: Path) -> None:
    cuts = tmp_path / "cuts.csv"
    cuts.write_text("concept,cut\ny name,0.9\nx name,0.7\n")
    assert run(tmp_path / "o.parquet", corpus, references, "--cut", cuts) == 0
    assert [each["embedding_count"] for each in table(tmp_path / "o.parquet")] == [6, 3]


def test_the_work_may_be_done_by_others(
    corpus: Path, references: Path, concepts: Path, tmp_path: Path
) -> None:
    ways: list[tuple[object, ...]] = [
        (), ("--workers", 2), ("--precision", "bfloat16"), ("--device", "auto"),
    ]  # fmt: skip
    found = []
    for number, way in enumerate(ways):
        out = tmp_path / f"{number}.parquet"
        assert run(out, corpus, references, "--concepts", concepts, *way) == 0
        found.append((out.read_bytes(), (tmp_path / f"{number}.nearest.parquet").read_bytes()))
    assert found.count(found[0]) == len(ways)


def truncated(corpus: Path) -> str:
    path = corpus / "img_emb_0001.npy"
    path.write_bytes(path.read_bytes()[:-3])
    return "truncated"


def of_doubles(corpus: Path) -> str:
    np.save(corpus / "img_emb_0001.npy", ROWS.astype(np.float64))
    return "holds float64"


def of_objects(corpus: Path) -> str:
    np.save(corpus / "img_emb_0001.npy", np.array([[{}] * 2] * 4, object), allow_pickle=True)
    return "holds object"


def of_other_dimensions(corpus: Path) -> str:
    np.save(corpus / "img_emb_0001.npy", np.ones((4, 3), np.float16))
    return "3 dimensions, but the references have 2"


def of_another_length(corpus: Path) -> str:
    np.save(corpus / "img_emb_0001.npy", ROWS[:3])
    return "3 rows, but"


def with_mixed_lists(corpus: Path) -> str:
    (corpus / "img_emb_0001.npy").unlink()
    ragged = pa.array([[1.0, 0.0], [1.0]], pa.list_(pa.float32()))
    pq.write_table(pa.table({"embedding": ragged}), corpus / "extra.parquet")
    return "lists of 2 and of 1 numbers"


def with_broken_metadata(corpus: Path) -> str:
    path = corpus / "metadata_0001.parquet"
    content = bytearray(path.read_bytes())
    content[4:60] = b"\xff" * 56
    path.write_bytes(bytes(content))
    return "cannot be read"


BAD = [
    *(truncated, of_doubles, of_objects, of_other_dimensions),
    *(of_another_length, with_mixed_lists, with_broken_metadata),
]


@pytest.mark.parametrize("spoil", BAD)
def test_a_bad_file_is_set_aside_and_the_rest_completes(
    corpus: Path,
    references: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], str],
) -> None:
    reason = spoil(corpus)
    pattern = corpus / "*[0-9a].[np]*[yt]"
    for path in corpus.glob("metadata_*"):
        path.rename(tmp_path / path.name)
    assert run(tmp_path / "o.parquet", pattern, references, "--metadata", tmp_path) == 20
    assert [each["embedding_count"] for each in table(tmp_path / "o.parquet")] == [6, 6]
    *_, told, last = capsys.readouterr().err.splitlines()
    assert told.startswith("left out: ")
    assert reason in told
    assert last.startswith("error: 1 files are left out of ")


def test_going_on_counts_only_what_is_missing(corpus: Path, references: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    assert run(whole, corpus, references) == 0
    sound = (corpus / "img_emb_0001.npy").read_bytes()
    truncated(corpus)
    out = tmp_path / "o.parquet"
    assert run(out, corpus, references) == 20
    work = tmp_path / "o.parquet.work"
    kept = {path: path.stat().st_mtime_ns for path in work.iterdir()}
    assert len(kept) == 2
    # Once more, with one of the parts damaged: that one is computed again, the other is not.
    damaged = min(kept)
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert run(out, corpus, references) == 20
    assert {path: path.stat().st_mtime_ns != before for path, before in kept.items()} == {
        path: path == damaged for path in kept
    }
    # Another cut is another question: its parts stand beside the old ones.
    assert run(out, corpus, references, "--cut", 0.7) == 20
    assert len(list(work.iterdir())) == 4
    (corpus / "img_emb_0001.npy").write_bytes(sound)
    assert run(out, corpus, references) == 0
    assert out.read_bytes() == whole.read_bytes()
    assert not work.exists()


def test_not_one_file_is_in_order(
    corpus: Path, references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in corpus.glob("*.npy"):
        path.write_bytes(b"")
    assert run(tmp_path / "o.parquet", corpus, references) == 12
    assert "not one of 3 files can be counted; the first: " in capsys.readouterr().err
    assert not (tmp_path / "o.parquet").exists()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--cut", None), 2, "give --cut (a number or a file) or --false-match-rate"),
        (("--false-match-rate", 0.1), 2, "give --cut (a number or a file) or --false-match-rate"),
        (("--cut", None, "--false-match-rate", 1.5), 2, "--false-match-rate 1.5: a share in (0, 1)"),
        (("--cut", 1.5), 2, "--cut 1.5: a cosine lies in (-1, 1]"),
        (("--cut", "none.csv"), 2, "none.csv: cannot be read"),
        (("--references", None), 2, "give --references or --text-model"),
        (("--text-model", "open-clip"), 2, "give --references or --text-model"),
        (("--references", None, "--text-model", "open-clip"), 2, "give --concepts"),
        (("--scorer", "demo-style"), 2, "give --concepts"),
        (("--pretrained", "weights"), 2, "--pretrained: give --text-model too"),
        (("--prompt", "a painting"), 2, "has to hold {concept} exactly once"),
        (("--references", "none.parquet"), 2, "none.parquet: there is no such file"),
        (("--concepts", "none.csv"), 11, "none.csv: cannot be read"),
        (("--embeddings", "none/*.npy"), 12, "none/*.npy: no embeddings match"),
        (("--embeddings", "s3://bucket/laion"), 2, "only files on this machine are read"),
        (("--out", "o.json"), 2, "has to end with .parquet or .csv"),
        (("--nearest", "o.txt"), 2, "has to end with .parquet or .csv"),
        (("--top", 1001), 2, "--top 1001: from 0 to 1,000 nearest rows"),
        (("--engine", "spark"), 2, "spark: unknown engine; known: local, ray"),
        (("--precision", "float8"), 2, "float8: unknown precision"),
        (("--device", "tpu9"), 14, "--device=tpu9: no such device here"),
    ],
)
def test_what_cannot_be_done(
    corpus: Path,
    references: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[object, ...],
    code: int,
    message: str,
) -> None:
    assert run(tmp_path / "o.parquet", corpus, references, *options) == code
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1
    assert re.match("error: ", err)


def test_parquet_of_embeddings(references: Path, tmp_path: Path) -> None:
    for number, fixed in enumerate((True, False)):
        write_parquet(tmp_path / f"corpus/{number}.parquet", ROWS, fixed, url=list(URLS))
    assert run(tmp_path / "o.parquet", tmp_path / "corpus", references) == 0
    assert [each["embedding_count"] for each in table(tmp_path / "o.parquet")] == [6, 6]
