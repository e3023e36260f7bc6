"""Files of a run: written under a temporary name and renamed, with bytes that depend on the content alone."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

# A leading dot keeps an unfinished file out of every glob of finished ones.
_TEMPORARY = ".unfinished-"

ROW_GROUP = 1 << 16
"""Rows of a row group."""


class DamagedFile(OSError):  # noqa: N818 (as its siblings in concepts.errors: a situation)
    """A file is there but not as it was written."""


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, even after a power cut."""
    _write(path, lambda file: file.write(content))


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys; NaN and infinities are refused because JSON has none.

    Raises:
        ValueError: A number is not finite.
    """
    write_bytes(path, canonical_json(content, indent=1) + b"\n")


def write_table(path: Path, table: pa.Table, metadata: Mapping[str, str] | None = None) -> None:
    """Write a Parquet file whose bytes depend on the table and the metadata alone.

    Args:
        path: Where the file goes.
        table: The rows; metadata of its fields is kept.
        metadata: Key-value metadata of the file, such as units.
    """
    _write(path, lambda file: _fill(file, table, metadata))


def write_tables(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Write a Parquet file of tables that come one by one and need not fit into memory together.

    Args:
        path: Where the file goes.
        schema: Of all of them; its metadata becomes the file's.
        tables: The rows in order; how they are cut into tables leaves the bytes as they are.
    """
    _write(path, lambda file: _stream(file, schema, tables))


def table_bytes(table: pa.Table) -> bytes:
    """Return the Parquet file that :func:`write_table` writes."""
    buffer = io.BytesIO()
    _fill(buffer, table, None)
    return buffer.getvalue()


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file written by :func:`write_table` and check its pages' checksums.

    Args:
        path: The file.
        columns: Which columns to read; None: all.

    Raises:
        DamagedFile: The file is truncated or its bytes have changed.
        OSError: It is missing or cannot be read at all.
    """
    with path.open("rb") as file:  # what the file system says is told apart from what Parquet says
        try:
            table = pq.read_table(file, columns=columns, page_checksum_verification=True)
            _ = table.column_names  # one that is not UTF-8 is found here, not wherever it is used
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise DamagedFile(f"{path}: damaged Parquet file ({error})") from error
    return table


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        DamagedFile: The file is no JSON.
        OSError: It is missing or cannot be read at all.
    """
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DamagedFile(f"{path}: damaged JSON file ({error})") from error


def is_whole(path: Path) -> bool:
    """Tell whether a Parquet file has its beginning and its end; the pages are checked when they are read."""
    try:
        pq.read_metadata(path)
    except (OSError, pa.ArrowException, UnicodeDecodeError):
        return False
    return True


def canonical_json(content: Any, indent: int | None = None) -> bytes:
    """Return JSON with one spelling for each content."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(
        content, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators
    )
    return text.encode()


def digest(content: Any) -> str:
    """Return the SHA-256 of a JSON-like value, in hexadecimal."""
    return hashlib.sha256(canonical_json(content)).hexdigest()


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def finished_files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that are no leftovers, in the order of their names."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not is_leftover(path):
            yield path


def is_leftover(path: Path) -> bool:
    """Tell whether a file is what an interrupted write has left."""
    return path.name.startswith(_TEMPORARY)


def remove_leftovers(folder: Path) -> None:
    """Remove what an interrupted write has left below a folder."""
    for path in folder.rglob(f"{_TEMPORARY}*"):
        path.unlink(missing_ok=True)


def clear(folder: Path, first: tuple[str, ...], keep: tuple[str, ...] = ()) -> None:
    """Empty a folder but for what is named in ``keep``, the files named ``first`` before all others.

    A reader that dies in between, or we, must never leave a folder that looks finished.
    """
    for name in first:
        (folder / name).unlink(missing_ok=True)
    for path in sorted(folder.iterdir()):
        if path.name in keep:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _fill(file: IO[bytes], table: pa.Table, metadata: Mapping[str, str] | None) -> None:
    added = {key.encode(): value.encode() for key, value in (metadata or {}).items()}
    content = {**(table.schema.metadata or {}), **added}
    ordered = table.replace_schema_metadata(dict(sorted(content.items())))
    # Vectors and images do not repeat: a dictionary of theirs costs time alone.
    repeating = [each.name for each in ordered.schema if not _is_vector_or_bytes(each.type)]
    # Page checksums tell flipped bytes in a part that no receipt covers yet.
    pq.write_table(
        ordered,
        file,
        compression="zstd",
        use_dictionary=repeating or False,
        write_page_checksum=True,
        row_group_size=ROW_GROUP,
    )


def _is_vector_or_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(kind) or pa.types.is_binary(kind))


def _stream(file: IO[bytes], schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    with pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True) as writer:
        waiting = schema.empty_table()
        for table in tables:
            waiting = pa.concat_tables([waiting, table]).combine_chunks()
            whole = waiting.num_rows // ROW_GROUP * ROW_GROUP
            for start in range(0, whole, ROW_GROUP):
                writer.write_table(waiting.slice(start, ROW_GROUP))
            waiting = waiting.slice(whole)
        writer.write_table(waiting)


def _write(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{_TEMPORARY}{os.getpid()}-{path.name}")
    try:
        with temporary.open("wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename last: without this a power cut may bring the old name back."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
