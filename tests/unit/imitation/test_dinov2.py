"""DINOv2 in the layouts of transformers and timm, tiny, with random weights, through the real loaders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from timm.data import create_transform, resolve_model_data_config
from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

from concepts.errors import ModelError
from fit.imitation.dinov2 import Dinov2Encoder
from tests.unit.imitation.pictures import encoded, picture

PICTURES = [picture(0), picture(1, 90, 30), picture(2, 36, 36)]
PROCESSOR = {
    "image_processor_type": "BitImageProcessor",
    "do_resize": True,
    "size": {"shortest_edge": 36},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": 28, "width": 28},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


def unit(features: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(features, dim=1).numpy()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dinov2")
    config = Dinov2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        Dinov2Model(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    return folder


def test_transformers_layout(saved: Path) -> None:
    model = Dinov2Model.from_pretrained(saved).eval()
    pixels = BitImageProcessor.from_pretrained(saved)(PICTURES, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        wanted = unit(model(pixels).pooler_output)
    found = Dinov2Encoder(saved, batch=2).embed([encoded(each) for each in PICTURES])
    assert found.vectors.shape == (3, 32)
    # The processor may resize with torch and not with Pillow: a step of 1 in 255 here and there.
    np.testing.assert_allclose(found.vectors, wanted, atol=0.02)


def test_timm_layout(tmp_path: Path) -> None:
    given = {"img_size": 28, "embed_dim": 32, "depth": 1, "num_heads": 2}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        model = timm.create_model("vit_small_patch14_dinov2", num_classes=0, **given).eval()
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    config = {
        "architecture": "vit_small_patch14_dinov2",
        "num_classes": 0,
        "model_args": given,
        "pretrained_cfg": {"input_size": [3, 28, 28], "interpolation": "bicubic", "crop_pct": 1.0},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    loaded = timm.create_model(f"local-dir:{tmp_path}", pretrained=True, num_classes=0).eval()
    transform = create_transform(**resolve_model_data_config(loaded), is_training=False)
    with torch.inference_mode():
        wanted = unit(loaded(torch.stack([transform(each) for each in PICTURES])))
    found = Dinov2Encoder(tmp_path).embed([encoded(each) for each in PICTURES])
    np.testing.assert_allclose(found.vectors, wanted, atol=1e-5)


def no_processor(folder: Path) -> str:
    (folder / "preprocessor_config.json").unlink()
    return "preprocessor_config.json"


def a_layer_missing(folder: Path) -> str:
    weights = load_file(folder / "model.safetensors")
    lost = next(key for key in weights if "layer.1" in key)
    del weights[lost]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return "no weights for "


def truncated(folder: Path) -> str:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:200])
    return "cannot be loaded as DINOv2"


def no_config(folder: Path) -> str:
    (folder / "config.json").unlink()
    return "cannot be loaded as DINOv2"


def test_a_models_code_is_never_run(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in saved.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "trap.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'w').close()\n")
    config = json.loads((tmp_path / "config.json").read_text())
    auto = {"AutoConfig": "trap.Trap", "AutoModel": "trap.Trap"}
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "trap", "auto_map": auto}))
    monkeypatch.setattr("builtins.input", lambda _: "y")
    with pytest.raises(ModelError, match="cannot be loaded as DINOv2"):
        Dinov2Encoder(tmp_path)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("spoil", [no_processor, a_layer_missing, truncated, no_config])
def test_folders_that_hold_no_model(saved: Path, tmp_path: Path, spoil: Callable[[Path], str]) -> None:
    for path in saved.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    message = spoil(tmp_path)
    with pytest.raises(ModelError) as caught:
        Dinov2Encoder(tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
