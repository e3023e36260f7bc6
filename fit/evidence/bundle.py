"""A run packed for another party: settings, counts, scores, digests, versions; no pictures unless asked for.

A bundle is a ZIP file with fixed times, so that equal runs have equal bundles. Columns that hold pictures or
embeddings are left out, and the manifest says so; every other byte is as the run folder holds it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import fit
from concepts.errors import StageIncomplete
from fit.pipeline import STAGES
from fit.run import Run, artefacts
from fit.run.folder import CONFIG, SKIPPED
from fit.run.freed import freed
from fit.run.history import invocations
from fit.run.receipts import PLAN, RECEIPT, read_receipt

SCHEMA = "fit-bundle/1"
MANIFEST = "bundle.json"
VERSIONS = "versions.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PICTURES = (".html", ".tar")


@dataclass(frozen=True)
class Packed:
    """One file of a bundle.

    Attributes:
        sha256: Digest of the file as it is in the bundle.
        dropped: Columns that were left out; where there are none, the file is the run's own, byte for byte.
    """

    sha256: str
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bundle:
    """What was packed.

    Attributes:
        path: The bundle.
        sha256: Its digest, to be quoted where the result is.
        files: How many files it holds.
        left_out: Files of the run that it does not hold, with why.
    """

    path: Path
    sha256: str
    files: int
    left_out: tuple[tuple[str, str], ...]


def bundle(run: Run, out: Path, *, pictures: bool = False) -> Bundle:
    """Pack a finished run.

    Args:
        run: A run whose stages all have receipts.
        out: Where the bundle goes; a file that is there is replaced.
        pictures: Also pack images, embeddings and the pages that show them.

    Raises:
        StageIncomplete: A stage is not finished.
    """
    for stage in STAGES:
        if read_receipt(run.stage_folder(stage.name)) is None:
            raise StageIncomplete(f"{stage.name}: not finished; bring the run up to date with fit estimate")
    left_out: list[tuple[str, str]] = []
    gone = {f"{stage}/{name}" for stage, files in freed(run.folder).items() for name in files}
    packed: dict[str, Packed] = {}
    temporary = out.with_name(f".unfinished-{os.getpid()}-{out.name}")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, path in _files(run):
                if path.suffix in _PICTURES and not pictures:
                    left_out.append((name, "it shows pictures"))
                    continue
                if name in gone and not path.exists():
                    left_out.append((name, "it was deleted to free disk (fit clean)"))
                    continue
                content, dropped = (path.read_bytes(), ()) if pictures else _without_pictures(path)
                packed[name] = _put(archive, name, content, dropped)
            packed[VERSIONS] = _put(archive, VERSIONS, _versions(run))
            manifest = {
                "schema": SCHEMA,
                "fit_version": fit.__version__,
                "files": {name: asdict(file) for name, file in sorted(packed.items())},
                "left_out": dict(left_out),
            }
            _put(archive, MANIFEST, artefacts.canonical_json(manifest, indent=1))
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
    return Bundle(out, artefacts.digest_file(out), len(packed) + 1, tuple(left_out))


def _files(run: Run) -> Iterator[tuple[str, Path]]:
    """Yield the run's settings and all that its receipts name, the receipts included."""
    yield CONFIG, run.folder / CONFIG
    yield SKIPPED, run.folder / SKIPPED
    for stage in STAGES:
        home = run.stage_folder(stage.name)
        receipt = read_receipt(home)
        names = sorted([PLAN, RECEIPT, *(receipt.outputs if receipt else ())])
        for name in names:
            yield f"{stage.name}/{name}", home / name


def _without_pictures(path: Path) -> tuple[bytes, tuple[str, ...]]:
    """Return a file's bytes, of a table those without its columns of pictures and embeddings."""
    content = path.read_bytes()
    if path.suffix != ".parquet":
        return content, ()
    schema = pq.read_schema(io.BytesIO(content))
    dropped = tuple(field.name for field in schema if _pictures(field.type))
    if not dropped:
        return content, ()
    table = pq.read_table(io.BytesIO(content), columns=[n for n in schema.names if n not in dropped])
    return artefacts.table_bytes(table), dropped


def _pictures(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_list(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _versions(run: Run) -> bytes:
    """Return what the run was computed with, without the names of machines."""
    rows = invocations(run.folder)
    for row in rows:
        row["device"] = {key: value for key, value in row.get("device", {}).items() if key != "host"}
    return json.dumps({"invocations": rows}, sort_keys=True, indent=1).encode()


def _put(archive: zipfile.ZipFile, name: str, content: bytes, dropped: tuple[str, ...] = ()) -> Packed:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    archive.writestr(entry, content)
    return Packed(hashlib.sha256(content).hexdigest(), dropped)
