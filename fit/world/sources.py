"""The list of the data files: origin, licence and digest of each, as `fit doctor` checks them."""

import hashlib
import tomllib
from pathlib import Path
from typing import Any, Final

import tomli_w

LISTING: Final = "SOURCES.toml"
ORIGIN: Final = "Made by this project: `make world`."
LICENCE: Final = "Apache-2.0"
_HEADER: Final = """\
# One table per data file: path (below this folder), origin, licence, sha256, bytes.
# `fit doctor` compares the files with it; `make world` writes the rows of the world that it makes.

"""


def write_sources(world: Path) -> None:
    """Write the rows of a finished world into the list beside its folder; rows of other files stay.

    Args:
        world: The world's folder, such as `data/demo`; the list is `data/SOURCES.toml`.
    """
    listing = world.parent / LISTING
    others = [row for row in _rows(listing) if not row["path"].startswith(f"{world.name}/")]
    ours = [_row(path, world.parent) for path in world.rglob("*") if path.is_file() and _is_kept(path)]
    rows = sorted(others + ours, key=lambda row: row["path"])
    listing.write_text(_HEADER + tomli_w.dumps({"file": rows}), encoding="utf-8")


def _rows(listing: Path) -> list[dict[str, Any]]:
    if not listing.exists():
        return []
    rows: list[dict[str, Any]] = tomllib.loads(listing.read_text(encoding="utf-8")).get("file", [])
    return rows


def _is_kept(path: Path) -> bool:
    """Tell whether a file belongs to the world: hidden ones are an editor's or a file manager's."""
    return not path.name.startswith(".")


def _row(path: Path, data: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "path": path.relative_to(data).as_posix(),
        "origin": ORIGIN,
        "licence": LICENCE,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
