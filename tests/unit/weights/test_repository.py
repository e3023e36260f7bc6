"""Repositories of the hub: an offline cache as its client lays it out, and a hub that is not there."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from concepts.errors import ModelError
from fit.weights.repository import Repository, cached, digest, fetch

COMMIT = "5bc26a6fb0487f3f00a2a7313135103a005b1b67"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The client's cache; the hub is an address at which nobody listens."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    return tmp_path


def fill(home: Path, **files: bytes) -> Path:
    """Files as blobs under their digests, and links to them in the snapshot of a commit."""
    repository = home / "models--owner--name"
    for folder in ("blobs", f"snapshots/{COMMIT}", "refs"):
        (repository / folder).mkdir(parents=True, exist_ok=True)
    (repository / "refs" / "main").write_text(COMMIT)
    for name, content in files.items():
        blob = repository / "blobs" / hashlib.sha256(content).hexdigest()
        blob.write_bytes(content)
        link = repository / "snapshots" / COMMIT / name.replace("_", ".")
        link.unlink(missing_ok=True)
        link.symlink_to(blob)
    return repository / "snapshots" / COMMIT


def wanted(*files: str, revision: str = "") -> Repository:
    return Repository.of(f"owner/name@{revision}" if revision else "owner/name", files)


def test_what_is_cached_is_found_without_a_network(home: Path) -> None:
    snapshot = fill(home, config_json=b"{}", model_safetensors=b"weights")
    assert fetch(wanted("config.json", "model.safetensors")) == snapshot
    assert fetch(wanted("*.json", "model.*", revision=COMMIT)) == snapshot
    assert cached(wanted("config.json", "tokenizer.json")) is None


def test_the_digest_is_of_the_commit_and_the_files_wanted(home: Path) -> None:
    fill(home, config_json=b"{}", model_safetensors=b"weights", readme_md=b"words")
    first = digest(wanted("config.json", "model.safetensors"))
    assert digest(wanted("*.json", "model.safetensors")) == first
    fill(home, readme_md=b"other words")
    assert digest(wanted("config.json", "model.safetensors")) == first
    fill(home, model_safetensors=b"other weights")
    assert digest(wanted("config.json", "model.safetensors")) != first


def test_what_is_nowhere_is_one_line_that_says_what_to_do(home: Path) -> None:
    for ask in (fetch, digest):
        with pytest.raises(ModelError) as caught:
            ask(wanted("model.safetensors"))
        line = str(caught.value)
        assert line.startswith("owner/name: cannot be fetched from the hub or its cache (")
        assert line.endswith("; or name a local folder")
        assert "\n" not in line


def test_a_name_that_no_repository_has(home: Path) -> None:
    with pytest.raises(ModelError, match="no repository of the hub can be called so"):
        fetch(Repository.of("a/b/c", ("x",)))
