"""``hf://``: Parquet files of the hub's data sets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from concepts.errors import CorpusError
from corpus.scan import scan
from corpus.shards import find_shards
from tests.unit.corpus.sources.files import shard_bytes
from tests.unit.corpus.sources.loopback import HubApp, Watched, serve

PLANTED = "hf_plantedTokenOfNobody"
FILES = {"README.md": b"#", "data/a.parquet": shard_bytes("a", 20_000), "data/b.parquet": shard_bytes("b", 2)}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """A hub with the data set ``me/captions``, which wants a token."""
    with serve(HubApp({"me/captions": FILES}, PLANTED)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", PLANTED)
        yield server


def refusal(pattern: str) -> str:
    with pytest.raises(CorpusError) as caught:
        find_shards(pattern)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def commit(hub: Watched) -> str:
    assert isinstance(hub.app, HubApp)
    return hub.app.commits["me/captions"]


@pytest.mark.parametrize("revision", ["", "@main"])
def test_globs_folders_and_files(hub: Watched, revision: str) -> None:
    root = f"hf://datasets/me/captions{revision}"
    at = f"hf://datasets/me/captions@{commit(hub)}/data"
    for pattern, above in (("**/*.parquet", "data/"), ("data/*.parquet", ""), ("data", "")):
        shards = find_shards(f"{root}/{pattern}")
        assert [(shard.name, shard.rows) for shard in shards] == [
            (f"{above}a.parquet", 20_000),
            (f"{above}b.parquet", 2),
        ]
        assert [shard.location for shard in shards] == [f"{at}/a.parquet", f"{at}/b.parquet"]
    (one,) = find_shards(f"{root}/data/b.parquet")
    assert (one.name, one.url_column) == ("b.parquet", "URL")


def test_all_is_read_at_the_commit_that_was_listed(hub: Watched) -> None:
    (shard,) = find_shards("hf://datasets/me/captions/data/b.parquet")
    assert isinstance(hub.app, HubApp)
    hub.requests.clear()
    assert [text for batch in scan(shard) for text in batch.captions.to_pylist()] == [
        "caption 0 of b",
        "caption 1 of b",
    ]
    assert hub.requests
    assert all(commit(hub) in path for _, path, _, _ in hub.requests)


def test_only_the_needed_columns_cross_the_wire(hub: Watched) -> None:
    (shard,) = find_shards("hf://datasets/me/captions/data/a.parquet")
    hub.sent = 0
    assert sum(len(batch.rows) for batch in scan(shard)) == 20_000
    assert hub.sent < len(FILES["data/a.parquet"]) / 5


def test_what_is_not_there(hub: Watched) -> None:
    assert "repository not found" in refusal("hf://datasets/me/nothing/*.parquet")
    assert "revision not found" in refusal("hf://datasets/me/captions@older/*.parquet")
    assert "not found" in refusal("hf://datasets/me/captions/other/*.parquet")
    assert "no Parquet file matches" in refusal("hf://datasets/me/captions/data/z*.parquet")
    assert "no Parquet file matches" in refusal("hf://datasets/me/captions")
    assert "Invalid HF URI" in refusal("hf://datasets/me")


def test_a_token_is_needed_and_never_told(hub: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    find_shards("hf://datasets/me/captions/data")
    assert {credentials for *_, credentials in hub.requests} == {f"Bearer {PLANTED}"}
    monkeypatch.setenv("HF_TOKEN", "hf_anotherTokenOfNobody")
    message = refusal("hf://datasets/me/captions/data")
    assert message.startswith("hf://datasets/me/captions/data: access refused (")
    assert message.endswith("; accept the data set's conditions on its page and set HF_TOKEN")
    assert "TokenOfNobody" not in message
    monkeypatch.delenv("HF_TOKEN")
    hub.requests.clear()
    assert "make sure you are authenticated" in refusal("hf://datasets/me/captions/data")
    assert {credentials for *_, credentials in hub.requests} == {""}


def test_a_short_answer_is_asked_for_again(hub: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    hub.instead += ["short"]
    (shard,) = find_shards("hf://datasets/me/captions/data/b.parquet")
    assert shard.rows == 2
    hub.instead += ["short"] * 99
    assert "cannot be read after" in refusal("hf://datasets/me/captions/data/b.parquet")


def test_a_hub_that_hangs_is_asked_again(hub: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.5)  # of 10 seconds
    hub.instead += ["hang"]
    (shard,) = find_shards("hf://datasets/me/captions/data/b.parquet")
    assert (shard.rows, hub.instead) == (2, [])
    hub.instead += ["hang"] * 99
    assert "cannot be read after" in refusal("hf://datasets/me/captions/data/b.parquet")
