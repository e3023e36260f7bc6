"""Small Parquet and tar files for the tests of `corpus`."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def strings(values: list[bytes | None]) -> pa.Array:
    """Return an Arrow string column that holds any bytes, also such as are not UTF-8."""
    raw = pa.array(values, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())


def write_shard(path: Path, captions: list[str | None], **columns: object) -> Path:
    """Write a caption shard; more columns by their names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"TEXT": pa.array(captions, pa.string()), **columns}), path)
    return path


def write_image_files(
    folder: Path, name: str, rows: list[tuple[str, str, str]], files: dict[str, bytes]
) -> Path:
    """Write a folder of files and, beside it, its index of (url, key, status)."""
    (folder / name).mkdir(parents=True)
    for file, data in files.items():
        (folder / name / file).write_bytes(data)
    return write_index(folder / f"{name}.parquet", rows)


def write_index(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    """Write an index of (url, key, status)."""
    names = ("url", "key", "status")
    columns = {column: pa.array([row[i] for row in rows], pa.string()) for i, column in enumerate(names)}
    pq.write_table(pa.table(columns), path)
    return path


def write_images(
    folder: Path, name: str, rows: list[tuple[str, str, str]], members: dict[str, bytes]
) -> Path:
    """Write a tar file with members and, beside it, its index of (url, key, status)."""
    folder.mkdir(parents=True, exist_ok=True)
    write_index(folder / f"{name}.parquet", rows)
    with tarfile.open(folder / f"{name}.tar", "w") as tar:
        for member, data in members.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return folder / f"{name}.tar"
