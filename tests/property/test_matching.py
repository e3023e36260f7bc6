"""`concepts.matching` and the phrase index equal the definition on nasty texts."""

from __future__ import annotations

from hypothesis import given, settings

from concepts import matching
from concepts.phrase_index import PhraseIndex
from tests.property import nasty
from tests.spec import reference_counter


@settings(max_examples=150, deadline=None)
@given(nasty.catalogues_and_captions())
def test_matching_equals_the_definition(case: tuple[list[list[str]], list[str | None]]) -> None:
    catalogue, captions = case
    phrases = [phrase for aliases in catalogue for phrase in aliases]
    index = PhraseIndex.of_texts(phrases)
    for caption in filter(None, captions):
        expected = [reference_counter.contains(caption, phrase) for phrase in phrases]
        assert [matching.contains(caption, phrase) for phrase in phrases] == expected
        assert index.contained(caption) == [position for position, yes in enumerate(expected) if yes]


@settings(max_examples=150, deadline=None)
@given(nasty.texts)
def test_folding_a_text_equals_the_definition(text: str) -> None:
    assert matching.fold(text) == reference_counter.folded(text)


@settings(max_examples=200, deadline=None)
@given(nasty.texts)
def test_the_canonical_form_is_stable(text: str) -> None:
    assert matching.canonical(matching.canonical(text)) == matching.canonical(text)


@settings(max_examples=200, deadline=None)
@given(nasty.phrases().filter(nasty.has_two_word_characters))
def test_a_phrase_is_in_itself(phrase: str) -> None:
    assert matching.contains(phrase, phrase)
