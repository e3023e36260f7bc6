"""Generated images in a run: a tar file for the images of a part, a Parquet file for what was asked.

The tar file is a shard of a webdataset: ``KEY.png`` with the image, ``KEY.json`` with its request. The
Parquet file, written after it, says where in there each image starts; whoever reads a part needs no index.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from concepts.errors import StageIncomplete
from fit.run import Job
from fit.run.job import PARTS

if TYPE_CHECKING:
    from fit.generation.sampling import Sample

TAR_BYTES, BATCH_SIZE = "tar_bytes", "batch_size"


def packed(name: str, arm: str, samples: Sequence[Sample]) -> tuple[bytes, pa.Table]:
    """Return the tar file and the table of a part.

    Args:
        name: The part's name, with which the keys begin.
        arm: Which model the samples are of.
        samples: What came of its requests.
    """
    buffer = io.BytesIO()
    offsets: list[int | None] = []
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for row, sample in enumerate(samples):
            key = f"{name}-{row:05d}"
            if sample.image is None:
                offsets.append(None)
                continue
            request = {"arm": arm, **asdict(sample.request)}
            offsets.append(_add(tar, f"{key}.png", sample.image))
            _add(tar, f"{key}.json", json.dumps(request, ensure_ascii=False, sort_keys=True).encode())
    return buffer.getvalue(), _table(arm, samples, offsets)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> int:
    """Add a member without times and owners, and return where its content starts."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))
    return tar.offset - -(-len(content) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _table(arm: str, samples: Sequence[Sample], offsets: Sequence[int | None]) -> pa.Table:
    requests = [sample.request for sample in samples]
    images = [sample.image for sample in samples]
    return pa.table(
        {
            "arm": pa.array([arm] * len(samples), pa.string()),
            "concept": pa.array([r.concept for r in requests], pa.string()),
            "prompt_index": pa.array([r.prompt_index for r in requests], pa.int32()),
            "prompt": pa.array([r.prompt for r in requests], pa.string()),
            "image_index": pa.array([r.image_index for r in requests], pa.int32()),
            "seed": pa.array([r.seed for r in requests], pa.int64()),
            "digest": pa.array([i and hashlib.sha256(i).hexdigest() for i in images], pa.string()),
            "reason": pa.array([sample.reason for sample in samples], pa.string()),
            "offset": pa.array(offsets, pa.int64()),
            "bytes": pa.array([None if i is None else len(i) for i in images], pa.int64()),
        }
    )


def write_generated(job: Job, name: str, tar: bytes, table: pa.Table, batch_size: int) -> None:
    """Write a part: the images first, so that a part whose table is there is whole."""
    job.write_bytes(f"{PARTS}/{name}.tar", tar)
    job.write_part(name, table, {TAR_BYTES: str(len(tar)), BATCH_SIZE: str(batch_size)})


def has_generated(job: Job, name: str) -> bool:
    """Tell whether a part is finished with all its images; one that has lost them is removed."""
    if not job.has_part(name):
        return False
    if has_images(job.parts_folder, name):
        return True
    job.note(f"{job.stage}: part {name} has lost its images and is computed again")
    (job.parts_folder / f"{name}.parquet").unlink()
    return False


def has_images(parts: Path, name: str) -> bool:
    """Tell whether the images of a finished part are there, as many bytes as its table says."""
    table, tar = (parts / f"{name}.{suffix}" for suffix in ("parquet", "tar"))
    told = (pq.read_schema(table).metadata or {}).get(TAR_BYTES.encode(), b"-1")
    return tar.is_file() and tar.stat().st_size == int(told)


def read_generated(job: Job, name: str) -> pa.Table:
    """Return a part of the stage `generation` with a column ``image``: the PNG, null where there is none.

    Raises:
        StageIncomplete: The part is not there or damaged.
    """
    table = job.read_part(name, "generation")
    path = job.path("generation", f"{PARTS}/{name}.tar")
    places = table.select(["offset", "bytes", "digest"]).to_pylist()
    images = _read(path, [tuple(row.values()) for row in places])
    return table.append_column("image", pa.array(images, pa.binary()))


def _read(path: Path, places: Sequence[tuple[int | None, int | None, str | None]]) -> list[bytes | None]:
    found: list[bytes | None] = []
    with path.open("rb") as file:
        for offset, size, digest in places:
            if offset is None or size is None:
                found.append(None)
                continue
            file.seek(offset)
            found.append(file.read(size))
            if hashlib.sha256(found[-1] or b"").hexdigest() != digest:
                path.unlink()  # out of the way, so that the next run computes the part again
                raise StageIncomplete(f"{path}: damaged; it was removed, run the same command again to go on")
    return found
