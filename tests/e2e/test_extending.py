"""docs/extending.md: its files are written, its commands done, and they print what the page says."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import ROOT
from tests.e2e.tutorials import Desk, same, steps

PAGE = (ROOT / "docs/extending.md").read_text("utf-8")
HOME = "/home/you/fit"  # where the page says that the clone lies
_BLOCK = re.compile(
    r'^```(?:console|\w+ title="(?P<file>[^"]+)")\n(?P<body>.*?)^```$', re.MULTILINE | re.DOTALL
)


def test_it_does_what_it_says(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.environment["FIT_ROWS"] = str(desk.clone / "rows")
    done = []
    for block in _BLOCK.finditer(PAGE):
        if block["file"]:
            (desk.clone / block["file"]).write_text(block["body"], "utf-8")
            continue
        for step in steps(block[0]):
            printed = desk.do(step).replace(str(desk.clone), HOME)
            assert same(printed, step.printed), f"{step.typed}\nprints\n{printed}\nnot\n{step.printed}"
            done.append(step.typed.split("fit ")[1].split()[0])
    assert done == ["new", "domains", "new", "models", "new", "estimate", "models"]
