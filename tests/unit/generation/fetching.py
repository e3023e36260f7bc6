"""Locates and loads models in a process of its own: the hub's client reads ``HF_ENDPOINT`` at its import.

Reads a JSON list of wishes from stdin; each has ``weights`` and optionally ``checker``, ``pinned``,
``gated``, ``pickles``, ``variant`` and ``edits``. Writes what came of each: the weights found and loaded,
or the message.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

from concepts.errors import FitError
from fit.generation.edits import Edit
from fit.generation.models import Model
from fit.generation.pipelines import load_pipeline
from fit.generation.places import locate, used_files
from fit.generation.presets import load_preset, recipe_of


def told(wish: dict[str, Any]) -> Any:
    """Return what came of a wish."""
    checker, pinned = wish.pop("checker", True), wish.pop("pinned", ())
    edits = tuple(Edit("lora", place) for place in wish.pop("edits", ()))
    model = Model("x", "x", tuple(wish.pop("weights")), "a test", "none", edits=edits, **wish)
    preset = load_preset("default" if checker else "mimetic2")
    try:
        located = locate(model, Path("/nowhere"), checker, pinned)
        recipe = recipe_of(model, preset)
        pipeline = load_pipeline(model, Path("/nowhere"), torch.device("cpu"), recipe, located)
    except FitError as error:
        return f"{error.exit_code} {error}"
    return {
        "pinned": located.pinned,
        "passed_over": located.main.passed_over,
        "files": sorted(used_files(located.main.folder)),
        "pipeline": type(pipeline).__name__,
    }


if __name__ == "__main__":
    json.dump([told(wish) for wish in json.load(sys.stdin)], sys.stdout)
