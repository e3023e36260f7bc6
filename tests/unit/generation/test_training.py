"""What a model was trained on: rows with their source, and what to count of a corpus for them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from concepts.errors import ModelError
from corpus.registry import corpora, corpus_of, load_corpus
from corpus.where import check_columns, parse_condition
from fit.generation.models import load_model, models
from fit.generation.training import Phase, Training, phases, training_of

CORPUS: dict[str, Any] = {
    "title": "T",
    "kind": "captions",
    "captions": "x/*.parquet",
    "source": "s",
    "licence": "l",
}
TRAININGS = (
    Training("whole", "small", steps=100, batch=20, rows=1000, source="card"),
    Training("other", "elsewhere"),
    Training("whole", where="WIDTH >= 512 OR HEIGHT >= 512", passes=1.5, source="paper"),
    Training("whole", steps=100, batch=20),
)


def chosen(phase: Phase, rows: pa.Table) -> list[int]:
    """Return the numbers of the rows that a phase saw."""
    import duckdb

    numbered = rows.append_column("row", pa.array(range(len(rows))))
    with duckdb.connect() as session:
        found = session.from_arrow(numbered).filter(phase.where).project("row").fetchall()
    return sorted(number for (number,) in found)


def test_what_to_count_of_a_corpus() -> None:
    found = phases(TRAININGS, corpus_of("whole", CORPUS))
    assert [(phase.name, phase.passes) for phase in found] == [
        ("phase 1: small", 2.0),  # 100 steps of 20 images over 1,000 rows
        ("phase 3", 1.5),
        ("phase 4", None),
    ]
    assert found[0].source == "card; passes: steps x batch / rows"
    assert found[1].source == "paper"
    assert (found[0].where, found[2].where) == ("", "")


def test_a_part_of_a_corpus_was_trained_on_with_the_whole() -> None:
    part = corpus_of("part", CORPUS | {"subset_of": "whole"})
    assert phases(TRAININGS, part) == phases(TRAININGS, corpus_of("whole", CORPUS))
    assert phases(TRAININGS, corpus_of("third", CORPUS)) == ()


def test_the_condition_of_the_corpus_holds_as_well() -> None:
    row = CORPUS | {"where": "punsafe < 0.1 OR punsafe IS NULL", "where_source": "s"}
    (_, second, third) = phases(TRAININGS, corpus_of("whole", row))
    rows = pa.table({"WIDTH": [600, 600, 300], "HEIGHT": [300, 300, 300], "punsafe": [0.05, 0.9, 0.05]})
    # An OR of one must not reach into the other: the second row is unsafe, the third too small.
    assert chosen(second, rows) == [0]
    assert chosen(third, rows) == [0, 2]


def test_images_seen() -> None:
    assert [training.seen for training in TRAININGS] == [2000, None, None, 2000]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "the key corpus is missing"),
        ({"corpus": "c", "epochs": 1}, "epochs: unknown key"),
        ({"corpus": "c", "passes": 0}, r"passes = 0; a number above 0 is needed"),
        ({"corpus": "c", "passes": True}, r"passes = True; a number above 0 is needed"),
        ({"corpus": "c", "steps": 1.5}, r"steps = 1.5; a whole number above 0 is needed"),
        ({"corpus": "c", "batch": -1}, r"batch = -1; a whole number above 0 is needed"),
        ({"corpus": "c", "source": 1}, r"source = 1; a text is needed"),
    ],
)
def test_rows_are_checked(row: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        training_of("model m: training", [row])


def test_what_is_not_stated_stays_away() -> None:
    (training,) = training_of("m", [{"corpus": "c"}])
    assert training == Training("c", passes=None, steps=0, batch=0, rows=0)


def test_every_training_says_where_it_is_stated_and_fits_its_corpus() -> None:
    trained = [(model.name, training) for model in models() for training in model.training]
    assert len(trained) > 20
    for name, training in trained:
        corpus = load_corpus(training.corpus)
        assert training.source, name
        condition = parse_condition(training.where)
        if condition:
            # Every column is one that the corpus's row names: a condition on another would stop the count.
            check_columns(condition, tuple(corpus.columns.values()), corpus.name)
            assert set(condition.columns) <= set(corpus.columns.values())


def test_phases_of_a_model_have_different_names() -> None:
    for model in models():
        for corpus in corpora():
            names = [phase.name for phase in phases(model.training, corpus)]
            assert len(names) == len(set(names))


def stated(name: str) -> list[tuple[str, int, str]]:
    return [(training.corpus, training.steps, training.where) for training in load_model(name).training]


def test_stable_diffusion_1_as_its_cards_say() -> None:
    first = [("relaion2b-en", 237_000, ""), ("laion-high-resolution", 194_000, "")]
    improved = "WIDTH >= 512 AND HEIGHT >= 512 AND AESTHETIC_SCORE > 5.0 AND pwatermark < 0.5"
    second = [*first, ("laion-aesthetics", 515_000, improved)]
    assert stated("sd1.1") == first
    assert stated("sd1.2") == second
    assert stated("sd1.3") == [*second, ("laion-aesthetics", 195_000, improved)]
    assert stated("sd1.4") == [*second, ("laion-aesthetics", 225_000, "AESTHETIC_SCORE >= 5.0")]
    assert stated("sd1.5") == [*second, ("laion-aesthetics", 595_000, "AESTHETIC_SCORE >= 5.0")]
    assert {training.batch for training in load_model("sd1.5").training} == {2048}  # 32 x 8 x 2 x 4


def test_passes_of_stable_diffusion_1_by_hand() -> None:
    def passes(corpus: str) -> list[float | None]:
        return [phase.passes for phase in phases(load_model("sd1.5").training, load_corpus(corpus))]

    # 237,000 x 2,048 = 485,376,000 images of 2.32 billion rows: the first phase saw a fifth of them, once.
    assert passes("relaion2b-en") == pytest.approx([0.2092], abs=1e-4)
    assert passes("relaion2b-en-safe") == passes("relaion2b-en")
    # 194,000 x 2,048 = 397,312,000 of 170 million; 595,000 x 2,048 = 1,218,560,000 of 600 million.
    assert passes("laion-high-resolution") == pytest.approx([2.3371], abs=1e-4)
    assert passes("laion-aesthetics") == [None, pytest.approx(2.0309, abs=1e-4)]


def test_stable_diffusion_2_becomes_less_filtered_at_the_end() -> None:
    base, full = (load_model(name).training for name in ("sd2.1-base", "sd2.1"))
    assert [training.steps for training in base] == [550_000, 850_000, 220_000]
    assert [training.steps for training in full] == [550_000, 850_000, 150_000, 140_000, 55_000, 155_000]
    for trainings in (base, full):
        assert all("punsafe < 0.1 AND" in training.where for training in trainings[:-1])
        assert "punsafe < 0.98 AND" in trainings[-1].where
        assert all("AESTHETIC_SCORE >= 4.5" in training.where for training in trainings)


def test_conditions_choose_the_rows_that_they_say() -> None:
    rows = pa.table(
        {
            "AESTHETIC_SCORE": pa.array([5.0, 5.1, 5.1, 5.1, 4.6, None]),
            "WIDTH": pa.array([600, 600, 500, 600, 600, 600]),
            "HEIGHT": pa.array([600, 600, 600, 600, 600, 600]),
            "pwatermark": pa.array([0.1, 0.1, 0.1, 0.5, 0.1, 0.1]),
        }
    )
    improved, five_plus = phases(load_model("sd1.5").training, load_corpus("laion-aesthetics"))
    assert chosen(improved, rows) == [1]  # above 5.0, at least 512 on both sides, watermark below 0.5
    assert chosen(five_plus, rows) == [0, 1, 2, 3]
