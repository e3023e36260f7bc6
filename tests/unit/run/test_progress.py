"""How far the work is: lines for logs, a bar for a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from fit import progress


def test_short_work_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar(3, "images", "generation") as bar:
        bar.advance(2)
        bar.advance()
    assert capsys.readouterr() == ("", "")


def test_a_line_a_minute_tells_speed_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = iter([0.0, 30.0, 60.0, 100.0, 120.0])
    lines = progress.Lines(2000, "images", "generation", done=500, clock=lambda: next(seconds))
    for images in (100, 200, 100, 200):
        lines.advance(images)
    # After 60 s 300 of 1,500 are done: 5 a second, 1,200 left = 240 s; after 120 s 600: 5 a second, 180 s.
    assert capsys.readouterr().err.splitlines() == [
        "generation: 800 of 2,000 images, 5.0 images/s, 4 min left",
        "generation: 1,100 of 2,000 images, 5.0 images/s, 3 min left",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 min"), (89, "1 min"), (3570, "1 h 00 min"), (7500, "2 h 05 min"), (180_000, "2 d 2 h")],
)
def test_spans_have_two_units(seconds: float, words: str) -> None:
    assert progress.span(seconds) == words


def test_a_terminal_sees_a_bar_with_the_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    with progress.bar(100, "images", "generation", done=40) as bar:
        for _ in range(3):
            bar.advance(10)
    shown = screen.getvalue()
    assert "generation" in shown
    assert "70/100" in shown
    assert "images/s" in shown
