"""Whatever stands in a file of rows, a registry answers or says in one line what is wrong with it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as some

from concepts.domain import Domain, domains
from concepts.errors import FitError
from corpus.registry import Corpus, corpora
from fit.generation.models import Model, models
from fit.imitation.scorers import Scorer, scorers

TEXT = some.text(some.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = some.recursive(
    TEXT | some.integers(-9, 9) | some.booleans() | some.floats() | some.just("owner/name"),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
NAMES = some.sampled_from(["mine", "demo", "my.row", "Mine", "-", ""])


def rows_of(kind: type) -> some.SearchStrategy[dict[str, Any]]:
    keys = some.sampled_from([*kind.__dataclass_fields__, "other"])
    likely = {"title": "T", "source": "s", "licence": "l", "weights": "owner/name", "kind": "captions"}
    return some.dictionaries(keys, VALUES, max_size=8).map(lambda row: likely | row)


def tried(place: str, content: dict[str, Any], find: Any) -> None:
    with tempfile.TemporaryDirectory() as home:
        file = Path(home) / place
        file.parent.mkdir(exist_ok=True)
        file.write_text(tomli_w.dumps(content), "utf-8")
        before, os.environ["FIT_ROWS"] = os.environ["FIT_ROWS"], home
        try:
            find()
        except FitError as error:
            assert str(error).startswith(str(file))  # noqa: PT017 (any other error is the failure)
        finally:
            os.environ["FIT_ROWS"] = before


@settings(max_examples=60, deadline=None)
@given(some.dictionaries(NAMES, rows_of(Model), max_size=2))
def test_models(content: dict[str, Any]) -> None:
    tried("models.toml", content, models)


@settings(max_examples=60, deadline=None)
@given(some.dictionaries(NAMES, rows_of(Scorer), max_size=2))
def test_scorers(content: dict[str, Any]) -> None:
    tried("scorers.toml", content, scorers)


@settings(max_examples=60, deadline=None)
@given(some.dictionaries(NAMES, rows_of(Corpus), max_size=2))
def test_corpora(content: dict[str, Any]) -> None:
    tried("corpora.toml", content, corpora)


@settings(max_examples=60, deadline=None)
@given(rows_of(Domain))
def test_domains(content: dict[str, Any]) -> None:
    tried("domains/dogs.toml", content, domains)
