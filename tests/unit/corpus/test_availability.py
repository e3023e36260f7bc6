"""A corpus that is not here: what to get, what to accept for it, and where to put it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from concepts.errors import CorpusError
from corpus import availability
from corpus.availability import access_to, folder_of, how_to_get, is_at_hand, require
from corpus.registry import DATA_VARIABLE, Corpus, corpora, load_corpus, resolve
from corpus.shards import find_shards
from fit import cli
from tests.unit.corpus.files import write_shard


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    return tmp_path


def message(corpus: Corpus) -> str:
    with pytest.raises(CorpusError) as caught:
        require(corpus)
    assert caught.value.exit_code == 12
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_it_says_what_to_get_and_where_to_put_it(data: Path) -> None:
    told = message(load_corpus("relaion2b-en-safe"))
    folder = data / "relaion-safe" / "2b-en"
    command = "hf download laion/relaion2B-en-research-safe --repo-type dataset --include '*.parquet'"
    assert f"run {command} --local-dir {folder}; or set FIT_DATA to the folder that holds it" in told
    assert f"no file matches {folder}/**/*.parquet" in told
    assert "accept the conditions at https://huggingface.co/datasets/laion/relaion2B-en-research-safe" in told
    assert "log in with `hf auth login`" in told
    assert "(467 GB)" in told


def test_nothing_is_put_into_an_installed_package(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "PACKED", data)
    told = message(load_corpus("relaion2b-en-safe"))
    assert '--local-dir "$FIT_DATA"/relaion-safe/2b-en; or set FIT_DATA to the folder' in told


@pytest.mark.parametrize("below", ["", "data/", "part_0/deeper/"])
def test_it_is_here_wherever_below_its_folder_the_shards_lie(data: Path, below: str) -> None:
    corpus = load_corpus("coyo700m")
    assert not is_at_hand(corpus)
    write_shard(data / "coyo700m" / below / "part-0.parquet", ["x"])
    require(corpus)


@pytest.mark.parametrize("corpus", corpora(), ids=lambda corpus: corpus.name)
def test_what_is_put_where_the_message_says_is_found(data: Path, corpus: Corpus) -> None:
    if corpus.parts:
        return
    write_shard(folder_of(corpus) / "part-0.parquet", ["x"])
    require(corpus)
    others = [c for c in corpora() if c.name != corpus.name and not c.parts]
    assert not any(is_at_hand(other) for other in others)


def test_a_union_is_here_when_all_its_parts_are(data: Path) -> None:
    union = load_corpus("relaion5b")
    for missing in (3, 2, 1):
        assert message(union).count("hf download") == missing
        part = load_corpus(union.parts[3 - missing])
        write_shard(folder_of(part) / "part-0.parquet", ["x"])
    require(union)
    write_shard(folder_of(load_corpus("relaion2b-en-safe")) / "part-0.parquet", ["x"])
    # The three parts and nothing else: the safe release would count the same rows again.
    assert [shard.name for shard in find_shards(resolve(union.captions))] == [
        "relaion1b-nolang/part-0.parquet",
        "relaion2b-en/part-0.parquet",
        "relaion2b-multi/part-0.parquet",
    ]


@pytest.mark.parametrize("corpus", corpora(), ids=lambda corpus: corpus.name)
def test_every_row_can_be_got(data: Path, corpus: Corpus) -> None:
    assert how_to_get(corpus)
    assert "{" not in access_to(corpus) + how_to_get(corpus)
    for command in how_to_get(corpus).split(" && ") if not corpus.fetch else ():
        words = shlex.split(command)
        assert words[:2] == ["hf", "download"]
        assert Path(words[-1]).is_relative_to(data)


def test_what_lies_behind_a_url_is_read_there() -> None:
    require(Corpus("x", "X", "captions", "s3://bucket/*.parquet", "s", "l"))


def test_captions_written_from_the_published_list_of_cc12m(data: Path) -> None:
    (data / "cc12m.tsv").write_text('http://a/1.jpg\ta "quoted" word\nhttp://a/2.jpg\tit\'s <PERSON>, 5\n')
    _, _, command = how_to_get(load_corpus("cc12m")).partition(" and run ")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", command], cwd=data, env=environment, check=True)
    corpus = load_corpus("cc12m")
    require(corpus)
    (shard,) = find_shards(resolve(corpus.captions), corpus.caption_column, corpus.url_column)
    assert (shard.rows, shard.columns) == (2, ("image_url", "caption"))
    import pyarrow.parquet as pq

    assert pq.read_table(shard.path)["caption"].to_pylist() == ['a "quoted" word', "it's <PERSON>, 5"]


def test_a_run_is_not_begun_without_its_corpus(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data)
    asked = ["estimate", "--domain", "art-styles", "--model", "sd1.5", "--dry-run"]
    assert cli.run(asked) == 12
    assert "hf download laion/relaion2B-en-research " in capsys.readouterr().err
    assert list(data.iterdir()) == []
