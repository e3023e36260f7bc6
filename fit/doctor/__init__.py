"""``fit doctor``: does this machine have what the tool needs, and does it compute?"""

from __future__ import annotations

import importlib
import platform
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from corpus.registry import data_folder
from fit.run import artefacts, provenance

EXTRAS = {"faces": ("insightface", "onnxruntime"), "cluster": ("ray",)}
NEEDED_DISK = 2 << 30  # bytes: a run of the demo takes a tenth of this


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        what: What it is.
        ok: Whether it is in order.
        found: What was found, or what to do.
        needed: Whether the tool works without it.
    """

    what: str
    ok: bool
    found: str
    needed: bool = True


def examine() -> Iterator[Check]:
    """Yield one check after the other; each is quick but for the first import of torch."""
    yield _python()
    for name in provenance.PACKAGES:
        yield _package(name)
    yield attempt("duckdb query", _query)
    yield attempt("torch matrix product", _multiply)
    yield attempt("demo data", _demo_data)
    yield _disk()
    for extra, packages in EXTRAS.items():
        yield _extra(extra, packages)


def _python() -> Check:
    return Check("python", sys.version_info >= (3, 11), f"{platform.python_version()} (needs 3.11 or newer)")


def _package(name: str) -> Check:
    version = provenance.package_version(name)
    return Check(name, version is not None, version or "not installed; run pip install imitation-threshold")


def attempt(what: str, act: Callable[[], str]) -> Check:
    """Try something that returns what it found; what goes wrong in a package is what the doctor tells."""
    try:
        return Check(what, True, act())
    except Exception as error:  # noqa: BLE001 (a broken installation may raise anything)
        line = " ".join(str(error).split())
        return Check(what, False, f"{type(error).__name__}: {line}")


def _query() -> str:
    duckdb = importlib.import_module("duckdb")
    with duckdb.connect() as session:
        answer = session.execute("SELECT count(*) FROM range(1000) WHERE range % 7 = 0").fetchone()[0]
    if answer != 143:  # 0, 7, ..., 994
        raise ArithmeticError(f"143 multiples of 7 below 1000, DuckDB counts {answer}")
    return "counts right"


def _multiply() -> str:
    torch = importlib.import_module("torch")
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    square = torch.arange(9.0, device=device).reshape(3, 3)
    # [0 1 2; 3 4 5; 6 7 8] times its own row sums (3, 12, 21): 12 + 42, 9 + 48 + 105, 18 + 84 + 168.
    sums = (square @ square).sum(1).tolist()
    if sums != [54.0, 162.0, 270.0]:
        raise ArithmeticError(f"matrix product on {device} gives row sums {sums}")
    return f"right on {device}" + (f" ({torch.cuda.get_device_name()})" if device == "cuda" else "")


def _demo_data() -> str:
    listing = data_folder() / "SOURCES.toml"
    files = _listed(tomllib.loads(listing.read_text("utf-8")))
    for name, expected in files.items():
        if artefacts.digest_file(listing.parent / name) != expected:
            raise ValueError(
                f"{listing.parent / name} has other bytes than SOURCES.toml says; fetch it again"
            )
    return f"{len(files)} files as they should be in {listing.parent}"


def _listed(sources: object) -> dict[str, str]:
    """Return path and SHA-256 of every row of ``SOURCES.toml`` that has both."""
    if isinstance(sources, list):
        return {name: digest for row in sources for name, digest in _listed(row).items()}
    if not isinstance(sources, dict):
        return {}
    if isinstance(sources.get("path"), str) and isinstance(sources.get("sha256"), str):
        return {sources["path"]: sources["sha256"]}
    return _listed(list(sources.values()))


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free
    return Check("disk space", free >= NEEDED_DISK, f"{free / 2**30:.1f} GiB free here")


def _extra(name: str, packages: tuple[str, ...]) -> Check:
    versions = {package: provenance.package_version(package) for package in packages}
    if all(versions.values()):
        return Check(f"extra {name}", True, ", ".join(f"{k} {v}" for k, v in versions.items()), needed=False)
    advice = f"not installed; pip install 'imitation-threshold[{name}]'"
    return Check(f"extra {name}", False, advice, needed=False)
