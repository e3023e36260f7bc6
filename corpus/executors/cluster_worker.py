"""What runs in a worker of a Ray cluster: the counterpart of `process_worker`."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Mapping
from typing import Any

from corpus.executors.attempt import attempt_packed, packed, told


class ClusterWorker:
    """An actor: it takes the task once and then item after item."""

    def __init__(self) -> None:
        self._task: Callable[[Any], Any] | None = None

    def load(self, task: bytes, variables: Mapping[str, str]) -> str:
        """Unpickle the task; return why that fails, or nothing.

        Args:
            task: The task.
            variables: For this process's environment: nothing that reads them is imported yet.
        """
        os.environ.update(variables)
        try:
            self._task = pickle.loads(task)  # noqa: S301 (from the process that maps)
        except Exception as error:  # noqa: BLE001 (loading imports modules and runs their code)
            return told(error)
        return ""

    def work(self, item: bytes) -> bytes:
        """Try a pickled item and return the pickled answer."""
        if self._task is None:
            raise RuntimeError("an item came before the task")
        return packed(attempt_packed(self._task, item))
