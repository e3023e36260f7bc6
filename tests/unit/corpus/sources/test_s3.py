from __future__ import annotations

import logging
import multiprocessing
import pickle
import sys
from pathlib import Path

import boto3
import numpy as np
import pytest

from concepts.concept import Concept
from concepts.errors import CorpusError, FitError, MissingExtra
from corpus.captions import CaptionCounter, CaptionQuery
from corpus.counts import merge
from corpus.scan import Conditions, addresses, repaired, scan
from corpus.shards import Shard, find_shards, survey_shards
from corpus.sources import remote
from corpus.where import parse_condition
from tests.unit.corpus.sources.conftest import KEY, SECRET
from tests.unit.corpus.sources.files import shard_bytes
from tests.unit.corpus.sources.loopback import Watched


def put(**contents: bytes) -> None:
    client = boto3.client("s3")
    for key, content in contents.items():
        client.put_object(Bucket="corpus", Key=key.replace("__", "/") + ".parquet", Body=content)


def captions(shard: Shard, condition: str = "") -> list[str]:
    batches = list(scan(shard, Conditions(parse_condition(condition))))
    return [
        text
        for batch in batches
        for text, meets in zip(batch.captions.to_pylist(), batch.meets[0], strict=True)
        if meets
    ]


def refusal(pattern: str) -> str:
    with pytest.raises(FitError) as caught:
        find_shards(pattern)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_globs_folders_and_files_mean_what_they_mean_locally(s3: Watched, tmp_path: Path) -> None:
    names = ("a", "deep/b", "deep/deeper/c", ".hidden", ".room/d")
    put(**{f"x/{name}": shard_bytes(name, 2) for name in names})
    boto3.client("s3").put_object(Bucket="corpus", Key="x/note.txt", Body=b"no shard")
    for name in names:
        path = tmp_path / "x" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shard_bytes(name, 2))
    for pattern in (
        "x",
        "x/",
        "x/*.parquet",
        "x/**/*.parquet",
        "x/*/*.parquet",
        "**/*.parquet",
        "x/a.parquet",
        "x/.hidden.parquet",
    ):
        there, here = (find_shards(f"{root}/{pattern}") for root in ("s3://corpus", tmp_path))
        told = [(shard.name, shard.rows, shard.size, shard.digest) for shard in there]
        assert told == [(shard.name, shard.rows, shard.size, shard.digest) for shard in here], pattern
        assert [shard.location for shard in there] == [
            f"s3://corpus/{shard.path.relative_to(tmp_path)}" for shard in here
        ]


def test_only_the_needed_columns_cross_the_wire(s3: Watched) -> None:
    content = shard_bytes("a", 20_000)
    put(a=content)
    (shard,) = find_shards("s3://corpus/a.parquet")
    s3.sent = 0
    assert captions(shard) == [f"caption {number} of a" for number in range(20_000)]
    assert s3.sent < len(content) / 5  # noise of 100 bytes a row, captions of 20 that compress well
    s3.sent = 0
    assert len(captions(shard, "number < 10000")) == 10_000
    assert s3.sent < len(content) / 5
    s3.sent = 0
    assert sum(len(batch.rows) for batch in repaired(shard)) == 20_000
    assert s3.sent < len(content) / 4  # with the addresses


def test_a_footer_costs_one_request(s3: Watched) -> None:
    put(a=shard_bytes("a", 5000), b=shard_bytes("b", 5000))
    s3.requests.clear()
    find_shards("s3://corpus/*.parquet")
    assert len(s3.ranges()) == 2


def test_addresses_of_some_rows(s3: Watched) -> None:
    put(a=shard_bytes("a", 20_000))
    (shard,) = find_shards("s3://corpus")
    found = addresses(shard, np.array([3, 19_999])).to_pylist()
    assert found == ["http://host/a/3", "http://host/a/19999"]


def test_counts_are_those_of_a_local_copy(s3: Watched, tmp_path: Path) -> None:
    put(a=shard_bytes("a", 3000))
    (tmp_path / "a.parquet").write_bytes(shard_bytes("a", 3000))
    query = CaptionQuery((Concept("caption 17"), Concept("of a")), seed=1, sample=5, where="number < 2000")
    there, here = (CaptionCounter(query).count(*find_shards(place)) for place in ("s3://corpus", tmp_path))
    assert there.equals(here, check_metadata=True)
    counts = merge([there], query.names)
    assert counts.caption_counts.tolist() == [1, 2000]  # "caption 17" is no "caption 170"
    assert [row.url for row in counts.sample_of("caption 17")] == ["http://host/a/17"]


def test_names_with_wildcards(s3: Watched) -> None:
    boto3.client("s3").put_object(Bucket="corpus", Key="a[1] b%.parquet", Body=shard_bytes("odd", 3))
    for pattern in ("s3://corpus/a[1] b%.parquet", "s3://corpus"):
        (shard,) = find_shards(pattern)
        assert (shard.name, len(captions(shard))) == ("a[1] b%.parquet", 3)


def test_a_shard_goes_to_other_processes(s3: Watched) -> None:
    put(a=shard_bytes("a", 100), b=shard_bytes("b", 100))
    shards = find_shards("s3://corpus")
    assert len(pickle.dumps(shards[0])) < 1000
    with multiprocessing.get_context("fork").Pool(
        2
    ) as pool:  # the connections of this one are of no use there
        found = pool.map(captions, shards)
    assert found == [captions(shard) for shard in shards]


def test_what_is_not_there(s3: Watched) -> None:
    put(a=b"")
    assert "The specified bucket does not exist" in refusal("s3://nothing/*.parquet")
    assert "The specified bucket does not exist" in refusal("s3://nothing/x.parquet")
    assert refusal("s3://corpus/b.parquet").startswith("s3://corpus/b.parquet: not found")
    assert "s3://corpus/b*.parquet: no Parquet file matches" in refusal("s3://corpus/b*.parquet")
    assert refusal("s3://corpus") == (
        "s3://corpus/a.parquet: not a Parquet file (0 bytes); give Parquet shards"
    )


def test_a_truncated_shard_leaves_the_others(s3: Watched) -> None:
    whole = shard_bytes("a", 3000)
    put(a=whole, b=whole[: len(whole) // 2], c=whole)
    survey = survey_shards("s3://corpus")
    assert [shard.name for shard in survey.shards] == ["a.parquet", "c.parquet"]
    (left_out,) = survey.unreadable
    assert left_out.name == "b.parquet"
    assert left_out.reason.startswith("s3://corpus/b.parquet: truncated")


def test_a_server_in_trouble_is_asked_again(s3: Watched) -> None:
    put(a=shard_bytes("a", 20_000))
    s3.instead += [503, "short"]
    (shard,) = find_shards("s3://corpus/a.parquet")
    s3.instead += [500, "short"]  # three attempts for each range, whichever is hit
    assert len(captions(shard)) == 20_000
    assert s3.instead == []


@pytest.mark.parametrize("read", [scan, repaired])
def test_a_server_that_stays_in_trouble(s3: Watched, read: object) -> None:
    put(a=shard_bytes("a", 20_000))
    (shard,) = find_shards("s3://corpus/a.parquet")
    s3.instead += [503] * 100
    with pytest.raises(CorpusError) as caught:
        list(read(shard))  # type: ignore[operator]
    message = str(caught.value)
    assert message.startswith("s3://corpus/a.parquet: cannot be read after 3 attempts (")
    assert message.endswith("; check the network and run again")
    assert "\n" not in message
    assert s3.instead  # gave up


def test_a_server_that_hangs_or_sends_more_than_was_asked_for(
    s3: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s3fs.S3FileSystem.read_timeout", 1)  # of 15 seconds
    monkeypatch.setattr(remote, "_CACHE", {})
    put(a=shard_bytes("a", 20_000))
    s3.instead += ["hang", "long"]
    (shard,) = find_shards("s3://corpus/a.parquet")
    s3.instead += ["long", "hang"]
    assert captions(shard) == [f"caption {number} of a" for number in range(20_000)]
    assert s3.instead == []
    s3.instead += ["hang"] * 3
    with pytest.raises(CorpusError, match=r"a\.parquet: cannot be read after 3 attempts \("):
        list(scan(shard))


def test_a_shard_that_is_gone_between(s3: Watched) -> None:
    put(a=shard_bytes("a", 10))
    (shard,) = find_shards("s3://corpus/a.parquet")
    boto3.client("s3").delete_object(Bucket="corpus", Key="a.parquet")
    for read in (scan, repaired):
        with pytest.raises(CorpusError, match=r"^s3://corpus/a\.parquet: not found"):
            list(read(shard))


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    message = refusal("s3://corpus/a.parquet")
    assert message.startswith("s3://corpus/a.parquet: cannot be read after 3 attempts (")


def test_credentials_come_from_a_profile(
    s3: Watched, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put(a=shard_bytes("a", 10))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    (tmp_path / "credentials").write_text(
        f"[lab]\naws_access_key_id = FROMPROFILE\naws_secret_access_key = x\nendpoint_url = {s3.url}\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "lab")
    s3.requests.clear()
    assert len(find_shards("s3://corpus")) == 1
    assert all("Credential=FROMPROFILE/" in credentials for *_, credentials in s3.requests)


def test_without_credentials_requests_are_not_signed(s3: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    boto3.client("s3").put_object(
        Bucket="corpus", Key="a.parquet", Body=shard_bytes("a", 10), ACL="public-read"
    )
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    s3.requests.clear()
    (shard,) = find_shards("s3://corpus")
    assert len(captions(shard)) == 10
    assert {credentials for *_, credentials in s3.requests} == {""}


def test_secrets_are_never_told(s3: Watched, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    put(a=shard_bytes("a", 10))
    (shard,) = find_shards("s3://corpus")
    captions(shard)
    assert any(KEY in credentials for *_, credentials in s3.requests)  # they were used
    s3.instead += [403] * 100
    messages = [refusal("s3://corpus/a.parquet"), refusal(f"s3://{KEY}:{SECRET}@corpus/a.parquet")]
    assert "a URL with a password in it ends up in logs; set AWS_PROFILE" in messages[1]
    told = "\n".join([*messages, caplog.text, repr(shard), repr(pickle.dumps(shard))])
    assert KEY not in told
    assert SECRET not in told


def test_without_s3fs(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "s3fs"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(MissingExtra) as caught:
        find_shards("s3://corpus/a.parquet")
    assert str(caught.value) == (
        "s3://corpus/a.parquet: s3:// needs s3fs; pip install 'imitation-threshold[s3]'"
    )
    assert caught.value.exit_code == 13
