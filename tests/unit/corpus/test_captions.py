from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.concept import Concept
from concepts.errors import ConceptsError, CorpusError, MalformedFile, SettingsError
from concepts.matching import Phrase
from concepts.phrase_index import PhraseIndex
from corpus import counts as merging
from corpus.automaton import Automaton
from corpus.candidates import Finder, Hits
from corpus.captions import CaptionCounter, CaptionQuery, NamingRow
from corpus.counts import CaptionCounts, CaptionTally, merge
from corpus.sampling import base_of, keys_of, smallest
from corpus.shards import find_shards, open_shard
from corpus.word_join import WordJoin
from tests.unit.corpus.files import strings, write_shard

MONET = Concept("Claude Monet", ("Monet", "Oscar-Claude Monet"))
KEEFFE = Concept("Georgia O'Keeffe")
NOBODY = Concept("Nobody Known")
CONCEPTS = (MONET, KEEFFE, NOBODY)
NAMES = [concept.name for concept in CONCEPTS]


FINDERS = (Automaton, WordJoin)


def count(path: Path, **options: object) -> CaptionCounts:
    query = replace(CaptionQuery(CONCEPTS, seed=7), **options)
    return merge([CaptionCounter(query).count(shard) for shard in find_shards(path)], query.names)


def sampled(counts: CaptionCounts) -> list[list[int]]:
    return [[row.row for row in counts.sample_of(name)] for name in counts.concepts]


def key_of(seed: int, concept: str, file: str, row: int) -> int:
    """SplitMix64's output number ``row``, written out in Python's whole numbers."""
    state = (base_of(seed, concept, file) + (row + 1) * 0x9E3779B97F4A7C15) % 2**64
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    state = (state ^ state >> 27) * 0x94D049BB133111EB % 2**64
    return state ^ state >> 31


def test_counts_by_hand(tmp_path: Path) -> None:
    captions: list[str | None] = [
        "Claude Monet, by Monet",  # both phrases: one caption
        "monet’s pond",
        "Monetary policy",
        "Georgia O’Keeffe and Oscar–Claude Monet",  # names two
        None,
        "",
        "georgia o'keeffe",
    ]
    urls = ["u1", "u2", "u3", "u1", "u5", "u6", None]
    counts = count(write_shard(tmp_path / "a.parquet", captions, URL=urls))
    assert counts.concepts == ("Claude Monet", "Georgia O'Keeffe", "Nobody Known")
    assert counts.caption_counts.tolist() == [3, 2, 0]
    assert counts.distinct_url_counts is not None
    assert counts.distinct_url_counts.tolist() == [2, 1, 0]  # {u1, u2}; {u1}, the null address adds none
    assert counts.tally == CaptionTally(rows=7, excluded=0, null=1, empty=1, repaired=0, named=4)
    assert counts.tally.captions == 5
    assert [sorted(rows) for rows in sampled(counts)] == [[0, 1, 3], [3, 6], []]
    by_row = {row.row: row for row in counts.sample_of("Georgia O'Keeffe")}
    assert by_row[6]._asdict() == {
        "key": key_of(7, "Georgia O'Keeffe", "a.parquet", 6),
        "file": "a.parquet",
        "row": 6,
        "url": None,
        "caption": "georgia o'keeffe",
    }


def test_condition(tmp_path: Path) -> None:
    path = write_shard(
        tmp_path / "a.parquet", ["Monet", "Monet", None, "Monet"], punsafe=[0.1, 0.9, 0.1, None]
    )
    counts = count(path, where="punsafe < 0.5")
    assert counts.caption_counts.tolist() == [1, 0, 0]
    assert counts.unfiltered_counts.tolist() == [3, 0, 0]  # rows 0, 1, 3
    assert sampled(counts) == [[0], [], []]
    assert counts.tally == CaptionTally(rows=4, excluded=2, null=1, empty=0, repaired=0, named=1)
    assert counts.distinct_url_counts is None


def test_phases_are_counted_beside(tmp_path: Path) -> None:
    captions = ["Monet", "Monet", "Georgia O'Keeffe", "Monet"]
    path = write_shard(
        tmp_path / "a.parquet", captions, punsafe=[0.1, 0.9, 0.1, None], WIDTH=[9, 600, 600, 600]
    )
    phases = (("small", ""), ("large", "WIDTH >= 512"), ("clean", "punsafe < 0.5 AND WIDTH >= 512"))
    counts = count(path, where="punsafe < 0.5", phases=phases)
    assert counts.caption_counts.tolist() == [1, 1, 0]
    assert counts.phases == ("small", "large", "clean")
    assert counts.phase_counts.tolist() == [[3, 1, 0], [2, 1, 0], [0, 1, 0]]


def test_the_sample_is_the_smallest_keys(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "a.parquet", ["Monet"] * 200)
    keys = {row: key_of(7, "Claude Monet", "a.parquet", row) for row in range(200)}
    expected = sorted(keys, key=keys.__getitem__)
    for sample in (0, 1, 7, 199, 200, 500):
        assert sampled(count(path, sample=sample))[0] == expected[:sample]
    assert sampled(count(path, seed=8, sample=7))[0] != expected[:7]


def test_what_is_no_longer_wanted_is_dropped_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captions = ["Monet", "Monet and Georgia O'Keeffe"] * 100
    path = write_shard(tmp_path / "a.parquet", captions, URL=list(map(str, range(200))))
    whole = count(path, sample=5)
    monkeypatch.setattr("corpus.found._PENDING", 3)
    monkeypatch.setattr("corpus.scan.BATCH_ROWS", 10)
    assert count(path, sample=5).samples.equals(whole.samples)


def test_the_sample_is_uniform() -> None:
    # 1,000 rows, 100 sampled, 40 seeds: each half of the file should give half of 4,000 sampled rows;
    # the standard deviation is sqrt(4000 / 4) * sqrt(0.9) = 30.
    rows = np.arange(1000)
    halves = 0
    for seed in range(40):
        keys = keys_of(np.uint64(base_of(seed, "Claude Monet", "a.parquet")), rows)
        chosen = smallest(np.zeros(1000, np.int64), keys, 100)
        assert len(chosen) == 100
        halves += int((chosen < 500).sum())
    assert abs(halves - 2000) < 5 * 30


def test_files_in_any_order(tmp_path: Path) -> None:
    for number in range(3):
        write_shard(
            tmp_path / f"{number}.parquet",
            ["Monet", "none", "Monet x"] * 20,
            URL=["a", "b", f"{number}"] * 20,
        )
    counter = CaptionCounter(CaptionQuery(CONCEPTS, sample=10))
    parts = [counter.count(shard) for shard in find_shards(tmp_path)]
    forward, backward = merge(parts, NAMES), merge(parts[::-1], NAMES)
    assert forward.caption_counts.tolist() == backward.caption_counts.tolist() == [120, 0, 0]
    assert forward.samples.equals(backward.samples)
    assert {row.file for row in forward.sample_of("Claude Monet")} <= {"0.parquet", "1.parquet", "2.parquet"}
    assert forward.distinct_url_counts is not None
    assert forward.distinct_url_counts.tolist() == [4, 0, 0]  # "a" in all files, and "0", "1", "2"
    files = []
    for number, part in enumerate(parts):
        pq.write_table(part, tmp_path / f"part-{number}")
        files.append(tmp_path / f"part-{number}")
    stored = merge(files, NAMES)
    assert stored.table().equals(forward.table())
    assert stored.samples.equals(forward.samples)
    assert stored.tally == forward.tally


def test_what_does_not_fit_into_memory_goes_to_a_private_folder_that_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_shard(tmp_path / "0.parquet", ["Monet"])
    counter = CaptionCounter(CaptionQuery(CONCEPTS))
    (part,) = [counter.count(shard) for shard in find_shards(tmp_path)]
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    spilled: list[tuple[str, int]] = []
    opened = merging.open_merging_session

    def watched(spill: str) -> object:
        spilled.append((spill, os.stat(spill).st_mode & 0o777))
        session = opened(spill)
        (told,) = session.execute("SELECT current_setting('temp_directory')").fetchall()[0]
        assert told == spill
        return session

    monkeypatch.setattr(merging, "open_merging_session", watched)
    merge([part], NAMES)
    assert {mode for _, mode in spilled} == {0o700}
    assert all(Path(spill).parent == temporary for spill, _ in spilled)
    assert list(temporary.iterdir()) == []


def test_a_damaged_part_is_told(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.parquet", ["Monet"] * 60)
    counter = CaptionCounter(CaptionQuery(CONCEPTS, sample=10))
    (part,) = [counter.count(shard) for shard in find_shards(tmp_path)]
    path = tmp_path / "part"
    pq.write_table(part, path, write_page_checksum=True)
    whole = path.read_bytes()
    group = pq.read_metadata(path).row_group(0)
    for number in range(group.num_columns):
        column = group.column(number)
        start = column.dictionary_page_offset or column.data_page_offset
        spoilt = bytearray(whole)
        spoilt[start + column.total_compressed_size - 1] ^= 1
        path.write_bytes(spoilt)
        with pytest.raises(MalformedFile, match="the counts of a shard are damaged"):
            merge([path], NAMES)


def test_counts_of_concepts_that_there_are_not_are_told(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.parquet", ["Monet", "Banksy"])
    counter = CaptionCounter(CaptionQuery(CONCEPTS))
    (part,) = [counter.count(shard) for shard in find_shards(tmp_path)]
    with pytest.raises(MalformedFile, match="the counts of a shard are damaged"):
        merge([part], [])


def test_one_shard_without_addresses_makes_the_distinct_count_unknown(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.parquet", ["Monet"], URL=["a"])
    write_shard(tmp_path / "1.parquet", ["Monet"])
    counts = count(tmp_path)
    assert counts.caption_counts.tolist() == [2, 0, 0]
    assert counts.distinct_url_counts is None


def test_text_that_is_not_utf8_still_counts(tmp_path: Path) -> None:
    captions = strings(
        [b"Monet", b"Monet\xff", b"\xffMonet", b"Mon\xffet", None, "Georgia O\u2019Keeffe".encode()]
    )
    pq.write_table(pa.table({"TEXT": captions}), tmp_path / "a.parquet")
    counts = count(tmp_path)
    assert counts.caption_counts.tolist() == [3, 1, 0]
    assert counts.tally == CaptionTally(rows=6, excluded=0, null=1, empty=0, repaired=3, named=4)
    assert "Monet\ufffd" in {row.caption for row in counts.sample_of("Claude Monet")}


def test_empty_shard(tmp_path: Path) -> None:
    counts = count(write_shard(tmp_path / "a.parquet", []))
    assert counts.caption_counts.tolist() == [0, 0, 0]
    assert counts.tally == CaptionTally()


def test_nulls_and_foreign_letters_keep_the_rows_apart(tmp_path: Path) -> None:
    # Line breaks and nulls in a batch that is folded as one text; rows 1, 4 and 6 name Monet.
    captions = ["é\nmon", "et Monet é", None, "é mon", "MONÉT", "", "\nMonet\né", "é"]
    counts = count(write_shard(tmp_path / "a.parquet", captions))
    assert sorted(sampled(counts)[0]) == [1, 4, 6]


def test_many_batches_and_long_captions(tmp_path: Path) -> None:
    captions = ["x" * 50 if number % 997 else "by Claude Monet" for number in range(50_000)]
    captions[123] = "long " * 200_000 + "Georgia O'Keeffe"
    counts = count(write_shard(tmp_path / "a.parquet", captions))
    assert counts.caption_counts.tolist() == [51, 1, 0]  # 0, 997, ..., 49850: 51 rows


@pytest.mark.parametrize("finder", FINDERS)
def test_regular_expression_characters_in_names(tmp_path: Path, finder: Callable[..., Finder]) -> None:
    concepts = (Concept("a.*b (c)"), Concept("x|y [z]+"), Concept("100% $art^"))
    path = write_shard(tmp_path / "a.parquet", ["A *B (c)", "axxb c", "x|y [z]+!", "100% $ART^"])
    counts = merge(
        [CaptionCounter(CaptionQuery(concepts), finder).count(open_shard(path))],
        [concept.name for concept in concepts],
    )
    assert counts.caption_counts.tolist() == [1, 1, 1]


class Everything:
    """Looks for every phrase in every text, one by one."""

    name = "everything"

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self.index = PhraseIndex(phrases)

    def find(self, texts: pa.LargeStringArray) -> Hits:
        pairs = [
            (row, phrase)
            for row, text in enumerate(texts.to_pylist())
            if text
            for phrase in self.index.contained(text)
        ]
        found = np.array(pairs, np.int64).reshape(-1, 2)
        return Hits(found[:, 0], found[:, 1])


@pytest.mark.parametrize("finder", FINDERS)
def test_any_finder_gives_the_same(tmp_path: Path, finder: Callable[..., Finder]) -> None:
    captions = [
        *(
            "Monet",
            "MONÉT’s",
            "o'keeffe",
            None,
            "",
            "nobody  known",
            "nobody -- known",
            "Georgia\u00a0O`Keeffe",
        ),
        *("Claude", "Monet", "ClaudeMonet", "claude . monet", "claude monet monet", "oscar", "-claude monet"),
        *("Claude Moné", "t", "Monetᵉ", "ⅷMonet", "Monet김", "모네 Monet", "Monet\u0301a", "Monet \u0301 a"),
    ]
    urls = [str(row) for row in range(len(captions))]
    shard = open_shard(write_shard(tmp_path / "a.parquet", captions, URL=urls))
    query = CaptionQuery(CONCEPTS)
    slow = CaptionCounter(query, Everything).count(shard)
    assert CaptionCounter(query, finder).count(shard).equals(slow)
    assert merge([slow], NAMES).caption_counts.tolist() == [8, 1, 2]


@pytest.mark.parametrize("finder", FINDERS)
def test_a_name_never_reaches_over_the_end_of_a_caption(
    tmp_path: Path, finder: Callable[..., Finder]
) -> None:
    captions = ["by Claude ", "Monet", "x", "Mon", "et", "Georgia", " O'Keeffe", "", "Nobody", None, "known"]
    shard = open_shard(write_shard(tmp_path / "a.parquet", captions))
    counts = merge([CaptionCounter(CaptionQuery(CONCEPTS), finder).count(shard)], NAMES)
    assert counts.caption_counts.tolist() == [1, 0, 0]


@pytest.mark.parametrize("finder", FINDERS)
def test_a_name_longer_than_the_automaton_looks(tmp_path: Path, finder: Callable[..., Finder]) -> None:
    name = "Abu " * 300 + "Bakr"
    captions = [name, f"by {name}, 1990", "Abu " * 300 + "Bek", f"{name}s", "Abu " * 299 + "Bakr"]
    shard = open_shard(write_shard(tmp_path / "a.parquet", captions))
    counts = merge([CaptionCounter(CaptionQuery((Concept(name),)), finder).count(shard)], [name])
    assert counts.caption_counts.tolist() == [2]


@pytest.mark.parametrize("finder", FINDERS)
def test_a_counter_can_be_sent_to_another_process(tmp_path: Path, finder: Callable[..., Finder]) -> None:
    shard = open_shard(write_shard(tmp_path / "a.parquet", ["Monet", "Moné  t", "georgia  o'keeffe"]))
    counter = CaptionCounter(CaptionQuery(CONCEPTS), finder)
    expected = counter(shard)
    sent = pickle.loads(pickle.dumps(counter))  # noqa: S301 (what the executors do)
    assert sent(shard).equals(expected)
    assert merge([expected], NAMES).caption_counts.tolist() == [1, 1, 0]


def test_naming_rows(tmp_path: Path) -> None:
    captions = ["none", "Monet", "Georgia O'Keeffe, Claude Monet", None, "monet"]
    columns = {"URL": ["a", "b", None, "d", "e"], "punsafe": [0.0, 0.0, 0.0, 0.0, 1.0]}
    shard = open_shard(write_shard(tmp_path / "a.parquet", captions, **columns))
    rows = CaptionCounter(CaptionQuery(CONCEPTS, where="punsafe < 0.5")).naming_rows(shard)
    assert rows == (NamingRow(1, "b", (0,)), NamingRow(2, None, (0, 1)))
    without = open_shard(write_shard(tmp_path / "b.parquet", captions))
    assert CaptionCounter(CaptionQuery(CONCEPTS)).naming_rows(without)[2] == NamingRow(4, None, (0,))


def test_bad_queries(tmp_path: Path) -> None:
    with pytest.raises(ConceptsError, match="at least 2 letters"):
        CaptionCounter(CaptionQuery((Concept("X"),)))
    with pytest.raises(SettingsError, match="no SQL condition"):
        CaptionCounter(CaptionQuery(CONCEPTS, where="punsafe <"))
    with pytest.raises(SettingsError, match=r"counts\.sample=2000000: 3 concepts .* at most 1333333"):
        CaptionCounter(CaptionQuery(CONCEPTS, sample=2_000_000))
    shard = open_shard(write_shard(tmp_path / "a.parquet", ["x"]))
    shard.path.unlink()
    with pytest.raises(CorpusError, match="cannot be read"):
        CaptionCounter(CaptionQuery(CONCEPTS)).count(shard)


def test_merging_what_does_not_belong_together(tmp_path: Path) -> None:
    shard = open_shard(write_shard(tmp_path / "a.parquet", ["x"]))
    one = CaptionCounter(CaptionQuery(CONCEPTS)).count(shard)
    other = CaptionCounter(CaptionQuery(CONCEPTS[:2])).count(shard)
    with pytest.raises(ValueError, match="different concepts"):
        merge([one, other], [])
    with pytest.raises(ValueError, match="no counts"):
        merge([], [])


def test_keys_are_those_of_splitmix() -> None:
    base = base_of(0, "Monet", "a.parquet")
    keys = keys_of(np.uint64(base), np.arange(2000))
    assert keys[:50].tolist() == [key_of(0, "Monet", "a.parquet", row) for row in range(50)]
    assert len(np.unique(keys)) == 2000
    assert abs(float(np.mean(keys / 2**64)) - 0.5) < 5 * (1 / 12 / 2000) ** 0.5
    assert len({base, base_of(0, "Monet", "b.parquet"), base_of(1, "Monet", "a.parquet")}) == 3


def test_the_smallest_by_hand() -> None:
    owners = np.array([1, 0, 1, 1, 0])
    keys = np.array([5, 9, 3, 4, 2], np.uint64)
    assert smallest(owners, keys, 2).tolist() == [4, 1, 2, 3]
    assert smallest(owners, keys, 0).tolist() == []
