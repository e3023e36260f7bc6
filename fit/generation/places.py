"""Where the weights of a model are: the first of several places, on disk, in the hub's cache or the hub."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from concepts.errors import ModelError
from fit.generation.components import weight_files
from fit.generation.edits import Edit
from fit.generation.models import DATA_PREFIX, HUB_ID, Model
from fit.generation.quiet import quiet
from fit.weights.digests import digest_of, file_digest
from fit.weights.hub import why_not
from fit.weights.pickles import is_pickle

INDEX = "model_index.json"
CHECKER = "safety_checker"
# Weights of other frameworks, and files beside the weights.
_UNUSED = {".ckpt", ".h5", ".md", ".msgpack", ".onnx", ".onnx_data", ".pb"}


@dataclass(frozen=True, slots=True)
class Found:
    """Where weights were found.

    Attributes:
        place: As the row names it.
        folder: The diffusers folder on this machine.
        commit: Commit of the hub's repository; empty for what is not from the hub.
        passed_over: Why the places before it could not be used, one line each.
    """

    place: str
    folder: Path
    commit: str = ""
    passed_over: tuple[str, ...] = ()

    @property
    def pinned(self) -> str:
        """The place, as it has to be named to get the same weights again."""
        return f"{self.place.partition('@')[0]}@{self.commit}" if self.commit else self.place

    @property
    def named(self) -> str:
        """The place for messages: the folder, or the hub id with its commit."""
        return self.pinned if self.commit else str(self.folder)


@dataclass(frozen=True, slots=True)
class Located:
    """Where all weights of a model were found.

    Attributes:
        main: The pipeline.
        prior: The prior of a model in two pipelines, None where it has none.
        edits: A file or folder for each of the model's edits.
    """

    main: Found
    prior: Found | None = None
    edits: tuple[Path, ...] = ()

    @property
    def pinned(self) -> tuple[str, ...]:
        """The places, as `locate` takes them to find the same weights again."""
        return (self.main.pinned, *([self.prior.pinned] if self.prior else []))


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a repository.

    Attributes:
        data: The data folder.
        revision: Of a place that names none.
        variant: Of the weight files.
        pickles: The pickles that may be read, by their paths.
        checker: Whether the safety checker is wanted.
        gated: Whether the hub asks for conditions to be accepted.
    """

    data: Path
    revision: str = ""
    variant: str = ""
    pickles: tuple[str, ...] = ()
    checker: bool = True
    gated: bool = False


def wish_for(model: Model, data: Path, checker: bool = True) -> Wish:
    """Return what is wanted of a model's repository."""
    return Wish(data, model.revision, model.variant, tuple(model.pickles), checker, model.gated)


def locate(model: Model, data: Path, checker: bool = True, pinned: Sequence[str] = ()) -> Located:
    """Find all weights of a model; what is on the hub is fetched.

    Args:
        model: The model.
        data: The data folder.
        checker: Whether the safety checker is wanted.
        pinned: The places that were used before, of the pipeline and of its prior; empty: the row's.

    Raises:
        ModelError: Something cannot be had; one line says why not and what to do.
    """
    wish = wish_for(model, data, checker)
    main = find(pinned[:1] or model.weights, wish)
    prior = find(pinned[1:] or model.prior, wish) if model.prior else None
    return Located(main, prior, tuple(_edit_place(edit, wish) for edit in model.edits))


def find(places: Sequence[str], wish: Wish) -> Found:
    """Return the first place that can be had; what is on the hub is fetched.

    Raises:
        ModelError: None can be had; one line says why not and what to do.
    """
    refused: list[str] = []
    for place in places:
        try:
            folder = _local(place, wish.data)
            if folder is not None:
                return Found(place, folder, passed_over=tuple(refused))
            folder = _fetched(place, wish)
            return Found(place, folder, folder.name, tuple(refused))
        except ModelError as error:
            refused.append(str(error))
    if len(refused) == 1:
        raise ModelError(refused[0])
    raise ModelError(f"none of {len(refused)} places can be had: {'; or '.join(refused)}")


def local_folder(model: Model, data: Path) -> Path | None:
    """Return the folder of a model whose preferred place is on this machine, or None for a hub id.

    Raises:
        ModelError: The folder is missing or is no diffusers folder with weights.
    """
    return _local(model.weights[0], data)


def weights_digest(model: Model, data: Path) -> str:
    """Return a digest of a local model's files, or the hub id with its revision where they are not local."""
    folder = local_folder(model, data)
    if folder is None:
        return " or ".join(
            place if "@" in place else f"{place}@{model.revision or 'newest'}" for place in model.weights
        )
    return digest_of(used_files(folder))


def is_local(model: Model) -> bool:
    """Tell whether nothing of a model has to be asked of the hub."""
    return not any(HUB_ID.fullmatch(place) for place in (model.weights[0], *model.prior))


def edit_digest(edit: Edit) -> str:
    """Return a digest of an edit's files and scale, or its hub id with its revision.

    Raises:
        ModelError: There are no such files.
    """
    if not os.path.isabs(edit.place):
        return f"{edit.place if '@' in edit.place else edit.place + '@newest'} x {edit.scale:g}"
    return f"{digest_of(edit_files(Path(edit.place)))} x {edit.scale:g}"


def edit_files(place: Path) -> dict[str, str]:
    """Return the SHA-256 of an edit's files, by name."""
    return {path.name: file_digest(path) for path in weight_files(place)}


def used_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of the files that a pipeline is made of, by path, in the order of the paths.

    Left out are files beside the components (whole checkpoints of other programs), weights of other
    frameworks and pickles beside safetensors.
    """
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in sorted(_used(folder))}


def _used(folder: Path) -> list[Path]:
    inside = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in _UNUSED]
    safe = {path.parent for path in inside if path.suffix == ".safetensors"}
    return [
        path
        for path in inside
        if (path.parent != folder or path.name == INDEX) and not (is_pickle(path) and path.parent in safe)
    ]


def _local(place: str, data: Path) -> Path | None:
    """Return the folder of a place on this machine, None for a hub id."""
    if place.startswith(DATA_PREFIX):
        folder = data / place.removeprefix(DATA_PREFIX)
    elif os.path.isabs(place):
        folder = Path(place)
    else:
        return None
    if not (folder / INDEX).is_file():
        raise ModelError(
            f"{folder}: no {INDEX} there; a diffusers folder is needed (pipeline.save_pretrained makes one)"
        )
    if not any(path.suffix == ".safetensors" or is_pickle(path) for path in folder.glob("*/*")):
        raise ModelError(
            f"{folder}: holds no weights (*/*.safetensors); save the pipeline again with its weights"
        )
    return folder


def _fetched(place: str, wish: Wish) -> Path:
    """Return the snapshot in the hub's cache, fetched where it is not there."""
    from diffusers import DiffusionPipeline
    from huggingface_hub import snapshot_download

    repo, _, revision = place.partition("@")
    options: dict[str, Any] = {"revision": revision or wish.revision or None}
    try:
        with quiet(bars=True):
            if wish.pickles:
                wanted = ["*.json", "*/*.json", "*/*.txt", "*/*.model", "*/*.safetensors", *wish.pickles]
                return Path(snapshot_download(repo, allow_patterns=wanted, **options))
            skipped: Mapping[str, None] = {} if wish.checker else {CHECKER: None}
            folder = DiffusionPipeline.download(
                repo, variant=wish.variant or None, use_safetensors=True, trust_remote_code=False,
                **options, **skipped,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(_why(repo, error, wish)) from error
    return Path(folder)


def _edit_place(edit: Edit, wish: Wish) -> Path:
    """Return the file or folder of an edit; a LoRA may be on the hub."""
    from huggingface_hub import snapshot_download

    if os.path.isabs(edit.place):
        return Path(edit.place)
    repo, _, revision = edit.place.partition("@")
    if not HUB_ID.fullmatch(edit.place):
        raise ModelError(f"{edit.place}: no such file or folder, and no hub id (owner/name)")
    try:
        with quiet(bars=True):
            folder = snapshot_download(repo, revision=revision or None, allow_patterns=["*.safetensors"])
    except (OSError, ValueError) as error:
        raise ModelError(_why(repo, error, replace(wish, gated=False))) from error
    return Path(folder)


def _why(repo: str, error: Exception, wish: Wish) -> str:
    if "necessary `safetensors` weights" in str(error):
        return (
            f"{repo}: its weights are pickles, which can run code when they are loaded; name another place, "
            f"or fetch it (hf download {repo}), give --model the folder and --allow-pickle its pickles"
        )
    if "no such modeling files" in str(error):
        return f"{repo}: no weights of the variant {wish.variant}; name another variant or place in the row"
    return why_not(repo, error, wish.gated)
