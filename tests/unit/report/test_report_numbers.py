"""How numbers, ranges and names are written."""

import unicodedata

import pytest
from hypothesis import given, strategies

from fit.report import names, numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.04, "0"),
        (0.44, "0.4"),
        (3.5, "3.5"),
        (9.96, "10"),
        (37.2, "37"),
        (151.4, "151"),
        (999.6, "1,000"),
        (1234, "1,230"),
        (1200, "1,200"),
        (123456, "123,000"),
        (-3.5, "−3.5"),
    ],
)
def test_images_claim_three_digits_at_most(value, text):
    assert numbers.images(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.3149, "0.31"), (-0.05, "−0.05"), (-0.001, "0.00"), (1, "1.00")]
)
def test_scores(value, text):
    assert numbers.score(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 %"), (0.001, "< 1 %"), (0.754, "75 %"), (0.996, "> 99 %"), (1, "100 %")],
)
def test_shares_are_never_falsely_zero_or_whole(value, text):
    assert numbers.share(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.95, "95 %"), (0.975, "97.5 %"), (0.999, "99.9 %")])
def test_levels_keep_their_decimals(value, text):
    assert numbers.level(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.00049, "p < 0.001"), (0.0012, "p = 0.001"), (0.043, "p = 0.04"), (1.0, "p = 1.00")]
)
def test_p_values(value, text):
    assert numbers.p_value(value) == text


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((38.4, 60.1), "38–60"),
        ((None, 60), "at most 60"),
        ((38, None), "at least 38"),
        ((None, None), None),
        ((float("nan"), float("inf")), None),
        ((0.0, 0.9), "0–0.9"),
    ],
)
def test_spans_say_open_ends(ends, text):
    assert numbers.span(*ends) == text


def test_counts_and_nouns():
    assert numbers.plural(1, "artist", "artists") == "1 artist"
    assert numbers.plural(1200, "artist", "artists") == "1,200 artists"


def test_invisible_characters_are_shown():
    assert names.shown("a\u202eb\u200bc\x00d\ud800") == "a‹U+202E›b‹U+200B›c‹U+0000›d‹U+D800›"
    assert names.shown("می\u200cخواهم") == "می\u200cخواهم"  # a joiner that Persian spelling needs
    assert names.shown("  two\n\tlines ") == "two lines"


def test_endless_names_are_cut_and_counted():
    assert names.shown("x" * 10_000) == "x" * 120 + "… (10,000 characters)"
    assert names.shown("x" * 120) == "x" * 120


@given(strategies.text())
def test_what_is_shown_can_stand_in_any_xml(text):
    shown = names.shown(text)
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Cn", "Zl", "Zp"} for c in shown)
    assert "\u202e" not in shown
    shown.encode("utf-8")


def test_blocks_keep_their_lines():
    assert names.block("a = 1\n\tb\u202e = 2\n") == "a = 1\n\tb‹U+202E› = 2"
