"""A bundle is a file from a stranger: it is taken whole and unchanged, or refused."""

from __future__ import annotations

import json
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from concepts.errors import MalformedFile
from fit.evidence import archive
from fit.evidence.archive import unpack
from fit.evidence.bundle import MANIFEST, SCHEMA

CONTENT = b"concept,frequency\n"


def write(
    path: Path, files: dict[str, bytes], named: dict[str, bytes] | None = None, **manifest: object
) -> Path:
    """A bundle that holds `files` and whose manifest names `named`."""
    digests = {name: {"sha256": sha256(data).hexdigest()} for name, data in (named or files).items()}
    with zipfile.ZipFile(path, "w") as out:
        for name, data in files.items():
            out.writestr(name, data)
        out.writestr(MANIFEST, json.dumps({"schema": SCHEMA, "files": digests, **manifest}))
    return path


def refusal(path: Path, into: Path) -> str:
    with pytest.raises(MalformedFile) as refused:
        unpack(path, into)
    return str(refused.value)


def test_what_was_packed_comes_out(tmp_path: Path) -> None:
    bundle = write(tmp_path / "b.zip", {"scores/scores.csv": CONTENT})
    packed = unpack(bundle, tmp_path / "out")
    assert packed["scores/scores.csv"].sha256 == sha256(CONTENT).hexdigest()
    assert (tmp_path / "out/scores/scores.csv").read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside", "a\\..\\outside"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    bundle = write(tmp_path / "b.zip", {name: CONTENT})
    assert "leads out" in refusal(bundle, tmp_path / "deep" / "out")
    assert not list(tmp_path.rglob("outside*"))


def test_another_content_is_refused(tmp_path: Path) -> None:
    bundle = write(tmp_path / "b.zip", {"a": CONTENT}, named={"a": CONTENT.upper()})
    assert "a is not the file that was packed" in refusal(bundle, tmp_path / "out")


def test_a_file_too_many_is_refused(tmp_path: Path) -> None:
    bundle = write(tmp_path / "b.zip", {"a": CONTENT, "b": b""}, named={"a": CONTENT})
    assert "b is not in the manifest" in refusal(bundle, tmp_path / "out")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    bundle = write(tmp_path / "b.zip", {"a": CONTENT}, named={"a": CONTENT, "b": b""})
    assert "b is missing" in refusal(bundle, tmp_path / "out")


def test_another_schema_is_refused(tmp_path: Path) -> None:
    bundle = write(tmp_path / "b.zip", {"a": CONTENT}, schema="fit-bundle/99")
    assert "'fit-bundle/99'" in refusal(bundle, tmp_path / "out")


@pytest.mark.parametrize("manifest", [b"[]", b"{", b'{"schema": "fit-bundle/1", "files": 3}', b"\xff"])
def test_a_broken_manifest_is_refused(tmp_path: Path, manifest: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as out:
        out.writestr(MANIFEST, manifest)
    assert "b.zip" in refusal(tmp_path / "b.zip", tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"PK", b"<html>", b"PK\x03\x04" + bytes(60)])
def test_what_is_no_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.zip").write_bytes(content)
    assert "b.zip" in refusal(tmp_path / "b.zip", tmp_path / "out")


def test_what_does_not_inflate_is_refused(tmp_path: Path) -> None:
    bundle = tmp_path / "b.zip"
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(MANIFEST, "[]")
    content = bytearray(bundle.read_bytes())
    content[30 + len(MANIFEST)] = 0xFF  # the first byte after the local header: a block of no known type
    bundle.write_bytes(content)
    assert "damaged (Error -3 while decompressing" in refusal(bundle, tmp_path / "out")


def test_a_manifest_nested_without_end_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as out:
        out.writestr(MANIFEST, "[" * 100_000)
    assert "damaged" in refusal(tmp_path / "b.zip", tmp_path / "out")


def test_a_missing_bundle_is_one_line(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "none.zip", tmp_path / "out")


def test_what_would_fill_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    bundle = write(tmp_path / "b.zip", {"a": bytes(2000)})
    assert "refused" in refusal(bundle, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    whole = write(tmp_path / "b.zip", {"a": CONTENT, "c": b"1"}).read_bytes()
    directory = whole.rindex(b"PK\x05\x06")  # of the end record only the counts matter
    kept = {"a": CONTENT, "c": b"1"}
    for place in range(directory):
        changed = bytearray(whole)
        changed[place] ^= 0x20
        (tmp_path / "changed.zip").write_bytes(changed)
        into = tmp_path / f"out-{place}"
        try:
            unpack(tmp_path / "changed.zip", into)
        except MalformedFile:
            continue
        # Bytes that are no content (times, attributes) may change; what comes out may not.
        assert {path.name: path.read_bytes() for path in into.iterdir()} == kept
