"""What runs in a worker process of the pool. Nothing heavy is imported before the task is."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from corpus.executors.attempt import Failed, attempt_packed, packed, told

HELLO = b"hello"
READY = b"ready"


def work(connection: Connection) -> None:
    """Say hello, take the task, say that it is ready, and answer item after item until the pool hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the pool ends its workers
    threading.Thread(target=_end_with_the_pool, daemon=True).start()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send_bytes(HELLO)
        task = _load(connection)
        while task is not None:
            connection.send_bytes(packed(attempt_packed(task, connection.recv_bytes())))


def _load(connection: Connection) -> Callable[[Any], Any] | None:
    """Return the task; None, after the pool was told, where it cannot be loaded."""
    data = connection.recv_bytes()
    try:
        task: Callable[[Any], Any] = pickle.loads(data)  # noqa: S301 (from the process that started this one)
    except Exception as error:  # noqa: BLE001 (loading imports modules and runs their code)
        connection.send_bytes(packed(Failed(told(error))))
        return None
    connection.send_bytes(READY)
    return task


def _end_with_the_pool() -> None:
    """End this process when the one that started it has ended, even by a kill, in the middle of an item."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
