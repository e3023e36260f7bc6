from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from fit.generation.models import load_model
from fit.generation.pipelines import load_pipeline
from tests.unit.generation import tiny


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny diffusers folder. Tests that damage it work on a copy."""
    return tiny.save(tmp_path_factory.mktemp("tiny") / "model", seed=1)


@pytest.fixture(scope="session")
def pipeline(folder: Path) -> Any:
    """The folder, loaded."""
    return load_pipeline(load_model(str(folder)), folder, torch.device("cpu"))
