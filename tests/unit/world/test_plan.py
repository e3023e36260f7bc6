"""The planted truth: frequencies, shares, and captions that name whom they should by the contract's rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from fit.world.matter import FACES
from fit.world.names import InventedName
from fit.world.plan import (
    HIT,
    MISS,
    RECIPES,
    UNNAMED,
    UNRELATED,
    Plan,
    Planted,
    Row,
    draw_plan,
    planted_frequencies,
)
from fit.world.styles import distances
from tests.spec.reference_counter import contains
from tests.unit.world.small import SMALL

# No caption to decode or picture to paint: a plan of the whole world's size in frequency, small in rows.
WIDE = replace(SMALL, concepts=60, without=10, most=200, rows=4000)


@pytest.fixture(scope="module")
def wide_plan() -> Plan:
    return draw_plan(WIDE)


def names_of(artist: Planted, caption: str) -> bool:
    return any(contains(caption, phrase) for phrase in (artist.name.name, *artist.name.aliases))


def of_kind(plan: Plan, kind: str) -> list[Row]:
    return [row for row in plan.rows if row.kind == kind]


def test_a_plan_follows_from_its_seed(small_plan: Plan) -> None:
    again = draw_plan(SMALL)
    assert again.rows == small_plan.rows
    assert again.concepts == small_plan.concepts
    assert np.array_equal(again.looks.points, small_plan.looks.points)
    assert draw_plan(replace(SMALL, seed=6)).rows != small_plan.rows


def test_frequencies_are_as_asked(wide_plan: Plan) -> None:
    found = np.sort(planted_frequencies(wide_plan))
    assert len(found) == 60
    assert list(found) == sorted(artist.frequency for artist in wide_plan.concepts)
    assert np.count_nonzero(found == 0) == 10
    assert found[10] >= 1
    assert found[-1] <= 200
    # Log-uniform and stratified: the i-th of the 50 others is 200 ** u with u in [i/50, (i+1)/50), rounded.
    for i, frequency in enumerate(found[10:]):
        assert round(200 ** (i / 50)) <= frequency <= round(200 ** ((i + 1) / 50))


def test_frequencies_are_not_in_the_order_of_the_styles(wide_plan: Plan) -> None:
    # The first styles are the most unlike all others; frequent artists must not be the easiest to tell.
    frequency = planted_frequencies(wide_plan)
    assert abs(np.corrcoef(np.arange(60), np.log1p(frequency))[0, 1]) < 0.4


def test_shares_are_within_their_limits(wide_plan: Plan) -> None:
    low, high = WIDE.miss_share
    for artist in wide_plan.concepts:
        f = artist.frequency
        assert artist.unnamed <= 0.10 * f
        assert artist.duplicates <= 0.30 * f
        if f:
            # misses = f s / (1 - s) rounded, for a share s of f + misses in [low, high].
            assert round(f * low / (1 - low)) <= artist.misses <= round(f * high / (1 - high))
        else:
            assert artist.misses < 16
    without = [artist.misses for artist in wide_plan.concepts if not artist.frequency]
    assert any(without)  # some artists are named and never shown,
    assert not all(without)  # others not even named


def test_rows_are_what_the_artists_say(wide_plan: Plan) -> None:
    assert len(wide_plan.rows) == WIDE.rows
    for kind, planned in ((HIT, "frequency"), (MISS, "misses"), (UNNAMED, "unnamed")):
        counted = Counter(row.concept for row in of_kind(wide_plan, kind))
        assert [counted[i] for i in range(60)] == [getattr(each, planned) for each in wide_plan.concepts]
    copies = Counter(row.concept for row in wide_plan.rows if row.copy)
    # A link that stands twice is no other picture, so it has no number as a copy.
    assert all(copies[i] <= artist.duplicates for i, artist in enumerate(wide_plan.concepts))


def test_hits_and_misses_name_their_artist(wide_plan: Plan) -> None:
    for row in of_kind(wide_plan, HIT) + of_kind(wide_plan, MISS)[:400]:
        assert names_of(wide_plan.concepts[row.concept], row.caption), row.caption


def test_hits_name_nobody_else(small_plan: Plan) -> None:
    for row in of_kind(small_plan, HIT):
        naming = [i for i, artist in enumerate(small_plan.concepts) if names_of(artist, row.caption)]
        assert naming == [row.concept]


def test_unnamed_and_unrelated_rows_name_nobody(small_plan: Plan, wide_plan: Plan) -> None:
    for plan, rows in (
        (wide_plan, of_kind(wide_plan, UNNAMED)),
        (small_plan, of_kind(small_plan, UNRELATED)),
    ):
        # A misspelt name may only be feared to name its own artist or one of the others.
        everyone = {word for artist in plan.concepts for word in (artist.name.name, *artist.name.aliases)}
        for caption in {row.caption for row in rows}:
            assert not any(contains(caption, phrase) for phrase in everyone), caption


def test_captions_use_the_name_in_several_ways(wide_plan: Plan) -> None:
    hits = of_kind(wide_plan, HIT)
    spelt = [wide_plan.concepts[row.concept].name.name in row.caption for row in hits]
    assert 0.4 < np.mean(spelt) < 0.95
    assert len({row.caption for row in hits}) > 0.5 * len(hits)


def test_hits_show_their_artist_and_misses_another_style(wide_plan: Plan) -> None:
    n = len(wide_plan.concepts)
    artists = wide_plan.looks.take(np.arange(n))
    assert all(row.look == row.concept for row in of_kind(wide_plan, HIT) + of_kind(wide_plan, UNNAMED))
    shown = np.array([row.look for row in of_kind(wide_plan, MISS)])
    assert len(set(shown)) == len(shown)
    assert distances(wide_plan.looks.take(shown), artists).min() >= WIDE.margin


def test_duplicates_share_picture_or_at_least_subject_and_seed(wide_plan: Plan) -> None:
    pictured = [row for row in wide_plan.rows if row.kind != UNRELATED]
    by_seed: dict[tuple[int, int], list[Row]] = {}
    for row in pictured:
        by_seed.setdefault((row.concept, row.seed), []).append(row)
    families = [rows for rows in by_seed.values() if len(rows) > 1]
    assert families
    for rows in families:
        assert len({row.motif for row in rows}) == 1
        assert sum(row.copy == 0 for row in rows) >= 1
    links = Counter(row.picture for row in pictured)
    assert sum(count > 1 for count in links.values()) > 0
    assert all(row.picture == -1 for row in of_kind(wide_plan, UNRELATED))


def test_rows_are_mixed(small_plan: Plan) -> None:
    kinds = [row.kind for row in small_plan.rows]
    assert kinds != sorted(kinds)
    assert {HIT, UNRELATED} <= set(kinds[:200]) & set(kinds[200:])


def test_a_misspelling_that_still_names_somebody_is_a_hit() -> None:
    # A doubled hyphen is one separator by the rules of counting.
    assert InventedName("Bestor Chadra-Faem", ()).stands_in("headshot of Bestor Chadra--Faem at the beach")
    plan = draw_plan(RECIPES["demo-faces"], FACES)
    unnamed = [row for row in plan.rows if row.kind == UNNAMED]
    assert not any(plan.concepts[row.concept].name.stands_in(row.caption) for row in unnamed)
    # Five captions of this world are of that sort.
    assert len(unnamed) == sum(each.unnamed for each in plan.concepts) - 5
