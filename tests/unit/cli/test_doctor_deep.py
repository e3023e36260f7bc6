"""``fit doctor --deep`` finds a machine that computes wrongly: faults are planted below what is checked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from concepts.matching import contains
from corpus import word_join
from corpus.automaton import Automaton
from corpus.candidates import Hits
from fit import cli, doctor
from fit.doctor import deep
from fit.threshold.estimate import estimate
from fit.threshold.verdict import NoThreshold, Threshold


def test_this_machine_computes_right() -> None:
    checks = list(deep.examine_deep())
    assert [(check.what, check.ok) for check in checks] == [
        ("planted curves", True),
        ("caption engines", True),
        ("recorded vectors", True),
    ]
    assert checks[0].found.startswith("472 images found in its interval")


def test_a_wrong_hit_of_the_automaton(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Automaton.find

    def find(self: Automaton, texts: object) -> Hits:
        hits = real(self, texts)  # type: ignore[arg-type]
        return Hits(hits.rows[hits.rows > 0], hits.phrases[hits.rows > 0])  # nothing in the first caption

    monkeypatch.setattr(Automaton, "find", find)
    with pytest.raises(ArithmeticError, match=r"hyperscan counts .* the plain rule"):
        deep.caption_engines()


def test_a_wrong_hit_of_the_second_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_join, "occurs", lambda phrase, text: phrase.needle in text)  # no boundaries
    with pytest.raises(ArithmeticError, match=r"duckdb counts .* the plain rule"):
        deep.caption_engines()


def test_a_plain_rule_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deep, "contains", lambda text, phrase: contains(text.upper(), phrase.upper()))
    deep.caption_engines()  # equal texts stay equal
    monkeypatch.setattr(deep, "contains", lambda text, phrase: phrase.casefold() in text.casefold())
    with pytest.raises(ArithmeticError, match="the plain rule does not find"):
        deep.caption_engines()


def test_an_interval_that_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def moved(curve: object, **more: int) -> object:
        found = estimate(curve, **more)  # type: ignore[arg-type]
        if isinstance(found, Threshold) and found.interval is not None:
            low, high = found.interval
            return replace(found, interval=(low + (high - low), high + (high - low)))
        return found

    monkeypatch.setattr(deep, "estimate", moved)
    with pytest.raises(ArithmeticError, match="a change at 472 images is looked for in"):
        deep.planted_curves()


def test_a_rise_that_is_seen_everywhere_or_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    step = deep.planted_curve(deep.Truth("step", rise=0.3), n=300, noise=deep.Noise(sd=0.05), seed=1)
    one = estimate(step.curve, replicates=500)
    assert isinstance(one, Threshold)
    monkeypatch.setattr(deep, "estimate", lambda curve, **more: one)
    with pytest.raises(ArithmeticError):
        deep.planted_curves()
    none = NoThreshold("flat", "", "none", None, one.found)
    monkeypatch.setattr(deep, "estimate", lambda curve, **more: none)
    with pytest.raises(ArithmeticError, match="no threshold on a curve that changes at 472 images"):
        deep.planted_curves()


def test_a_flat_curve_with_a_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [estimate(curve.curve, replicates=500) for curve in deep.drawn_curves()]
    answers = iter([*found[:2], found[0]])
    monkeypatch.setattr(deep, "estimate", lambda curve, **more: next(answers))
    with pytest.raises(ArithmeticError, match="a flat curve is given a threshold at 472 images"):
        deep.planted_curves()


def test_convolutions_that_are_a_little_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    real = torch.nn.functional.conv2d

    def conv2d(*arguments: object, **more: object) -> torch.Tensor:
        found = real(*arguments, **more)  # type: ignore[arg-type]
        found[..., ::7] *= 1.2
        return found

    monkeypatch.setattr(torch.nn.functional, "conv2d", conv2d)
    with pytest.raises(ArithmeticError, match="a vector of demo-style has cosine"):
        deep.recorded_vectors()


def test_recorded_vectors_differ() -> None:
    vectors = np.array(deep.recorded())
    assert (vectors @ vectors.T - np.eye(len(vectors)) < 0.9).all()


def test_the_command_ends_with_13_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "_multiply", lambda: "right on cpu")
    monkeypatch.setattr(deep, "recorded_vectors", lambda: "as recorded")
    monkeypatch.setattr(deep, "estimate", lambda curve, **more: None)
    assert cli.run(["doctor", "--deep"]) == 13
    out, err = capsys.readouterr()
    assert err == (
        "error: planted curves: ArithmeticError: no threshold on a curve that changes at 472 images\n"
    )
    assert any(line.startswith("caption engines") and "  ok  " in line for line in out.splitlines())
