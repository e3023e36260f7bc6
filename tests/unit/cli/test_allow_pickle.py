"""``--allow-pickle``: the user vouches for a file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fit import cli
from fit.weights.pickles import safetensors_twin


def test_a_file_that_the_user_vouches_for_is_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FIT_CACHE", str(tmp_path / "cache"))
    weights = tmp_path / "w.bin"
    torch.save({"a": torch.zeros(1)}, weights)
    asked = ["estimate", "--domain", "art-styles", "--model", "nowhere", "--allow-pickle", str(weights)]
    assert cli.run(asked) == 14  # there is no such model, but the pickle was converted before that was found
    assert "nowhere: unknown model" in capsys.readouterr().err
    assert safetensors_twin(weights).is_file()
    assert cli.run([*asked[:-1], str(tmp_path / "none.bin")]) == 14
    assert "none.bin: cannot be read" in capsys.readouterr().err
