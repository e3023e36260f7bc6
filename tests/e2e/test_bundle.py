"""A finished run, packed, checked by somebody else, and tampered with."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from fit.evidence.bundle import MANIFEST
from fit.run import artefacts
from tests.conftest import Finished

Command = Callable[..., Finished]


@pytest.fixture
def bundle(command: Command, micro_run: Path, tmp_path: Path) -> Path:
    out = tmp_path / "evidence.zip"
    done = command("bundle", str(micro_run), "--out", str(out))
    assert done.code == 0, done.err
    assert artefacts.digest_file(out) in done.out
    return out


def rewritten(bundle: Path, name: str, content: bytes) -> Path:
    """The bundle with another file in place of one and a manifest to match, as a forger would make it."""
    out = bundle.with_name("forged.zip")
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(out, "w") as new:
        manifest = json.loads(old.read(MANIFEST))
        manifest["files"][name]["sha256"] = hashlib.sha256(content).hexdigest()
        for entry in old.namelist():
            data = {name: content, MANIFEST: json.dumps(manifest).encode()}.get(entry) or old.read(entry)
            new.writestr(entry, data)
    return out


def read(bundle: Path, name: str) -> bytes:
    with zipfile.ZipFile(bundle) as archive:
        return archive.read(name)


def test_an_honest_bundle_passes(command: Command, bundle: Path) -> None:
    done = command("check", str(bundle))
    assert done.code == 0, done.out + done.err
    assert len(done.out.splitlines()) == 6
    assert all(line.startswith("as it says: ") for line in done.out.splitlines())


def test_two_bundles_of_a_run_are_equal(
    command: Command, micro_run: Path, bundle: Path, tmp_path: Path
) -> None:
    assert command("bundle", str(micro_run), "--out", str(tmp_path / "again.zip")).code == 0
    assert (tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def test_it_holds_no_pictures_no_embeddings_and_no_host(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith(".parquet"):
                kinds = pq.read_schema(io.BytesIO(content)).types
                assert not any(pa.types.is_binary(k) or pa.types.is_fixed_size_list(k) for k in kinds), name
            assert b"\x89PNG" not in content
            assert b"\xff\xd8\xff" not in content
            assert b'"host"' not in content
        assert "report/report.html" in json.loads(archive.read(MANIFEST))["left_out"]


def test_pictures_come_when_asked_for(command: Command, micro_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "whole.zip"
    assert command("bundle", str(micro_run), "--out", str(out), "--pictures").code == 0
    assert b"<!doctype html>" in read(out, "report/report.html")
    assert "image" in pq.read_schema(io.BytesIO(read(out, "references/references.parquet"))).names
    assert command("check", str(out)).code == 0


def test_one_changed_byte_is_refused(command: Command, bundle: Path) -> None:
    content = bytearray(read(bundle, "threshold/threshold.json"))
    content[len(content) // 2] ^= 1
    out = bundle.with_name("flipped.zip")
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, bytes(content) if entry == "threshold/threshold.json" else old.read(entry))
    done = command("check", str(out))
    assert done.code == 2
    assert "threshold/threshold.json is not the file that was packed" in done.err


def test_a_forged_verdict_is_found_out(command: Command, bundle: Path) -> None:
    found = json.loads(read(bundle, "threshold/threshold.json"))
    found["n_concepts"] += 1
    forged = rewritten(bundle, "threshold/threshold.json", artefacts.canonical_json(found))
    done = command("check", str(forged), "--json")
    assert done.code == 2
    findings = json.loads(done.out)["findings"]
    differences = " ".join(line for finding in findings for line in finding["differences"])
    assert "threshold/threshold.json is not the file that its stage has written" in differences
    assert "n_concepts" in differences


def test_forged_scores_are_found_out_by_the_receipt_and_by_the_verdict(
    command: Command, bundle: Path
) -> None:
    scores = pq.read_table(io.BytesIO(read(bundle, "scores/scores.parquet")))
    better = pc.multiply(scores["matched"], 0.5)
    place = scores.column_names.index("matched")
    scores = scores.set_column(place, scores.schema.field(place), better)
    forged = rewritten(bundle, "scores/scores.parquet", artefacts.table_bytes(scores))
    done = command("check", str(forged))
    assert done.code == 2
    assert "scores/scores.parquet is not the file that its stage has written" in done.out
    assert "DIFFERS: threshold, computed again" in done.out


def test_an_unfinished_run_is_not_packed(command: Command, micro_run: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(micro_run, tmp_path / "run")
    (tmp_path / "run/scores/receipt.json").unlink()
    done = command("bundle", str(tmp_path / "run"), "--out", str(tmp_path / "b.zip"))
    assert done.code == 20
    assert "scores: not finished" in done.err
    assert not list(tmp_path.glob("*.zip"))
