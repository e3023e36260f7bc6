"""Embedding images from files against the bare forward pass: at least 80 % of its images per second?

    python benchmarks/embed.py --network vit-l-14 --images 8192    # with a GPU, at full size
    python benchmarks/embed.py --network demo --images 4096        # on a CPU, at the demo's size

Speed does not depend on the weights, so they are random. The bare forward pass gets prepared pixels from
memory; ours reads JPEG (for the demo, PNG) files from disk, decodes, crops and computes, as the stages do.
`results/embed.json` keeps what was measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from fit.imitation.convnet import ConvNet, ConvNetShape
from fit.imitation.decoding import decode
from fit.imitation.scorers import Setup
from fit.imitation.style import StyleEncoder, save_encoder
from fit.imitation.torch_encoder import Network, TorchEncoder
from fit.stages.inputs import CHUNK, embed

OUT = Path(__file__).parent / "results" / "embed.json"
SHARE = 0.8
ROUNDS = 3
# Architectures of open_clip; CSD is the visual tower of the first without its projection.
ARCHITECTURES = {
    "vit-l-14": "ViT-L-14-quickgelu",
    "vit-b-32": "ViT-B-32",
    "vit-h-14-378": "ViT-H-14-378-quickgelu",
}

Prepare = Callable[[Image.Image], np.ndarray]


def build(name: str, device: str, batch: int, home: Path) -> tuple[Any, Prepare, int]:
    """Return an encoder with random weights, how it prepares an image, and its batch size."""
    torch.manual_seed(0)
    if name == "demo":
        shape = ConvNetShape()
        save_encoder(ConvNet(shape).eval(), shape, home / "encoder")
        small = StyleEncoder(home / "encoder")
        return small, small._prepare, 256
    import open_clip

    model, _, transform = open_clip.create_model_and_transforms(ARCHITECTURES[name], pretrained=None)
    *steps, _, normalise = transform.transforms

    def crop(image: Image.Image) -> Image.Image:
        for step in steps:
            image = step(image)
        return image

    mean, deviation = tuple(normalise.mean), tuple(normalise.std)
    network = Network(model.visual, model.visual, crop, mean, deviation)
    large = TorchEncoder(network, Setup(device), batch)
    return large, large.prepare, batch


def write_images(folder: Path, n: int, side: int, kind: str) -> list[Path]:
    """Write pictures with structure at many scales, as photographs have; a hundred different ones."""
    rng = np.random.default_rng(1)
    encoded = []
    for _ in range(min(n, 100)):
        pixels = sum(
            np.kron(rng.integers(0, 64, (side // size, side // size, 3)), np.ones((size, size, 1)))
            for size in (side // 4, side // 8, side // 16, max(side // 64, 1))
        )
        path = folder / f"different.{kind}"
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path, quality=90)
        encoded.append(path.read_bytes())
    paths = [folder / f"{i:06d}.{kind}" for i in range(n)]
    for i, path in enumerate(paths):
        path.write_bytes(encoded[i % len(encoded)])
    return paths


def bare(encoder: Any, prepare: Prepare, paths: list[Path], batch: int) -> float:
    """Return images/s of the forward pass alone, on prepared pixels."""
    some = [decode(path.read_bytes()) for path in paths[:batch]]
    pixels = np.stack([prepare(each) for each in some if not isinstance(each, str)])
    forward = encoder._forward if hasattr(encoder, "_forward") else encoder.forward
    forward(pixels)
    times = len(paths) // len(pixels)
    begun = time.perf_counter()
    for _ in range(times):
        forward(pixels)
    return times * len(pixels) / (time.perf_counter() - begun)


def from_files(encoder: Any, paths: list[Path]) -> float:
    """Return images/s from files on disk."""
    begun = time.perf_counter()
    for start in range(0, len(paths), 8 * CHUNK):
        some = paths[start : start + 8 * CHUNK]
        found = embed(encoder, [path.read_bytes() for path in some])
        if len(found.index) != len(some):
            raise SystemExit("an image was not read")
    return len(paths) / (time.perf_counter() - begun)


def main() -> None:
    """Measure both in turns and keep the best round of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=("demo", *ARCHITECTURES), default="demo")
    parser.add_argument("--images", type=int, default=4096)
    parser.add_argument("--side", type=int, default=0, help="of the pictures; 0: 32 for the demo, else 512")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--keep", action="store_true", help="write results/embed.json")
    asked = parser.parse_args()
    demo = asked.network == "demo"
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        encoder, prepare, batch = build(asked.network, asked.device, asked.batch, home)
        paths = write_images(
            home, asked.images, asked.side or (32 if demo else 512), "png" if demo else "jpg"
        )
        rounds = [(bare(encoder, prepare, paths, batch), from_files(encoder, paths)) for _ in range(ROUNDS)]
    alone, ours = (max(each) for each in zip(*rounds, strict=True))
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    result = {
        "network": asked.network,
        "images": asked.images,
        "bare forward images/s": round(alone, 1),
        "from files images/s": round(ours, 1),
        "share": round(ours / alone, 3),
        "cores": os.cpu_count(),
        "gpu": gpu,
        "machine": platform.machine(),
        "torch": torch.__version__,
    }
    print(json.dumps(result, indent=1))
    if asked.keep:
        known = json.loads(OUT.read_text()) if OUT.is_file() else []
        OUT.write_text(json.dumps([*known, result], indent=1) + "\n")
    if ours < SHARE * alone:
        raise SystemExit(f"less than {SHARE:.0%} of the bare forward pass")


if __name__ == "__main__":
    main()
