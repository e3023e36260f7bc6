"""Face vectors from insightface's packs: a detector and a recogniser as ONNX files in one folder.

An image counts where exactly one face is found in it: with none there is nothing to compare, with two it is
not known whom the name in the caption means (the rule of Verma et al. 2024, arXiv:2410.15002, for generated
images). Packs are never fetched: insightface's own are for non-commercial research only.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from concepts.errors import MissingExtra, ModelError
from fit.imitation.decoding import decoded, quiet_decoding, with_direction
from fit.imitation.scorers import DEFAULT_SETUP, Embedded, Setup, Unreadable, Vectors

Pixels = npt.NDArray[np.uint8]
INSTALL = "pip install 'imitation-threshold[faces]'"
AHEAD = 16  # decoded photographs that wait at most, at full size
BATCH = 64  # faces that the recogniser sees together

DETECTOR_SCORE, FACE_SIZE, SHARPNESS = "detector_score", "face_size", "sharpness"
FACTS = (DETECTOR_SCORE, FACE_SIZE, SHARPNESS)


class FaceEncoder:
    """The face recogniser of a pack, on faces that its detector finds alone in an image."""

    def __init__(
        self,
        weights: Path,
        setup: Setup = DEFAULT_SETUP,
        detector_size: Sequence[Sequence[int]] = (),
        detector_threshold: float = 0.5,
    ) -> None:
        """Load a pack as `insightface.app.FaceAnalysis` does.

        Args:
            weights: Folder with the ONNX files of a detector (SCRFD with five landmarks) and a recogniser.
            setup: The device; `auto` is CUDA where onnxruntime has it.
            detector_size: Widths and heights, in pixels, at which faces are looked for; empty takes the
                package's, 128 x 128 (faces that fill the image) and 640 x 640.
            detector_threshold: Least detector score of a face, in (0, 1).

        Raises:
            MissingExtra: insightface or onnxruntime is not installed.
            ModelError: The pack is missing, damaged, or lacks one of the two.
        """
        self._cut_out = _imported("insightface.utils.face_align").norm_crop
        self._shape_error = _imported("cv2").error
        size = [tuple(each) for each in detector_size] or None
        analysis = _load(_pack(weights), setup.device)
        if not getattr(analysis.det_model, "use_kps", False):
            raise ModelError(f"{weights}: its face detector finds no landmarks; take SCRFD's kps model")
        analysis.prepare(ctx_id=0, det_thresh=detector_threshold, det_size=size)
        self._detector, self._recogniser = analysis.det_model, analysis.models["recognition"]
        self._side = int(self._recogniser.input_size[0])
        first = self._recogniser.input_shape[0]
        self._batch = first if isinstance(first, int) and first > 0 else BATCH
        self.dimensions = self._vectors([np.zeros((self._side, self._side, 3), np.uint8)]).shape[1]

    def embed(self, images: Sequence[bytes]) -> Embedded:
        """Return unit vectors of the one face in each image.

        Images that cannot be read, without a face or with several are listed with the reason. `facts`:
        detector_score in (0, 1); face_size, the shorter side of the face's box in pixels; sharpness, the
        variance of the Laplacian of the aligned grey face (`sharpness_of`).
        """
        index: list[int] = []
        unreadable: list[Unreadable] = []
        crops: list[Pixels] = []
        facts: list[tuple[float, float, float]] = []
        with quiet_decoding():
            for place, pixels in decoded(images, _blue_first, AHEAD):
                found = (
                    Unreadable(place, pixels) if isinstance(pixels, str) else self._only_face(place, pixels)
                )
                if isinstance(found, Unreadable):
                    unreadable.append(found)
                    continue
                index.append(place)
                crops.append(found[0])
                facts.append(found[1])
        columns = np.array(facts, dtype=np.float32).reshape(-1, len(FACTS)).T
        return with_direction(
            Embedded(
                self._vectors(crops),
                np.array(index, dtype=np.int64),
                tuple(unreadable),
                dict(zip(FACTS, columns, strict=True)),
            )
        )

    def _only_face(
        self, place: int, pixels: Pixels
    ) -> tuple[Pixels, tuple[float, float, float]] | Unreadable:
        """Return the aligned face of an image and what is known of it, or why there is none."""
        try:
            boxes, landmarks = self._detector.detect(pixels, max_num=0, metric="default")
        except self._shape_error:  # a strip so narrow that nothing is left of it at the detector's size
            size = f"{pixels.shape[1]} x {pixels.shape[0]} pixels"
            return Unreadable(place, f"no face can be looked for in {size}", blank=True)
        if len(boxes) == 0:
            return Unreadable(place, "no face found", blank=True)
        if len(boxes) > 1:  # the named person may be among them: not known, where no face is a clear no
            return Unreadable(place, f"{len(boxes)} faces, and exactly one is needed")
        crop = self._cut_out(pixels, landmark=landmarks[0], image_size=self._side)
        left, top, right, bottom, score = (float(each) for each in boxes[0])
        return crop, (score, min(right - left, bottom - top), sharpness_of(crop))

    def _vectors(self, crops: Sequence[Pixels]) -> Vectors:
        """Return the recogniser's vectors of aligned faces, shape (n, d); of length one unless it is 0."""
        parts = []
        for start in range(0, len(crops), self._batch):
            some = list(crops[start : start + self._batch])
            missing = self._batch - len(some) if self._batch != BATCH else 0  # a graph of a fixed batch
            parts.append(self._recogniser.get_feat([*some, *some[:1] * missing])[: len(some)])
        if not parts:
            return np.zeros((0, self.dimensions), np.float32)
        vectors: Vectors = np.concatenate(parts).astype(np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= np.where(lengths > 0, lengths, np.float32(1))
        return vectors


def sharpness_of(crop: Pixels) -> float:
    """Return the variance of the Laplacian of a face, >= 0; small values mean blur.

    All faces are aligned to one size first, so that values compare. Source: Pech-Pacheco et al. 2000,
    "Diatom autofocusing in brightfield microscopy".

    Args:
        crop: Pixels (side, side, 3), blue first.
    """
    grey = crop.astype(np.float64) @ np.array([0.114, 0.587, 0.299])
    inner = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * inner).var())


def _blue_first(image: Image.Image) -> Pixels:
    return np.ascontiguousarray(np.asarray(image)[:, :, ::-1])


def _pack(weights: Path) -> Path:
    """Return the folder that holds the ONNX files: some archives hold the folder once more inside."""
    for folder in (weights, weights / weights.name):
        if any(folder.glob("*.onnx")):
            return folder
    raise ModelError(
        f"{weights}: no ONNX files there; a folder with a face detector and a recogniser is needed, such as "
        "insightface's antelopev2 or buffalo_l (non-commercial research only, so never fetched by fit)"
    )


def _load(pack: Path, device: str) -> Any:
    """Return the pack as FaceAnalysis with detector and recogniser alone, on the device."""
    app = _imported("insightface.app")
    try:
        analysis = app.FaceAnalysis(
            name=str(pack), allowed_modules=["detection", "recognition"], providers=_providers(device)
        )
    except _unloadable() as error:
        reason = " ".join(str(error).split())[:200] or "no face detector among the files"
        raise ModelError(f"{pack}: cannot be loaded as a face pack ({reason}); get it again") from error
    if "recognition" not in analysis.models:
        raise ModelError(f"{pack}: holds a face detector but no recogniser (an ONNX file); add one")
    return analysis


def _unloadable() -> tuple[type[Exception], ...]:
    """Return what insightface, onnxruntime and onnx raise at files that are no pack."""
    states = _imported("onnxruntime.capi.onnxruntime_pybind11_state")
    decode = _imported("google.protobuf.message").DecodeError
    found = [each for each in vars(states).values() if isinstance(each, type) and issubclass(each, Exception)]
    return (*found, decode, AssertionError, ValueError, RuntimeError, OSError, LookupError)


def _providers(device: str) -> list[str]:
    """Return onnxruntime's execution providers for a torch device's name.

    Raises:
        ModelError: CUDA is asked for by name and this onnxruntime has none.
    """
    has_cuda = "CUDAExecutionProvider" in _imported("onnxruntime").get_available_providers()
    if device.startswith("cuda") and not has_cuda:
        raise ModelError(f"scorer.device={device}: onnxruntime has no CUDA here; install onnxruntime-gpu")
    on_cuda = has_cuda and device.startswith(("auto", "cuda"))
    return ["CUDAExecutionProvider", "CPUExecutionProvider"] if on_cuda else ["CPUExecutionProvider"]


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtra(f"faces: {error.name or name} is not installed; run {INSTALL}") from error
