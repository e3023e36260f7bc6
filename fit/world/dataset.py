"""What the demo model may see.

The images of the corpus with their captions, read from the corpus's own files.
"""

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TrainingSet:
    """Every caption row whose image can be had, in the corpus's order.

    Attributes:
        captions: n captions.
        pixels: shape (m, 32, 32, 3), 0-255, the distinct images.
        image: shape (n,), for each caption the index of its image.
    """

    captions: tuple[str, ...]
    pixels: Pixels
    image: npt.NDArray[np.int64]


def read_training_set(world: Path) -> TrainingSet:
    """Join the caption shards with the image shards on their links."""
    urls, pixels = _read_images(world / "images")
    place = {url: i for i, url in enumerate(urls)}
    captions, image = [], []
    for shard in sorted((world / "captions").glob("*.parquet")):
        table = pq.read_table(shard, columns=["URL", "TEXT"])
        for url, text in zip(table["URL"].to_pylist(), table["TEXT"].to_pylist(), strict=True):
            if url in place:
                captions.append(text)
                image.append(place[url])
    return TrainingSet(tuple(captions), pixels, np.array(image))


def _read_images(folder: Path) -> tuple[list[str], Pixels]:
    urls: list[str] = []
    pictures: list[Pixels] = []
    for shard in sorted(folder.glob("*.tar")):
        index: pa.Table = pq.read_table(shard.with_suffix(".parquet"), columns=["url", "key"])
        by_key = dict(_members(shard))
        urls += index["url"].to_pylist()
        pictures += [by_key[key] for key in index["key"].to_pylist()]
    return urls, np.stack(pictures)


def _members(shard: Path) -> Iterator[tuple[str, Pixels]]:
    with tarfile.open(shard, "r:") as tar:
        for member in tar:
            data = tar.extractfile(member)
            if data is not None:
                yield Path(member.name).stem, np.asarray(Image.open(io.BytesIO(data.read())).convert("RGB"))


def to_tensor(pixels: Pixels) -> Tensor:
    """Pixels (n, h, w, 3), 0-255, as (n, 3, h, w) in [-1, 1]."""
    tensor = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return tensor.contiguous(memory_format=torch.channels_last)
