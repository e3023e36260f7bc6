"""Every text that a folder holds, however it is packed, to be searched for what may not be there."""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")


def texts_of(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield (file, text): each file's path, its bytes, and what is packed inside them."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path, str(path.relative_to(folder))
            for text in _texts(path.read_bytes()):
                yield path, text


def _texts(content: bytes) -> Iterator[str]:
    """The bytes as text, base64 decoded, the cells of Parquet and the members of archives."""
    yield content.decode("utf-8", "ignore")
    for found in _BASE64.findall(content):
        try:
            yield base64.b64decode(found, validate=True).decode("utf-8", "ignore")
        except binascii.Error:
            continue  # a long word
    if content[:4] == b"PAR1":
        yield from _cells(content)
    elif content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for name in packed.namelist():
                yield name
                yield from _texts(packed.read(name))
    elif content[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            for member in tar.getmembers():
                yield member.name
                yield from _texts(tar.extractfile(member).read())  # type: ignore[union-attr]


def _cells(content: bytes) -> Iterator[str]:
    """All cells; and the dictionaries, which may hold what stands in no cell any more."""
    texts = [each.name for each in pq.read_schema(io.BytesIO(content)) if pa.types.is_string(each.type)]
    table = pq.read_table(io.BytesIO(content), read_dictionary=texts)
    for name in texts:
        for chunk in table[name].chunks:
            yield json.dumps(chunk.dictionary.to_pylist(), ensure_ascii=False)
    for row in table.to_pylist():
        yield json.dumps(row, ensure_ascii=False, default=_told)


def _told(value: Any) -> str:
    return value.decode("utf-8", "ignore") if isinstance(value, bytes) else str(value)
