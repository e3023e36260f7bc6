"""Painting a plan and writing it as the files a real corpus has.

Layout (below the demo folder):
    captions/part-00000.parquet …   LAION's columns; every row of the plan, in its order
    images/00000.tar, 00000.parquet …   webdataset shards as img2dataset writes them; one member per link
    references.parquet   pictures of each concept that are in no shard
    truth/rows.parquet, truth/<concepts>.parquet   what is what; for tests and evaluations only
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from fit.world.matter import Matter, Seeds
from fit.world.plan import MISS, UNNAMED, UNRELATED, Plan, Row, planted, planted_frequencies
from fit.world.render import Pixels

_COMPRESSION: Final = {"compression": "zstd", "compression_level": 12}


def pack(plan: Plan, folder: Path) -> None:
    """Paint and write everything but the models."""
    for name in ("captions", "images", "truth"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    urls = _urls(plan)
    _write_captions(plan, urls, folder / "captions")
    _write_images(plan, urls, folder / "images")
    write_references(plan, folder / "references.parquet")
    _write_truth(plan, urls, folder / "truth")


def _urls(plan: Plan) -> list[str]:
    """One link per picture; unrelated rows have links of their own."""
    urls = []
    for i, row in enumerate(plan.rows):
        key = f"picture {row.picture}" if row.picture >= 0 else f"row {i}"
        digest = hashlib.sha256(f"{plan.recipe.seed} {key}".encode()).hexdigest()
        urls.append(f"https://{'img' if row.picture >= 0 else 'gone'}{digest[0]}.example/{digest[1:11]}.jpg")
    return urls


def _write_captions(plan: Plan, urls: list[str], folder: Path) -> None:
    rng = np.random.default_rng([plan.recipe.seed, 1])
    n = len(plan.rows)
    sides = np.array([320, 512, 640, 800, 1024])
    related = np.array([row.kind != UNRELATED for row in plan.rows])
    table = pa.table(
        {
            "URL": urls,
            "TEXT": [row.caption for row in plan.rows],
            "WIDTH": pa.array(np.where(related, plan.matter.size, sides[rng.integers(0, 5, n)]), pa.int32()),
            "HEIGHT": pa.array(np.where(related, plan.matter.size, sides[rng.integers(0, 5, n)]), pa.int32()),
            "similarity": pa.array(np.round(0.28 + 0.12 * rng.random(n), 3), pa.float32()),
            "punsafe": pa.array(np.round(rng.beta(1, 30, n), 3), pa.float32()),
            "pwatermark": pa.array(np.round(rng.beta(1, 4, n), 2), pa.float32()),
            "AESTHETIC_SCORE": pa.array(np.round(rng.normal(5.2, 0.7, n), 1), pa.float32()),
        }
    )
    for shard, rows in enumerate(np.array_split(np.arange(n), plan.recipe.caption_shards)):
        part = table.slice(int(rows[0]), len(rows))
        pq.write_table(part, folder / f"part-{shard:05d}.parquet", **_COMPRESSION)


def _first_rows(plan: Plan) -> list[int]:
    """For each picture, in the order of the rows, the first row that links to it."""
    seen: set[int] = set()
    first = []
    for i, row in enumerate(plan.rows):
        if row.picture >= 0 and row.picture not in seen:
            seen.add(row.picture)
            first.append(i)
    return first


def _write_images(plan: Plan, urls: list[str], folder: Path) -> None:
    rows = _first_rows(plan)
    for shard, some in enumerate(np.array_split(np.array(rows), plan.recipe.image_shards)):
        keys = [f"{shard:05d}{i:04d}" for i in range(len(some))]
        files = list(encoded([plan.rows[i] for i in some], plan))
        _write_tar(folder / f"{shard:05d}.tar", [key + _suffix(plan.matter) for key in keys], files)
        index = {
            "url": [urls[i] for i in some],
            "key": keys,
            "status": ["success"] * len(some),
            "caption": [plan.rows[i].caption for i in some],
            "width": pa.array([plan.matter.size] * len(some), pa.int32()),
            "height": pa.array([plan.matter.size] * len(some), pa.int32()),
            "sha256": pa.array([hashlib.sha256(data).digest() for data in files], pa.binary(32)),
        }
        pq.write_table(pa.table(index), folder / f"{shard:05d}.parquet", **_COMPRESSION)


def _write_tar(path: Path, names: list[str], files: list[bytes]) -> None:
    """An uncompressed tar whose bytes depend on nothing but its members."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in zip(names, files, strict=True):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def encoded(rows: list[Row], plan: Plan) -> Iterator[bytes]:
    """The compressed files of the rows' pictures.

    A near-duplicate is a little shifted, brighter or darker, and coarser.
    """
    for row, picture in zip(rows, painted(rows, plan), strict=True):
        shown = _near_duplicate(picture, row.copy) if row.copy else picture
        yield compressed(shown, plan.matter, coarser=row.copy > 0)


def painted(rows: list[Row], plan: Plan) -> Pixels:
    """What the rows' links show, shape (n, size, size, 3)."""
    looks = plan.looks.take(np.array([row.look for row in rows]))
    seeds = np.array([row.seed for row in rows], dtype=np.uint64)
    return plan.matter.paint(looks, np.array([row.motif for row in rows]), seeds)


def _near_duplicate(picture: Pixels, copy: int) -> Pixels:
    shift = ((0, 1), (1, 0), (0, -1), (-1, 0))[copy % 4]
    moved = np.roll(picture, shift, axis=(0, 1)).astype(np.int16) + (copy % 3 - 1) * 6
    return moved.clip(0, 255).astype(np.uint8)


def compressed(picture: Pixels, matter: Matter, coarser: bool = False) -> bytes:
    """A picture as the world's files hold it."""
    buffer = io.BytesIO()
    options = {"subsampling": 0, "optimize": True} if matter.image_format == "JPEG" else {"method": 4}
    Image.fromarray(picture).save(buffer, matter.image_format, quality=matter.quality[coarser], **options)
    return buffer.getvalue()


def _suffix(matter: Matter) -> str:
    return {"JPEG": ".jpg", "WEBP": ".webp"}[matter.image_format]


def write_references(plan: Plan, path: Path) -> None:
    """Reference images of every concept: pictures with seeds of their own, so in no shard."""
    rng = np.random.default_rng([plan.recipe.seed, 2])
    matter, n = plan.matter, len(plan.concepts) * plan.recipe.references
    concepts = np.repeat(np.arange(len(plan.concepts)), plan.recipe.references)
    motifs = rng.integers(0, len(matter.motifs), n)
    pixels = matter.paint(plan.looks.take(concepts), motifs, random_seeds(n, rng))
    keys = [f"{i % plan.recipe.references:03d}" for i in range(n)]
    table = pa.table(
        {
            "concept": [plan.concepts[i].name.name for i in concepts],
            "key": keys,
            "image": pa.array([compressed(picture, matter) for picture in pixels], pa.binary()),
        }
    )
    pq.write_table(table, path, compression="zstd")


def random_seeds(n: int, rng: np.random.Generator) -> Seeds:
    """Seeds of `n` pictures, shape (n,)."""
    return rng.integers(0, 2**63, n).astype(np.uint64)


def _write_truth(plan: Plan, urls: list[str], folder: Path) -> None:
    per_shard = [len(part) for part in np.array_split(np.arange(len(plan.rows)), plan.recipe.caption_shards)]
    place = [(f"part-{shard:05d}.parquet", i) for shard, size in enumerate(per_shard) for i in range(size)]
    named = [(place[i], urls[i], row) for i, row in enumerate(plan.rows) if row.kind != UNRELATED]
    names = [concept.name.name for concept in plan.concepts]
    rows = pa.table(
        {
            "file": [where[0] for where, _, _ in named],
            "row": pa.array([where[1] for where, _, _ in named], pa.int32()),
            "url": [url for _, url, _ in named],
            "kind": [row.kind for _, _, row in named],
            "about": [names[row.concept] for _, _, row in named],
            "shows": [names[row.look] if row.look < len(names) else None for _, _, row in named],
            "subject": [plan.matter.motifs[row.motif] for _, _, row in named],
            "copy": pa.array([row.copy for _, _, row in named], pa.int32()),
        }
    )
    pq.write_table(rows, folder / "rows.parquet", **_COMPRESSION)
    concepts: dict[str, Any] = {
        "concept": names,
        "group": [each.group for each in plan.concepts],
        "frequency": planted_frequencies(plan),
    }
    concepts |= {"misses": planted(plan, MISS), "unnamed": planted(plan, UNNAMED)}
    concepts["duplicates"] = [each.duplicates for each in plan.concepts]
    concepts |= plan.looks.take(np.arange(len(plan.concepts))).columns()
    pq.write_table(pa.table(concepts), folder / plan.matter.truth, **_COMPRESSION)
