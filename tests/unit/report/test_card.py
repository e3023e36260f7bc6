"""The card of a notebook: names and folders are strangers' words."""

from fit.report.card import Card, render_card
from fit.report.tallies import Figure

EVIL = '"><img src=x onerror=alert(1)><script>alert(1)</script>'


def card(word: str) -> str:
    return render_card(Card(word, word, (Figure(word, word, word),), "<svg/>", word, word))


def test_hostile_words_are_text() -> None:
    html = card(EVIL)
    assert "<script" not in html
    assert html.count("<img") == 1
    assert html.count("&lt;script&gt;") >= 6


def test_the_drawing_is_a_picture_that_can_run_nothing() -> None:
    assert '<img src="data:image/svg+xml;base64,PHN2Zy8+" alt="fine">' in card("fine")
