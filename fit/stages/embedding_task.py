"""The work on one file of embeddings, wherever it is done."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.captions import CaptionCounter
from corpus.embeddings.counter import EmbeddingCounter, EmbeddingQuery, NamedRows
from corpus.embeddings.files import EmbeddingFile
from corpus.embeddings.metadata import text_columns
from corpus.embeddings.screen import NumpyScreen, Screen
from corpus.embeddings.shards import open_embeddings
from corpus.embeddings.tables import shard_table
from corpus.executors import threads_here
from corpus.shards import open_shard

CPU, AUTO = "cpu", "auto"
ON_A_DEVICE = 2  # blocks under way: one is copied while another is multiplied


@dataclass(frozen=True)
class Compute:
    """What multiplies; no count depends on it.

    Attributes:
        device: ``cpu``, a device of torch, or ``auto``: the first accelerator, else the CPU.
        precision: What torch multiplies in; empty: float32 on the CPU, float16 on any other device.
    """

    device: str = CPU
    precision: str = ""

    def screen(self, query: EmbeddingQuery) -> tuple[Screen, int]:
        """Return what looks at blocks, and how many blocks side by side.

        Raises:
            ModelError: There is no such device.
            UsageError: There is no such precision.
        """
        device = _first_accelerator() if self.device == AUTO else self.device
        if device == CPU and not self.precision:
            return NumpyScreen(query.references), threads_here()
        from fit.imitation.screen_on_torch import TorchScreen

        precision = self.precision or ("float32" if device == CPU else "float16")
        return TorchScreen(query.references, device, precision), ON_A_DEVICE


def _first_accelerator() -> str:
    from fit.imitation.devices import choose_device

    return str(choose_device(AUTO))


@dataclass(frozen=True)
class CountFile:
    """Counts one file; can be sent to another process.

    Attributes:
        query: What to count.
        column: The column of vectors of Parquet files; empty: found by its name.
        captions: Searches captions for concepts; None: captions are not searched.
        owners: Position among the query's concepts of each concept that captions are searched for; -1: none.
        compute: What multiplies.
    """

    query: EmbeddingQuery
    column: str
    captions: CaptionCounter | None
    owners: NDArray[np.int64]
    compute: Compute

    def __call__(self, file: EmbeddingFile) -> pa.Table:
        """Return the counts of a file (`corpus.embeddings.tables.shard_table`).

        Raises:
            CorpusError: A file cannot be read to its end, or does not suit the references.
        """
        shard = open_embeddings(file, self.query.references.dimensions, self.column)
        return shard_table(self._counter.count(shard, self._named(file)))

    @cached_property
    def _counter(self) -> EmbeddingCounter:
        """The counter, made once where the work is done."""
        return EmbeddingCounter(self.query, *self.compute.screen(self.query))

    def _named(self, file: EmbeddingFile) -> NamedRows | None:
        """Return what the file's captions name; None where there are none, or nobody asks."""
        if self.captions is None or file.metadata is None or text_columns(file.metadata).caption is None:
            return None
        return NamedRows(self.captions.naming_rows(open_shard(file.metadata, file.name)), self.owners)
