"""Names of concepts, titles and models may come from strangers: no path made of one leaves its folder."""

from __future__ import annotations

from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as some

from concepts.concept import Concept
from fit.config import Settings
from fit.request import default_folder
from fit.stages.fetch_references import _home, _safe

HOME = Path("/a/folder")
TEXT = some.text(some.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
PARTS = some.sampled_from(
    ["..", ".", "/", "\\", "~", "\0", "a", "C:", "%2e%2e", "\u2024\u2024", "\uff0f", " ", "-"]
)
HOSTILE = TEXT | some.lists(PARTS, min_size=1, max_size=8).map("".join)


def is_child(path: Path) -> bool:
    """Whether a path is one directly below its home, by what the file system would make of it."""
    return path.parent == HOME and path.name not in {"", ".", ".."} and not set(path.name) & set("/\0")


@settings(deadline=None)
@given(HOSTILE)
@example("../../etc/passwd")
@example("..")
@example("a" * 300)
def test_a_concepts_folder_is_a_child(name: str) -> None:
    home = _home(HOME, Concept(name))
    assert is_child(home)
    assert is_child(HOME / Concept(name).slug)
    assert len(home.name.encode()) <= 255


@settings(deadline=None)
@given(HOSTILE)
@example("File:../../x.svg")
def test_a_titles_file_is_a_child(title: str) -> None:
    assert is_child(HOME / f"000-{_safe(title)}.jpg")


@settings(deadline=None)
@given(HOSTILE)
@example("../../home")
@example("owner/name")
@example("/etc")
@example("..")
def test_a_runs_folder_is_a_child_of_runs(model: str) -> None:
    made = Settings(domain="art-styles", concepts=f"{model}.csv", model=model, corpus="demo")
    folder = default_folder(made)
    assert folder.parent == Path("runs")
    assert is_child(HOME / folder.name)
