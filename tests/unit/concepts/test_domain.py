from __future__ import annotations

from typing import Any

import pytest

from concepts.domain import domain_of, domains, load_domain
from concepts.errors import ConceptsError

ROW: dict[str, Any] = {
    "title": "T",
    "noun": "n",
    "noun_plural": "ns",
    "prompts": ["a {concept}"],
    "default_concepts": "x/y",
    "scorer": "s",
    "description": "d",
}


def test_the_three_domains() -> None:
    assert [domain.name for domain in domains()] == ["art-styles", "characters", "faces"]
    for domain in domains():
        assert len(domain.prompts) == 5
        assert len(set(domain.prompts_for("X"))) == 5


def test_the_published_prompts() -> None:
    assert load_domain("faces").prompts_for("Ada {concept}") == (
        "a photorealistic close-up photograph of Ada {concept}",
        "High-resolution close-up image of Ada {concept}",
        "Ada {concept}'s facial close-up",
        "Close-up headshot of Ada {concept}",
        "Ada {concept}'s face portrait",
    )
    assert load_domain("art-styles").prompts[0] == "a painting in the style of {concept}"


def test_unknown_domain_names_the_nearest() -> None:
    with pytest.raises(ConceptsError) as caught:
        load_domain("art-style")
    assert str(caught.value) == (
        "art-style: unknown domain (did you mean art-styles?); known: art-styles, characters, faces"
    )


def test_faces_alone_show_people() -> None:
    assert [domain.name for domain in domains() if domain.people] == ["faces"]
    assert domain_of("x", {**ROW, "people": True}).people
    assert not domain_of("x", ROW).people


def test_rows_are_checked() -> None:
    assert domain_of("x", ROW).prompts == ("a {concept}",)
    with pytest.raises(ConceptsError, match=r"domain x: propmts: unknown key \(did you mean prompts\?\)"):
        domain_of("x", {**ROW, "propmts": 1})
    with pytest.raises(ConceptsError, match="domain x: the key noun is missing"):
        domain_of("x", {key: value for key, value in ROW.items() if key != "noun"})
    for prompt in ("nothing", "{concept} and {concept}"):
        with pytest.raises(ConceptsError, match="exactly once"):
            domain_of("x", {**ROW, "prompts": [prompt]})
