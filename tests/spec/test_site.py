"""The documentation as a site: every link leads somewhere, and nothing is asked of a network."""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-f", str(ROOT / "mkdocs.yml")]
    done = subprocess.run(
        [*command, "-d", str(home)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0, done.stderr
    return home


def loaded(page: Path) -> list[str]:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            named = dict(attrs)
            if tag in {"script", "img", "iframe"} and named.get("src"):
                found.append(str(named["src"]))
            if tag == "link" and named.get("rel") in {"stylesheet", "icon", "preconnect", "preload"}:
                found.append(str(named.get("href")))

    Reader().feed(page.read_text("utf-8"))
    return found


def test_every_tutorial_and_the_glossary_are_there(site: Path) -> None:
    for name in ("tutorials/curator", "tutorials/artist", "tutorials/researcher", "api", "glossary"):
        assert (site / name / "index.html").is_file()


def test_nothing_comes_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    assert [each for page in pages for each in loaded(page) if "//" in each] == []
