"""`fit curate` on shards whose naming rows a slow counter knows."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.shards import Shard
from fit import cli
from tests.spec.reference_counter import contains

NAMES = ("Ada Brush", "Bo Krin")
CAPTIONS = [
    "a tree by Ada Brush",
    "Ada Brush and Bo Krin at the sea",
    "bo-krin: a house",
    "nothing here",
    None,
    "a painting by ada brush",
    "Ada   Brush",
    "Bo Krin, Ada Brush",
    "Adabrush",
    "BO KRIN",
]


@pytest.fixture
def world(tmp_path: Path) -> Path:
    (tmp_path / "shards").mkdir()
    for number in range(3):
        captions = CAPTIONS[number:] + CAPTIONS[:number]
        table = pa.table(
            {
                "TEXT": captions,
                "URL": [f"https://img{number}.example/{i}.jpg" for i in range(len(captions))],
                "similarity": [0.1 * i + 0.01 * number if i % 4 else None for i in range(len(captions))],
                "kept": [[i, number] for i in range(len(captions))],
            }
        ).replace_schema_metadata({"made by": "a test"})
        pq.write_table(table, tmp_path / "shards" / f"part-{number}.parquet", row_group_size=4)
    (tmp_path / "concepts.csv").write_text("concept\n" + "\n".join(NAMES) + "\n")
    return tmp_path


def run(
    world: Path, capsys: pytest.CaptureFixture[str], *more: str, out: str = "plan.parquet"
) -> tuple[int, str, str]:
    capsys.readouterr()
    code = cli.run(["curate", "--captions", str(world / "shards"), "--out", str(world / out), *more])
    said = capsys.readouterr()
    return code, said.out, said.err


def make(world: Path, capsys: pytest.CaptureFixture[str], limit: str, *more: str) -> dict[str, object]:
    code, out, err = run(
        world, capsys, "--concepts", str(world / "concepts.csv"), "--limit", limit, "--json", *more
    )
    assert code == 0, err
    return json.loads(out)


def kept(world: Path) -> list[dict[str, object]]:
    """The rows that a plan leaves."""
    plan = pq.read_table(world / "plan.parquet").to_pylist()
    gone = {(row["file"], row["row"]) for row in plan}
    rows = []
    for path in sorted((world / "shards").glob("*.parquet")):
        for number, row in enumerate(pq.read_table(path).to_pylist()):
            if (path.name, number) not in gone:
                rows.append(row)
    return rows


def count(rows: list[dict[str, object]], name: str) -> int:
    return sum(contains(row["TEXT"], name) for row in rows)


@pytest.mark.parametrize("limit", [0, 1, 4, 100])
def test_nobody_is_above_the_limit_when_counted_by_the_slow_counter(
    world: Path, capsys: pytest.CaptureFixture[str], limit: int
) -> None:
    summary = make(world, capsys, str(limit))
    rows = kept(world)
    for name in NAMES:
        assert count(rows, name) <= limit
    assert summary["rows"] == 30
    if limit == 100:
        assert summary["dropped"] == 0
    for row in pq.read_table(world / "plan.parquet").to_pylist():
        assert row["concept"]
        assert row["reason"] == f"above the limit of {limit}"
        assert row["url"].startswith("https://img")


def test_as_few_rows_as_possible(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Each shard: Ada in 5 captions, Bo in 4, two of them name both. Limit 5 of 15 and 12: Ada must lose 10,
    # Bo 7, six rows serve both, so 10 + 7 - 6 = 11.
    summary = make(world, capsys, "5")
    assert summary["dropped"] == 11
    assert summary["at_most_too_many"] == 0


def test_the_best_by_a_column_are_kept(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (world / "concepts.csv").write_text("concept\nBo Krin\n")
    make(world, capsys, "3", "--keep-best", "similarity")
    named = [row for row in kept(world) if count([row], "Bo Krin")]
    everything = [
        row
        for path in (world / "shards").glob("*.parquet")
        for row in pq.read_table(path).to_pylist()
        if count([row], "Bo Krin")
    ]
    best = sorted((row["similarity"] for row in everything if row["similarity"] is not None), reverse=True)[
        :3
    ]
    assert sorted((row["similarity"] for row in named), reverse=True) == pytest.approx(best)


def test_opt_outs_go_in_any_case(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (world / "out.csv").write_text("kind,value\ndomain,img1.example\nname,Bo Krin\n")
    make(world, capsys, "1000", "--opt-out", str(world / "out.csv"))
    rows = kept(world)
    assert count(rows, "Bo Krin") == 0
    assert not [row for row in rows if "img1.example" in str(row["URL"])]
    reasons = set(pq.read_table(world / "plan.parquet")["reason"].to_pylist())
    assert reasons == {"opted out: domain img1.example", "opted out: Bo Krin"}


def test_the_same_seed_gives_the_same_plan_in_any_order_of_shards(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(world, capsys, "2", "--seed", "5")
    first = (world / "plan.parquet").read_bytes()
    make(world, capsys, "2", "--seed", "5")
    assert (world / "plan.parquet").read_bytes() == first
    make(world, capsys, "2", "--seed", "6")
    assert (world / "plan.parquet").read_bytes() != first


def test_applied_shards_keep_everything_else(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(world, capsys, "1", "--apply", str(world / "filtered"))
    expected = kept(world)
    found = []
    for path in sorted((world / "filtered").glob("*.parquet")):
        source, result = pq.read_schema(world / "shards" / path.name), pq.read_schema(path)
        assert result.equals(source, check_metadata=True)
        found += pq.read_table(path).to_pylist()
    assert found == expected


def test_a_plan_is_not_applied_twice(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(world, capsys, "1", "--apply", str(world / "filtered"))
    capsys.readouterr()
    arguments = ["--captions", str(world / "filtered"), "--out", str(world / "plan.parquet")]
    assert cli.run(["curate", *arguments, "--apply", str(world / "again")]) == 12
    assert "changed since the plan was made" in capsys.readouterr().err
    assert not (world / "again").exists()


def test_shards_are_never_written_over(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(world, capsys, "1")
    code, _, err = run(world, capsys, "--apply", str(world / "shards"))
    assert code == 2
    assert "holds the shards themselves" in err


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--limit", "-1"), 2, "below 0"),
        (("--limit", "many"), 2, "neither a number of captions nor a run folder"),
        ((), 2, "--limit"),
        (("--limit", "1", "--keep-best", "beauty"), 12, "no column 'beauty'"),
        (("--limit", "1", "--keep-best", "TEXT"), 12, "not numbers"),
        (("--limit", "1", "--opt-out", "/nowhere.csv"), 2, "cannot be read"),
    ],
)
def test_bad_requests_are_one_line(
    world: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], code: int, said: str
) -> None:
    found, _, err = run(world, capsys, "--concepts", str(world / "concepts.csv"), *more)
    assert found == code
    assert said in err
    assert err.count("\n") == 1


def test_what_is_no_plan_is_refused(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (world / "plan.parquet").write_bytes(b"no")
    code, _, err = run(world, capsys, "--apply", str(world / "filtered"))
    assert code == 2
    assert "not a curation plan" in err


def test_an_interrupted_plan_goes_on(
    world: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fit.stages.curation_rows import FindRows

    whole = FindRows.__call__
    seen: list[str] = []

    def breaks(self: FindRows, shard: Shard) -> pa.Table:
        seen.append(shard.name)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return whole(self, shard)

    monkeypatch.setattr(FindRows, "__call__", breaks)
    code, _, _ = run(world, capsys, "--concepts", str(world / "concepts.csv"), "--limit", "1")
    assert code == 130
    make(world, capsys, "1")
    assert len(seen) == 4  # the third again, the others not
    assert not (world / "plan.parquet.work").exists()


def test_a_plan_is_the_same_by_several_workers(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (world / "out.csv").write_text("kind,value\ndomain,img1.example\nurl,*/7.jpg\n")
    more = ("2", "--opt-out", str(world / "out.csv"), "--keep-best", "similarity")
    make(world, capsys, *more, "--apply", str(world / "one"))
    alone = (world / "plan.parquet").read_bytes()
    make(world, capsys, *more, "--workers", "2", "--apply", str(world / "two"))
    assert (world / "plan.parquet").read_bytes() == alone
    for path in (world / "one").iterdir():
        assert path.read_bytes() == (world / "two" / path.name).read_bytes()


def test_a_shard_that_cannot_be_read_to_its_end_refuses_the_plan(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = world / "shards" / "part-1.parquet"
    content = bytearray(path.read_bytes())
    content[4:400] = b"\xff" * 396  # the first pages; the footer is whole
    path.write_bytes(content)
    code, _, err = run(world, capsys, "--concepts", str(world / "concepts.csv"), "--limit", "1")
    assert code == 12
    assert "1 of 3 shards cannot be read" in err
    assert "part-1.parquet" in err
    assert err.count("\n") == 1
    assert not (world / "plan.parquet").exists()


def test_a_truncated_shard_refuses_the_plan(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = world / "shards" / "part-1.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    code, _, err = run(world, capsys, "--concepts", str(world / "concepts.csv"), "--limit", "1")
    assert code == 12
    assert err.count("\n") == 1
    assert not (world / "plan.parquet").exists()


def test_a_folder_that_holds_something_is_not_filled(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(world, capsys, "1", "--apply", str(world / "filtered"))
    before = {path.name: path.read_bytes() for path in (world / "filtered").iterdir()}
    make(world, capsys, "3")
    code, _, err = run(world, capsys, "--apply", str(world / "filtered"))
    assert code == 2
    assert "holds something already" in err
    assert {path.name: path.read_bytes() for path in (world / "filtered").iterdir()} == before


def test_an_interrupted_application_goes_on(
    world: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fit.stages.curation_apply import WriteShard

    make(world, capsys, "1", "--apply", str(world / "whole"))
    whole, seen = WriteShard.__call__, list[str]()

    def breaks(self: WriteShard, shard: Shard) -> pa.Table:
        seen.append(shard.name)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return whole(self, shard)

    monkeypatch.setattr(WriteShard, "__call__", breaks)
    assert run(world, capsys, "--apply", str(world / "filtered"))[0] == 130
    assert run(world, capsys, "--apply", str(world / "filtered"))[0] == 0
    assert seen == ["part-0.parquet", "part-1.parquet", "part-1.parquet", "part-2.parquet"]
    assert not (world / "filtered.work").exists()
    for path in (world / "whole").iterdir():
        assert path.read_bytes() == (world / "filtered" / path.name).read_bytes()


def test_row_groups_codecs_and_odd_columns_stay(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pa.table(
        {
            "caption": ["Ada Brush", "Ada Brush", "x", "y", "Ada Brush", "z"],
            "bytes": pa.array([b"\xff\x00", None, b"", b"a", b"b", b"c"]),
            "nested": [{"a": [1, 2]}, {"a": []}, None, {"a": None}, {"a": [3]}, {"a": [4]}],
            "when": pa.array([1, 2, 3, 4, 5, None], pa.timestamp("us", "UTC")),
        }
    ).replace_schema_metadata({"made by": "a test"})
    for path in (world / "shards").iterdir():
        path.unlink()
    codecs = {"caption": "zstd", "bytes": "none", "nested.a.list.element": "gzip", "when": "snappy"}
    source = world / "shards" / "deep" / "odd.parquet"
    source.parent.mkdir()
    pq.write_table(table, source, row_group_size=2, compression=codecs, use_dictionary=["caption"])
    (world / "concepts.csv").write_text("concept\nAda Brush\n")
    capsys.readouterr()
    asked = ["--concepts", str(world / "concepts.csv"), "--limit", "0", "--apply", str(world / "new")]
    captions = ["--captions", str(world / "shards" / "**" / "*.parquet")]
    assert cli.run(["curate", *captions, "--out", str(world / "plan.parquet"), *asked]) == 0
    (found,) = (world / "new").rglob("*.parquet")
    assert pq.read_table(found).equals(table.filter(pa.array([False, False, True, True, False, True])))
    old, new = pq.read_metadata(source), pq.read_metadata(found)
    assert [new.row_group(i).num_rows for i in range(new.num_row_groups)] == [0, 2, 1]
    assert pq.read_schema(found).equals(pq.read_schema(source), check_metadata=True)
    for i in range(old.num_columns):
        one, other = old.row_group(1).column(i), new.row_group(1).column(i)
        assert (one.path_in_schema, one.compression) == (other.path_in_schema, other.compression)
        assert one.encodings == other.encodings


def test_a_plan_with_a_row_that_is_not_there_is_refused(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(world, capsys, "1")
    table = pq.read_table(world / "plan.parquet")
    rows = pa.array([10, *table["row"].to_pylist()[1:]])
    pq.write_table(table.set_column(1, table.schema.field("row"), rows), world / "plan.parquet")
    code, _, err = run(world, capsys, "--apply", str(world / "filtered"))
    assert code == 2
    assert "has no row 10" in err
