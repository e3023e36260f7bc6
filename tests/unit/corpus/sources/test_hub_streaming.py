"""``hub:NAME``: data sets that are not Parquet."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from concepts.errors import CorpusError
from corpus.sources.hub import DataSet, parse, shown_piece
from tests.conftest import ROOT
from tests.unit.corpus.sources.loopback import HubApp, serve

PLANTED = "hf_plantedTokenOfNobody"


def lines(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


FIRST = lines({"caption": "by Monet", "url": "u0", "n": 0}, {"caption": None, "url": None, "n": 1})
SECOND = lines({"caption": "café\u2028", "url": "u2", "n": 2})
CSV = b'caption,url,n\n"one, two",u0,1\n,u1,2\n'
LOCAL = {
    "a:b@c/x.jsonl": FIRST,
    "a:b@c/y.jsonl": SECOND,
    "one.csv": CSV,
    "numbers.jsonl": lines({"caption": 5}),
    "other.jsonl": lines({"title": "x"}),
}
REMOTE = {
    "me/lines": {"train-0.jsonl": FIRST, "train-1.jsonl.gz": gzip.compress(SECOND), "test.jsonl": SECOND},
    "me/one": {"captions.csv": CSV},
    "me/code": {"code.py": b"raise SystemExit(99)\n"},  # would end the process if it were run
    "me/bad": {"captions.jsonl": FIRST + b'{"caption": \n'},
}
THERE = (
    *("me/lines@train", "me/one", "me/lines", "me/lines@dev", "me/lines:fr@train"),
    *("me/code", "me/no", "me/bad"),
)


def run(patterns: list[str], home: Path, endpoint: str) -> list[Any]:
    """Return what the patterns give, in a process of its own."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_TOKEN": PLANTED,
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "tests.unit.corpus.sources.streaming", *patterns]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert PLANTED not in done.stdout + done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What many patterns give, by what follows ``hub:``; from one process: `datasets` is slow to import."""
    folder = tmp_path_factory.mktemp("here")
    (folder / "a:b@c").mkdir()
    (folder / "empty").mkdir()
    for name, content in LOCAL.items():
        (folder / name).write_bytes(content)
    here = [
        f"hub:{folder / name}" for name in ("a:b@c", "one.csv", "numbers.jsonl", "other.jsonl", "empty", "no")
    ]
    there = [f"hub:{name}" for name in THERE]
    changed = [f"later:{folder}/a:b@c/y.jsonl", here[0]]
    with serve(HubApp(REMOTE, PLANTED)) as server:
        answers = run([*here, *there, *changed], tmp_path_factory.mktemp("home"), server.url)
    names = [pattern.removeprefix(f"hub:{folder}/").removeprefix("hub:") for pattern in [*here, *there]]
    return dict(zip([*names, "", "changed"], answers, strict=True)) | {"folder": str(folder)}


def test_a_data_set_of_the_hub(found: dict[str, Any]) -> None:
    shards = found["me/lines@train"]
    assert [(shard["name"], shard["place"]) for shard in shards] == [
        ("train-00000-of-00002", "hub:me/lines@train (piece 1 of 2)"),
        ("train-00001-of-00002", "hub:me/lines@train (piece 2 of 2)"),
    ]
    assert [shard["captions"] for shard in shards] == [["by Monet", None], ["café\u2028"]]
    assert [shard["urls"] for shard in shards] == [["u0", None], ["u2"]]
    assert [shard["rows"] for shard in shards] == [[0, 1], [0]]
    assert [shard["meets"] for shard in shards] == [[False, True], [True]]  # n > 0
    assert len({shard["digest"] for shard in shards}) == 2


def test_a_data_set_of_this_machine(found: dict[str, Any]) -> None:
    shards = found["a:b@c"]
    assert [shard["captions"] for shard in shards] == [["by Monet", None], ["café\u2028"]]
    assert [shard["name"] for shard in shards] == ["train-00000-of-00002", "train-00001-of-00002"]
    digests = {shard["digest"] for shard in shards}
    assert digests.isdisjoint(shard["digest"] for shard in found["changed"])


@pytest.mark.parametrize("name", ["me/one", "one.csv"])
def test_the_only_split_needs_no_name(found: dict[str, Any], name: str) -> None:
    (shard,) = found[name]
    assert (shard["captions"], shard["urls"], shard["rows"]) == (["one, two", None], ["u0", "u1"], [0, 1])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("me/lines", "hub:me/lines: several splits (train, test); name one: hub:me/lines@train"),
        ("me/lines@dev", "hub:me/lines@dev: no split 'dev'; the splits are: train, test"),
        ("me/lines:fr@train", "hub:me/lines:fr@train: cannot be read (BuilderConfig 'fr' not found"),
        (
            "me/code",
            "hub:me/code: cannot be read (Dataset scripts are no longer supported, but found code.py)",
        ),
        ("me/no", "hub:me/no: not found (Repository not found); check the path"),
        ("me/bad", "hub:me/bad: cannot be read (JSON parse error"),
        (
            "empty",
            "hub:FOLDER/empty: not found (The directory at FOLDER/empty doesn't contain any data files)",
        ),
        ("no", "hub:FOLDER/no: cannot be read (Repo id must be in the form"),
        ("numbers.jsonl", "hub:FOLDER/numbers.jsonl: the column 'caption' holds int64, not text"),
        ("other.jsonl", "hub:FOLDER/other.jsonl: no caption column called TEXT, caption, text;"),
    ],
)
def test_what_cannot_be_read(found: dict[str, Any], name: str, reason: str) -> None:
    assert found[name].startswith(f"12 {reason.replace('FOLDER', found['folder'])}")
    assert "\n" not in found[name]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("hub:o/n", ("o/n", "", "")),
        ("hub:o/n@train", ("o/n", "", "train")),
        ("hub:o/n:en", ("o/n", "en", "")),
        ("hub:o/n:en-fr@validation", ("o/n", "en-fr", "validation")),
    ],
)
def test_patterns(pattern: str, expected: tuple[str, str, str]) -> None:
    assert parse(pattern) == DataSet(*expected, "")


def test_a_pattern_without_a_name() -> None:
    with pytest.raises(CorpusError, match="no name; give hub:NAME"):
        parse("hub:@train")


def test_a_pattern_is_shown_as_it_is() -> None:
    assert shown_piece("hub:o/n@train") == "hub:o/n@train"
