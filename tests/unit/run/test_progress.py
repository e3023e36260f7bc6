"""How far the work is: lines for logs, a bar for a terminal."""

from __future__ import annotations

import io
import re
import sys

import numpy as np
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


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("loading", [0, 300, 1800])
def test_after_a_tenth_the_time_left_is_right_within_a_fifth(
    capsys: pytest.CaptureFixture[str], seed: int, loading: int
) -> None:
    # 10,000 parts of 3 s on average, from half a second to half a minute, after a model was loaded: 8 hours.
    rng = np.random.default_rng(seed)
    ends = loading + rng.lognormal(np.log(3) - 0.32, 0.8, 10_000).cumsum()
    now = 0.0
    lines = progress.Lines(10_000, "parts", "generation", 0, clock=lambda: now)
    wrong = []
    for number, now in enumerate(ends.tolist(), 1):
        lines.advance()
        said = capsys.readouterr().err
        if said and number >= 1000:
            hours, minutes = re.search(r"(?:(\d+) h )?(\d+) min left", said).groups(default="0")  # type: ignore[union-attr]
            left = 3600 * int(hours) + 60 * int(minutes)
            truth = ends[-1] - now
            wrong.append(abs(left - truth) / truth if truth > 600 else 0.0)
    assert len(wrong) > 300
    assert max(wrong) < 0.2


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
