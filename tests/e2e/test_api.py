"""`import fit` in a notebook: a finished run of the micro world as a value."""

from __future__ import annotations

import csv
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

import fit
from concepts.errors import RunFolderError, StageIncomplete, UsageError
from fit.stages.chart import Chart
from tests.e2e.micro import LIST, Micro


@pytest.fixture
def world(micro: Micro, monkeypatch: pytest.MonkeyPatch) -> Micro:
    monkeypatch.chdir(micro.home)
    monkeypatch.setenv("FIT_DATA", str(micro.data))
    return micro


@pytest.fixture
def result(world: Micro, micro_run: Path) -> fit.Result:
    return fit.open_run(micro_run)


def test_it_says_what_the_report_says(result: fit.Result, micro_run: Path) -> None:
    facts = json.loads((micro_run / "report" / "report.json").read_text())
    assert result.sentence == facts["answer"]["sentence"]
    assert result.sentence.startswith("In the imitation of artists by the demo model")
    document = json.loads((micro_run / "threshold" / "threshold.json").read_text())
    assert (result.shape, result.threshold, result.safe_below) == (
        document["shape"],
        document["threshold"],
        document["safe_below"],
    )
    assert result.document == document
    assert repr(result) == f"<Result of {micro_run}: {result.sentence}>"


def test_the_curve_is_the_table_of_concepts(result: fit.Result, micro_run: Path) -> None:
    with (micro_run / "report" / "concepts.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert result.curve.column_names == list(rows[0])
    assert result.curve["concept"].to_pylist() == [row["concept"] for row in rows]
    assert result.curve["score"].to_pylist() == [float(r["score"]) if r["score"] else None for r in rows]
    assert [str(result.curve.schema.field(n).type) for n in ("concept", "frequency", "caption_count")] == [
        "string",
        "double",
        "int64",
    ]
    assert result.curve.schema.field("frequency_low").metadata == {b"unit": b"images"}
    assert result.curve.to_pandas()["frequency"].is_monotonic_decreasing


def test_the_drawing_is_the_reports(result: fit.Result, micro_run: Path, tmp_path: Path) -> None:
    chart = result.plot()
    assert chart.svg == (micro_run / "report" / "curve.svg").read_text()
    bundle = chart._repr_mimebundle_()
    assert bundle["image/svg+xml"] == chart.svg
    assert chart.save(tmp_path / "c.svg").read_text() == chart.svg
    assert chart.save(str(tmp_path / "c.png")).read_bytes()[:4] == b"\x89PNG"
    spec = json.loads(chart.save(tmp_path / "c.json").read_text())
    on_curve = [name for name, score in zip(*result.curve.select(["concept", "score"]), strict=True)]
    assert 0 < len(spec["datasets"]["points"]) <= len(on_curve)
    with pytest.raises(UsageError, match=r"c\.pdf: the name has to end with"):
        chart.save(tmp_path / "c.pdf")


def test_the_card_loads_nothing(result: fit.Result) -> None:
    addresses: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag != "script"
            addresses.extend(value or "" for name, value in attrs if name in {"src", "href"})

    Reader().feed(result._repr_html_())
    assert [address.partition(",")[0] for address in addresses] == ["data:image/svg+xml;base64"]


def test_estimate_goes_on_with_a_run(world: Micro, micro_run: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in micro_run.rglob("*")}
    found = fit.estimate(LIST, "demo", run=micro_run)
    assert found.sentence == fit.open_run(micro_run).sentence
    assert {path: path.stat().st_mtime_ns for path in micro_run.rglob("*")} == before


def test_a_changed_setting_computes_what_depends_on_it(world: Micro, micro_run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(micro_run, copy)
    found = fit.estimate(LIST, "demo", run=str(copy), settings={"threshold.level": 0.9})
    assert found.verdict.level == 0.9
    assert fit.open_run(micro_run).verdict.level == 0.95


def test_what_the_commands_tell_is_told(result: fit.Result) -> None:
    name = result.curve["concept"][0].as_py()
    (sheet,) = result.lookup(name)
    assert sheet.looked.point.caption_count == result.curve["caption_count"][0].as_py()
    assert result.whatif(images=5).document["images"] == 5
    with pytest.raises(UsageError):
        result.whatif(name, images=5, captions=5)


def test_runs_are_compared(world: Micro, micro_run: Path, tmp_path: Path) -> None:
    shutil.copytree(micro_run, tmp_path / "copy")
    assert fit.compare(micro_run, tmp_path / "copy").document["differ"] is False


def test_no_run_and_an_unfinished_one_are_refused(world: Micro, micro_run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError):
        fit.open_run(tmp_path)
    shutil.copytree(micro_run, tmp_path / "copy")
    (tmp_path / "copy" / "report" / "curve.vl.json").unlink()
    with pytest.raises(StageIncomplete, match=r"curve\.vl\.json: not there; run fit report"):
        fit.open_run(tmp_path / "copy")


def test_the_chart_is_told_in_words() -> None:
    assert repr(Chart({}, "<svg/>", "Two points.")) == "<Chart: Two points.>"
