from __future__ import annotations

import io
import json
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from concepts.errors import ModelError
from fit.imitation.convnet import ConvNet, ConvNetShape
from fit.imitation.decoding import LARGEST_SIDE
from fit.imitation.scorers import Scorer
from fit.imitation.style import StyleEncoder, save_encoder

SHAPE = ConvNetShape(size=16, width=4, dimensions=8)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def picture(seed: int, mode: str = "RGB", side: int = 16) -> Image.Image:
    """Sixteen coloured squares."""
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST).convert(mode)


@pytest.fixture(scope="module")
def network() -> ConvNet:
    """An encoder that nothing has taught, but that tells pictures apart."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        made = ConvNet(SHAPE)
    pixels = np.stack([np.asarray(picture(seed)) for seed in range(20, 40)]).astype(np.float32)
    with torch.inference_mode():
        for _ in range(30):  # in training mode: batch norms take up the statistics
            made(torch.from_numpy(pixels / 127.5 - 1).permute(0, 3, 1, 2))
        made.project.bias.zero_()
        for tensor in made.state_dict().values():  # stored as float16: now the same before and after
            if tensor.is_floating_point():
                tensor.copy_(tensor.half().float())
    return made.eval()


@pytest.fixture(scope="module")
def folder(network: ConvNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("encoder") / "new" / "folder"
    save_encoder(network, SHAPE, made)
    return made


@pytest.fixture(scope="module")
def encoder(folder: Path) -> StyleEncoder:
    return StyleEncoder(folder)


def test_vectors_are_the_networks_and_of_length_one(encoder: StyleEncoder, network: ConvNet) -> None:
    pictures = [picture(seed) for seed in range(5)]
    pixels = np.stack([np.asarray(each) for each in pictures]).astype(np.float32)
    with torch.inference_mode():  # images (n, 3, 16, 16) in [-1, 1]
        wanted = network(torch.from_numpy(pixels / 127.5 - 1).permute(0, 3, 1, 2)).numpy()
    found = encoder.embed([encoded(each) for each in pictures])
    assert found.vectors.dtype == np.float32
    assert (encoder.dimensions, found.vectors.shape) == (8, (5, 8))
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found.vectors, wanted, atol=1e-5)
    assert found.index.tolist() == [0, 1, 2, 3, 4]
    assert found.unreadable == ()


def test_a_row_loads_its_encoder(folder: Path) -> None:
    row = Scorer(
        "x", "X", "fit.imitation.style:StyleEncoder", f"data:{folder.name}", "art-styles", "made", "MIT"
    )
    assert row.load(folder.parent).dimensions == 8


def test_a_vector_does_not_depend_on_its_neighbours(
    encoder: StyleEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [encoded(picture(seed)) for seed in range(7)]
    together = encoder.embed(images).vectors
    monkeypatch.setattr("fit.imitation.style.BATCH", 2)
    np.testing.assert_allclose(encoder.embed(images).vectors, together, atol=1e-5)
    np.testing.assert_allclose(encoder.embed(images[3:4]).vectors, together[3:4], atol=1e-5)


def test_no_image_is_no_vector(encoder: StyleEncoder) -> None:
    found = encoder.embed([])
    assert found.vectors.shape == (0, 8)
    assert found.index.shape == (0,)


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises an image of this size and holds none of it."""
    fields = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    end = b"\0\0\0\0IEND\xaeB\x60\x82"
    return b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0d" + fields + struct.pack(">I", zlib.crc32(fields)) + end


UNREADABLE = {
    "nothing": b"",
    "text": b"<html>404 Not Found</html>",
    "noise": np.random.default_rng(3).bytes(500),
    "a truncated PNG": encoded(picture(1))[:100],
    "a PNG without pixels": png_header(16, 16),
    "a PNG of no size": png_header(0, 16),
    "a truncated JPEG": encoded(picture(1), "JPEG")[:300],
    "an EPS, which would be run as a program": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    "too wide": png_header(LARGEST_SIDE + 1, 1),
    "a hundred million pixels, of which Pillow would warn": png_header(10_000, 10_000),
    "a decompression bomb": png_header(60_000, 60_000),
}


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_reported_in_its_place(
    encoder: StyleEncoder, data: bytes, recwarn: pytest.WarningsRecorder
) -> None:
    good = encoded(picture(2))
    found = encoder.embed([good, data, good])
    assert [each.index for each in found.unreadable] == [1]
    assert found.unreadable[0].reason
    assert "\n" not in found.unreadable[0].reason
    assert found.index.tolist() == [0, 2]
    np.testing.assert_allclose(found.vectors[0], found.vectors[1], atol=1e-6)
    assert not recwarn.list


def test_reasons_say_what_is_wrong(encoder: StyleEncoder) -> None:
    found = encoder.embed([UNREADABLE["too wide"], UNREADABLE["text"]])
    assert found.unreadable[0].reason == "image of 8193 x 1 pixels, more than 8192 a side"
    assert found.unreadable[1].reason.startswith("not a readable image (")


def animated_gif() -> bytes:
    return encoded(picture(1), "GIF", save_all=True, append_images=[picture(2), picture(3)])


def with_half_transparent_palette() -> bytes:
    return encoded(picture(1).quantize(16), "PNG", transparency=bytes([0, 128] * 8))


READABLE: dict[str, Callable[[], bytes]] = {
    "CMYK JPEG": lambda: encoded(picture(1, "CMYK"), "JPEG"),
    "grey": lambda: encoded(picture(1, "L")),
    "black and white": lambda: encoded(picture(1, "1")),
    "palette": lambda: encoded(picture(1).quantize(16)),
    "palette with transparency": with_half_transparent_palette,
    "transparent": lambda: encoded(picture(1, "RGBA")),
    "animated GIF": animated_gif,
    "WebP": lambda: encoded(picture(1), "WEBP"),
    "one pixel": lambda: encoded(picture(1, side=1)),
    "one row": lambda: encoded(Image.new("RGB", (LARGEST_SIDE, 1))),
}


@pytest.mark.parametrize("make", READABLE.values(), ids=READABLE.keys())
def test_odd_images_have_vectors(
    encoder: StyleEncoder, make: Callable[[], bytes], recwarn: pytest.WarningsRecorder
) -> None:
    found = encoder.embed([make()])
    assert found.unreadable == ()
    assert np.linalg.norm(found.vectors[0]) == pytest.approx(1, abs=1e-5)
    assert not recwarn.list


def test_sixteen_bit_greys_are_scaled_not_cut_off(encoder: StyleEncoder) -> None:
    # Of 0 .. 65535 all but 256 values lie above 255: cut off there, the picture would be white.
    grey = np.random.default_rng(4).integers(0, 256, (16, 16), dtype=np.uint16)
    deep, plain = encoded(Image.fromarray(grey << 8)), encoded(Image.fromarray(grey.astype(np.uint8)))
    vectors = encoder.embed([deep, plain, encoded(Image.new("L", (16, 16), 255))]).vectors
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert vectors[0] @ vectors[2] < 0.99


def test_an_animation_is_its_first_picture(encoder: StyleEncoder) -> None:
    first = encoded(picture(1), "GIF")
    vectors = encoder.embed([animated_gif(), first, encoded(picture(2), "GIF")]).vectors
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert vectors[0] @ vectors[2] < 0.999


def test_damaged_files_never_end_in_a_traceback(encoder: StyleEncoder) -> None:
    rng = np.random.default_rng(6)
    sound = [encoded(picture(1), kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP")]
    damaged = []
    for i in range(600):
        data = np.frombuffer(sound[i % len(sound)], np.uint8).copy()
        where = rng.integers(0, min(len(data), 80 if i % 2 else len(data)), rng.integers(1, 5))
        data[where] = rng.integers(0, 256, len(where))
        damaged.append(data.tobytes()[: rng.integers(1, 2 * len(data))])
    found = encoder.embed(damaged)
    assert len(found.index) + len(found.unreadable) == 600
    assert 50 < len(found.index) < 550  # some can still be read, some cannot
    assert np.isfinite(found.vectors).all()


def rewritten(folder: Path, to: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> Path:
    """A copy of the encoder with other weights."""
    to.mkdir()
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, to / "model.safetensors")
    (to / "config.json").write_bytes((folder / "config.json").read_bytes())
    return to


@pytest.mark.parametrize(
    "config",
    ['{"size": 16, "width": 8, "dimensions": 8}', '{"sise": 16}', "[]", "3", "{", "", '{"size": "16"}',
     '{"size": 0}', '{"width": -4}', '{"width": 1.5}'],
)  # fmt: skip
def test_a_wrong_config_is_a_model_error(folder: Path, tmp_path: Path, config: str) -> None:
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ModelError) as caught:
        StyleEncoder(tmp_path)
    assert caught.value.exit_code == 14
    assert str(caught.value).startswith(f"{tmp_path}: cannot be loaded as a style encoder (")
    assert "\n" not in str(caught.value)


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda data: data[: len(data) // 2],
    "only a header": lambda data: data[:40],
    "empty": lambda _: b"",
    "a pickle": lambda _: b"\x80\x04K\x01.",
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_weights_are_a_model_error(
    folder: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "model.safetensors").write_bytes(damage((folder / "model.safetensors").read_bytes()))
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(ModelError, match="cannot be loaded as a style encoder"):
        StyleEncoder(tmp_path)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_missing_file_is_a_model_error(folder: Path, tmp_path: Path, missing: str) -> None:
    for name in {"config.json", "model.safetensors"} - {missing}:
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(ModelError, match=missing):
        StyleEncoder(tmp_path)


def drop(tensors: dict[str, torch.Tensor]) -> None:
    del tensors["project.weight"]


def overflow(tensors: dict[str, torch.Tensor]) -> None:
    tensors["project.weight"][0, 0] = torch.inf


@pytest.mark.parametrize(("change", "says"), [(drop, "project.weight"), (overflow, "not finite")])
def test_weights_of_another_network_are_a_model_error(
    folder: Path, tmp_path: Path, change: Callable[[dict[str, torch.Tensor]], object], says: str
) -> None:
    with pytest.raises(ModelError, match=says):
        StyleEncoder(rewritten(folder, tmp_path / "copy", change))


def test_what_is_saved_is_small_and_plain(folder: Path) -> None:
    assert json.loads((folder / "config.json").read_text()) == {"size": 16, "width": 4, "dimensions": 8}
    kinds = {v.dtype for v in load_file(folder / "model.safetensors").values() if v.is_floating_point()}
    assert kinds == {torch.float16}


def test_warnings_of_others_are_as_before(encoder: StyleEncoder) -> None:
    encoder.embed([READABLE["palette with transparency"]()])
    with pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", UserWarning, stacklevel=1)
