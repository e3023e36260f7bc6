from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import CorpusError
from corpus.shards import Shard, Survey, Unreadable, survey_shards
from fit.sections import Execution
from fit.stages.shard_work import KeptIn, over_shards, remove_work, work_beside

ALONE = Execution(workers=1)


class Rows:
    """Returns how many rows a shard has; refuses those that it is told to; notes what it was asked."""

    def __init__(self, *bad: str) -> None:
        self.bad = bad
        self.asked: list[str] = []

    def __call__(self, shard: Shard) -> pa.Table:
        self.asked.append(shard.name)
        if shard.name in self.bad:
            raise CorpusError(f"{shard.name}: torn")
        return pa.table({"rows": [shard.rows]})


@pytest.fixture
def survey(tmp_path: Path) -> Survey:
    for number in range(3):
        pq.write_table(pa.table({"TEXT": ["x"] * number}), tmp_path / f"{number}.parquet")
    return survey_shards(tmp_path)


def kept_rows(kept: KeptIn, survey: Survey) -> list[int]:
    return [pq.read_table(file)["rows"][0].as_py() for file in kept.files(survey.shards)]


def test_what_is_kept_is_not_done_again(tmp_path: Path, survey: Survey) -> None:
    kept = KeptIn(tmp_path / "work", "asked")
    kept.write(survey.shards[1], pa.table({"rows": [-1]}))
    task = Rows()
    assert over_shards(task, survey, kept, ALONE, "count") == ()
    assert task.asked == ["0.parquet", "2.parquet"]
    assert kept_rows(kept, survey) == [0, -1, 2]


def test_another_question_or_another_shard_is_done_again(tmp_path: Path, survey: Survey) -> None:
    over_shards(Rows(), survey, KeptIn(tmp_path / "work", "asked"), ALONE, "count")
    assert not any(KeptIn(tmp_path / "work", "else").has(shard) for shard in survey.shards)
    pq.write_table(pa.table({"TEXT": ["y"]}), tmp_path / "1.parquet")
    task = Rows()
    over_shards(task, survey_shards(tmp_path), KeptIn(tmp_path / "work", "asked"), ALONE, "count")
    assert task.asked == ["1.parquet"]


def test_a_torn_result_is_done_again(tmp_path: Path, survey: Survey) -> None:
    kept = KeptIn(tmp_path / "work", "asked")
    over_shards(Rows(), survey, kept, ALONE, "count")
    kept.path(survey.shards[2]).write_bytes(b"PAR1")
    task = Rows()
    over_shards(task, survey, kept, ALONE, "count")
    assert task.asked == ["2.parquet"]
    assert kept_rows(kept, survey) == [0, 1, 2]


def test_a_shard_that_cannot_be_read_stops_no_other(tmp_path: Path, survey: Survey) -> None:
    kept = KeptIn(tmp_path / "work", "asked")
    task = Rows("0.parquet")
    survey = Survey(survey.shards, (Unreadable("9.parquet", "no footer"),))
    left_out = over_shards(task, survey, kept, ALONE, "count")
    assert [(each.name, each.reason) for each in left_out] == [
        ("0.parquet", "0.parquet: torn"),
        ("9.parquet", "no footer"),
    ]
    assert task.asked.count("0.parquet") == 3  # tried again, after the others
    assert kept_rows(kept, survey) == [1, 2]


def test_not_one_shard(tmp_path: Path, survey: Survey) -> None:
    task = Rows("0.parquet", "1.parquet", "2.parquet")
    with pytest.raises(CorpusError, match=r"not one of 3 shards can be read; the first: .\.parquet: torn"):
        over_shards(task, survey, KeptIn(tmp_path / "work", "asked"), ALONE, "count")


def test_the_folder_beside_the_result(tmp_path: Path) -> None:
    work = work_beside(tmp_path / "out.csv")
    assert work == tmp_path / "out.csv.work"
    work.mkdir()
    remove_work(work)
    remove_work(work)
    assert not work.exists()
