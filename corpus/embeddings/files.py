"""Which files hold embeddings, and which metadata belongs to each.

LAION's layout: ``img_emb_0000.npy`` and ``metadata_0000.parquet``, beside it or in a folder next to its own.
Or Parquet files with a column of lists, which are their own metadata.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from concepts.errors import CorpusError
from corpus.shards import list_files

NPY, PARQUET = ".npy", ".parquet"
_IMAGES = "img_emb"
_METADATA = "metadata"
_NUMBER = re.compile(r"(\d+)\.npy$")
_PIECE = 4096
_PIECES = 256


@dataclass(frozen=True, slots=True)
class EmbeddingFile:
    """A file of embeddings.

    Attributes:
        path: Where it lies.
        name: Its path below the folder that the search started from: the same on every machine.
        metadata: The Parquet file with the rows' addresses and captions; None where there is none.
    """

    path: Path
    name: str
    metadata: Path | None


def find_embeddings(pattern: str, metadata: Path | None = None) -> tuple[EmbeddingFile, ...]:
    """Return the files of embeddings that a folder, a glob or one file stands for, sorted by name.

    Args:
        pattern: A folder (its ``img_emb_*.npy``, or those of its sub-folder ``img_emb``, or else its Parquet
            files), a glob or a file.
        metadata: Folder of the ``metadata_*.parquet``; None: looked for beside the embeddings.

    Raises:
        CorpusError: Nothing matches, or a file is neither ``.npy`` nor ``.parquet``.
    """
    found = _in_folder(Path(pattern)) if Path(pattern).is_dir() else list_files(pattern, NPY)
    if not found:
        raise CorpusError(
            f"{pattern}: no embeddings match; give a folder with img_emb_*.npy or *.parquet, or a glob"
        )
    for path, _ in found:
        if path.suffix not in (NPY, PARQUET):
            raise CorpusError(f"{path}: neither .npy nor .parquet; let the glob match embeddings alone")
    return tuple(EmbeddingFile(path, name, _metadata_of(path, metadata)) for path, name in found)


def content_digest(path: Path) -> str:
    """Return a digest (SHA-256, hex) that stands for a file's content at the cost of a megabyte of reading.

    It covers the size, the first and the last 4 KiB (a Parquet file's footer ends there) and 254 pieces in
    between, so that files of other rows differ; a change of single bytes may go unseen.

    Raises:
        CorpusError: The file cannot be read.
    """
    try:
        size = path.stat().st_size
        whole = hashlib.sha256(str(size).encode())
        last = max(0, size - _PIECE)
        places = sorted({last * i // (_PIECES - 1) for i in range(_PIECES)})
        with path.open("rb") as file:
            for place in places:
                file.seek(place)
                whole.update(file.read(_PIECE))
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror or error})") from error
    return whole.hexdigest()


def _in_folder(folder: Path) -> tuple[tuple[Path, str], ...]:
    """Return (path, name) of a folder's embeddings, in the first of the layouts that it has."""
    npy = list_files(str(folder / f"{_IMAGES}*{NPY}"), NPY)
    if npy:
        return npy
    below = list_files(str(folder / _IMAGES / f"*{NPY}"), NPY)
    if below:
        return tuple((path, f"{_IMAGES}/{name}") for path, name in below)
    parquet = list_files(str(folder), PARQUET)
    return tuple((path, name) for path, name in parquet if not name.startswith(_METADATA))


def _metadata_of(path: Path, folder: Path | None) -> Path | None:
    if path.suffix == PARQUET:
        return path
    number = _NUMBER.search(path.name)
    if number is None:
        return None
    name = f"{_METADATA}_{number[1]}{PARQUET}"
    places = [folder] if folder else [path.parent, path.parent.parent / _METADATA]
    return next((place / name for place in places if (place / name).is_file()), None)
