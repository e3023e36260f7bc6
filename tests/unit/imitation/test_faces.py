"""Faces: real `FaceAnalysis` code on packs whose answers are known."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from concepts.errors import MissingExtra, ModelError
from fit.imitation import faces
from fit.imitation.faces import FaceEncoder, sharpness_of
from fit.imitation.scorers import Setup, load_scorer
from tests.unit.imitation.packs import detector, recogniser, write_pack

SIZE = {"detector_size": [[128, 128]]}
GREEN = (0, 255, 0)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pack(tmp_path_factory.mktemp("packs") / "tiny")


@pytest.fixture(scope="module")
def encoder(pack: Path) -> FaceEncoder:
    return FaceEncoder(pack, **SIZE)


def scene(*faces_at: tuple[int, int], kind: str = "PNG", **options: object) -> bytes:
    """An image of 128 x 128 pixels with green blocks in the rows and columns of its grid."""
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[..., 0] = 60
    for row, column in faces_at:
        pixels[row * 32 : row * 32 + 32, column * 32 : column * 32 + 32] = GREEN
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def test_exactly_one_face_counts(encoder: FaceEncoder) -> None:
    images = [scene((1, 2)), scene(), scene((0, 0), (3, 3)), b"<html>", scene((0, 1), (2, 2), (3, 0))]
    found = encoder.embed(images)
    assert found.index.tolist() == [0]
    assert found.vectors.shape == (1, 12)
    # No face is a clear no; with several it is not known whether the person is among them.
    assert [(each.index, each.reason, each.blank) for each in found.unreadable] == [
        (1, "no face found", True),
        (2, "2 faces, and exactly one is needed", False),
        (3, "not a readable image (of no format that is read: PNG, JPEG, WebP, GIF, BMP)", False),
        (4, "3 faces, and exactly one is needed", False),
    ]


def test_what_is_recorded_of_a_face(encoder: FaceEncoder) -> None:
    facts = encoder.embed([scene((1, 2))]).facts
    # Green alone is (-1, 1, -1) to the detector but for its 127.5 / 128: sigmoid(20 * 0.996 - 10).
    assert facts["detector_score"][0] == pytest.approx(1 / (1 + np.exp(10 - 20 * 127.5 / 128)), abs=1e-5)
    assert facts["face_size"][0] == pytest.approx(32)  # the whole cell of 32 x 32 pixels
    assert facts["sharpness"][0] >= 0


def test_the_vector_is_of_the_aligned_face(encoder: FaceEncoder) -> None:
    # The landmarks span a cell as they span the aligned face: the middle of each quarter is the cell's own.
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[32:64, 64:96] = GREEN
    pixels[36:46, 68:78] = (255, 255, 0)  # inside the upper left quarter
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    vector = encoder.embed([buffer.getvalue()]).vectors[0].reshape(3, 4)  # red, green, blue x quarters
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    assert vector[0, 0] == vector[0].max()
    assert vector[0, 0] - vector[0, 1:].max() > 0.1  # red only there; RGB and not BGR
    assert np.ptp(vector[2]) < 0.05


def test_vectors_do_not_depend_on_neighbours(encoder: FaceEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    images = [scene((row, column)) for row in range(4) for column in range(4)]
    together = encoder.embed(images)
    monkeypatch.setattr(encoder, "_batch", 3)
    np.testing.assert_array_equal(encoder.embed(images).vectors, together.vectors)
    assert encoder.embed([]).vectors.shape == (0, 12)
    assert encoder.embed([]).facts["face_size"].shape == (0,)


def test_odd_sizes(encoder: FaceEncoder) -> None:
    strip, dot = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (8192, 1)).save(strip, "PNG")
    Image.new("RGB", (1, 1)).save(dot, "PNG")
    reasons = [each.reason for each in encoder.embed([strip.getvalue(), dot.getvalue()]).unreadable]
    assert reasons == ["no face can be looked for in 8192 x 1 pixels", "no face found"]


def test_a_face_of_which_the_recogniser_makes_nothing(
    encoder: FaceEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = encoder._vectors

    def spoilt(crops: list[np.ndarray]) -> np.ndarray:
        vectors = real(crops).copy()
        vectors[1] = 0
        vectors[2] = np.nan
        return vectors

    monkeypatch.setattr(encoder, "_vectors", spoilt)
    found = encoder.embed([scene((0, 0)), scene((1, 1)), scene((2, 2)), scene(), scene((3, 3))])
    assert found.index.tolist() == [0, 4]
    assert len(found.facts["sharpness"]) == 2
    assert [(each.index, each.reason) for each in found.unreadable] == [
        (1, "the scorer makes no vector of it"),
        (2, "the scorer makes no vector of it"),
        (3, "no face found"),
    ]


def test_blur_lowers_the_sharpness() -> None:
    board = np.kron(np.indices((56, 56)).sum(0) % 2, np.ones((2, 2)))[..., None].repeat(3, 2) * 255
    sharp = Image.fromarray(board.astype(np.uint8))
    blurred = sharp.resize((28, 28)).resize((112, 112))
    assert sharpness_of(np.asarray(sharp)) > 10 * sharpness_of(np.asarray(blurred))
    assert sharpness_of(np.full((112, 112, 3), 77, np.uint8)) == 0
    # A single white pixel on black, 5 x 5: the inner Laplacian is -4 once, 1 four times, 0 four times.
    dot = np.zeros((5, 5, 3), np.uint8)
    dot[2, 2] = 255
    # mean 0; mean of squares (16 + 4) / 9, times 255 squared
    assert sharpness_of(dot) == pytest.approx(255**2 * 20 / 9)


def test_photographs_in_the_package_are_decoded(encoder: FaceEncoder) -> None:
    """Real photographs, read from insightface's package and never copied: the tiny detector knows none."""
    folder = Path(str(importlib.import_module("insightface").__file__)).parent / "data" / "images"
    photographs = [path.read_bytes() for path in sorted(folder.iterdir())]
    assert len(photographs) >= 2
    found = encoder.embed(photographs)
    reasons = {each.reason for each in found.unreadable}
    assert not any("readable" in reason for reason in reasons)
    assert len(found.index) + len(found.unreadable) == len(photographs)


# Packs that are none.


def no_recogniser(folder: Path) -> str:
    (folder / "rec_tiny.onnx").unlink()
    return "holds a face detector but no recogniser"


def no_detector(folder: Path) -> str:
    (folder / "det_tiny.onnx").unlink()
    return "cannot be loaded as a face pack (no face detector among the files)"


def no_landmarks(folder: Path) -> str:
    onnx.save(detector(landmarks=False), folder / "det_tiny.onnx")
    return "finds no landmarks"


def truncated(folder: Path) -> str:
    path = folder / "rec_tiny.onnx"
    path.write_bytes(path.read_bytes()[:-40])
    return "cannot be loaded as a face pack"


def no_graph(folder: Path) -> str:
    (folder / "rec_tiny.onnx").write_bytes(b"\x80\x04K\x01.")
    return "cannot be loaded as a face pack"


def empty(folder: Path) -> str:
    for path in folder.iterdir():
        path.unlink()
    return "no ONNX files there"


SPOILT = [no_recogniser, no_detector, no_landmarks, truncated, no_graph, empty]


@pytest.mark.parametrize("spoil", SPOILT)
def test_what_is_no_pack(tmp_path: Path, spoil: Callable[[Path], str]) -> None:
    message = spoil(write_pack(tmp_path))
    with pytest.raises(ModelError) as caught:
        FaceEncoder(tmp_path, **SIZE)
    assert str(caught.value).startswith(f"{tmp_path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_in_a_folder_of_the_same_name(tmp_path: Path) -> None:
    write_pack(tmp_path / "antelopev2" / "antelopev2")
    assert FaceEncoder(tmp_path / "antelopev2", **SIZE).dimensions == 12


def test_a_recogniser_that_takes_one_face_at_a_time(tmp_path: Path, encoder: FaceEncoder) -> None:
    write_pack(tmp_path)
    graph = recogniser()
    graph.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(graph, tmp_path / "rec_tiny.onnx")
    images = [scene((0, 0)), scene((1, 1)), scene((2, 2))]
    found = FaceEncoder(tmp_path, **SIZE).embed(images).vectors
    np.testing.assert_array_equal(found, encoder.embed(images).vectors)


@pytest.mark.parametrize("name", ["arcface", "arcface-r50"])
def test_packs_that_are_not_there_are_told_how_to_get_and_never_fetched(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    row = load_scorer(name)
    folder = row.folder(tmp_path)
    assert folder.is_relative_to(tmp_path)
    with pytest.raises(ModelError, match=rf"{folder}: .*non-commercial research only.*\.zip"):
        row.digest(tmp_path)
    with pytest.raises(ModelError, match="no ONNX files there"):
        row.load(tmp_path)
    assert not list(tmp_path.rglob("*"))


def test_cuda_by_name_where_there_is_none(pack: Path) -> None:
    with pytest.raises(ModelError, match=r"scorer.device=cuda:0: onnxruntime has no CUDA here"):
        FaceEncoder(pack, Setup(device="cuda:0"), **SIZE)


def test_without_the_extra(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ImportError(f"No module named {name!r}", name=name.partition(".")[0])

    monkeypatch.setattr(faces.importlib, "import_module", missing)
    with pytest.raises(MissingExtra) as caught:
        FaceEncoder(pack)
    assert caught.value.exit_code == 13
    assert str(caught.value) == (
        "faces: insightface is not installed; run pip install 'imitation-threshold[faces]'"
    )
