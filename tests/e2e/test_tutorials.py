"""Every command of the tutorials does on the demo run what the page says that it prints.

To accept a change that was meant: ``python -m tests.e2e.test_tutorials RUN`` with a finished demo run writes
what is printed into the pages; read the difference.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from tests.e2e.tutorials import TUTORIALS, Desk, Step, completed, same, steps


@pytest.mark.demo
@pytest.mark.parametrize("name", ["artist", "curator", "researcher"])
def test_it_prints_what_the_tutorial_says(name: str, demo_run: Path, tmp_path: Path) -> None:
    desk = Desk(tmp_path, demo_run)
    for step in steps((TUTORIALS / f"{name}.md").read_text("utf-8")):
        printed = desk.do(step)
        assert same(printed, step.printed), f"{step.typed}\nprints\n{printed}\nnot\n{step.printed}"


def test_there_is_no_other_tutorial() -> None:
    assert {path.stem for path in TUTORIALS.glob("*.md")} == {"artist", "curator", "researcher"}


def test_steps_are_read_and_written_back() -> None:
    text = "A\n\n```console\n$ one\n1\n2\n$ two\n```\n\n```pycon\n>>> three\n3\n```\n"
    assert list(steps(text)) == [
        Step("console", "one", "1\n2"),
        Step("console", "two", ""),
        Step("pycon", "three", "3"),
    ]
    assert completed(text, ["1\n2", "", "3"]) == text


@pytest.mark.parametrize(
    ("printed", "promised", "alike"),
    [
        ("score 0.73", "score 0.74", True),
        ("score 0.73", "score 0.93", False),
        ("1,018 rows", "1,020  rows", True),
        ("1,018 rows", "2,018 rows", False),
        ("run d7da260c8a05.", "run 00da260c8a05.", True),
        ("imitates it", "does not imitate it", False),
        ("1 row", "1 row\n2 rows", False),
    ],
)
def test_what_counts_as_the_same(printed: str, promised: str, alike: bool) -> None:
    assert same(printed, promised) is alike


def rewrite(run: Path) -> None:
    """Write into the tutorials what their steps print."""
    for path in sorted(TUTORIALS.glob("*.md")):
        text = path.read_text("utf-8")
        with tempfile.TemporaryDirectory() as home:
            desk = Desk(Path(home), run)
            path.write_text(completed(text, [desk.do(step) for step in steps(text)]), "utf-8")


if __name__ == "__main__":
    rewrite(Path(sys.argv[1]).resolve())
