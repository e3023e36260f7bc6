"""Small valid files of every kind that fit reads: what the mutations start from."""

from __future__ import annotations

import io
import json
import random
import tarfile
import zipfile
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

CONCEPTS = (
    b'concept,aliases,group,flags\nAda Lume,Lume|A. Lume,north,\n"Bo, Krin",,south,ambiguous\n'
    b"Zo\xc3\xab Ny,,,\n"
)
CURVE = b"concept,frequency,score,group\n" + b"".join(
    b"concept %d,%d,%.3f,%s\n" % (i, i * i, i / 40, b"ab"[i % 2 : i % 2 + 1]) for i in range(14)
)
CUTS = b"concept,cut\nAda Lume,0.31\nBo,0.5\n"
OPT_OUTS = b"kind,value\nname,Ada Lume\ndomain,images.example\nurl,https://a.example/*.jpg\n"
REMOVED = b"name,sha256\nAda Lume,\n," + sha256(b"x").hexdigest().encode() + b"\n"
METADATA_CSV = b"file_name,concept,author,licence\na.png,Ada Lume,Somebody,CC0\n"
METADATA_JSONL = b'{"file_name": "a.png", "concept": "Ada Lume"}\n{"file_name": "b.png", "label": "Bo"}\n'
CONDITION = b"punsafe < 0.1 AND (WIDTH >= 256 OR lower(TEXT) LIKE '%art%') AND NOT a IN ('x', 'y')"
CAPTIONS = [f"a painting by {name}" for name in ("Ada Lume", "Bo, Krin", "nobody", "Zoë Ny", "")] * 12


def parquet(columns: dict[str, object], **options: object) -> bytes:
    """A Parquet file."""
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, **options)
    return sink.getvalue()


def caption_files() -> list[bytes]:
    """Caption shards: plain, in dictionaries, with several codecs, pages and row groups."""
    columns = {"TEXT": CAPTIONS, "URL": [f"https://a.example/{i}.jpg" for i in range(60)], "n": range(60)}
    many = {"row_group_size": 7, "data_page_size": 64, "use_dictionary": False}
    return [
        parquet(columns, compression="zstd"),
        parquet(columns, compression="snappy", **many),
        parquet(columns, compression="none", data_page_version="2.0"),
        parquet({"caption": pa.array(CAPTIONS).dictionary_encode(), "url": columns["URL"]}),
    ]


def images() -> list[bytes]:
    """Images of every format that is read, some with EXIF and ICC blocks, palettes, and 16 bits."""
    grey = Image.fromarray((np.arange(24 * 16, dtype=np.uint16) * 100).reshape(24, 16))
    plain = Image.fromarray(np.random.default_rng(1).integers(0, 255, (24, 16, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "somebody"
    made = []
    for image, kind, options in (
        (plain, "PNG", {}), (grey, "PNG", {}), (plain.convert("P"), "PNG", {"transparency": 0}),
        (plain, "JPEG", {"exif": exif, "icc_profile": bytes(200)}), (plain.convert("CMYK"), "JPEG", {}),
        (plain, "WEBP", {"exif": exif}), (plain, "WEBP", {"lossless": True}), (plain.convert("P"), "GIF", {}),
        (plain, "BMP", {}), (plain, "JPEG", {"progressive": True}),
    ):  # fmt: skip
        sink = io.BytesIO()
        image.save(sink, kind, **options)
        made.append(sink.getvalue())
    return made


def references() -> list[bytes]:
    """Reference images in Parquet."""
    picture = images()[0]
    columns = {"concept": ["Ada Lume", "Bo"], "key": ["1", "2"], "image": [picture, picture]}
    return [parquet(columns), parquet({**columns, "author": ["x", None], "licence": ["y", "z"]})]


def index() -> bytes:
    """The index of images beside a tar file."""
    names = ("url", "key", "status", "error_message")
    rows = [("https://a/1", "1", "success", None), ("https://a/2", "2", "failed", "404")]
    return parquet({name: [row[i] for row in rows] for i, name in enumerate(names)})


def tar() -> bytes:
    """A webdataset shard: plain members, a long name, a link."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as file:
        for name in ("1.jpg", "1.txt", "2.png", f"{'x' * 150}.jpg", "é.jpg"):
            info = tarfile.TarInfo(name)
            info.size = 300
            file.addfile(info, io.BytesIO(bytes(300)))
        link = tarfile.TarInfo("3.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(link)
    return sink.getvalue()


def vectors() -> list[bytes]:
    """Reference vectors in Parquet: lists, and lists of a fixed size."""
    values = [[0.1, 0.2, 0.3, 0.4]] * 3
    fixed = pa.array(values, pa.list_(pa.float32(), 4))
    names = ["Ada Lume", "Ada Lume", "Bo"]
    return [
        parquet({"concept": names, "embedding": pa.array(values, pa.list_(pa.float32()))}),
        parquet({"concept": names, "vector": fixed}),
        parquet({"concept": names, "embedding": pa.array(values, pa.list_(pa.float16()))}),
    ]


def npy() -> list[bytes]:
    """Embeddings as NumPy files."""
    made = []
    for array in (np.ones((5, 4), np.float16), np.ones((3, 4), np.float32)):
        sink = io.BytesIO()
        np.save(sink, array)
        made.append(sink.getvalue())
    return made


def receipt() -> bytes:
    """A receipt as a run holds it."""
    from fit.run import artefacts

    content = {
        "stage": "counts", "version": 3, "settings": {"counts.where": "", "seed": 0},
        "inputs": {"concepts": "a" * 64}, "outputs": {"parts/0.parquet": "b" * 64}, "key": "c" * 64,
    }  # fmt: skip
    return artefacts.canonical_json({**content, "digest": artefacts.digest(content)}, indent=1)


def history() -> bytes:
    """A run's history."""
    return json.dumps({"format": 1, "invocations": [{"id": "x", "seconds": {"counts": 1.5}}]}).encode()


def forgotten() -> bytes:
    """Who was forgotten."""
    return json.dumps({"format": 1, "concepts": [["a" * 64, "b" * 64]]}).encode()


def bundle() -> bytes:
    """A bundle of two files."""
    from fit.evidence.bundle import MANIFEST, SCHEMA

    content = {"config.toml": b"seed = 0\n", "counts/counts.parquet": caption_files()[0]}
    named = {name: {"sha256": sha256(each).hexdigest(), "dropped": []} for name, each in content.items()}
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as out:
        for name, each in content.items():
            out.writestr(name, each)
        out.writestr(MANIFEST, json.dumps({"schema": SCHEMA, "files": named}))
    return sink.getvalue()


def settings() -> bytes:
    """Complete settings."""
    from fit import config

    return config.dump_toml(
        config.Settings(domain="art-styles", concepts="x", model="m", corpus="c")
    ).encode()


def rows(place: str) -> bytes:
    """A registry of ours."""
    package, _, name = place.rpartition("/")
    return files(package).joinpath(name).read_bytes()


def counts_part(folder: Path) -> bytes:
    """The counts of a shard, with their summary in the metadata."""
    from concepts.concept import Concept
    from corpus.captions import CaptionCounter, CaptionQuery
    from corpus.shards import open_shard
    from fit.run import artefacts

    path = folder / "seed.parquet"
    path.write_bytes(caption_files()[0])
    query = CaptionQuery((Concept("Ada Lume"), Concept("Zoë Ny")), sample=5)
    return artefacts.table_bytes(CaptionCounter(query)(open_shard(path)))


def safetensors() -> bytes:
    """Weights."""
    from safetensors.numpy import save

    return save({"a": np.ones((2, 3), np.float32), "b.c": np.zeros(4, np.float16)})


def pickled(folder: Path) -> list[bytes]:
    """Checkpoints as torch writes them now, and as it wrote them before 1.6."""
    import torch

    made = []
    for new in (True, False):
        path = folder / "seed.pt"
        torch.save({"state_dict": {"a": torch.ones(3)}}, path, _use_new_zipfile_serialization=new)
        made.append(path.read_bytes())
    return made


_TYPES = (
    pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.int64(),
    pa.float16(), pa.list_(pa.string()), pa.struct([("a", pa.string())]), pa.null(), pa.bool_(), pa.date32(),
    pa.decimal128(9, 2), pa.timestamp("ns"), pa.dictionary(pa.int32(), pa.string()), pa.binary(4), pa.uuid(),
)  # fmt: skip
_NAMES = ("TEXT", "caption", "text", "URL", "url", "Url", "file_row_number", "a\0b", 'a"b', "a'; DROP", "",
          "é", "concept", "frequency", "score", "key", "image", "embedding", "vector", "cut",
          "x" * 100_000)  # fmt: skip
_TEXTS = (
    None,
    "",
    "Ada Lume",
    "a\0b",
    "\ufffd",
    "x" * 300_000,
    "\u202eemuL adA",
    "=1+1",
    "https://a.example/x",
)


def strange_parquet(rng: random.Random) -> bytes:
    """A valid Parquet file of columns that nobody expects: names, types, texts that are not UTF-8."""
    n = rng.randrange(0, 5)
    columns = [_column(rng.choice(_TYPES), n, rng) for _ in range(rng.randrange(0, 6))]
    names = [rng.choice(_NAMES) for _ in columns]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, names), sink, row_group_size=rng.choice((1, 100)))
    return sink.getvalue()


def _column(kind: pa.DataType, n: int, rng: random.Random) -> pa.Array:
    if kind in (pa.string(), pa.large_string()) and rng.random() < 0.3:  # bytes that are not UTF-8
        raw = pa.array([b"Ada \xff Lume"] * n, pa.binary() if kind == pa.string() else pa.large_binary())
        return pa.Array.from_buffers(kind, n, raw.buffers())
    texts = pa.array([rng.choice(_TEXTS) for _ in range(n)], pa.string())
    try:
        return texts.cast(kind)
    except (pa.ArrowException, NotImplementedError):
        return pa.nulls(n, kind)
