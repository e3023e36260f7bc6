"""What is asked for in a few words, completed: the demo of a domain is the demo world made for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fit.request import compose, default_folder


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("art-styles", ("art-styles/demo", "demo", "demo")),
        ("faces", ("faces/demo", "demo-faces", "demo-faces")),
        # A list that is named is the list, whatever suits the corpus.
        ("faces/politicians", ("faces/politicians", "demo-faces", "demo-faces")),
    ],
)
def test_the_demo_model_of_a_domain(domain: str, expected: tuple[str, str, str]) -> None:
    settings = compose(domain, "demo", None, None).settings
    assert (settings.concepts, settings.model, settings.corpus) == expected


def test_another_corpus_brings_no_list_of_its_own() -> None:
    settings = compose("faces", "demo", "demo", None).settings
    assert (settings.concepts, settings.model, settings.corpus) == ("faces/celebrities", "demo-faces", "demo")


def test_runs_of_the_two_worlds_have_folders_of_their_own() -> None:
    folders = [default_folder(compose(each, "demo", None, None).settings) for each in ("art-styles", "faces")]
    assert folders == [Path("runs/art-styles-demo"), Path("runs/faces-demo-faces")]
    named = default_folder(compose("faces/celebrities", "demo", None, None).settings)
    assert named == Path("runs/faces-celebrities-demo-faces")
