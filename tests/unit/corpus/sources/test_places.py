from __future__ import annotations

from pathlib import Path

import pytest

from corpus.sources.places import is_elsewhere, local_path, protocol_of, protocols, redact, shown


@pytest.mark.parametrize(
    ("place", "protocol"),
    [
        ("/data/a.parquet", ""),
        ("data/*.parquet", ""),
        ("file:///data/a.parquet", ""),
        ("C:/data", ""),
        ("s3://bucket/a", "s3"),
        ("S3://bucket/a", "s3"),
        ("hf://datasets/o/n@main/*.parquet", "hf"),
        ("hub:owner/name", "hub"),
    ],
)
def test_protocols(place: str, protocol: str) -> None:
    assert protocol_of(place) == protocol
    assert is_elsewhere(place) == (bool(protocol) or place.startswith("file:"))


def test_a_file_url_is_a_path() -> None:
    assert local_path("file:///data/a%20b.parquet") == Path("/data/a b.parquet")
    assert local_path("data/a%20b.parquet") == Path("data/a%20b.parquet")


def test_passwords_and_signatures_are_not_shown() -> None:
    assert shown("https://me:pass@host/a.parquet?X-Amz-Signature=abc&x=1") == "https://host/a.parquet?…"
    assert shown("s3://KEY:se/cr+et@bucket/a") == "s3://bucket/a"
    assert shown("https://host:80/a@b.parquet") == "https://host:80/a@b.parquet"  # a port, no password
    assert shown("hf://datasets/o/n@main/a.parquet") == "hf://datasets/o/n@main/a.parquet"
    assert shown("s3://bucket/a?.parquet") == "s3://bucket/a?.parquet"  # a wildcard, no query
    assert shown("/data/what?.parquet") == "/data/what?.parquet"
    assert redact("Authorization: Bearer abcdefghijkl, url 'https://x/y?token=z'") == (
        "Authorization: Bearer …, url 'https://x/y?…'"
    )


def test_secrets_of_the_environment_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in protocols().values():
        for variable in row.secrets:
            monkeypatch.setenv(variable, f"planted-{variable}")
            assert redact(f"refused planted-{variable}!") == "refused …!"
    monkeypatch.setenv("HF_TOKEN", "test")  # too short to be one: it would blank out words
    assert redact("a test") == "a test"
