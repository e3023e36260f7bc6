"""DuckDB sessions that can read one shard and nothing else, and the SQL files."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb

_CONFIGURATION: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,  # shards are the unit of parallel work, so that a result is the same on any machine
    "arrow_large_buffer_size": True,  # a batch of long captions may pass 2 GiB
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_persistent_secrets": False,  # secrets of other sessions of this user are none of ours
}


@cache
def sql(name: str) -> str:
    """Return the text of ``sql/<name>.sql``."""
    return files("corpus").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def open_session(
    *places: Path | str, before: Callable[[duckdb.DuckDBPyConnection], None] | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a single-threaded session in memory that can read the given places and nothing else.

    Args:
        places: Paths or URLs; none for a session that computes on given tables alone.
        before: What has to be done before the session is locked, such as registering a file system.
    """
    session = duckdb.connect(config=_CONFIGURATION)
    if before is not None:
        before(session)
    if places:
        session.execute(sql("allow"), {"paths": [str(place) for place in places]})
    session.execute(sql("lock"))
    return session


def open_merging_session(spill: Path | str) -> duckdb.DuckDBPyConnection:
    """Open a session that computes on given tables alone.

    Args:
        spill: A folder of nobody else's for what is too large for its memory.
    """
    limits: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "512MB",
        "temp_directory": str(spill),
    }
    session = duckdb.connect(config=_CONFIGURATION | limits)
    session.execute(sql("lock"))
    return session
