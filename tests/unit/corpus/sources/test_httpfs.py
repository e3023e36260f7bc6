"""The choice of DuckDB's own reader and what it is told; it is not here to be run."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from corpus.reading import opened
from corpus.session import sql
from corpus.shards import Shard
from corpus.sources import httpfs
from corpus.sources.httpfs import S3Access, installed, s3_access, s3_secret, serves


def _extensions() -> list[str]:
    with duckdb.connect() as session:
        return [
            name
            for (name,) in session.execute(
                "FROM duckdb_extensions() SELECT extension_name WHERE installed"
            ).fetchall()
        ]


@pytest.fixture
def present(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpfs, "installed", lambda: True)


def test_it_is_looked_for_and_never_installed() -> None:
    before = _extensions()
    installed.cache_clear()
    assert installed() == ("httpfs" in before)
    assert _extensions() == before


@pytest.mark.usefixtures("present")
@pytest.mark.parametrize(
    ("location", "served"),
    [
        ("s3://bucket/a.parquet", True),
        ("hf://datasets/o/n@main/a.parquet", True),
        ("s3://bucket/a[1].parquet", False),  # DuckDB would look for another file
        ("gs://bucket/a.parquet", False),
        ("https://host/a.parquet", False),
        ("/data/a.parquet", False),
        ("hub:?name=o", False),
    ],
)
def test_what_it_serves(location: str, served: bool) -> None:
    assert serves(location) == served


@pytest.mark.usefixtures("present")
def test_a_hub_of_ones_own_is_none_of_its(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://huggingface.co/")
    assert serves("hf://datasets/o/n/a.parquet")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:8000")
    assert not serves("hf://datasets/o/n/a.parquet")
    assert serves("s3://bucket/a.parquet")


def test_without_it_nothing_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpfs, "installed", lambda: False)
    assert not serves("s3://bucket/a.parquet")


def test_where_and_as_whom_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert s3_access() == S3Access("us-east-1", "", "", "", "", ssl=True)  # a public bucket
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    assert s3_access() == S3Access("eu-west-3", "key", "secret", "token", "", ssl=True)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    assert s3_access() == S3Access("eu-west-3", "key", "secret", "token", "127.0.0.1:9000", ssl=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    (tmp_path / "shared").write_text(
        "[lab]\naws_access_key_id = k\naws_secret_access_key = s\nendpoint_url = https://store.example\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "shared"))
    monkeypatch.setenv("AWS_PROFILE", "lab")
    assert s3_access() == S3Access("eu-west-3", "k", "s", "", "store.example", ssl=True)


@pytest.mark.parametrize("endpoint", ["", "127.0.0.1:9000"])
def test_the_secret_is_understood_but_for_the_extension(endpoint: str) -> None:
    access = S3Access("eu-west-3", "key", "it's", "", endpoint, ssl=False)
    statement, values = s3_secret("s3://bucket/deep/a.parquet", access)
    assert values["scope"] == "s3://bucket"
    assert ("endpoint" in values) == bool(endpoint)
    with (
        duckdb.connect(config={"autoload_known_extensions": False}) as session,
        pytest.raises(duckdb.InvalidInputException, match="Secret type 's3' does not exist"),
    ):
        session.execute(sql(statement), values)


def test_secrets_are_bound_and_kept_in_memory() -> None:
    # The same statement for the one kind of secret that DuckDB knows without the extension.
    statement = sql("secret_hub").replace("huggingface", "http").replace("TOKEN $", "BEARER_TOKEN $")
    with duckdb.connect() as session:
        session.execute(statement, {"token": "it's secret"})
        ((name, storage, told),) = session.execute(
            "FROM duckdb_secrets() SELECT name, storage, secret_string"
        ).fetchall()
    assert (name, storage) == ("shard", "memory")
    assert "secret" not in told.replace("redacted", "")


@pytest.mark.usefixtures("present")
@pytest.mark.skipif(installed(), reason="the extension is installed here: it would ask a server")
def test_the_extension_is_loaded_where_it_was_found() -> None:
    shard = Shard("s3://bucket/a.parquet", "a.parquet", 99, 1, ("TEXT",), "TEXT", None, "")
    with (
        pytest.raises(duckdb.IOException, match=r"httpfs\.duckdb_extension\" not found"),
        opened(shard),
    ):
        pass
