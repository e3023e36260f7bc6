"""Where and with what a run was computed: all that differs between equal runs on different machines."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fit

# What results may depend on. Only these are recorded: the environment itself may hold secrets.
PACKAGES = (
    "diffusers", "duckdb", "numpy", "open-clip-torch", "pillow", "pyarrow", "ruptures", "safetensors",
    "scipy", "statsmodels", "tokenizers", "torch", "torchvision", "transformers", "vl-convert-python",
)  # fmt: skip


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def describe(seed: int) -> dict[str, Any]:
    """Describe what is about to compute: version, commit, packages, device, seed and time."""
    return {
        "id": uuid.uuid4().hex,
        "started": now(),
        "version": fit.__version__,
        "git_commit": git_commit(),
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := package_version(name))},
        "device": device(),
        "seed": seed,
    }


def package_version(name: str) -> str | None:
    """Return the installed version of a distribution, or None where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def git_commit() -> str | None:
    """Return the commit that this package runs from, ``+changes`` if files differ; None outside git."""
    here = Path(fit.__file__).resolve().parent
    commit = _git(here, "rev-parse", "HEAD")
    # A package installed into somebody else's repository is not of that repository's commit.
    if not commit or not _git(here, "ls-files", "__init__.py"):
        return None
    return commit + ("+changes" if _git(here, "status", "--porcelain", "--untracked-files=no", ".") else "")


def device() -> dict[str, Any]:
    """Describe the processor and, where torch is loaded already, the accelerator."""
    described: dict[str, Any] = {
        "host": platform.node(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "accelerator": None,
    }
    torch = sys.modules.get("torch")  # never imported for this: it takes seconds
    if torch is not None and torch.cuda.is_available():
        described["accelerator"] = torch.cuda.get_device_name()
    return described


def _git(folder: Path, *words: str) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *words],  # noqa: S607
            capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None
