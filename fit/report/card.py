"""A result as a card: the few lines that a notebook shows."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from fit.report.rendering import pages
from fit.report.tallies import Figure


@dataclass(frozen=True, slots=True)
class Card:
    """What a card says.

    Attributes:
        title: What was asked.
        sentence: The answer.
        figures: The numbers at a glance.
        svg: The drawing, standing alone.
        alt: The drawing in words.
        folder: Where the run is.
    """

    title: str
    sentence: str
    figures: Sequence[Figure]
    svg: str
    alt: str
    folder: str


def render_card(card: Card) -> str:
    """Return the card as HTML that loads nothing, runs nothing and takes its colours from the page around it.

    The drawing comes as a picture, so that its style sheet reaches nothing outside and no script in it runs.
    """
    encoded = base64.b64encode(card.svg.encode()).decode("ascii")
    address = f"data:image/svg+xml;base64,{encoded}"
    return pages().get_template("card.html.j2").render(card=card, picture=address)
