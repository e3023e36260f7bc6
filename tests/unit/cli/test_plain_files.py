"""``fit threshold CURVE`` and ``fit count --captions`` on files of one's own."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fit import cli
from fit.stages.count_files import write_rows
from fit.stages.curve_file import read_curve

STEP = [("concept", "frequency", "score")] + [
    # 30 concepts from 1 to 10,000 images: 0.1 below 100 images, 0.6 from there on, ±0.02 in turns
    (f"c{i:02d}", round(10 ** (4 * i / 29), 1), (0.1 if i < 15 else 0.6) + (0.02 if i % 2 else -0.02))
    for i in range(30)
]


NOT_UTF8 = io.BytesIO()
pq.write_table(pa.table({"concept": ["a"], "frequency": [1], "score": [0.1]}), NOT_UTF8)

TWICE = io.BytesIO()
pq.write_table(pa.Table.from_arrays([pa.array([1.0])] * 4, ["concept", "frequency", "score", "score"]), TWICE)


def write(path: Path, rows: list[tuple[object, ...]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_a_planted_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    curve = write(tmp_path / "curve.csv", STEP)
    assert cli.run(["threshold", str(curve), "--json", "--set", "threshold.replicates=400"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "threshold"
    low, high = found["interval"]
    # The change lies between concept 14 (86.9 images) and concept 15 (117.2 images).
    assert low <= 117.2 <= high or low <= 86.9 <= high
    assert found["n_concepts"] == 30


def test_csv_and_parquet_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, *rows = STEP
    columns = dict(zip(head, zip(*rows, strict=True), strict=True))
    pq.write_table(
        pa.table({name: list(cells) for name, cells in columns.items()}), tmp_path / "curve.parquet"
    )
    write(tmp_path / "curve.csv", STEP)
    answers = []
    for name in ("curve.csv", "curve.parquet"):
        assert cli.run(["threshold", str(tmp_path / name), "--set", "threshold.replicates=400"]) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1]
    assert "images" in answers[0]


@pytest.mark.parametrize("json_too", [False, True])
def test_too_few_concepts(tmp_path: Path, capsys: pytest.CaptureFixture[str], json_too: bool) -> None:
    curve = write(tmp_path / "curve.csv", STEP[:6])
    assert cli.run(["threshold", str(curve), *(["--json"] if json_too else [])]) == 21
    out, err = capsys.readouterr()
    assert err.startswith("error: 5 concepts are too few")
    if json_too:
        found = json.loads(out)
        assert (found["status"], found["n_concepts"], found["threshold"]) == ("none", 5, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty; it needs the columns concept, frequency, score"),
        (b"concept,frequency\na,1\n", "no column 'score'"),
        (b"concept,frequency,score\na,1\n", "row 2 has 2 cells under 3 columns"),
        (b"concept,frequency,score\na,many,0.1\n", "frequency of concept 'a' is the text 'many'"),
        (b"concept,frequency,score\na,1,\n", "score of concept 'a' is nan"),
        (b"concept,frequency,score\na,1,0.1\na,2,0.1\n", "concept 'a' stands twice"),
        (b"concept,frequency,score,score\na,1,0.1,0.2\n", "column 'score' stands twice"),
        (b"concept,frequency,score\n\xff,1,0.1\n", "not UTF-8"),
        (b'concept,frequency,score\n"a,1,0.1\n', "not CSV"),
        (b"PAR1 and no more", "not a whole Parquet file"),
        (TWICE.getvalue(), "column 'score' stands twice"),
        (NOT_UTF8.getvalue().replace(b"score", b"sc\xffre"), "not a whole Parquet file"),
    ],
)
def test_a_malformed_curve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    (tmp_path / "curve.csv").write_bytes(content)
    assert cli.run(["threshold", str(tmp_path / "curve.csv")]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {tmp_path / 'curve.csv'}: {message}")
    assert err.count("\n") == 1


def test_captions_that_are_formulas_stay_text_in_csv(tmp_path: Path) -> None:
    pq.write_table(pa.table({"TEXT": ["=HYPERLINK(1) by Monet", "@Monet"]}), tmp_path / "0.parquet")
    concepts = write(tmp_path / "c.csv", [("concept", "aliases"), ("-Monet", "Monet")])
    shard, counts, samples = (str(tmp_path / name) for name in ("0.parquet", "counts.csv", "samples.csv"))
    arguments = ["count", "--captions", shard, "--concepts", str(concepts), "--out", counts]
    assert cli.run([*arguments, "--samples", samples]) == 0
    with open(samples) as file:
        found = list(csv.DictReader(file))
    assert {row["caption"] for row in found} == {"'=HYPERLINK(1) by Monet", "'@Monet"}
    with open(counts) as file:
        (row,) = csv.DictReader(file)
    assert (row["concept"], row["caption_count"]) == ("'-Monet", "2")


def test_a_concept_that_looks_like_a_formula_keeps_its_name(tmp_path: Path) -> None:
    rows = pa.table({"concept": ["=a", "b"], "frequency": [1, 2], "score": [-0.5, 0.5]})
    write_rows(tmp_path / "curve.csv", rows)
    assert read_curve(tmp_path / "curve.csv").concepts == ("=a", "b")


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    folder = tmp_path / "captions"
    folder.mkdir()
    first = ["A Monet garden", "monetary policy", "by Claude Monet", None, "VAN-GOGH: stars"]
    pq.write_table(pa.table({"TEXT": first, "URL": list("abacd")}), folder / "0.parquet")
    pq.write_table(pa.table({"TEXT": ["#monet", "nothing"], "URL": ["a", "b"]}), folder / "1.parquet")
    return folder


@pytest.mark.parametrize("out", ["counts.csv", "counts.parquet"])
def test_counting(tmp_path: Path, captions: Path, capsys: pytest.CaptureFixture[str], out: str) -> None:
    concepts = write(
        tmp_path / "c.csv", [("concept", "aliases"), ("Claude Monet", "Monet"), ("van Gogh", "")]
    )
    arguments = [
        "count",
        "--captions",
        str(captions),
        "--concepts",
        str(concepts),
        "--out",
        str(tmp_path / out),
    ]
    assert cli.run(arguments) == 0
    assert capsys.readouterr().out == f"{tmp_path / out}\n"
    # Monet: garden (a), Claude (a), #monet (a) = 3 captions, 1 address; van Gogh: 1 and 1.
    expected = [("Claude Monet", 3, 1), ("van Gogh", 1, 1)]
    if out.endswith("parquet"):
        rows = [tuple(row.values()) for row in pq.read_table(tmp_path / out).to_pylist()]
    else:
        with (tmp_path / out).open() as file:
            rows = [
                (row["concept"], int(row["caption_count"]), int(row["distinct_url_count"]))
                for row in csv.DictReader(file)
            ]
    assert rows == expected


def test_counting_a_part_of_the_rows_as_json(
    tmp_path: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    concepts = write(tmp_path / "c.csv", [("concept",), ("Monet",)])
    arguments = ["count", "--captions", f"{captions}/*.parquet", "--concepts", str(concepts)]
    arguments += ["--out", str(tmp_path / "o.csv"), "--where", "URL = 'a' AND TEXT <> '#monet'", "--json"]
    assert cli.run(arguments) == 0
    counted = json.loads(capsys.readouterr().out)
    # With the address a: "A Monet garden", "by Claude Monet", "#monet"; the condition leaves out the last.
    assert counted == [
        {"concept": "Monet", "caption_count": 2, "distinct_url_count": 1, "unfiltered_count": 3}
    ]


def test_samples_and_words_beside_the_counts(tmp_path: Path, captions: Path) -> None:
    concepts = write(tmp_path / "c.csv", [("concept",), ("Monet",)])
    arguments = ["count", "--captions", f"{captions}/*.parquet", "--concepts", str(concepts)]
    arguments += ["--out", str(tmp_path / "o.csv"), "--sample", "2", "--workers", "1"]
    arguments += ["--samples", str(tmp_path / "s.parquet"), "--words", str(tmp_path / "w.csv")]
    assert cli.run(arguments) == 0
    assert len(pq.read_table(tmp_path / "s.parquet")) == 3  # the words wanted more than two
    with (tmp_path / "w.csv").open() as file:
        words = {row["word"]: row["captions"] for row in csv.DictReader(file)}
    assert words == {"garden": "1", "claude": "1"}  # by, a: too short; monet: the name


def test_a_truncated_shard_is_left_out_and_said(
    tmp_path: Path, captions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (captions / "0.parquet").read_bytes()
    (captions / "9.parquet").write_bytes(whole[:-20])
    concepts = write(tmp_path / "c.csv", [("concept",), ("Monet",)])
    out = tmp_path / "o.csv"
    arguments = ["count", "--captions", str(captions), "--concepts", str(concepts), "--out", str(out)]
    assert cli.run(arguments) == 20
    told = capsys.readouterr()
    assert "left out: 9.parquet: " in told.err
    assert f"error: 1 shards are left out of {out}; mend them and run again" in told.err
    assert out.read_text() == "concept,caption_count,distinct_url_count\nMonet,3,1\n"
    (captions / "9.parquet").write_bytes(whole)
    assert cli.run(arguments) == 0
    assert out.read_text().splitlines()[1].startswith("Monet,")
    assert not list(tmp_path.glob("*.work"))


def test_a_shard_without_captions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pq.write_table(pa.table({"words": ["x"]}), tmp_path / "0.parquet")
    concepts = write(tmp_path / "c.csv", [("concept",), ("Monet",)])
    arguments = [
        "count",
        "--captions",
        str(tmp_path / "0.parquet"),
        "--concepts",
        str(concepts),
        "--out",
        "o.csv",
    ]
    assert cli.run(arguments) == 12
    assert "no caption column" in capsys.readouterr().err
