"""A flag of the concept list reaches the reader of the report."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Finished
from tests.e2e.micro import Micro

Command = Callable[..., Finished]


def test_an_ambiguous_name_is_told(command: Command, micro: Micro, micro_run: Path, tmp_path: Path) -> None:
    listed = micro.home / "art-styles" / "micro.csv"
    plain = listed.read_text()
    rows = list(csv.DictReader(plain.splitlines()))
    rows[0]["flags"] = "ambiguous: also a river"
    shutil.copytree(micro_run, tmp_path / "run")
    try:
        with listed.open("w", newline="") as file:
            writer = csv.DictWriter(file, [*rows[0]], restval="")
            writer.writeheader()
            writer.writerows(rows)
        done = command(*micro.estimate(tmp_path / "run"))
    finally:
        listed.write_text(plain)
    assert done.code == 0, done.err
    report, name = tmp_path / "run" / "report", rows[0]["concept"]
    assert f"| {name} † ambiguous: also a river |" in (report / "report.md").read_text()
    assert f'<bdi>{name}</bdi> <small class="flag">† ambiguous: also a river</small>' in (
        (report / "report.html").read_text()
    )
    tabled = {row["concept"]: row["flags"] for row in csv.DictReader((report / "concepts.csv").open())}
    assert {flagged for flagged, flags in tabled.items() if flags} == {name}
    found = command("lookup", name, "--run", str(tmp_path / "run"))
    assert "flags it (ambiguous: also a river): captions with the name may mean something else" in found.out
