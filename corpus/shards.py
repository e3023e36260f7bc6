"""Caption shards: Parquet files with a caption column, found by a glob and known by a cheap digest."""

from __future__ import annotations

import glob
import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from concepts.errors import CorpusError

CAPTION_COLUMNS = ("TEXT", "caption", "text")
URL_COLUMNS = ("URL", "url")
WILDCARDS = "*?["
_TAIL = struct.Struct("<I4s")
_MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class Shard:
    """One Parquet file of a corpus.

    Attributes:
        path: Where it lies.
        name: Its path below the folder that the search started from: the same on every machine.
        rows: How many rows it has.
        columns: Its columns' names, in order.
        caption_column: The column with the captions.
        url_column: The column with the images' addresses, None when there is none.
        digest: SHA-256 (hex) of the file's size and Parquet footer: changes with the content, costs no scan.
    """

    path: Path
    name: str
    rows: int
    columns: tuple[str, ...]
    caption_column: str
    url_column: str | None
    digest: str


def find_shards(
    pattern: Path | str, caption_column: str | None = None, url_column: str | None = None
) -> tuple[Shard, ...]:
    """Return the shards that a glob, a folder (its ``*.parquet``) or one file stands for, sorted by name.

    Args:
        pattern: Local glob (``**`` reaches into folders), folder or file.
        caption_column: The caption column; None or empty: the first of TEXT, caption, text.
        url_column: The URL column; None or empty: the first of URL, url, if any.

    Raises:
        CorpusError: Nothing matches; or a file is no Parquet file, is truncated, or lacks the column.
    """
    found = list_files(str(pattern), ".parquet")
    if not found:
        raise CorpusError(f"{pattern}: no Parquet file matches; check the path (folders and globs are taken)")
    return tuple(open_shard(path, name, caption_column, url_column) for path, name in found)


def list_files(pattern: str, suffix: str) -> tuple[tuple[Path, str], ...]:
    """Return (path, name) of the files that a glob, a folder or a file stands for, sorted by name.

    Args:
        pattern: Local glob (``**`` reaches into folders), folder or file.
        suffix: Which files of a folder are meant, such as ``.parquet``.

    Returns:
        The names are relative to the folder before the first wildcard, the same on every machine.
    """
    path = Path(pattern)
    if path.is_dir():
        root, found = path, list(path.glob(f"*{suffix}"))
    elif path.is_file():
        root, found = path.parent, [path]
    else:
        root, found = _fixed_part(path), [Path(match) for match in glob.glob(pattern, recursive=True)]
    names = {match.relative_to(root).as_posix(): match for match in found if match.is_file()}
    return tuple((names[name], name) for name in sorted(names))


def open_shard(
    path: Path, name: str | None = None, caption_column: str | None = None, url_column: str | None = None
) -> Shard:
    """Read what a shard's footer says.

    Raises:
        CorpusError: As `find_shards`.
    """
    if any(character in str(path) for character in WILDCARDS):
        raise CorpusError(f"{path}: a shard's path cannot hold any of {' '.join(WILDCARDS)}; rename the file")
    footer = _footer(path)
    try:
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(
            f"{path}: its Parquet footer cannot be read ({_first_line(error)}); fetch it again"
        ) from error
    caption = _pick(schema, caption_column, CAPTION_COLUMNS)
    if caption is None:
        raise CorpusError(_no_caption_column(path, schema, caption_column))
    url = _pick(schema, url_column, URL_COLUMNS)
    if url is None and url_column:
        raise CorpusError(f"{path}: no column {url_column!r}; the columns are: {', '.join(schema.names)}")
    for column in filter(None, (caption, url)):
        _check_text(path, schema, column)
    digest = hashlib.sha256(struct.pack("<Q", path.stat().st_size) + footer).hexdigest()
    return Shard(path, name or path.name, rows, tuple(schema.names), caption, url, digest)


def _fixed_part(pattern: Path) -> Path:
    """Return the folder before the first wildcard."""
    fixed: list[str] = []
    for part in pattern.parent.parts:
        if any(character in part for character in WILDCARDS):
            break
        fixed.append(part)
    return Path(*fixed)


def _footer(path: Path) -> bytes:
    """Return the Parquet footer's bytes (metadata, its length, the closing magic)."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
            if size < len(_MAGIC) + _TAIL.size or head != _MAGIC:
                raise CorpusError(f"{path}: not a Parquet file ({size} bytes); give Parquet shards")
            file.seek(-_TAIL.size, 2)
            length, magic = _TAIL.unpack(file.read(_TAIL.size))
            if magic != _MAGIC or length > size - len(_MAGIC) - _TAIL.size:
                raise CorpusError(
                    f"{path}: truncated ({size} bytes, no Parquet footer at its end); fetch it again"
                )
            file.seek(-_TAIL.size - length, 2)
            return file.read()
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror})") from error


def _pick(schema: pa.Schema, given: str | None, usual: tuple[str, ...]) -> str | None:
    wanted = (given,) if given else usual
    return next((name for name in wanted if name in schema.names), None)


def _no_caption_column(path: Path, schema: pa.Schema, given: str | None) -> str:
    looked = repr(given) if given else f"called {', '.join(CAPTION_COLUMNS)}"
    listed = ", ".join(schema.names) or "none"
    return f"{path}: no caption column {looked}; the columns are: {listed}; name one with --caption-column"


def _check_text(path: Path, schema: pa.Schema, column: str) -> None:
    kind = schema.field(column).type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    text = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_null,
    )
    if not any(is_kind(kind) for is_kind in text):
        raise CorpusError(f"{path}: the column {column!r} holds {kind}, not text; name another column")


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
