"""Text files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(file: Path, text: str) -> None:
    """Write a file of UTF-8 so that nobody ever reads half of it; a link to it stays one.

    Raises:
        OSError: It cannot be written; what was there before is still there.
    """
    file = file.resolve()
    whole = file.with_name(f".unfinished-{os.getpid()}-{file.name}")
    try:
        whole.write_text(text, encoding="utf-8")
        whole.replace(file)
    finally:
        whole.unlink(missing_ok=True)
