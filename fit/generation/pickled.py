"""A diffusers folder whose weights are pickles, as one with safetensors."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from concepts.errors import ModelError
from fit.weights.pickles import is_pickle, safetensors_twin

# As diffusers and transformers name the weights of a component, pickled and safe.
_NAMES = {"diffusion_pytorch_model": "diffusion_pytorch_model", "pytorch_model": "model"}


@contextmanager
def without_pickles(folder: Path, pinned: Mapping[str, str]) -> Iterator[Path]:
    """Yield a folder of links in which safetensors stand for pickles, or the folder itself where it has none.

    Args:
        folder: A diffusers folder.
        pinned: SHA-256 of pickles by their paths in the folder.

    Raises:
        ModelError: A pickle is not the pinned one, nobody vouches for it, or it cannot be read.
    """
    pickles = _needed(folder)
    if not pickles:
        yield folder
        return
    twins = {path: safetensors_twin(path, pinned.get(_inside(path, folder), "")) for path in pickles}
    with tempfile.TemporaryDirectory(prefix="fit-model-") as place:
        safe = Path(place)
        for path in folder.rglob("*"):
            if path.is_file() and not is_pickle(path):
                _link(path, safe / _inside(path, folder))
        for path, twin in twins.items():
            _link(twin, safe / path.parent.relative_to(folder) / _safe_name(path))
        yield safe


def _needed(folder: Path) -> list[Path]:
    """Return the pickles of components that have no safetensors."""
    found = sorted(path for path in folder.glob("*/*") if path.is_file() and is_pickle(path))
    safe = {path.parent for path in folder.glob("*/*.safetensors")}
    return [path for path in found if path.parent not in safe and path.stem.split(".")[0] in _NAMES]


def _safe_name(path: Path) -> str:
    name, *variant = path.stem.split(".")
    if "-of-" in path.stem:
        raise ModelError(f"{path}: a pickle in pieces; save the pipeline again as safetensors")
    return ".".join([_NAMES[name], *variant, "safetensors"])


def _inside(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _link(path: Path, link: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(path.absolute())
