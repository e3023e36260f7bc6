"""DuckDB sessions that can read one shard and nothing else, and the SQL files."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb

_CONFIGURATION: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,  # shards are the unit of parallel work, so that a result is the same on any machine
    "arrow_large_buffer_size": True,  # a batch of long captions may pass 2 GiB
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@cache
def sql(name: str) -> str:
    """Return the text of ``sql/<name>.sql``."""
    return files("corpus").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def open_session(path: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open a single-threaded session in memory that can read one file, or none.

    Args:
        path: The file; None for a session that computes on given tables alone.
    """
    session = duckdb.connect(config=_CONFIGURATION)
    if path is not None:
        session.execute(sql("allow"), {"path": str(path)})
    session.execute(sql("lock"))
    return session
