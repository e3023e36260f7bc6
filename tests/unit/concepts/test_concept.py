from __future__ import annotations

import re

from concepts.concept import Concept


def test_phrases_are_different_by_the_matching_rules() -> None:
    concept = Concept("Jean-Michel Basquiat", ("jean michel basquiat", "SAMO", "samo", "Basquiat"))
    assert concept.phrases == ("Jean-Michel Basquiat", "SAMO", "Basquiat")


def test_slug_is_readable_and_different_for_different_names() -> None:
    slugs = {Concept(name).slug for name in ("Joan Miró", "Joan Miro", "joan miro")}
    assert len(slugs) == 3
    assert all(re.fullmatch(r"joan-miro-[0-9a-f]{8}", slug) for slug in slugs)


def test_slug_stays_a_plain_file_name_whatever_the_name() -> None:
    for name in ("../../etc/passwd", "東京", "a" * 500, "C:\\x", "-rf", "\x00a", "."):
        assert re.fullmatch(r"([a-z0-9][a-z0-9-]*-)?[0-9a-f]{8}", Concept(name).slug)
        assert len(Concept(name).slug) <= 49  # 40 readable, a hyphen, 8 hex digits
