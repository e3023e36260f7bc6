"""A count by embeddings equals its definition, whatever looks at the rows, in whatever pieces and order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concepts.errors import CorpusError
from corpus.embeddings import counter as counter_module
from corpus.embeddings import exact as exact_module
from corpus.embeddings import screen as screen_module
from corpus.embeddings import sweep
from corpus.embeddings.counter import EmbeddingCounter, EmbeddingQuery
from corpus.embeddings.counts import EmbeddingCounts, merge
from corpus.embeddings.files import find_embeddings
from corpus.embeddings.references import References, references_of
from corpus.embeddings.screen import NumpyScreen, Sighting
from corpus.embeddings.shards import open_embeddings
from corpus.embeddings.tables import counts_of, shard_table
from tests.spec import reference_embeddings as definition
from tests.unit.corpus.embeddings.layouts import only_file, write_npy

# Few numbers, so that equal rows, equal cosines, zeros and copies of references are frequent.
NUMBERS = st.sampled_from([0, 0, 1, -1, 2, 0.5, 3, 4, -0.25, 65504, 6e-8])
ODD = st.sampled_from([np.nan, np.inf, -np.inf])


@dataclass(frozen=True)
class Case:
    rows: np.ndarray
    references: dict[str, np.ndarray]
    cuts: list[float]
    top: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    d = draw(st.integers(1, 5))
    row = st.lists(st.one_of(*[NUMBERS] * 9, ODD), min_size=d, max_size=d)
    rows = np.array(draw(st.lists(row, max_size=40)), draw(st.sampled_from([np.float16, np.float32])))
    usable = st.lists(NUMBERS, min_size=d, max_size=d).filter(any)
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    of = {f"c{i}": np.array([draw(usable) for _ in range(n)], np.float32) for i, n in enumerate(sizes)}
    rows = rows.reshape(-1, d)
    cuts = [draw(cut(rows, each)) for each in of.values()]
    return Case(rows, of, cuts, draw(st.integers(0, 6)))


def cut(rows: np.ndarray, of: np.ndarray) -> st.SearchStrategy[float]:
    """A cut at a cosine that occurs, just above or just below it, or anywhere."""
    occur = [value for row in rows if (value := definition.largest_cosine(row, list(of))) is not None]
    near = [float(np.nextafter(np.float32(v), np.float32(way))) for v in occur for way in (-2, 0.5, 2)]
    values = [value for value in (*occur, *near) if -1 < value <= 1]
    anywhere = st.floats(-0.9375, 1, width=32)
    return st.one_of(st.sampled_from(values), anywhere) if values else anywhere


class Coarse(NumpyScreen):
    """A screen whose cosines are wrong by up to its error, as on a device of low precision."""

    def __init__(self, references: References, error: float, seed: int, block: int) -> None:
        super().__init__(references)
        self._fine, self.error, self.block = self.error, self.error + error, block
        self._noise = error
        self._rng = np.random.default_rng(seed)
        self._size = len(references.concepts)

    def look(self, stored: np.ndarray, floors: np.ndarray) -> Sighting:
        every = super().look(stored, np.full(self._size, -1.5, np.float32))
        wrong = np.float32(self._noise) * self._rng.choice([-1, 1, 0.3], len(every.cosines))
        cosines = (every.cosines + wrong).astype(np.float32)
        seen = cosines >= floors[every.concepts]
        return Sighting(every.concepts[seen], every.rows[seen], cosines[seen], every.zero, every.invalid)


@contextmanager
def pieces(first: int, product: int) -> Iterator[None]:
    """Cut rows and references into other pieces than usual."""
    sizes = {
        (sweep, "FIRST_ROWS"): first,
        (screen_module, "PRODUCT_ROWS"): product,
        (counter_module, "_ROWS_AT_ONCE"): product,
        (exact_module, "_CHUNK"): product,
    }
    before = {(module, name): getattr(module, name) for module, name in sizes}
    try:
        for (module, name), size in sizes.items():
            setattr(module, name, size)
        yield
    finally:
        for (module, name), size in before.items():
            setattr(module, name, size)


def answer(counts: EmbeddingCounts) -> tuple[object, ...]:
    return (
        counts.counts.tolist(),
        [[(row.cosine, row.row) for row in near] for near in counts.nearest],
        (counts.tally.zero + counts.tally.invalid, counts.tally.rows),
    )


def defined(case: Case) -> tuple[object, ...]:
    of = [list(vectors) for vectors in case.references.values()]
    unusable = [row for row in case.rows if definition.largest_cosine(row, of[0]) is None]
    return (
        [
            len(definition.rows_at_or_above(case.rows, each, cut))
            for each, cut in zip(of, case.cuts, strict=True)
        ],
        [definition.nearest(case.rows, each, case.top) for each in of],
        (len(unusable), len(case.rows)),
    )


def query(case: Case) -> EmbeddingQuery:
    return EmbeddingQuery(references_of(case.references), np.float32(case.cuts), case.top)


@settings(max_examples=150, deadline=None)
@given(cases(), st.sampled_from([1, 2, 3, 7, 1024]), st.integers(1, 3), st.sampled_from([0, 0.01, 0.3]))
def test_the_count_equals_the_definition(case: Case, block: int, threads: int, error: float) -> None:
    asked = query(case)
    with tempfile.TemporaryDirectory() as folder, pieces(first=block, product=1 + block % 3):
        shard = open_embeddings(only_file(write_npy(Path(folder), "0", case.rows)), case.rows.shape[1])
        plain = NumpyScreen(asked.references)
        plain.block = block
        for screen in (plain, Coarse(asked.references, error, block, block)):
            found = EmbeddingCounter(asked, screen, threads).count(shard)
            assert answer(found) == defined(case)


@settings(max_examples=40, deadline=None)
@given(cases(), st.lists(st.integers(0, 40), max_size=4), st.randoms(use_true_random=False))
def test_files_add_up_in_any_order(case: Case, edges: list[int], random: object) -> None:
    asked = query(case)
    counter = EmbeddingCounter(asked, NumpyScreen(asked.references))
    bounds = sorted({0, len(case.rows), *(min(edge, len(case.rows)) for edge in edges)})
    with tempfile.TemporaryDirectory() as folder:
        starts = dict(zip(bounds, bounds[1:] or [len(case.rows)], strict=False))
        for number, (start, end) in enumerate(starts.items()):
            rows = case.rows[start:end]
            columns = {"url": [f"u{row // 2}" for row in range(start, end)]}
            write_npy(Path(folder), f"{number:04d}", rows, **columns)
        files = find_embeddings(folder)
        parts = [counter.count(open_embeddings(file, case.rows.shape[1])) for file in files]
    # As they come back from disk.
    parts = [counts_of(shard_table(part)) for part in parts]
    whole = merge(parts)
    offsets = dict(zip((file.name for file in files), starts, strict=True))
    assert whole.counts.tolist() == defined(case)[0]
    near = [[(row.cosine, row.row + offsets[row.file]) for row in each] for each in whole.nearest]
    assert near == defined(case)[1]
    shown = [
        {f"u{row // 2}" for row in definition.rows_at_or_above(case.rows, list(of), cut)}
        for of, cut in zip(case.references.values(), case.cuts, strict=True)
    ]
    assert whole.distinct_url_counts is not None
    assert whole.distinct_url_counts.tolist() == [len(urls) for urls in shown]
    random.shuffle(parts)  # type: ignore[attr-defined]
    again = merge([merge(parts[:1]), *parts[1:]])
    assert shard_table(again).equals(shard_table(whole), check_metadata=True)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00"]))
def test_any_bytes_are_a_file_or_one_line(content: bytes, magic: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "img_emb_0.npy"
        path.write_bytes(magic + content)
        with pytest.raises(CorpusError) as caught:
            open_embeddings(only_file(path), 4)
        assert "\n" not in str(caught.value)
