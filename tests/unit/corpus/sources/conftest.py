"""Servers on loopback and an environment without anybody's credentials."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from corpus.sources import faults
from tests.unit.corpus.sources.loopback import Watched, s3_app, serve

KEY, SECRET = "AKIAPLANTEDKEYID0001", "planted/secret+key0002"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in [name for name in os.environ if name.startswith(("AWS_", "HF_"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(faults, "WAITS", (0.0, 0.0))


@pytest.fixture(scope="module")
def s3_server() -> Iterator[Watched]:
    with serve(s3_app()) as server:
        yield server


@pytest.fixture
def s3(s3_server: Watched, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """An S3 with an empty bucket ``corpus``, named by the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    client.create_bucket(Bucket="corpus")
    s3_server.requests.clear()
    yield s3_server
    s3_server.instead.clear()
    for entry in client.list_objects_v2(Bucket="corpus").get("Contents", []):
        client.delete_object(Bucket="corpus", Key=entry["Key"])
    client.delete_bucket(Bucket="corpus")
