"""The first look of a count by embeddings on a GPU, or on a CPU with matrix units.

A screen may be coarse as long as its largest error is known (`corpus.embeddings.screen`). Halves are
multiplied in halves on a GPU's tensor cores, or in bfloat16 on a CPU with AMX; sums are in float32.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from concepts.errors import UsageError, unknown
from corpus.embeddings.references import References
from corpus.embeddings.rows import Stored
from corpus.embeddings.screen import Group, Sighting, groups_of
from corpus.embeddings.vectors import CERTAIN, error_of_float32, unusable_rows
from fit.imitation.devices import choose_device

PRECISIONS = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
PRODUCT_ROWS = {"cpu": 2048, "cuda": 8192}
"""References multiplied at a time."""

BLOCKS = {"cpu": 4096, "cuda": 16_384}
"""Rows of a block: the product of a block and a group has 64 MiB of half precision on a GPU."""


class TorchScreen:
    """The screen on a device of torch."""

    def __init__(self, references: References, device: str, precision: str = "float32") -> None:
        """Put the references on the device.

        Args:
            references: Of all concepts.
            device: As torch names it, such as ``cuda`` or ``cuda:1``.
            precision: What vectors are multiplied in, a name of `PRECISIONS`.

        Raises:
            ModelError: There is no such device.
            UsageError: There is no such precision.
        """
        if precision not in PRECISIONS:
            raise UsageError(unknown("precision", precision, PRECISIONS))
        self._device = choose_device(device, "--device")
        self._kind = PRECISIONS[precision]
        self._dimensions = references.dimensions
        self.block = BLOCKS.get(self._device.type, BLOCKS["cuda"])
        self.error = error_of(precision, references.dimensions)
        rows = PRODUCT_ROWS.get(self._device.type, PRODUCT_ROWS["cuda"])
        self._groups = [self._moved(group) for group in groups_of(references, rows)]
        self._memory = threading.local()
        if self._device.type == "cuda":
            # Sums of halves in halves would break the error's bound; so would float32 in TensorFloat-32.
            torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
            torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
            torch.backends.cuda.matmul.allow_tf32 = False

    @torch.inference_mode()
    def look(self, stored: Stored, floors: npt.NDArray[np.float32]) -> Sighting:
        """Return what reaches each concept's floor, as `corpus.embeddings.screen.Screen.look` says."""
        with self._own_stream():
            rows = self._sent(stored)
            size = torch.linalg.vector_norm(rows, dim=1)
            suspects = torch.nonzero(~((size >= 1 / CERTAIN) & (size <= CERTAIN))).flatten().cpu().numpy()
            zero, invalid = unusable_rows(stored, suspects)
            unusable = torch.from_numpy(np.union1d(zero, invalid)).to(self._device)
            rows /= size[:, None]
            columns = rows.to(self._kind).T
            found = [self._look(group, columns, unusable, floors) for group in self._groups]
        concepts, places, cosines = (np.concatenate(each) for each in zip(*found, strict=True))
        return Sighting(concepts, places, cosines, zero, invalid)

    def _look(
        self,
        group: tuple[Group, torch.Tensor],
        columns: torch.Tensor,
        unusable: torch.Tensor,
        floors: npt.NDArray[np.float32],
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return concepts, rows and cosines of what one group's concepts see."""
        about, units = group
        cosines = (units @ columns).view(len(about.concepts), about.size, -1).amax(dim=1).float()
        cosines[:, unusable] = -2
        least = torch.from_numpy(floors[about.concepts]).to(self._device)
        owners, rows = torch.nonzero(cosines >= least[:, None], as_tuple=True)
        seen = cosines[owners, rows].cpu().numpy()
        return about.concepts[owners.cpu().numpy()], rows.cpu().numpy().astype(np.int32), seen

    def _moved(self, group: Group) -> tuple[Group, torch.Tensor]:
        return group, torch.from_numpy(group.units).to(self._device, self._kind)

    def _sent(self, stored: Stored) -> torch.Tensor:
        """Return rows on the device as float32, by way of memory from which a GPU copies without help."""
        kind = torch.float16 if stored.dtype == np.float16 else torch.float32
        if getattr(self._memory, "kind", None) != kind:
            shape = (self.block, self._dimensions)
            self._memory.staging = torch.empty(shape, dtype=kind, pin_memory=self._device.type == "cuda")
            self._memory.kind = kind
        staging: torch.Tensor = self._memory.staging[: len(stored)]
        np.copyto(staging.numpy(), np.asarray(stored))
        moved = staging.to(self._device, non_blocking=True).to(torch.float32)
        return moved.clone() if moved.data_ptr() == staging.data_ptr() else moved

    @contextmanager
    def _own_stream(self) -> Iterator[Any]:
        """Let each thread's blocks have a queue of their own: one is copied while another is multiplied."""
        if self._device.type != "cuda":
            yield None
            return
        if not hasattr(self._memory, "stream"):
            self._memory.stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        with torch.cuda.stream(self._memory.stream):
            yield self._memory.stream


def error_of(precision: str, dimensions: int) -> float:
    """Return the largest error of a cosine whose vectors and result are rounded to a precision.

    Row, reference and result are each rounded once, by at most u of their size: together (1 + u)^3 - 1 of
    the sum of the products' sizes, which is at most 1. Numbers below the smallest normal half lose 2**-25
    each. Sums are in float32, whose error is taken fourfold, because matrix units round towards zero.

    Args:
        precision: A name of `PRECISIONS`.
        dimensions: Numbers in a vector.
    """
    unit = torch.finfo(PRECISIONS[precision]).eps / 2
    rounded = 0.0 if precision == "float32" else (1 + unit) ** 3 - 1 + 2 * 2.0**-25 * dimensions**0.5
    return rounded + 4 * error_of_float32(dimensions)
